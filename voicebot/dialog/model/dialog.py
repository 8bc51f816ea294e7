"""Everything that a dialog file can say. These models are the one source of validation, schema and reference.

To the interpreter a dialog is this frozen data: it holds no code. Short forms (`fill: attending`,
`say: Hello`) become the full ones here, so that whoever reads the model meets one form only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType
from typing import Annotated, Any, Protocol

from pydantic import BeforeValidator, Field

from voicebot.dialog.model.actions import Transfer
from voicebot.dialog.model.base import (
    Currency,
    Duration,
    FileName,
    Identifier,
    LanguageTag,
    LongDuration,
    Outcome,
    Phrase,
    StepName,
    Strict,
    Text,
)
from voicebot.dialog.model.say import Say
from voicebot.dialog.model.slots import Slot, SlotSpec, ValueKind
from voicebot.dialog.model.step import Always, Choice, Step, Vary
from voicebot.errors import Problem

__all__ = [
    "Always",
    "Choice",
    "Computed",
    "Dialog",
    "DialogFile",
    "Limits",
    "Need",
    "Say",
    "Slot",
    "Step",
    "Transfer",
    "Vectors",
]


class Need(Strict):
    """A value that must be given from outside. In short, its type: `first_name: text`."""

    type: ValueKind = Field("text", description="What kind of value it is.")
    default: str | None = Field(None, description="The value where none is given.")
    currency: Currency | None = Field(None, description="For `money`: ISO 4217, such as USD.")
    sensitive: bool = Field(False, description="Say it, but never log or record it.")


class Computed(Strict):
    """A value that steps compute (`set`) or look up (`keep`). In short, its type: `tries: number`."""

    type: ValueKind = Field("text", description="What kind of value it is.")
    start: bool | int | float | str | None = Field(None, description="The value at the beginning.")
    currency: Currency | None = Field(None, description="For `money`: ISO 4217, such as USD.")
    sensitive: bool = Field(False, description="Never log or record it.")


def _typed(value: Any) -> Any:
    return {"type": value} if isinstance(value, str) else value


NeedSpec = Annotated[Need, BeforeValidator(_typed, json_schema_input_type=ValueKind | Need)]
ComputedSpec = Annotated[Computed, BeforeValidator(_typed, json_schema_input_type=ValueKind | Computed)]


class Limits(Strict):
    """Where patience ends."""

    failures: int = Field(
        3, ge=1, le=10, description="Silences and misunderstandings in a step before it has failed."
    )
    silences: int = Field(
        6, ge=1, le=20, description="Silences in a row, over all steps, before the call is ended."
    )
    turns: int = Field(100, ge=1, le=1000, description="Answers of the caller before the call is ended.")
    time: LongDuration = Field(1_800_000, ge=10_000, description="The longest call, such as 15m.")


Translation = dict[Phrase | Text, Text | list[Phrase]]
"""Each text or phrase of the dialog with what stands for it; a phrase may have several."""


class DialogFile(Strict):
    """A dialog: a header, then the steps of the conversation."""

    dialog: str = Field(pattern=r"^[a-z0-9_-]{1,64}$", description="Its name.")
    about: str = Field("", max_length=1000, description="What it is for, in a sentence.")
    language: LanguageTag = Field("en-US", description="Spoken language.")
    languages: tuple[LanguageTag, ...] = Field(
        (), max_length=20, description="Further languages that it can be held in, by `translations`."
    )
    outbound: bool = Field(
        False, description="The bot calls: `opt_out` is understood everywhere, and must be."
    )
    include: dict[Identifier, FileName] = Field(
        default_factory=dict,
        max_length=50,
        description="Dialogs that steps may `call`: name, file beside this one, or one of `lib/`.",
    )
    needs: dict[Identifier, NeedSpec] = Field(
        default_factory=dict, description="Values given from outside, by type."
    )
    slots: dict[Identifier, SlotSpec] = Field(
        default_factory=dict, description="What the conversation may learn."
    )
    values: dict[Identifier, ComputedSpec] = Field(
        default_factory=dict, description="What steps compute or look up, by type."
    )
    returns: tuple[Identifier, ...] = Field(
        (), description="Values that go back to the dialog that called this one."
    )
    always: dict[Identifier, Always] = Field(
        default_factory=dict, description="What is understood in every step."
    )
    goals: tuple[Outcome, ...] = Field((), description="The outcomes that the dialog is for.")
    bargein: bool = Field(True, description="Whether callers may interrupt prompts.")
    vary: Vary = Field("chance", description="Whether variants are said by `chance` or in `turn`.")
    timeout: Duration = Field(5000, description="Silence before a caller counts as silent.")
    pause: Duration | None = Field(
        None, description="Silence after speech that ends an answer; by default from the slot."
    )
    limits: Limits = Field(default_factory=Limits, description="Where patience ends.")
    translations: dict[LanguageTag, FileName | Translation] = Field(
        default_factory=dict,
        description="For each of `languages` its texts and phrases, or the file beside this one with them.",
    )
    steps: dict[StepName, Step] = Field(
        min_length=1, max_length=2000, description="The conversation, one step after the other."
    )


class Vectors(Protocol):
    """Something that turns sentences into vectors, alike for sentences of like meaning."""

    def encode(self, texts: Sequence[str]) -> Any:
        """Return an array of (sentences, dimensions) with rows of length 1."""
        ...


NOTHING: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True, eq=False)
class Dialog:
    """A checked dialog. `version` names this very text and all that it includes.

    folder:    where its wav files are (absolute or "")
    warnings:  problems that do not keep it from running
    included:  the dialogs that it calls, by their names under `include`
    tables:    language -> text or phrase -> what stands for it
    lists:     slot -> value -> phrases, of the files under `choices_from`
    files:     every file that it was made from (absolute), itself first
    vectors:   what knows of words that no example of an intent has; without, words alone count
    """

    file: DialogFile
    version: str
    source: str = ""
    folder: str = ""
    warnings: tuple[Problem, ...] = ()
    included: Mapping[str, Dialog] = field(default_factory=lambda: NOTHING)
    tables: Mapping[str, Mapping[str, str | tuple[str, ...]]] = field(default_factory=lambda: NOTHING)
    lists: Mapping[str, Mapping[str, tuple[str, ...]]] = field(default_factory=lambda: NOTHING)
    files: tuple[str, ...] = ()
    vectors: Vectors | None = None

    @property
    def name(self) -> str:
        return self.file.dialog

    @property
    def language(self) -> str:
        return self.file.language

    @property
    def languages(self) -> tuple[str, ...]:
        """All languages that it can be held in, its own first."""
        return tuple(dict.fromkeys((self.file.language, *self.file.languages)))

    @property
    def steps(self) -> dict[str, Step]:
        return self.file.steps

    @property
    def first_step(self) -> str:
        return next(iter(self.file.steps))

    def step_after(self, name: str) -> str | None:
        """Return the step that follows in the file; None after the last."""
        return self._following[name]

    @cached_property
    def memo(self) -> dict[tuple[int, str, bool], Any]:
        """What was made of parts of this dialog once, by the part's identity, language and a switch."""
        return {}

    @cached_property
    def _following(self) -> dict[str, str | None]:
        names = list(self.file.steps)
        return dict(zip(names, [*names[1:], None], strict=True))

    def text_in(self, language: str, text: str) -> str:
        """Return `text` in `language`; itself where there is no translation."""
        found = self.tables.get(language, NOTHING).get(text) if text else None
        return text if found is None else found if isinstance(found, str) else found[0]

    def phrases_in(self, language: str, phrases: tuple[str, ...]) -> tuple[str, ...]:
        """Return phrases in `language`; one may stand for several there."""
        table = self.tables.get(language)
        if not table:
            return phrases
        found: list[str] = []
        for phrase in phrases:
            there = table.get(phrase, phrase)
            found += [there] if isinstance(there, str) else there
        return tuple(dict.fromkeys(found))
