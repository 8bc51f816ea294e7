"""Proving that a dialog ends, knows what it says, and can be left."""
