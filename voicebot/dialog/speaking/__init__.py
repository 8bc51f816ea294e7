"""How prompts and values are said."""
