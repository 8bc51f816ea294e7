"""What supervisors do to live calls, and how they are on them."""
