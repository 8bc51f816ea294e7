"""Look-ups for the dialplan: who calls, and which dialog they want; from databases and web services."""
