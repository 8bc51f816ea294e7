"""What a PBX looks like, pure: live state out of AMI events, and what is stuck in it."""
