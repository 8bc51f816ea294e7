"""What an answer means."""

from __future__ import annotations

from dataclasses import dataclass

from voicebot.dialog.model.slots import Value


@dataclass(frozen=True, slots=True)
class Match:
    """An answer that was understood.

    meaning:  the choice, the command, or the value as text ("yes", "4271")
    score:    0 to 1, how well the words fit
    value:    the value with its type, for a slot: True, "4271", 42
    command:  it is a global command, not an answer to the question
    by_key:   it was keyed
    choice:   it is one of the step's choices, not a value of its slot
    invalid:  why the value is not possible, "" where it is: `range`, `length`, `check`, `past`, `form`,
              `incomplete` (a day without a time of day, or the other way round), `valid`
    fills:    where a question is for several slots, what each of them was told: (slot, value)
    instead:  what the same words say in the other half of the day, where they do not say which: (slot, value)
    refused:  and what some of them were told beside it that is not possible: (slot, value, why)
    """

    meaning: str
    score: float = 1.0
    value: Value = ""
    command: bool = False
    by_key: bool = False
    choice: bool = False
    invalid: str = ""
    fills: tuple[tuple[str, Value], ...] = ()
    refused: tuple[tuple[str, Value, str], ...] = ()
    instead: tuple[tuple[str, Value], ...] = ()
