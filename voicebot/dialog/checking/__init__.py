"""What a well-formed dialog can still get wrong."""
