"""A caller who follows a script: a list of steps, each a small frozen dataclass, played on a call.

    await play(call, [WaitForBot(), Say(Path("yes.wav")), WaitForBot(), Press("1#"), HangUp()])

What happened is returned, and told to `tell` as it happens.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from voicebot.errors import CallEnded
from voicebot.softphone.call import SoftphoneCall
from voicebot.softphone.mouth import Saying


@dataclass(frozen=True, slots=True)
class WaitForBot:
    """Wait until the bot has spoken, after whatever we did last, and is then quiet for `quiet_ms`.

    `quiet_ms` must be longer than the pauses between the sentences of a prompt.
    """

    quiet_ms: int = 900
    timeout_s: float = 20.0


@dataclass(frozen=True, slots=True)
class Say:
    """Speak a wav file to its end. `text` is what it says, for whoever reads the log."""

    wav: Path
    text: str = ""


@dataclass(frozen=True, slots=True)
class Interrupt:
    """Wait until the bot speaks, let it go on for `after_ms`, then speak over it: words, or a cough."""

    wav: Path
    after_ms: int = 1000
    text: str = ""
    timeout_s: float = 20.0


@dataclass(frozen=True, slots=True)
class Press:
    """Press keys; with `after_ms` over the bot's prompt, that long after it began."""

    keys: str
    after_ms: int | None = None
    timeout_s: float = 20.0


@dataclass(frozen=True, slots=True)
class StaySilent:
    """Neither say nor press anything for so long."""

    seconds: float


@dataclass(frozen=True, slots=True)
class WaitForEnd:
    """Wait until the bot hangs up."""

    timeout_s: float = 20.0


@dataclass(frozen=True, slots=True)
class HangUp:
    """Hang up."""


Step = WaitForBot | Say | Interrupt | Press | StaySilent | WaitForEnd | HangUp


@dataclass(frozen=True, slots=True)
class Happened:
    """What became of one step. All times are monotonic seconds, None where they do not apply.

    began_at, ended_at:  of the step
    onset_at, voiced_to_at:  of our first and last audible frame, or of the first key and the last
    bot_from_at:         WaitForBot: the bot's first audible packet; Interrupt: beginning of that prompt
    bot_to_at:           WaitForBot: its last audible packet
    cut_short:           the call ended during this step
    """

    step: Step
    began_at: float
    ended_at: float
    onset_at: float | None = None
    voiced_to_at: float | None = None
    bot_from_at: float | None = None
    bot_to_at: float | None = None
    cut_short: bool = False


async def play(
    call: SoftphoneCall, steps: Sequence[Step], tell: Callable[[Happened], None] = lambda _: None
) -> list[Happened]:
    """Play `steps` on an answered call; the rest is left out when the call ends.

    Raises TimeoutError where the bot does not do in time what a step waits for, naming the step.
    """
    story: list[Happened] = []
    waited_from = call.answered_at or time.monotonic()
    for step in steps:
        began = time.monotonic()
        try:
            happened = await _perform(call, step, began, waited_from)
        except CallEnded:
            happened = Happened(step, began, time.monotonic(), cut_short=True)
        except TimeoutError as late:
            raise TimeoutError(f"the bot kept the caller waiting in {step}") from late
        story.append(happened)
        tell(happened)
        if happened.cut_short:
            break
        if not isinstance(step, WaitForBot):
            # The bot may answer keys while the last one is still held: count from our first sound on.
            waited_from = happened.onset_at or began
    return story


async def _perform(call: SoftphoneCall, step: Step, began: float, waited_from: float) -> Happened:
    match step:
        case WaitForBot(quiet_ms=quiet_ms, timeout_s=timeout):
            first = await call.bot_speaks(timeout, since=waited_from)
            last = await call.bot_quiet(quiet_ms, timeout)
            return Happened(step, began, time.monotonic(), bot_from_at=first, bot_to_at=last)
        case Say(wav=wav):
            return _said(step, began, await call.say(wav))
        case Interrupt(wav=wav, after_ms=after_ms, timeout_s=timeout):
            first = await _bot_in_full_flow(call, after_ms, timeout, waited_from)
            return _said(step, began, await call.say(wav), first)
        case Press(keys=keys, after_ms=after_ms, timeout_s=timeout):
            if after_ms is not None:
                await _bot_in_full_flow(call, after_ms, timeout, waited_from)
            pressed = time.monotonic()
            released = await call.press(keys)
            return Happened(step, began, released, onset_at=pressed, voiced_to_at=released)
        case StaySilent(seconds=seconds):
            await call.pause(seconds)
        case WaitForEnd(timeout_s=timeout):
            await call.over(timeout)
        case HangUp():
            await call.hang_up()
    return Happened(step, began, time.monotonic())


async def _bot_in_full_flow(call: SoftphoneCall, after_ms: int, timeout: float, since: float) -> float:
    first = await call.bot_speaks(timeout, since=since)
    await call.pause(max(0.0, first + after_ms / 1000 - time.monotonic()))
    return first


def _said(step: Step, began: float, saying: Saying, bot_from: float | None = None) -> Happened:
    return Happened(
        step,
        began,
        time.monotonic(),
        onset_at=saying.voiced_from_at,
        voiced_to_at=saying.voiced_to_at,
        bot_from_at=bot_from,
    )
