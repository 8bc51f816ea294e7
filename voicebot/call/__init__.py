"""One call: leg, hearing, speaking, session, record."""
