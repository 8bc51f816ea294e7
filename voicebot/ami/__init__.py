"""AMI's messages: parse and serialise. Pure; the client is in voicebot.pbx."""
