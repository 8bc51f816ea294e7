"""Dialogs: the YAML language (model, loader), what a step expects (grammar), the interpreter. All pure."""
