"""Keys that agents press while they talk, and callers while they wait. Pure.

*1 digits #   give the caller to that number, at once          *3   the second person has the caller
*2 digits #   ring that number first; the caller hears music    *4   back to the caller
                                                                *5   the other of the two
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

BETWEEN_KEYS_S = 5.0
"""Who presses nothing for so long begins anew."""
MOST_DIGITS = 32
FEWEST_DIGITS = 3
"""Of a number to call back."""


def forms_of(number: str) -> tuple[str, ...]:
    """Return how a caller id, or what a caller keyed, may be meant: as it is, then as E.164 with its +.

    Of those the first that may be dialled is called.
    """
    digits = "".join(c for c in number if c.isdigit())
    if not digits or number.startswith("+"):
        return (number,) if digits else ()
    international = digits.removeprefix("00")
    return (digits, f"+{international}") if digits == international else (f"+{international}", digits)


@dataclass(frozen=True, slots=True)
class TransferTo:
    kind: Literal["blind", "attended"]
    number: str


@dataclass(frozen=True, slots=True)
class Complete:
    pass


@dataclass(frozen=True, slots=True)
class Cancel:
    pass


@dataclass(frozen=True, slots=True)
class Swap:
    pass


Wish = TransferTo | Complete | Cancel | Swap
_AT_ONCE: dict[str, Wish] = {"3": Complete(), "4": Cancel(), "5": Swap()}
_WITH_NUMBER: dict[str, Literal["blind", "attended"]] = {"1": "blind", "2": "attended"}


class AgentKeys:
    """Reads the keys of one agent."""

    def __init__(self) -> None:
        self._keys = ""
        self._last = 0.0

    def press(self, digit: str, now: float) -> Wish | None:
        """Take a key; return what the agent wants, once that is known."""
        if now - self._last > BETWEEN_KEYS_S:
            self._keys = ""
        self._last = now
        self._keys += digit
        if not self._keys.startswith("*"):
            self._keys = ""
            return None
        if len(self._keys) < 2:
            return None
        kind = self._keys[1]
        if kind in _AT_ONCE:
            self._keys = ""
            return _AT_ONCE[kind]
        if kind not in _WITH_NUMBER or len(self._keys) > MOST_DIGITS + 3:
            self._keys = "*" if digit == "*" else ""
            return None
        if digit == "#":
            number, self._keys = self._keys[2:-1], ""
            return TransferTo(_WITH_NUMBER[kind], number) if number else None
        return None


class CallBackKeys:
    """Reads what a caller keys who was asked where to call back: # confirms the number that was said, digits
    and # name another one, * goes on waiting.
    """

    def __init__(self, number: str) -> None:
        self.number = number
        self._digits = ""

    def press(self, digit: str) -> Literal["confirmed", "changed", "refused"] | None:
        """Take a key. `changed`: `number` is what they keyed, and they are asked once more."""
        if digit == "*":
            return "refused"
        if digit != "#":
            self._digits = (self._digits + digit)[:MOST_DIGITS]
            return None
        digits, self._digits = self._digits, ""
        if not digits:
            return "confirmed" if self.number else None
        if len(digits) < FEWEST_DIGITS:
            return None
        self.number = digits
        return "changed"
