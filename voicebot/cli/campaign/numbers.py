"""A number on the command line."""

from __future__ import annotations

from voicebot.campaign.numbers import PREMIUM, WrongNumber, normalise
from voicebot.errors import Problem, UserError


def number_of(text: str, region: str) -> str:
    """Return a number in E.164. Raises UserError for what is none."""
    try:
        return normalise(text, region).number
    except WrongNumber as error:
        remedy = "no such number is ever called" if error.rule == PREMIUM else "write it like +12025550142"
        raise UserError(Problem(str(error), remedy)) from error
