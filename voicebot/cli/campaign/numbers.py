"""A number on the command line."""

from __future__ import annotations

from voicebot.campaign.numbers import parse_number
from voicebot.errors import Problem, UserError


def number_of(text: str, region: str) -> str:
    """Return a number in E.164. Raises UserError for what is none."""
    found = parse_number(text, region)
    if found.e164 is None:
        raise UserError(Problem(f"`{text}` is no number to call: {found.why}", "write it like +12025550142"))
    return found.e164
