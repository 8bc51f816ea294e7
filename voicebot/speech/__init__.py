"""Protocols and pure rules of hearing and speaking; the engines behind them live in `voicebot.engines`."""
