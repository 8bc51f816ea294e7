"""Conversations that a dialog must hold, in YAML."""
