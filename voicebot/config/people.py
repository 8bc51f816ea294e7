"""Persons behind the bot: queues of our own, agents, conferences, and who may supervise by telephone."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import Field, SecretStr, field_validator

from voicebot.config.patterns import CHANNEL, CONTEXT, EXTENSION, KEY, NAME, SKILL
from voicebot.config.section import Section
from voicebot.dialog.expressions.expressions import ExpressionError, parse_expression

Name = Annotated[str, Field(pattern=NAME)]
Skill = Annotated[str, Field(pattern=SKILL)]


class QueueRule(Section):
    """How what comes along with a caller changes their place: `[[queues.NAME.rules]]`."""

    when: str = Field(
        max_length=500,
        description="An expression over the values that come along (`with`): tier == 'gold' or amount > 100.",
    )
    priority: int = Field(0, ge=-10, le=10, description="Is added to the caller's priority.")
    skills: tuple[Skill, ...] = Field((), description="Are wanted as well.")

    @field_validator("when")
    @classmethod
    def _expression(cls, value: str) -> str:
        try:
            parse_expression(value)
        except ExpressionError as error:
            raise ValueError(f"`{value}` is no condition: {error}") from error
        return value


class QueueConfig(Section):
    """A queue in which callers wait for a person: `transfer: {queue: NAME}` in a dialog."""

    greeting: str = Field("", max_length=400, description="Said once when a caller comes; empty: ours.")
    music: str = Field(
        "", description="A wav or a folder of them, looped while callers wait; empty: a quiet melody of ours."
    )
    announce_s: int = Field(30, ge=0, le=600, description="Between two announcements; 0: none.")
    say_position: bool = Field(True, description="Announcements say the caller's position.")
    say_wait: bool = Field(True, description="And how long it may take, where that is known.")
    ring_s: int = Field(20, ge=5, le=120, description="How long one agent rings before the next is tried.")
    wrap_up_s: int = Field(10, ge=0, le=600, description="Rest of an agent after a call.")
    longest_wait_s: int = Field(900, ge=10, le=14_400, description="Then the caller goes on to `otherwise`.")
    aging_s: int = Field(
        60, ge=0, le=3600, description="Waiting this long counts as much as one step of priority; 0: never."
    )
    relax_skills_s: int = Field(
        120, ge=0, le=3600, description="After this long any agent of the queue will do; 0: never."
    )
    capacity: int = Field(100, ge=1, le=10_000, description="Callers who wait at once; more go on.")
    whisper: bool = Field(True, description="An agent who answers hears what the caller wants, and accepts.")
    accept_key: str = Field("1", pattern=KEY, description="The key by which an agent accepts.")
    call_back: bool = Field(False, description="Callers may hang up and be called back in their turn.")
    call_back_key: str = Field("2", pattern=KEY, description="The key by which they ask for it.")
    call_back_trunk: str = Field("", description="Name of the [trunks.NAME] through which they are called.")
    otherwise: str = Field(
        "",
        pattern=EXTENSION,
        description="Extension of [voicebot-handover] for callers whom nobody takes; empty: an apology.",
    )
    afterwards: str = Field(
        "",
        pattern=EXTENSION,
        description="Extension for callers whose agent has hung up, such as a survey; empty: the call ends.",
    )
    rules: tuple[QueueRule, ...] = Field((), description="What comes along decides: see docs/queues.md.")


class AgentConfig(Section):
    """A person who takes calls of queues."""

    name: str = Field("", max_length=80, description="As the panel shows it; empty: the table's name.")
    channel: str = Field(pattern=CHANNEL, description="The telephone to ring: PJSIP/anna.")
    queues: tuple[Name, ...] = Field((), description="Queues whose calls this agent takes.")
    skills: dict[Skill, Annotated[int, Field(ge=1, le=10)]] = Field(
        default_factory=dict, description="What the agent can do, 1 to 10: {billing = 7, german = 10}."
    )
    signed_in: bool = Field(True, description="Takes calls from the start of the gateway on.")


class ConferenceConfig(Section):
    """A room in which many talk: `transfer: {conference: NAME}` in a dialog."""

    title: str = Field("", max_length=80, description="As the panel shows it.")
    video: bool = Field(False, description="Legs that offer video see each other (SFU).")
    most: int = Field(20, ge=2, le=500, description="Participants at once.")
    muted: Literal["nobody", "guests", "all"] = Field(
        "nobody",
        description="Who enters muted: guests, whom a host lets speak; all, who let themselves speak.",
    )
    longest_s: int = Field(
        14_400, ge=60, le=86_400, description="A conference that lasts longer is ended, in seconds."
    )
    wait_for_host: bool = Field(False, description="Guests hear music until a host is there.")
    ends_with_host: bool = Field(False, description="The last host who leaves ends the conference.")
    announce: Literal["no", "tone", "name"] = Field(
        "tone", description="What tells who comes and goes: nothing, a tone, or a tone and their name."
    )
    record: bool = Field(False, description="Keep a wav from the first participant on.")
    music: str = Field(
        "", description="A wav, looped while somebody is alone or waits; empty: a melody of ours."
    )


class SupervisionConfig(Section):
    """Looking after Asterisk by AMI: live state, click-to-dial, stuck channels."""

    ami_user: str = Field("", description="User of manager.conf; empty: there is no supervision by AMI.")
    ami_password: SecretStr = Field(SecretStr(""), description="Its secret; better by ami_password_file.")
    ami_password_file: str = Field("", description="File that holds the secret, and nothing else.")
    dial_context: str = Field(
        "voicebot-click", pattern=CONTEXT, description="Context of click-to-dial's numbers."
    )
    dial_numbers: tuple[str, ...] = Field(
        (),
        description="Numbers without + that click-to-dial may call, or patterns: 600, _6XX. Those with + are "
        "as [dialling] allows.",
    )
    stuck_after_s: int = Field(
        7200, ge=60, le=86_400, description="A channel older than this counts as stuck, in seconds."
    )
    unowned_after_s: int = Field(
        30, ge=5, le=3600, description="A leg of ours that no call holds for so long counts as lost."
    )
    hang_up_unowned: bool = Field(True, description="Lost legs of ours are hung up, not only told of.")
    phones: dict[Name, str] = Field(
        default_factory=dict, description='Telephones of supervisors, by panel user: {anna = "PJSIP/anna"}.'
    )

    @field_validator("dial_numbers")
    @classmethod
    def _numbers(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for number in value:
            if not re.fullmatch(r"[0-9*#]{1,32}|_([0-9XZNxzn*#]|\[[0-9]+(-[0-9])?\]){1,64}", number):
                raise ValueError(f"`{number}` is neither a number without + nor a pattern such as _6XX")
        return value

    @field_validator("phones")
    @classmethod
    def _channels(cls, value: dict[str, str]) -> dict[str, str]:
        for name, channel in value.items():
            if not re.fullmatch(CHANNEL, channel):
                raise ValueError(f"`{channel}` of {name} is no channel such as PJSIP/anna")
        return value


def known_number(value: str) -> bool:
    """Whether click-to-dial may dial it: digits, *, # and a leading +."""
    return re.fullmatch(r"\+?[0-9*#]{1,32}", value) is not None
