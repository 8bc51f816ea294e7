"""A dialog in writing: for chats, tests, proofs and replays."""
