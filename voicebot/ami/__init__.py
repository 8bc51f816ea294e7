"""AMI: messages, events, actions, and the protocol of one connection. Pure; the client is in voicebot.pbx."""
