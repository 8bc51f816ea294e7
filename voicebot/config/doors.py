"""Doors that the gateway opens itself: FastAGI, the panel and its REST interface, traces."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from pydantic import Field, field_validator

from voicebot.config.section import Section


class AgiConfig(Section):
    """The FastAGI server: look-ups, functions and dialogs for the dialplan."""

    enabled: bool = Field(False, description="`voicebot serve` listens.")
    bind: str = Field("127.0.0.1", description="Address; AGI has no password, so only where Asterisk is.")
    port: int = Field(4573, ge=0, le=65535, description="TCP port; 0: any free one.")
    allow: tuple[str, ...] = Field(
        (), description="Networks that may connect, such as 10.0.0.5/32; none: all that reach `bind`."
    )
    lookups: str = Field("", description="File of look-ups; empty: there are none. See docs/agi.md.")
    sessions: int = Field(500, ge=1, le=10_000, description="At once; more are told so and closed.")
    command_s: float = Field(10.0, gt=0, le=3600, description="Longest wait for the answer to a command.")
    environment_s: float = Field(
        5.0, gt=0, le=60, description="Longest wait for what Asterisk tells first of a call."
    )
    function_s: float = Field(30.0, gt=0, le=3600, description="Longest time of a function, asking included.")
    applications: tuple[str, ...] = Field(
        (), description="Applications that functions may run besides the harmless ones, such as Dial."
    )
    prompts: str = Field(
        "", description="Folder for the prompts of dialogs over AGI, which Asterisk must see; empty: var/agi."
    )
    prompts_seen_as: str = Field("", description="The same folder, where Asterisk knows it by another path.")


class PanelConfig(Section):
    """The web panel and the REST interface of `voicebot serve`."""

    enabled: bool = Field(True, description="`voicebot serve` opens it.")
    bind: str = Field("127.0.0.1", description="Address. Put a proxy with TLS before it elsewhere.")
    port: int = Field(8090, ge=0, le=65535, description="TCP port; 0: any free one.")
    origins: tuple[str, ...] = Field(
        (), description="Where browsers see it, if not at its own address: https://voicebot.example."
    )
    session_hours: int = Field(12, ge=1, le=720, description="A login ends after so long.")
    idle_minutes: int = Field(120, ge=1, le=10_080, description="A login that is not used ends sooner.")
    metrics: bool = Field(True, description="/metrics for Prometheus, without a login; no names, no numbers.")
    microphone: bool = Field(True, description="Talk to the bot from the browser.")
    microphone_calls: int = Field(8, ge=1, le=1000, description="Such calls at once.")

    @field_validator("origins")
    @classmethod
    def _origins(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for origin in value:
            parts = urlsplit(origin)
            if parts.scheme not in ("http", "https") or not parts.hostname or parts.path not in ("", "/"):
                raise ValueError(f"`{origin}` is no origin such as https://voicebot.example")
        return tuple(origin.rstrip("/") for origin in value)


class TracingConfig(Section):
    """OpenTelemetry traces of turns: the extra `voicebot[tracing]`."""

    url: str = Field("", description="OTLP over HTTP, such as http://127.0.0.1:4318; empty: no traces.")
    service: str = Field("voicebot", description="Name of the service in them.")

    @field_validator("url")
    @classmethod
    def _url(cls, value: str) -> str:
        if value and not re.match(r"https?://[^/\s]+", value):
            raise ValueError("must look like http://127.0.0.1:4318")
        return value.rstrip("/")
