"""The watch over Asterisk by its manager interface."""
