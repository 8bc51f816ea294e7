"""What a step can do besides talking: look-ups, hooks, sub-dialogs, messages, transfers, free talk."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, JsonValue, model_validator

from voicebot.dialog.model.base import (
    Condition,
    Duration,
    Identifier,
    LongDuration,
    Outcome,
    StepName,
    Strict,
    Text,
    as_json,
)
from voicebot.dialog.model.say import Variants

_NUMBER = r"\s*-?[0-9]+(\.[0-9]+)?\s*"
METHODS = ("get", "post", "put", "patch", "delete")
REPLY_PATH = r"^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$"
ReplyPath = Annotated[str, Field(pattern=REPLY_PATH, max_length=200)]
"""Where a value stands in a JSON reply: keys and list positions joined by dots, `orders.0.status`."""


class FetchRequest(Strict):
    """Ask a web service. Exactly one of get, post, put, patch and delete gives the address."""

    get: Text | None = Field(None, description="The address to GET; `{name}` is filled in, quoted.")
    post: Text | None = Field(None, description="The address to POST to.")
    put: Text | None = Field(None, description="The address to PUT to.")
    patch: Text | None = Field(None, description="The address to PATCH.")
    delete: Text | None = Field(None, description="The address to DELETE.")
    query: dict[str, Text] = Field(default_factory=dict, description="Parameters after the `?`.")
    headers: dict[Annotated[str, Field(pattern=r"^[A-Za-z0-9-]{1,64}$")], Text] = Field(
        default_factory=dict, description="Headers of the request."
    )
    json_: Annotated[JsonValue, BeforeValidator(as_json)] = Field(
        None, alias="json", description="The body as JSON; texts in it may hold `{name}`."
    )
    form: dict[str, Text] = Field(default_factory=dict, description="The body as a form.")
    timeout: Duration = Field(3000, ge=100, le=30_000, description="Longest wait for one answer.")
    retries: int = Field(
        0, ge=0, le=5, description="Further attempts after no answer, or one of 429, 502, 503, 504."
    )
    accept: tuple[Annotated[int, Field(ge=400, le=599)], ...] = Field(
        (), description="Statuses that are answers and no failure, such as 404; `result` holds the status."
    )
    keep: dict[Identifier, ReplyPath] = Field(
        default_factory=dict, description="Values to take from the reply: `{status: order.status}`."
    )
    filler: Variants = Field(
        (), description="What is said after half a second, then every three seconds; the last one every five."
    )

    @model_validator(mode="after")
    def _one_method(self) -> FetchRequest:
        if sum(getattr(self, method) is not None for method in METHODS) != 1:
            raise ValueError("needs exactly one of `get`, `post`, `put`, `patch` and `delete`")
        if self.json_ is not None and self.form:
            raise ValueError("has both `json` and `form`; keep one")
        return self

    @property
    def method(self) -> str:
        return next(method for method in METHODS if getattr(self, method) is not None)

    @property
    def url(self) -> str:
        return str(getattr(self, self.method))


class Hook(Strict):
    """Run a Python function, registered as an entry point of the group `voicebot.hooks`."""

    name: str = Field(pattern=r"^[A-Za-z_][A-Za-z0-9_.-]{0,63}$", description="Its name.")
    arguments: dict[Identifier, Condition] = Field(
        default_factory=dict, alias="with", description="Its arguments: name, expression."
    )
    keep: dict[Identifier, ReplyPath] = Field(
        default_factory=dict, description="Values to take from the mapping that it returns."
    )
    timeout: Duration = Field(3000, ge=100, le=30_000, description="Longest wait.")
    filler: Variants = Field(
        (), description="What is said after half a second, then every three seconds; the last one every five."
    )


def _hook(value: Any) -> Any:
    return {"name": value} if isinstance(value, str) else value


HookSpec = Annotated[Hook, BeforeValidator(_hook, json_schema_input_type=str | Hook)]


class Call(Strict):
    """Run an included dialog, and come back with its results."""

    dialog: Identifier = Field(description="Its name under `include`.")
    arguments: dict[Identifier, Condition] = Field(
        default_factory=dict, alias="with", description="Values for its `needs`: name, expression."
    )
    keep: dict[Identifier, Identifier] = Field(
        default_factory=dict,
        description="Results to take over: own name, name under its `returns`. `result` holds its last word.",
    )


def _call(value: Any) -> Any:
    return {"dialog": value} if isinstance(value, str) else value


CallSpec = Annotated[Call, BeforeValidator(_call, json_schema_input_type=Identifier | Call)]


class Record(Strict):
    """Record what the caller says, as a message; `fill` names the slot (type `recording`) for it."""

    longest: Duration = Field(120_000, ge=1000, description="The message is cut here.")
    shortest: Duration = Field(1000, description="A shorter message is none: `noinput`.")
    silence: Duration = Field(3000, ge=500, description="Silence that ends the message.")
    beep: bool = Field(True, description="Whether a tone tells when to speak.")


def _record(value: Any) -> Any:
    return {} if value is True or value == "true" else value  # a file's scalars are text


RecordSpec = Annotated[Record, BeforeValidator(_record, json_schema_input_type=Literal[True] | Record)]


class Transfer(Strict):
    """Hand the caller to people: an extension of the dialplan (`to`), a queue, or a conference."""

    to: str | None = Field(
        None, pattern=r"^[A-Za-z0-9_+*#-]{1,64}$", description="The extension of the dialplan."
    )
    queue: str | None = Field(None, pattern=r"^[A-Za-z0-9_-]{1,64}$", description="The queue.")
    conference: str | None = Field(
        None, pattern=r"^[a-z0-9_-]{1,64}$", description="The conference, a [conferences.NAME]."
    )
    host: bool = Field(False, description="The caller is a host of the conference.")
    priority: Condition | None = Field(
        None,
        description="Of the caller in a queue of ours, 0 to 10: a number, or an expression.",
    )
    skills: tuple[Annotated[str, Field(pattern=r"^[a-z0-9_-]{1,32}$")], ...] = Field(
        (), max_length=10, description="What the agent of a queue of ours should be able to do: [billing]."
    )
    context: tuple[Identifier, ...] = Field((), alias="with", description="Values that go along.")
    summary: str = Field(
        "", max_length=1000, description="What the person is told: words with `{name}`, as VOICEBOT_SUMMARY."
    )

    @model_validator(mode="after")
    def _one_target(self) -> Transfer:
        if sum(target is not None for target in (self.to, self.queue, self.conference)) != 1:
            raise ValueError("needs either `to`, `queue` or `conference`")
        if self.host and self.conference is None:
            raise ValueError("`host` belongs to a conference")
        if self.queue is None and (self.priority is not None or self.skills):
            raise ValueError("`priority` and `skills` belong to a queue")
        if re.fullmatch(_NUMBER, self.priority or "") and not 0 <= float(self.priority or 0) <= 10:
            raise ValueError("`priority` is 0 (least) to 10")
        return self

    @property
    def destination(self) -> str:
        """The extension, or the name of the queue or conference."""
        return self.to or self.queue or self.conference or ""


def _transfer(value: Any) -> Any:
    return {"to": value} if isinstance(value, str) else value


TransferSpec = Annotated[Transfer, BeforeValidator(_transfer, json_schema_input_type=str | Transfer)]


class Llm(Strict):
    """A bounded free conversation with a language model, over any OpenAI-compatible endpoint."""

    about: str = Field(min_length=1, max_length=8000, description="Its instructions; `{name}` is filled in.")
    tools: dict[StepName, Text] = Field(
        default_factory=dict, description="Steps that it may go to, each with when to: `{book: ...}`."
    )
    slots: tuple[Identifier, ...] = Field((), description="Slots that it may fill.")
    model: str = Field("", max_length=200, description="The model; else the one of the configuration.")
    turns: int = Field(8, ge=1, le=50, description="Answers of the caller before it has failed.")
    time: LongDuration = Field(180_000, description="Time before it has failed.")
    timeout: Duration = Field(8000, ge=500, le=60_000, description="Longest wait for one reply.")
    filler: Variants = Field(
        (), description="What is said where a reply takes more than a second; as in a look-up."
    )


ReturnWord = Outcome
