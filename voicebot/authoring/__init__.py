"""Tools for those who write dialogs."""
