"""Checks a set-up and says how to mend each fault: `findings = await examine(config)`."""

from voicebot.doctor.examine import examine
from voicebot.doctor.finding import Finding, Status

__all__ = ["Finding", "Status", "examine"]
