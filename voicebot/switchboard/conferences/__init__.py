"""Our own conferences: rooms, who is in them, and the bot that may be."""
