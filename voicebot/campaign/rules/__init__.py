"""The rules that no campaign can forget: each judges one call at one moment and says why."""
