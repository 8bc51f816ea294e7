"""Prompts: what the bot says at one place of a dialog."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, Field, model_validator

from voicebot.dialog.model.base import Duration, LanguageTag, Strict, Text, as_list


class Say(Strict):
    """One prompt: words, or a wav file and its words, and perhaps silence after it; or several in a row."""

    text: str = Field(
        "", max_length=2000, description="The words. `{name}` says a value, `{name|date}` for the ear."
    )
    wav: str = Field(
        "",
        pattern=r"^(([A-Za-z0-9_-][A-Za-z0-9_.-]*/)*[A-Za-z0-9_-][A-Za-z0-9_.-]*\.wav)?$",
        description="A wav file beside the dialog file, played in place of the words.",
    )
    silence: Duration = Field(0, description="Silence after it, such as 500ms.")
    language: LanguageTag | None = Field(
        None, description="Its language, where it is not that of the call: said as it stands, untranslated."
    )
    bargein: bool | None = Field(
        None, description="Whether the caller may interrupt it; else as the step says."
    )
    all: Annotated[
        tuple[Say, ...], BeforeValidator(lambda value: _say(value), json_schema_input_type="list[Text | Say]")
    ] = Field((), max_length=20, description="Several prompts, said one after the other.")

    @model_validator(mode="after")
    def _says_something(self) -> Say:
        if self.all and (self.text or self.wav or any(part.all for part in self.all)):
            raise ValueError("`all` holds the prompts: give no `text` or `wav` beside it, and no `all` in it")
        if not (self.text or self.wav or self.silence or self.all):
            raise ValueError("says nothing: give `text`, `wav`, `silence` or `all`")
        return self

    @property
    def pieces(self) -> tuple[Say, ...]:
        """The prompts in a row that this is made of."""
        return (*self.all, Say(silence=self.silence)) if self.all and self.silence else self.all or (self,)


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
