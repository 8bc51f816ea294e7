"""Persons on the line: queues, agents, transfers, conferences, supervisors."""
