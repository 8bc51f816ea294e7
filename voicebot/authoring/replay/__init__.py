"""Recorded calls against a changed dialog."""
