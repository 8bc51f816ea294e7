"""From the text of a file to a checked dialog."""
