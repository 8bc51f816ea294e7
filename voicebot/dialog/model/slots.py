"""What a slot may hold."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from voicebot.dialog.model.base import Key, Phrase, PhraseList, Strict

SlotKind = Literal["yes_no", "choice", "weekday", "digits", "number", "text", "name"]
Value = bool | int | float | str

MOST_DIGITS = 40


class SlotChoice(Strict):
    """One value of a `choice` slot. In short, its phrases: `red: [red, the red one]`."""

    hear: PhraseList = Field((), description="What callers say for it; without it, its name.")
    key: Key | None = Field(None, description="The key for it.")


def _slot_choice(value: Any) -> Any:
    if value is None:
        return {}
    return {"hear": value} if isinstance(value, list | tuple) else value


SlotChoiceSpec = Annotated[
    SlotChoice, BeforeValidator(_slot_choice, json_schema_input_type=SlotChoice | list[Phrase] | None)
]


class Slot(Strict):
    """Something that the conversation may learn. In short, its type alone: `attending: yes_no`."""

    type: SlotKind = Field(description="What kind of answer it is.")
    choices: dict[str, SlotChoiceSpec] = Field(
        default_factory=dict, description="For `choice`: each value, and what callers say for it."
    )
    length: int | tuple[int, int] | None = Field(
        None, description="For `digits`: how many, or [fewest, most]."
    )
    check: Literal["luhn"] | None = Field(None, description="For `digits`: a check digit that must be right.")
    between: tuple[int, int] | None = Field(None, description="For `number`: the least and the greatest.")
    sensitive: bool = Field(
        False, description="Never log, record or store what the caller says or keys here."
    )

    @model_validator(mode="after")
    def _fits(self) -> Slot:
        if (self.type == "choice") != bool(self.choices):
            raise ValueError("`choices` belongs to type `choice`, which needs it")
        if self.type != "digits" and (self.length is not None or self.check):
            raise ValueError("`length` and `check` belong to type `digits`")
        if self.type != "number" and self.between is not None:
            raise ValueError("`between` belongs to type `number`")
        low, high = self.digits_range
        if not 1 <= low <= high <= MOST_DIGITS:
            raise ValueError(f"`length` must lie between 1 and {MOST_DIGITS}")
        if self.between is not None and self.between[0] > self.between[1]:
            raise ValueError("`between` is [least, greatest]")
        return self

    @property
    def digits_range(self) -> tuple[int, int]:
        """Fewest and most digits."""
        if self.length is None:
            return 1, MOST_DIGITS
        return (self.length, self.length) if isinstance(self.length, int) else self.length

    @property
    def open(self) -> bool:
        """Whether the caller may say anything."""
        return self.type in ("text", "name")


def _slot(value: Any) -> Any:
    return {"type": value} if isinstance(value, str) else value


SlotSpec = Annotated[Slot, BeforeValidator(_slot, json_schema_input_type=SlotKind | Slot)]


def meaning_of(value: object) -> str:
    """Return a value as a word for records and comparisons: True is "yes"."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)
