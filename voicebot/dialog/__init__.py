"""Dialogs: the YAML language (model, loader), what a step expects (grammar), and the interpreter. All pure."""
