"""What a campaign file says. Every field is documented here; schema and reference are made from it."""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator

from voicebot.campaign.attempt import Disposition

SHORTEST_RING_S = 15
"""A call that rings for less counts as abandoned by the caller (16 CFR 310.4(b)(4)(ii))."""

_CHANNEL = re.compile(
    r"[A-Za-z0-9]+/\{(?:number|digits)\}@[A-Za-z0-9_.-]+(?:/n)?"
    r"|(?!(?i:local)/)[A-Za-z0-9]+/[A-Za-z0-9_-]+/\{(?:number|digits)\}"
)
"""What a campaign may write itself: more digits around the number would be a number that no rule has seen."""
_UNWANTED = re.compile(r"[\"<>\\;]|(?:^| )#")
"""What Asterisk would misread in a caller's name."""
_LONGEST_NAME_BYTES = 79
"""Asterisk keeps no more of it."""
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_SPAN = re.compile(r"([0-9]+(?:\.[0-9]+)?)([smhd])")


def _span(value: object) -> object:
    """Read `90s`, `10m`, `2h`, `30d`."""
    if isinstance(value, str) and (found := _SPAN.fullmatch(value)):
        return timedelta(seconds=float(found[1]) * _UNITS[found[2]])
    if isinstance(value, str) and not value.startswith(("P", "-P")):  # ISO 8601: as it is kept in the store
        raise ValueError("must be a time such as 90s, 10m, 2h or 30d")
    return value


Span = Annotated[timedelta, BeforeValidator(_span)]
Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$")]
Number = Annotated[str, Field(pattern=r"^\+[0-9]{3,15}$")]
Prefix = Annotated[str, Field(pattern=r"^\+[0-9]{1,14}$")]
Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
DAYS: tuple[Day, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


class Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)


class Caller(Part):
    """Who the callee sees calling."""

    number: Number = Field(description="Caller id in E.164; it must be yours, and be answered.")
    name: str = Field("", max_length=40, description="Shown where the network carries names.")
    business: str = Field(
        min_length=2, max_length=80, description="Whose call it is, as the dialog says it in its first words."
    )
    call_back: str = Field(
        "",
        pattern=r"^(\+[0-9]{3,15})?$",
        description="The number that the dialog's first words tell; empty: `number`.",
    )

    @field_validator("name")
    @classmethod
    def _name(cls, value: str) -> str:
        if _UNWANTED.search(value) or not value.isprintable():
            raise ValueError(
                "has a character that a caller's name cannot have: control characters, \" < > \\ ; #"
            )
        if len(value.encode()) > _LONGEST_NAME_BYTES:
            raise ValueError(f"has more than {_LONGEST_NAME_BYTES} bytes (UTF-8)")
        return value


class Columns(Part):
    """Which column of the file holds what. Names are compared without regard to case."""

    number: str = Field("number", description="The number to call first.")
    alternatives: tuple[str, ...] = Field((), description="Further numbers, in the order to try them.")
    key: str = Field(
        "", description="Your own id of the row. Empty: a row is known by its numbers and values."
    )
    region: str = Field("", description="ISO 3166 country of numbers written without +.")
    zone: str = Field(
        "",
        description="The callee's time zone, such as Europe/Berlin. Where it is not one of the number's "
        "country, calls must be legal at both places.",
    )
    address: str = Field("", description="US state or ZIP code, which narrows the zone down.")
    language: str = Field("", description="Language to hold the call in, such as en-US.")
    priority: str = Field("", description="Whole number; greater is called earlier.")
    due: str = Field("", description="Not to be called before; date, or date and time.")
    consent_at: str = Field("", description="When they agreed to be called; date, or date and time.")
    consent_by: str = Field("", description="Who agreed, or how it is known.")
    consent_scope: str = Field("", description="`informational` or `telemarketing`.")
    consent_written: str = Field("", description="yes where the consent was written.")
    given: dict[str, str] = Field(
        default_factory=dict, description="The dialog's `needs`, each with its column."
    )


class Window(Part):
    """When to call, on the callee's clock."""

    days: tuple[Day, ...] = Field(DAYS, description="Days of the week: [mon, tue, wed, thu, fri].")
    begin: time = Field(time(9), alias="from", description="From this time on, such as '09:00'.")
    end: time = Field(time(20), alias="to", description="Up to this time, such as '20:00'.")


class Pacing(Part):
    """How fast."""

    mode: Literal["fixed", "progressive"] = Field(
        "fixed",
        description="`fixed`: one call for each free place; `progressive`: as many more as answer rates "
        "allow without abandoning callees.",
    )
    calls_per_second: float = Field(1.0, gt=0, le=200, description="New calls a second at the most.")
    concurrent: int = Field(10, ge=1, le=10_000, description="Calls of this campaign at once.")
    abandoned_brake: float = Field(
        0.025, ge=0, le=0.03, description="Share of abandoned among answered calls at which it slows down."
    )
    abandoned_stop: float = Field(0.03, ge=0, le=0.03, description="Share at which it stops.")
    trunk_failures: float = Field(
        0.3, gt=0, le=1, description="Share of trunk failures at which the breaker opens."
    )


class Retry(Part):
    """What follows one disposition."""

    after: Span = Field(description="Not before, such as 10m or 1d.")
    at_most: int = Field(2, ge=0, le=20, description="How often.")
    next_number: bool = Field(False, description="Go on with the contact's next number.")


class Limits(Part):
    """How much, whatever happens."""

    attempts: int = Field(3, ge=1, le=50, description="Calls to one contact, over all its numbers.")
    per_day: int = Field(1, ge=1, le=20, description="Calls to one number on one day of the callee's.")
    per_number: int = Field(
        3, ge=1, le=100, description="Calls to one number in `per_number_days`, of all campaigns."
    )
    per_number_days: int = Field(30, ge=1, le=366, description="See `per_number`.")
    calls_a_day: int = Field(100_000, ge=1, description="Calls of the campaign on one day (UTC).")
    minutes_a_day: int = Field(100_000, ge=1, description="Minutes of answered calls on one day (UTC).")


class Answering(Part):
    """What to do where a machine answers."""

    detector: Literal["off", "asterisk", "voicebot", "both"] = Field(
        "voicebot", description="Who listens: nobody, Asterisk's AMD(), our own detector, or both."
    )
    machine: Literal["hang_up", "message", "go_on"] = Field(
        "hang_up", description="Hang up, leave a message after the beep, or talk as if to a person."
    )
    message: str = Field("", description="The dialog that is spoken after the beep.")
    beep_s: float = Field(30, ge=1, le=120, description="So long a beep is waited for.")


class Campaign(Part):
    """The whole of a campaign file."""

    campaign: Name = Field(description="Its name.")
    dialog: str = Field(description="The dialog file, beside the campaign file or below its folder.")
    profile: Literal["us", "uk", "eu"] = Field(description="Whose law binds: see docs/campaign-rules.md.")
    purpose: Literal["informational", "telemarketing"] = Field(
        "informational", description="What the calls are for."
    )
    caller: Caller = Field(description="Who calls.")
    trunk: str = Field(
        description="Name of a [trunks.NAME] of voicebot.toml, or a channel such as PJSIP/{number}@trunk."
    )
    way: Literal["callfile", "originate"] = Field(
        "callfile", description="Through Asterisk's spool, or by AMI."
    )
    columns: Columns = Field(Columns(), description="Which column holds what.")
    region: str = Field(
        "US", pattern=r"^[A-Z]{2}$", description="ISO 3166 country of numbers written without +."
    )
    windows: tuple[Window, ...] = Field(
        (Window(),), min_length=1, description="When to call, within what the profile allows."
    )
    not_on: tuple[date, ...] = Field((), description="Days without calls, on the callee's calendar.")
    starts: datetime | None = Field(None, description="Nobody is called before.")
    ends: datetime | None = Field(None, description="Nobody is called after.")
    ring_s: int = Field(25, ge=SHORTEST_RING_S, le=120, description="How long it rings, in s.")
    pacing: Pacing = Field(Pacing(), description="How fast.")
    retries: dict[Disposition, Retry] = Field(
        default_factory=dict, description="What follows which disposition; none: not called again."
    )
    limits: Limits = Field(Limits(), description="How much, whatever happens.")
    ai_notice: tuple[str, ...] = Field(
        (),
        description="Words of which the dialog's beginning must hold one, so that callees know that a "
        "machine talks: [automated assistant]. Needed in the profile `eu`.",
    )
    answering: Answering = Field(Answering(), description="Who answered, and what then.")
    prefixes: tuple[Prefix, ...] = Field(
        (), description="Only numbers that begin so; none: as voicebot.toml allows."
    )
    do_not_call: tuple[Name, ...] = Field(
        (), description="Lists to honour besides our own opt-outs, which always count."
    )
    consent: Literal["column", "all"] = Field(
        "column", description="`column`: each row has its own; `all`: `consent_note` covers every row."
    )
    consent_note: str = Field("", description="Who agreed, when, and how it is known, for `consent: all`.")
    stt: str = Field("english", description="Name of an [stt.<name>] section.")
    tts: str = Field("english", description="Name of a [tts.<name>] section.")
    voice: str = Field("", description="Overrides the voice of the [tts.<name>] section.")
    language: str = Field("", description="Overrides the dialog's language.")
    record: bool = Field(False, description="Keep a stereo wav of each call.")
    given: dict[str, str] = Field(
        default_factory=dict, description="Values for the dialog's `needs`, the same for all."
    )

    @field_validator("trunk")
    @classmethod
    def _trunk(cls, value: str) -> str:
        if "/" in value and "{number}" not in value and "{digits}" not in value:
            raise ValueError("must hold {number} (with +) or {digits}, such as PJSIP/{number}@trunk")
        if not re.fullmatch(r"[A-Za-z0-9_./@:+{}-]{1,200}", value):
            raise ValueError("has a character that does not belong into a channel")
        if "/" in value and not _CHANNEL.fullmatch(value):
            raise ValueError(
                "must be a channel that calls the number itself, such as PJSIP/{number}@trunk; "
                "digits of a trunk's own belong into its [trunks.NAME]"
            )
        return value
