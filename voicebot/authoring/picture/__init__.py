"""A dialog as a picture."""
