"""Shells that talk to Asterisk: the ARI client and the AMI client."""
