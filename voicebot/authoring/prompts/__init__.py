"""How prompts sound, and whether they are understood."""
