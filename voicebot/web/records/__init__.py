"""Calls that are over: found among many, with their sound."""
