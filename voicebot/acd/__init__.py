"""Automatic call distribution, pure: who is next, who is asked, what those who wait are told."""
