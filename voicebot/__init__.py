"""A voice-bot media gateway for Asterisk."""

__version__ = "0.1.0"
