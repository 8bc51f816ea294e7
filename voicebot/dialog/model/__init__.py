"""Everything that a dialog file can say, as frozen data."""
