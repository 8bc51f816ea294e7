"""How a script went, as the dialplan is told."""

from __future__ import annotations

STATUS = "VOICEBOT_AGI_STATUS"
"""The channel variable that tells it."""
OK = "ok"
UNKNOWN = "unknown"
"""There is no such script."""
FAILED = "failed"
BUSY = "busy"
"""Too many sessions."""
