"""The dialogs of calls, held over AGI: Asterisk plays files and tells keys, and over EAGI the voice."""
