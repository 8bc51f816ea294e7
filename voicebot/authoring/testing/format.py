"""Everything that a file of test conversations can say: one source of validation, schema and reference.

- conversation: moves the appointment
  now: 2027-03-01T10:00
  given: {first_name: Sara}
  talk:
    - bot: /Tuesday/
    - caller: friday at noon
    - fetch: {post: /move, reply: {ok: true}}
  outcome: moved
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, JsonValue, model_validator

from voicebot.authoring.testing.yaml import plain
from voicebot.dialog.model.base import Duration, Identifier, LanguageTag, Outcome, StepName, Strict, as_list

METHODS = ("get", "post", "put", "patch", "delete")
WORDS = ("silence", "noise", "unheard", "hangup")
"""What a caller does without words."""

Json = Annotated[Any, BeforeValidator(plain, json_schema_input_type=JsonValue)]
"""Plain YAML as JSON has it: true and 3 are no texts here."""


def _pattern(value: Any) -> Any:
    if isinstance(value, str) and (found := PATTERN.fullmatch(value)):
        try:
            re.compile(found[1])
        except (re.error, OverflowError, RecursionError) as error:
            raise ValueError(f"`{value}` is no pattern: {error}") from error
    return value


PATTERN = re.compile(r"/(.+)/(i?)", re.DOTALL)

_PlainValue = str | int | float | bool
Value = Annotated[str, BeforeValidator(lambda value: value, json_schema_input_type=_PlainValue)]
"""A value as it is written: editors read 4271 as a number, which is fine."""
Known = Annotated[str | None, BeforeValidator(lambda value: value, json_schema_input_type=_PlainValue | None)]
Moment = Annotated[datetime | None, BeforeValidator(lambda value: value, json_schema_input_type=str | None)]

Words = Annotated[str, BeforeValidator(_pattern), Field(min_length=1, max_length=2000)]
"""Text that is contained, whatever its case; or a regular expression: `/Tue|Wednes/`, `/tue/i`."""


class Not(Strict):
    """What the bot must not say."""

    not_: Annotated[
        tuple[Words, ...], BeforeValidator(as_list, json_schema_input_type=Words | list[Words])
    ] = Field(alias="not", description="A text or pattern, or several: none of them may be said.")


Bot = Annotated[
    tuple[Words | Not, ...],
    BeforeValidator(as_list, json_schema_input_type=Words | Not | list[Words | Not]),
]


class Says(Strict):
    """Words of the caller. In short, the words alone."""

    says: str = Field(max_length=2000, description="What they say, as it is recognised.")
    confidence: float | None = Field(
        None, ge=0, le=1, description="How sure the recogniser is; low ones are asked back."
    )


def _says(value: Any) -> Any:
    return {"says": value} if isinstance(value, str) else value


class FetchLine(Strict):
    """What a service is asked, and what it answers. The address is contained, or a `/pattern/`."""

    get: str | None = Field(
        None, description="It must be a GET; a part of the address, such as `/orders/4271`."
    )
    post: str | None = Field(None, description="It must be a POST; a part of the address.")
    put: str | None = Field(None, description="It must be a PUT; a part of the address.")
    patch: str | None = Field(None, description="It must be a PATCH; a part of the address.")
    delete: str | None = Field(None, description="It must be a DELETE; a part of the address.")
    sent: Json = Field(
        None, description="What must be in the JSON or form that is sent; other keys may be there as well."
    )
    reply: Json = Field(None, description="What the service answers: JSON, or a text.")
    status: int = Field(200, ge=100, le=599, description="The HTTP status of the answer.")
    fail: str | None = Field(None, description="No answer comes: why, such as `timeout`.")

    @model_validator(mode="after")
    def _one_method(self) -> FetchLine:
        if sum(getattr(self, method) is not None for method in METHODS) > 1:
            raise ValueError("needs one of `get`, `post`, `put`, `patch` and `delete`")
        return self

    @property
    def method(self) -> str | None:
        return next((method for method in METHODS if getattr(self, method) is not None), None)

    @property
    def address(self) -> str:
        return str(getattr(self, self.method)) if self.method else ""


class HookLine(Strict):
    """Which hook is run, and what it returns. In short, its name."""

    name: str = Field(description="Its name.")
    arguments: dict[str, Json] = Field(
        default_factory=dict, alias="with", description="Arguments that it must be given."
    )
    returns: Json = Field(None, description="What it returns.")
    fail: str | None = Field(None, description="It fails: why.")


def _hook(value: Any) -> Any:
    return {"name": value} if isinstance(value, str) else value


class ModelReply(Strict):
    """What a language model replies. In short, its words."""

    says: str = Field("", max_length=4000, description="Its words, which the bot says.")
    uses: StepName | Identifier | None = Field(None, description="The tool that it uses: a step to go to.")
    arguments: dict[str, Json] = Field(
        default_factory=dict, alias="with", description="What it gives the tool."
    )
    fail: str | None = Field(None, description="No reply comes: why, such as `timeout`.")


class Item(Strict):
    """One line of the talk: what one side does, or what must be true at this point."""

    bot: Bot | None = Field(
        None,
        description="What the bot says now: a text that is contained, a `/pattern/`, `{not: ...}`, or a "
        "list of them, all of which must hold.",
    )
    caller: Annotated[Says | None, BeforeValidator(_says, json_schema_input_type=str | Says)] = Field(
        None, description="What the caller says. `{says: friday, confidence: 0.4}`: the recogniser is unsure."
    )
    keys: Annotated[Value, Field(pattern=r"^[0-9*#A-D]{1,64}$")] | None = Field(
        None, description="Keys that the caller presses; a `#` at the end terminates."
    )
    fetch: FetchLine | None = Field(
        None, description="The dialog asks a service: what it is asked, and its answer."
    )
    hook: Annotated[HookLine | None, BeforeValidator(_hook, json_schema_input_type=str | HookLine)] = Field(
        None, description="The dialog runs a hook: which, and what it returns."
    )
    records: Duration | None = Field(
        None, description="The caller leaves a message of this length, such as 12s; 0s is none."
    )
    model: Annotated[ModelReply | None, BeforeValidator(_says, json_schema_input_type=str | ModelReply)] = (
        Field(None, description="What the language model replies.")
    )
    slots: dict[Identifier, Known] | None = Field(
        None, description="Slots and values at this point; null: still unknown."
    )
    step: StepName | None = Field(None, description="The step that the conversation is in at this point.")
    understood: str | None = Field(
        None,
        description="How the last answer was taken: match, nomatch, noinput, invalid, command, correction; "
        "with its meaning `command: help`.",
    )
    language: LanguageTag | None = Field(None, description="The language that is spoken now.")
    does: Literal["silence", "noise", "unheard", "hangup"] | None = Field(
        None, description="What the caller does without words. In short, the word alone: `- silence`."
    )

    @model_validator(mode="after")
    def _one(self) -> Item:
        if len(self.model_fields_set) != 1:
            raise ValueError("must hold one thing: begin each with a dash")
        return self

    @property
    def kind(self) -> str:
        return next(iter(self.model_fields_set))

    @property
    def name(self) -> str:
        """As it stands in the file."""
        return self.does or self.kind


def _item(value: Any) -> Any:
    return {"does": value} if isinstance(value, str) else value


ItemSpec = Annotated[
    Item,
    BeforeValidator(_item, json_schema_input_type=Literal["silence", "noise", "unheard", "hangup"] | Item),
]


class Stub(Strict):
    """An answer that is given as often as it is asked for, where the talk itself has none."""

    fetch: FetchLine | None = Field(None, description="A service's answer.")
    hook: Annotated[HookLine | None, BeforeValidator(_hook, json_schema_input_type=str | HookLine)] = Field(
        None, description="A hook's answer."
    )

    @model_validator(mode="after")
    def _one(self) -> Stub:
        if (self.fetch is None) == (self.hook is None):
            raise ValueError("must hold either `fetch` or `hook`")
        return self


class Common(Strict):
    """What may be said for one conversation, or for `every` one of the file."""

    now: Moment = Field(
        None,
        description="The wall clock at the beginning, such as 2027-03-01T10:00; UTC where no zone is given.",
    )
    given: dict[Identifier, Value] = Field(
        default_factory=dict, description="Values for the dialog's `needs`."
    )
    language: LanguageTag | None = Field(None, description="The language that it begins in.")
    call: dict[Literal["number", "called", "id"], str] = Field(
        default_factory=dict, description="The caller's number, the called number, the call's id."
    )
    environment: dict[Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,63}$")], str] = Field(
        default_factory=dict, description="Values for `env.*`; else `http://name.example`."
    )
    seed: int = Field(0, description="Which of several variants are said.")
    stubs: tuple[Stub, ...] = Field((), description="Answers of services and hooks, for as often as asked.")


class TestConversation(Common):
    """One conversation: the talk, and what must have come of it."""

    __test__ = False  # of pytest's

    conversation: str = Field(min_length=1, max_length=200, description="What happens in it, in a few words.")
    talk: tuple[ItemSpec, ...] = Field((), max_length=500, description="What is said and done, in order.")
    outcome: Outcome | None = Field(None, description="How the call ends, in the dialog's word.")
    goal: bool | None = Field(None, description="Whether that is what the dialog is for.")
    slots: dict[Identifier, Known] = Field(
        default_factory=dict, description="Slots and values at the end; null: still unknown."
    )
    to: str | None = Field(None, description="The extension, queue or conference that the caller goes to.")


class Every(Common):
    """What is true of every conversation of the file; each may say otherwise."""


class Head(Strict):
    """What stands before the conversations, if anything does."""

    dialog: str | None = Field(
        None, description="The dialog's file; without it `NAME.yaml` beside `NAME.test.yaml`."
    )
    every: Every = Field(default_factory=Every, description="What is true of every conversation here.")
