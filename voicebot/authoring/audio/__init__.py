"""The same conversations by sound, over a line as bad as one likes."""
