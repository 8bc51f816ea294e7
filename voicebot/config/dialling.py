"""The parts of `voicebot.toml` about calls that we place: where campaigns are kept, and ways out."""

from __future__ import annotations

import re
from typing import Literal

from pydantic import Field, SecretStr, field_validator

from voicebot.config.patterns import E164
from voicebot.config.section import Section


class StoreConfig(Section):
    """Where campaigns, contacts, attempts and the ledger are kept."""

    url: str = Field(
        "sqlite:///voicebot.db",
        description="`sqlite:///FILE`, relative to `paths.var`, or `postgresql://user@host/database` where "
        "several machines dial.",
    )
    password: SecretStr = Field(SecretStr(""), description="Of the PostgreSQL user.")
    password_file: str = Field("", description="File that holds the password, and nothing else.")

    @field_validator("url")
    @classmethod
    def _url(cls, value: str) -> str:
        if not value.startswith(("sqlite:///", "postgresql://")):
            raise ValueError(
                "must look like sqlite:///voicebot.db or postgresql://voicebot@127.0.0.1/voicebot"
            )
        return value


class TrunkConfig(Section):
    """A way out, under a name that campaigns use."""

    dial: str = Field(
        description="A channel for Dial(), with {number} (E.164 with +) or {digits} (without): "
        "PJSIP/{number}@trunk."
    )
    calls_per_second: float = Field(5.0, gt=0, le=1000, description="New calls a second, of all campaigns.")
    concurrent: int = Field(30, ge=1, le=100_000, description="Calls at once, of all campaigns.")

    @field_validator("dial")
    @classmethod
    def _dial(cls, value: str) -> str:
        if "{number}" not in value and "{digits}" not in value:
            raise ValueError("must hold {number} (with +) or {digits}, such as PJSIP/{number}@trunk")
        if not re.fullmatch(r"[A-Za-z0-9_./@:+{}-]{1,200}", value):
            raise ValueError("has a character that does not belong into a channel")
        return value


class DiallingConfig(Section):
    """Outbound calls: what this machine may dial, whatever a campaign says."""

    enabled: bool = Field(False, description="`voicebot serve` dials for campaigns that run.")
    spool: str = Field(
        "/var/spool/asterisk", description="Asterisk's spool folder; outgoing/ is in it. Must be writable."
    )
    prefixes: tuple[str, ...] = Field(
        (), description="Only numbers that begin so may be dialled: `+1`, `+49`; none: nothing may."
    )
    denied_prefixes: tuple[str, ...] = Field(
        (), description="Never dialled, whatever `prefixes` says; premium numbers never are either."
    )
    calls_per_second: float = Field(
        10.0, gt=0, le=1000, description="New calls a second, over all campaigns."
    )
    concurrent: int = Field(100, ge=1, le=100_000, description="Outbound calls at once, over all campaigns.")
    caller: str = Field("", pattern=E164, description="Caller id of `voicebot call`, in E.164.")
    business: str = Field("", max_length=80, description="Whose calls those of `voicebot call` are.")
    trunk: str = Field("", description="Name of the [trunks.NAME] that `voicebot call` dials through.")
    profile: Literal["us", "uk", "eu"] = Field("us", description="Whose law binds `voicebot call`.")
    calls_a_day: int = Field(100_000, ge=1, description="Outbound calls on one day (UTC).")
    minutes_a_day: int = Field(100_000, ge=1, description="Minutes of outbound calls on one day (UTC).")

    @field_validator("prefixes", "denied_prefixes")
    @classmethod
    def _prefixes(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for prefix in value:
            if not re.fullmatch(r"\+[0-9]{1,14}", prefix):
                raise ValueError(f"`{prefix}` is no beginning of a number; it is written like +1 or +4930")
        return value
