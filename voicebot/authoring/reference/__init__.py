"""The reference of the dialog language, made from its models."""
