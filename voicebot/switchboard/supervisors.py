"""What a supervisor can do to a live call: say, correct, jump, hold, end, record, barge in, take over.

Everything here raises `UserError` with a remedy where it is not possible (no such call, step or slot; the
call is in no state for it), and is written into the call's record with who did it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

Mode = Literal["listen", "whisper", "barge", "take_over"]
RecordingAction = Literal["start", "pause", "resume", "stop"]


@dataclass(frozen=True, slots=True)
class StepChoice:
    """A step that the call can be sent to. `label` is the beginning of what it says; `now`: it is there."""

    name: str
    label: str
    now: bool = False


@dataclass(frozen=True, slots=True)
class SlotChoice:
    """A slot that can be corrected. `value` is how it reads, "" where nothing is known or it is sensitive.

    `options` are what a choice allows, () for open types.
    """

    name: str
    type: str
    value: str = ""
    known: bool = False
    sensitive: bool = False
    options: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Possible:
    """What a dialog can be told from outside, in the order of its file."""

    steps: tuple[StepChoice, ...]
    slots: tuple[SlotChoice, ...]


@dataclass(frozen=True, slots=True)
class Visit:
    """A supervisor on a call by telephone.

    state: `ringing`, `on_line`, `over`;  since_at: seconds of the epoch
    """

    id: str
    call_id: str
    by: str
    channel: str
    mode: Mode
    state: Literal["ringing", "on_line", "over"]
    since_at: float


class Microphone(Protocol):
    """A supervisor on a call by the browser's microphone.

    feed:    16-bit little-endian mono at `sample_rate` (Hz), of any length; never waits
    closed:  the call is over, or the supervisor has left
    """

    call_id: str
    by: str
    mode: Mode
    sample_rate: int

    @property
    def closed(self) -> bool: ...

    def feed(self, pcm: bytes) -> None: ...

    async def close(self) -> None: ...


class Supervisors(Protocol):
    """The hands of supervisors. `by` is who does it, as the record shall name them."""

    def may(self, call_id: str) -> Possible: ...

    async def say(self, call_id: str, text: str, by: str) -> None: ...

    async def correct(self, call_id: str, slot: str, value: object, by: str) -> None: ...

    async def jump(self, call_id: str, step: str, by: str) -> None: ...

    async def repeat(self, call_id: str, by: str) -> None: ...

    async def hold(self, call_id: str, by: str) -> None: ...

    async def release(self, call_id: str, by: str) -> None: ...

    async def end(self, call_id: str, by: str) -> None: ...

    async def recording(self, call_id: str, action: RecordingAction, by: str) -> None: ...

    async def transfer(self, call_id: str, to: str, kind: Literal["blind", "attended"], by: str) -> None:
        """`to`: `queue:NAME`, `conference:NAME`, or an extension of [voicebot-handover]."""
        ...

    async def visit(self, call_id: str, mode: Mode, by: str, channel: str) -> Visit: ...

    async def change(self, visit_id: str, mode: Mode) -> Visit: ...

    async def leave(self, visit_id: str) -> None: ...

    def visits(self, call_id: str | None = None) -> tuple[Visit, ...]: ...

    async def microphone(self, call_id: str, mode: Mode, by: str) -> Microphone: ...
