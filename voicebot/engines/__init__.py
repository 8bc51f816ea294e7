"""Speech engines and the worker processes that host them."""
