"""RTP per RFC 3550 as pure cores: packets, sequence numbers, jitter buffer, statistics, session."""
