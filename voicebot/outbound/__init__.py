"""Outbound calls, the parts that act: import, spool, dialler, follow-up, reports."""
