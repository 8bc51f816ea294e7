"""Conditions and computed values: a small closed language."""
