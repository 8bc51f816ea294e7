"""The rules of the check, by subject: each yields what it finds wrong in a dialog."""
