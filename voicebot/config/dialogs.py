"""The parts of `voicebot.toml` about dialogs: what they may reach, and which number is answered by which."""

from __future__ import annotations

import ipaddress
import re
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, SecretStr, field_validator

from voicebot.config.section import Section


class FetchConfig(Section):
    """What the `fetch` steps of dialogs may reach."""

    allow: tuple[str, ...] = Field(
        (),
        description="Addresses, networks and host names that are no part of the public internet and may be "
        "asked all the same: `127.0.0.0/8`, `booking.internal`.",
    )

    @field_validator("allow")
    @classmethod
    def _places(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for place in value:
            if not re.fullmatch(r"[0-9.]+(/[0-9]+)?|[0-9a-fA-F:.]*:[0-9a-fA-F:.]*(/[0-9]+)?", place):
                if not re.fullmatch(r"(?=.{1,253}$)[A-Za-z0-9_-]{1,63}(\.[A-Za-z0-9_-]{1,63})*", place):
                    raise ValueError(f"`{place}` is no host name; neither scheme, port nor path belong here")
                continue
            try:
                ipaddress.ip_network(place, strict=False)
            except ValueError as error:
                raise ValueError(f"`{place}` is neither an address nor a network") from error
        return value


class LlmConfig(Section):
    """The language model of `llm` steps: any endpoint that speaks OpenAI's chat completions."""

    url: str = Field("", description="Its base, such as http://127.0.0.1:11434/v1; empty: there is none.")
    model: str = Field("", description="Its name there; a step may name another.")
    key: SecretStr = Field(SecretStr(""), description="The API key; better by `key_env` or `key_file`.")
    key_env: str = Field("", description="Environment variable that holds the key.")
    key_file: str = Field("", description="File that holds the key, and nothing else.")
    max_tokens: int = Field(400, ge=1, le=8000, description="Longest reply that is asked for.")

    @field_validator("url")
    @classmethod
    def _url(cls, value: str) -> str:
        parts = urlsplit(value)
        if value and (parts.scheme not in ("http", "https") or not parts.hostname):
            raise ValueError("must look like http://127.0.0.1:11434/v1")
        return value.rstrip("/")


def _zone(value: str) -> str:
    if value:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            raise ValueError(f"`{value}` is no time zone; it is written like Europe/Berlin") from error
    return value


class DialogsConfig(Section):
    """What all dialogs have in common."""

    env: tuple[str, ...] = Field(
        (), description="Environment variables that dialogs may read: `BOOKING` as `env.BOOKING`."
    )
    timezone: str = Field(
        "",
        description="Zone of `now` and `today`, such as Europe/Berlin; empty: the machine's.",
    )
    reload: bool = Field(True, description="A saved dialog file is live for the next call.")
    sentence_vectors: bool = Field(
        False,
        description="Intents are also understood in words that no example has: the extra "
        "`voicebot[sentences]`, 130 MB of memory.",
    )

    _known_zone = field_validator("timezone")(_zone)

    @field_validator("env")
    @classmethod
    def _names(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for name in value:
            if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]{0,63}", name):
                raise ValueError(f"`{name}` is no name of an environment variable")
            if name.startswith("VOICEBOT_"):
                raise ValueError(f"`{name}` may be a secret of the gateway's: dialogs cannot have it")
        return value


class RouteLanguage(Section):
    """Who listens and speaks in a further language of a route's dialog: `[routes.languages.ko-KR]`."""

    stt: str = Field("", description="Name of an [stt.<name>] section; empty: the route's.")
    tts: str = Field("", description="Name of a [tts.<name>] section; empty: the route's.")
    voice: str = Field("", description="Overrides the voice of the [tts.<name>] section.")


class Route(Section):
    """A called number, the dialog that answers it, and who listens and speaks."""

    number: str = Field(description="Called number, or an Asterisk pattern such as _6XX or _X.")
    dialog: str = Field(description="A dialog file, relative to the folder of the configuration file.")
    language: str = Field("", description="Overrides the dialog's language.")
    stt: str = Field("english", description="Name of an [stt.<name>] section.")
    tts: str = Field("english", description="Name of a [tts.<name>] section.")
    voice: str = Field("", description="Overrides the voice of the [tts.<name>] section.")
    timezone: str = Field("", description="Overrides dialogs.timezone.")
    record: bool = Field(False, description="Keep a stereo wav (caller left, bot right).")
    video: bool = Field(
        False,
        description="Let callers keep their picture, for a conference with video that they may come to.",
    )
    given: dict[str, Any] = Field(default_factory=dict, description="Values for the dialog's `needs`.")
    languages: dict[str, RouteLanguage] = Field(
        default_factory=dict, description="Who listens and speaks in further languages of the dialog."
    )

    def speech(self, language: str) -> RouteLanguage:
        """Return who listens and speaks in `language`, a tag such as ko-KR; every name is filled in."""
        found = self.languages.get(language)
        if found is None:
            primary = language.split("-")[0]
            found = next((each for tag, each in self.languages.items() if tag.split("-")[0] == primary), None)
        if found is None:
            return RouteLanguage(stt=self.stt, tts=self.tts, voice=self.voice)
        own_voice = self.voice if not found.tts or found.tts == self.tts else ""
        return RouteLanguage(
            stt=found.stt or self.stt, tts=found.tts or self.tts, voice=found.voice or own_voice
        )

    @property
    def speeches(self) -> tuple[RouteLanguage, ...]:
        """Who listens and speaks on this route, in any language; its own first."""
        own = RouteLanguage(stt=self.stt, tts=self.tts, voice=self.voice)
        return (own, *(self.speech(tag) for tag in self.languages))

    _known_zone = field_validator("timezone")(_zone)

    @field_validator("languages")
    @classmethod
    def _tags(cls, value: dict[str, RouteLanguage]) -> dict[str, RouteLanguage]:
        for tag in value:
            if not re.fullmatch(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*", tag):
                raise ValueError(f"`{tag}` is no tag of a language; it is written like ko-KR")
        return value

    @field_validator("number")
    @classmethod
    def _number(cls, value: str) -> str:
        if not re.fullmatch(r"\+?[0-9*#A-D]{1,32}|_[0-9XZNxzn.!*#+\[\]-]{1,64}", value):
            raise ValueError("is neither a number nor an Asterisk pattern (_6XX, _X., _[2-9]XX)")
        if re.search(r"[\[\]]", re.sub(r"\[[0-9*#+-]+\]", "", value)):
            raise ValueError("has a set that is not like [2-9] or [135]")
        try:
            re.compile("".join(re.findall(r"\[[^\]]*\]", value)))
        except re.error as error:
            raise ValueError("has a range that runs backwards") from error
        return value
