"""How the phrases of a dialog sound, and whether a recogniser knows their words."""
