"""What a slot may hold."""

from __future__ import annotations

import re
from datetime import date, datetime, time
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from voicebot.dialog.model.base import Condition, FileName, Key, Phrase, PhraseList, Strict
from voicebot.dialog.model.say import Prompts, Variants

ValueKind = Literal[
    "yes_no", "weekday", "digits", "number", "money", "date", "time", "datetime",
    "phone", "email", "spelled", "name", "text",
]  # fmt: skip
"""What a value may be, wherever it comes from."""

SlotKind = Literal[
    "yes_no", "choice", "weekday", "digits", "number", "money", "date", "time", "datetime",
    "phone", "email", "spelled", "name", "text", "recording",
]  # fmt: skip
"""What the conversation may learn."""

Value = bool | int | float | Decimal | str | datetime | date | time
CheckDigit = Literal["luhn", "verhoeff", "damm", "mod_97_10", "ean"]
ConfirmRule = Literal["unsure", "always", "implicit", "never"]

MOST_DIGITS = 40

_CONFIRMED_WHEN_UNSURE = frozenset(("money", "date", "time", "datetime", "phone", "email", "spelled"))


class SlotChoice(Strict):
    """One value of a `choice` slot. In short, its phrases: `red: [red, the red one]`."""

    hear: PhraseList = Field((), description="What callers say for it; without it, its name.")
    examples: PhraseList = Field(
        (), description="Sentences that callers might use: an intent is found by its likeness to them."
    )
    key: Key | None = Field(None, description="The key for it.")


def short_choice(value: Any) -> Any:
    """Read the short form of a choice: nothing, or its phrases."""
    if value is None:
        return {}
    return {"hear": value} if isinstance(value, list | tuple) else value


SlotChoiceSpec = Annotated[
    SlotChoice, BeforeValidator(short_choice, json_schema_input_type=SlotChoice | list[Phrase] | None)
]


def _bound(value: Any) -> Any:
    """Read a number from the text that YAML gives; a day or a time stays text."""
    if isinstance(value, str) and re.fullmatch(r"[-+]?[0-9]{1,15}(\.[0-9]{1,9})?", value.strip()):
        return float(value) if "." in value else int(value)
    return value


Bound = Annotated[int | float | str, BeforeValidator(_bound, json_schema_input_type=int | float | str)]


class Slot(Strict):
    """Something that the conversation may learn. In short, its type alone: `attending: yes_no`."""

    type: SlotKind = Field(description="What kind of answer it is.")
    choices: dict[str, SlotChoiceSpec] = Field(
        default_factory=dict, description="For `choice`: each value, and what callers say for it."
    )
    choices_from: FileName | None = Field(
        None,
        description="For `choice`: a text file beside the dialog, a value a line: `value: phrase, phrase`.",
    )
    length: int | tuple[int, int] | None = Field(
        None, description="For `digits` and `spelled`: how many, or [fewest, most]."
    )
    check: CheckDigit | None = Field(None, description="For `digits`: a check digit that must be right.")
    between: tuple[Bound, Bound] | None = Field(
        None,
        description="The least and the greatest: numbers, amounts, dates or times such as "
        "[tomorrow, +30 days] or ['09:00', '17:30'].",
    )
    currency: str | None = Field(
        None, pattern=r"^[A-Z]{3}$", description="For `money`: ISO 4217, such as USD; else the language's."
    )
    region: str | None = Field(
        None, pattern=r"^[A-Z]{2}$", description="For `phone`: ISO 3166, such as US; else the language's."
    )
    extension: bool = Field(False, description="For `phone`: short numbers such as 204 are taken as well.")
    valid: Condition | None = Field(
        None, description="A condition that a value must meet, such as `nights <= 14`."
    )
    called: PhraseList = Field(
        (), description='What callers call it, for "change the day"; without it, its name.'
    )
    ask: Variants = Field((), description="The question where it is still missing.")
    help: Variants = Field((), description="What is said when the caller asks for help.")
    noinput: Prompts = Field((), description="What is said to a silent caller, by attempt.")
    nomatch: Prompts = Field((), description="What is said when it was not understood, by attempt.")
    invalid: Prompts = Field(
        (), description="What is said when it was understood but is not possible, by attempt."
    )
    confirm: ConfirmRule | None = Field(
        None, description="Whether to ask back, where a step does not say; see there."
    )
    optional: bool = Field(False, description="The caller may skip it; it stays unknown.")
    sensitive: bool = Field(
        False, description="Never log, record or store what the caller says or keys here."
    )

    @model_validator(mode="after")
    def _fits(self) -> Slot:
        if (self.type == "choice") != bool(self.choices or self.choices_from):
            raise ValueError("`choices` belongs to type `choice`, which needs it")
        if self.type not in ("digits", "spelled") and self.length is not None:
            raise ValueError("`length` belongs to types `digits` and `spelled`")
        if self.type != "digits" and self.check:
            raise ValueError("`check` belongs to type `digits`")
        if self.type not in ("number", "money", "date", "time", "datetime") and self.between is not None:
            raise ValueError("`between` belongs to types `number`, `money`, `date`, `time` and `datetime`")
        if self.type != "money" and self.currency:
            raise ValueError("`currency` belongs to type `money`")
        if self.type != "phone" and (self.region or self.extension):
            raise ValueError("`region` and `extension` belong to type `phone`")
        low, high = self.digits_range
        if not 1 <= low <= high <= MOST_DIGITS:
            raise ValueError(f"`length` must lie between 1 and {MOST_DIGITS}")
        if self.between is not None and self.type in ("number", "money"):
            least, greatest = self.between
            if isinstance(least, str) or isinstance(greatest, str):
                raise ValueError("`between` of a number or an amount is two numbers")
            if least > greatest:
                raise ValueError("`between` is [least, greatest]")
        return self

    @property
    def digits_range(self) -> tuple[int, int]:
        """Fewest and most digits or letters."""
        if self.length is None:
            return 1, MOST_DIGITS
        return (self.length, self.length) if isinstance(self.length, int) else self.length

    @property
    def open(self) -> bool:
        """Whether the caller may say anything."""
        return self.type in ("text", "name")

    @property
    def closed(self) -> bool:
        """Whether the answers can be listed."""
        return self.type in ("yes_no", "choice", "weekday")

    @property
    def confirmed(self) -> ConfirmRule:
        """Whether to ask back where neither step nor slot says it: long values when we are not sure."""
        return self.confirm or ("unsure" if self.type in _CONFIRMED_WHEN_UNSURE else "never")


def _slot(value: Any) -> Any:
    return {"type": value} if isinstance(value, str) else value


SlotSpec = Annotated[Slot, BeforeValidator(_slot, json_schema_input_type=SlotKind | Slot)]


def meaning_of(value: object) -> str:
    """Return a value as a word for records and comparisons: True is "yes", dates are ISO 8601."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, datetime):
        return value.isoformat(timespec="minutes")
    if isinstance(value, time):
        return value.isoformat(timespec="minutes")
    if isinstance(value, date):
        return value.isoformat()
    return "" if value is None else str(value)
