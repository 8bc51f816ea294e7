"""Outbound campaigns, pure: whom to call, when, how fast, by which rules, and what became of it."""
