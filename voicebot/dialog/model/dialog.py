"""Everything that a dialog file can say. These models are the one source of validation, schema and reference.

To the interpreter a dialog is this frozen data: it holds no code. Short forms (`fill: attending`,
`say: Hello`) become the full ones here, so that whoever reads the model meets one form only.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from voicebot.dialog.model.base import (
    Condition,
    Duration,
    Identifier,
    Key,
    Outcome,
    Phrase,
    PhraseList,
    StepName,
    Strict,
    Text,
    as_list,
)
from voicebot.dialog.model.slots import Slot, SlotSpec
from voicebot.errors import Problem

__all__ = ["Always", "Choice", "Dialog", "DialogFile", "Limits", "Need", "Say", "Slot", "Step", "Transfer"]

ConfirmRule = Literal["unsure", "always", "never"]


class Say(Strict):
    """One prompt: words, or a wav file and its words, and perhaps silence after it."""

    text: str = Field(
        "", max_length=2000, description="The words. `{name}` says a value, `{name|date}` for the ear."
    )
    wav: str = Field(
        "",
        pattern=r"^(([A-Za-z0-9_-][A-Za-z0-9_.-]*/)*[A-Za-z0-9_-][A-Za-z0-9_.-]*\.wav)?$",
        description="A wav file beside the dialog file, played in place of the words.",
    )
    silence: Duration = Field(0, description="Silence after it, such as 500ms.")
    bargein: bool | None = Field(
        None, description="Whether the caller may interrupt it; else as the step says."
    )

    @model_validator(mode="after")
    def _says_something(self) -> Say:
        if not (self.text or self.wav or self.silence):
            raise ValueError("says nothing: give `text`, `wav` or `silence`")
        return self


def _say(value: Any) -> Any:
    return [{"text": item} if isinstance(item, str) else item for item in as_list(value)]


Variants = Annotated[
    tuple[Say, ...],
    BeforeValidator(_say, json_schema_input_type=Text | Say | list[Text | Say]),
    Field(max_length=50),
]
"""One prompt, or several of which one is said."""

Prompts = Annotated[
    tuple[Say, ...],
    BeforeValidator(_say, json_schema_input_type=Text | Say | list[Text | Say]),
    Field(max_length=20),
]
"""One prompt, or one for each attempt."""


class Choice(Strict):
    """One of the answers to a step. In short, its phrases: `tuesday: [tuesday, the first one]`."""

    hear: PhraseList = Field(
        (), description="What callers say for it; without it, its name. `yes` and `no` know theirs."
    )
    key: Key | None = Field(None, description="The key for it.")
    goto: StepName | None = Field(
        None, description="The step that follows; else the step's own `goto` or the next one."
    )


def _choice(value: Any) -> Any:
    if value is None:
        return {}
    return {"hear": value} if isinstance(value, list | tuple) else value


ChoiceSpec = Annotated[Choice, BeforeValidator(_choice, json_schema_input_type=Choice | list[Phrase] | None)]


class Always(Strict):
    """Something that is understood in every step: a command."""

    hear: PhraseList = Field((), description="What callers say for it, beside what the language knows.")
    key: Key | None = Field(None, description="The key for it.")
    goto: StepName | None = Field(None, description="The step that follows.")
    say: Variants = Field(
        (), description="What the bot says; without `goto` the question comes again after it."
    )


class Need(Strict):
    """A value that must be given from outside. In short, its type: `first_name: text`."""

    type: Literal["text", "digits", "number", "yes_no", "phone", "date", "time", "datetime"] = Field(
        "text", description="What kind of value it is."
    )
    default: str | None = Field(None, description="The value where none is given.")
    sensitive: bool = Field(False, description="Say it, but never log or record it.")


def _typed(value: Any) -> Any:
    return {"type": value} if isinstance(value, str) else value


NeedSpec = Annotated[Need, BeforeValidator(_typed, json_schema_input_type=str | Need)]


class Limits(Strict):
    """Where patience ends."""

    failures: int = Field(
        3, ge=1, le=10, description="Silences and misunderstandings in a step before it has failed."
    )
    silences: int = Field(
        6, ge=1, le=20, description="Silences in a row, over all steps, before the call is ended."
    )
    turns: int = Field(100, ge=1, le=1000, description="Answers of the caller before the call is ended.")


class Transfer(Strict):
    """Hand the caller to a person."""

    to: str = Field(pattern=r"^[A-Za-z0-9_+*#-]{1,64}$", description="The extension of the dialplan.")
    context: tuple[Identifier, ...] = Field((), alias="with", description="Values that go along.")


def _transfer(value: Any) -> Any:
    return {"to": value} if isinstance(value, str) else value


TransferSpec = Annotated[Transfer, BeforeValidator(_transfer, json_schema_input_type=str | Transfer)]


def _goto(value: Any) -> Any:
    """`goto: next` is a switch that always holds."""
    return {value: "else"} if isinstance(value, str) else value


Goto = Annotated[
    dict[StepName, Condition],
    BeforeValidator(_goto, json_schema_input_type=StepName | dict[StepName, Condition]),
]
"""A step, or steps with the condition of each; the first that holds is taken."""


class Step(Strict):
    """One step of the conversation. Its order: if, say, ask, fill, set; then goto, end or transfer."""

    if_: Condition | None = Field(
        None, alias="if", description="The step is passed over where this does not hold."
    )
    say: Variants = Field((), description="What the bot says; of several, one.")
    ask: Variants = Field((), description="The question; then the bot listens.")
    fill: Identifier | None = Field(None, description="The slot that the answer goes to.")
    choices: dict[Identifier | str, ChoiceSpec] = Field(
        default_factory=dict, description="The answers that are understood here, by name."
    )
    confirm: ConfirmRule = Field(
        "never", description="Whether to ask back: `unsure` only after a doubtful answer."
    )
    help: Variants = Field((), description="What is said when the caller asks for help.")
    noinput: Prompts = Field(
        (), description="What is said to a silent caller, by attempt, in place of the default."
    )
    nomatch: Prompts = Field((), description="What is said when it was not understood, by attempt.")
    failed: StepName | None = Field(
        None, description="The step after too many failures; else an agent, or a good-bye."
    )
    bargein: bool | None = Field(
        None, description="Whether the caller may interrupt the prompts of this step."
    )
    timeout: Duration | None = Field(None, description="Silence before the caller counts as silent.")
    pause: Duration | None = Field(None, description="Silence after speech that ends an answer.")
    longest: Duration | None = Field(None, description="An answer longer than this is cut.")
    sensitive: bool = Field(False, description="Never log, record or store the answer.")
    set: dict[Identifier, Condition] = Field(
        default_factory=dict, description="Values to compute: name, expression."
    )
    goto: Goto = Field(
        default_factory=dict, description="The step that follows; without it, the next in the file."
    )
    end: Outcome | None = Field(None, description="Hang up; the outcome of the call in a word.")
    goal: bool = Field(False, description="This end is what the dialog is for.")
    transfer: TransferSpec | None = Field(None, description="Hand the caller to a person.")

    @property
    def listens(self) -> bool:
        return bool(self.ask)


class DialogFile(Strict):
    """A dialog: a header, then the steps of the conversation."""

    dialog: str = Field(pattern=r"^[a-z0-9_-]{1,64}$", description="Its name.")
    about: str = Field("", max_length=1000, description="What it is for, in a sentence.")
    language: str = Field(
        "en-US", pattern=r"^[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8})*$", description="Spoken language."
    )
    needs: dict[Identifier, NeedSpec] = Field(
        default_factory=dict, description="Values given from outside, by type."
    )
    slots: dict[Identifier, SlotSpec] = Field(
        default_factory=dict, description="What the conversation may learn."
    )
    always: dict[Identifier, Always] = Field(
        default_factory=dict, description="What is understood in every step."
    )
    goals: tuple[Outcome, ...] = Field((), description="The outcomes that the dialog is for.")
    bargein: bool = Field(True, description="Whether callers may interrupt prompts.")
    timeout: Duration = Field(5000, description="Silence before a caller counts as silent.")
    pause: Duration | None = Field(
        None, description="Silence after speech that ends an answer; by default from the slot."
    )
    limits: Limits = Field(default_factory=Limits, description="Where patience ends.")
    steps: dict[StepName, Step] = Field(
        min_length=1, description="The conversation, one step after the other."
    )


@dataclass(frozen=True, eq=False)
class Dialog:
    """A checked dialog. `version` names this very text; `folder` is where its wav files are (absolute or "").

    `warnings` are problems that do not keep it from running.
    """

    file: DialogFile
    version: str
    source: str = ""
    folder: str = ""
    warnings: tuple[Problem, ...] = ()

    @property
    def name(self) -> str:
        return self.file.dialog

    @property
    def language(self) -> str:
        return self.file.language

    @property
    def steps(self) -> dict[str, Step]:
        return self.file.steps

    @property
    def first_step(self) -> str:
        return next(iter(self.file.steps))

    def step_after(self, name: str) -> str | None:
        """Return the step that follows in the file; None after the last."""
        names = list(self.file.steps)
        at = names.index(name) + 1
        return names[at] if at < len(names) else None
