"""ARI's messages: events, requests, identifiers. Pure; the client is in voicebot.pbx."""
