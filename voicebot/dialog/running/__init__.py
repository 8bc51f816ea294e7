"""A conversation, as it runs."""
