"""Our own queues: who waits, who is asked, who talks to whom."""
