"""What the bot knows of a language: words of callers, words of its own."""
