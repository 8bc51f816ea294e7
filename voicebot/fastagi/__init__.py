"""The FastAGI server: look-ups, functions and dialogs for the dialplan."""
