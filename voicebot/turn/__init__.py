"""Who holds the floor: the turn machine."""
