"""AGI, pure: what Asterisk says and asks for at a dialplan's script, and what it is told."""
