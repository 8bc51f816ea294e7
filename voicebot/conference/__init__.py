"""Conferences, pure: who may join, who is muted when, who ends it."""
