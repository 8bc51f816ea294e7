"""Who holds the floor.

A caller may take it from a prompt by voice or by key. By voice the prompt is only *held* at first; what the
recogniser makes of the sound decides whether the prompt stops (words) or goes on (a cough, a door). Short
sounds count as words only when the step expects them, so a quick "no" gets through and a cough does not.

Keys that nothing awaits are gathered until the caller pauses, and are one input: who types a telephone number
where words are asked for has failed once, not ten times. Words win over them.

Pure: `handle(event, now)` returns commands, `deadline` is when `TimeUp` is due. Times in seconds of any
monotonic clock. The table `TRANSITIONS` is the machine; its diagram stands in docs/turn-taking.md.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import TypeVar, cast

from voicebot.dialog.turns import CallerInput, Keys, Listen, Silence, Unheard
from voicebot.turn.events import (
    Command,
    Deliver,
    DropUtterance,
    Event,
    Finished,
    FinishUtterance,
    ForgiveNoise,
    GuessUtterance,
    HoldPrompts,
    Intervened,
    KeyPressed,
    OpenUtterance,
    PromptBegan,
    PromptsDone,
    Recognised,
    ResumePrompts,
    SpeechEnded,
    SpeechPaused,
    SpeechStarted,
    StopPrompts,
    TimeUp,
    TurnBegan,
)

RECOGNITION_LIMIT_S = 4.0  # longer than any engine's own limit: only a lost result gets here
PROMPT_LIMIT_S = 660.0  # a prompt that never reports its end must not freeze a call; a wav may have 600 s
NOISE_GRACE_S = 1.5  # after a noise the caller has at least this long before counting as silent
NOISES_FORGIVEN = 3  # then noise counts as an answer that was not understood
MOST_UNAWAITED = 40  # keys in one input that nothing awaits; whoever leans on the keypad is told then
LATE_TERMINATOR_S = 3.0  # who has keyed all digits often ends them with # all the same


class Floor(Enum):
    """Who holds the floor, and what we wait for."""

    IDLE = "idle"  # between turns: the dialog thinks
    BOT = "bot"  # a prompt plays
    HELD = "held"  # a prompt is held; the caller makes a sound
    HELD_WEIGHING = "held weighing"  # a prompt is held; recognition decides about the sound
    OPEN = "open"  # nobody speaks; the no-input timer runs
    CALLER = "caller"  # the caller speaks
    KEYING = "keying"  # the caller has pressed keys; more may come
    WEIGHING = "weighing"  # recognition decides about what the caller said
    CLOSED = "closed"  # the dialog has ended


@dataclass(frozen=True, slots=True)
class TurnRules:
    """Rules for all turns of a call. `cough_ms`: voice shorter than this is no answer and stops no prompt,
    unless it is something that the step expects."""

    cough_ms: int = 280


E = TypeVar("E")


class TurnMachine:
    """The turn-taking of one call."""

    def __init__(self, rules: TurnRules = TurnRules()) -> None:
        self.floor = Floor.IDLE
        self.deadline: float | None = None
        self._rules = rules
        self._listen: Listen | None = None
        self._bargein = True
        self._utterance = 0
        self._voiced_ms = 0
        self._digits = ""
        self._late = ""
        self._late_until = 0.0
        self._noises = 0
        self._silent_at = 0.0
        self._commands: list[Command] = []

    def handle(self, event: Event, now: float) -> list[Command]:
        """Take `event` in; return what to do, in order. Events that mean nothing now are ignored."""
        if isinstance(event, TimeUp) and (self.deadline is None or now < self.deadline):
            return []
        row = TRANSITIONS.get((self.floor, type(event)))
        if row is None:
            return []
        self._commands = []
        row[0](self, event, now)
        return self._commands

    # --- the bot's side ---------------------------------------------------------------------------------

    def _turn_began(self, event: TurnBegan, now: float) -> None:
        self._listen = event.listen
        self._digits = ""
        self._noises = 0
        self._bargein = event.listen is not None
        if event.prompts:
            self._go(Floor.BOT, now + PROMPT_LIMIT_S)
        else:
            self._prompts_done(event, now)

    def _prompt_began(self, event: PromptBegan, now: float) -> None:
        self._bargein = event.bargein and self._listen is not None
        self.deadline = now + PROMPT_LIMIT_S

    def _prompts_done(self, _event: object, now: float) -> None:
        if self._listen is None:
            self._go(Floor.CLOSED)
            self._do(Finished())
            return
        self._silent_at = now + self._listen.noinput_ms / 1000
        self._go(Floor.OPEN, self._silent_at)

    def _prompt_stuck(self, _event: TimeUp, now: float) -> None:
        self._do(StopPrompts("timeout"))
        self._prompts_done(_event, now)

    # --- the caller speaks ------------------------------------------------------------------------------

    def _speech_over_prompt(self, _event: SpeechStarted, now: float) -> None:
        if not self._bargein:
            return
        self._do(HoldPrompts())
        self._open_utterance()
        self._go(Floor.HELD)

    def _speech(self, _event: SpeechStarted, now: float) -> None:
        self._open_utterance()
        self._go(Floor.CALLER)

    def _paused(self, _event: SpeechPaused, now: float) -> None:
        self._do(GuessUtterance(self._utterance))

    def _speech_ended(self, event: SpeechEnded, now: float) -> None:
        self._voiced_ms = event.voiced_ms
        self._do(FinishUtterance(self._utterance))
        self._go(
            Floor.HELD_WEIGHING if self.floor is Floor.HELD else Floor.WEIGHING, now + RECOGNITION_LIMIT_S
        )

    def _is_said(self, event: Recognised) -> bool:
        """Whether it was an answer, understood or not, and no cough, door or "uh"."""
        return event.expected or (event.speech and self._voiced_ms >= self._rules.cough_ms)

    def _weighed_over_prompt(self, event: Recognised, now: float) -> None:
        if event.number != self._utterance:
            return
        if self._is_said(event):
            self._do(StopPrompts("speech"))
            self._deliver(event.input)
        elif self._digits:
            self._do(StopPrompts("dtmf"))
            self._deliver(Keys(self._digits))
        else:
            self._do(ResumePrompts())
            self._go(Floor.BOT, now + PROMPT_LIMIT_S)

    def _weighed(self, event: Recognised, now: float) -> None:
        if event.number != self._utterance:
            return
        if self._is_said(event):
            self._deliver(event.input)
        elif self._digits:
            self._deliver(Keys(self._digits))
        elif self._noises < NOISES_FORGIVEN:
            self._noises += 1
            self._do(ForgiveNoise())
            self._go(Floor.OPEN, max(self._silent_at, now + NOISE_GRACE_S))
        else:
            self._deliver(event.input)

    def _result_lost(self, _event: TimeUp, now: float) -> None:
        self._do(DropUtterance(self._utterance))
        if self.floor is Floor.HELD_WEIGHING:
            self._do(StopPrompts("speech"))
        self._deliver(Unheard("recognition gave no result in time"))

    # --- the caller keys --------------------------------------------------------------------------------

    def _key(self, event: KeyPressed, now: float) -> None:
        if self.floor is Floor.BOT and not self._bargein:
            return
        if self._is_late_terminator(event, now):
            return
        dtmf = cast(Listen, self._listen).dtmf
        unawaited = dtmf.max_digits == 0 and (bool(self._digits) or event.digit not in dtmf.keys)
        if unawaited and self.floor in (Floor.HELD, Floor.HELD_WEIGHING, Floor.CALLER, Floor.WEIGHING):
            self._digits = (self._digits + event.digit)[:MOST_UNAWAITED]
            return
        if self.floor in (Floor.BOT, Floor.HELD, Floor.HELD_WEIGHING):
            self._do(StopPrompts("dtmf"))
        if self.floor in (Floor.HELD, Floor.HELD_WEIGHING, Floor.CALLER, Floor.WEIGHING):
            self._do(DropUtterance(self._utterance))
            self._utterance += 1
        if unawaited:
            self._gather(event.digit, MOST_UNAWAITED, now)
            return
        if (
            dtmf.terminator
            and event.digit == dtmf.terminator
            and (self._digits or event.digit not in dtmf.keys)
        ):
            self._deliver(Keys(self._digits))
            return
        menu_key = dtmf.max_digits == 0
        lone_command = not self._digits and event.digit in dtmf.keys and not event.digit.isdigit()
        if menu_key or lone_command:
            self._deliver(Keys(event.digit))
            return
        self._gather(event.digit, dtmf.max_digits, now)

    def _gather(self, digit: str, most: int, now: float) -> None:
        """Add a key to those before; they are one input, complete at `most` or when the caller pauses."""
        self._digits += digit
        if len(self._digits) < most:
            self._go(Floor.KEYING, now + cast(Listen, self._listen).dtmf.interdigit_ms / 1000)
            return
        self._deliver(Keys(self._digits))
        if most > 1:
            self._await_late_terminator(now)

    def _speech_after_keys(self, event: SpeechStarted, now: float) -> None:
        """Words win over keys that nothing awaits; should it be the keys' own tones, the keys still count."""
        if cast(Listen, self._listen).dtmf.max_digits == 0:
            self._speech(event, now)

    def _is_late_terminator(self, event: KeyPressed, now: float) -> bool:
        """Whether the key ends the digits before, which were complete without it: it is no answer."""
        late, self._late = self._late, ""
        expected = event.digit in cast(Listen, self._listen).dtmf.keys
        return event.digit == late and now < self._late_until and not self._digits and not expected

    def _keys_done(self, _event: TimeUp, now: float) -> None:
        self._deliver(Keys(self._digits))
        self._await_late_terminator(now)

    def _await_late_terminator(self, now: float) -> None:
        self._late = cast(Listen, self._listen).dtmf.terminator
        self._late_until = now + LATE_TERMINATOR_S

    # --- somebody outside -------------------------------------------------------------------------------

    def _intervened(self, _event: Intervened, now: float) -> None:
        if self.floor in (Floor.BOT, Floor.HELD, Floor.HELD_WEIGHING):
            self._do(StopPrompts("supervisor"))
        if self.floor in (Floor.HELD, Floor.HELD_WEIGHING, Floor.CALLER, Floor.WEIGHING):
            self._do(DropUtterance(self._utterance))
        self._utterance += 1  # what is still being recognised counts no more
        self._go(Floor.IDLE)

    # --- nobody -----------------------------------------------------------------------------------------

    def _silence(self, _event: TimeUp, now: float) -> None:
        self._deliver(Silence())

    # --- small steps ------------------------------------------------------------------------------------

    def _open_utterance(self) -> None:
        self._utterance += 1
        self._do(OpenUtterance(self._utterance))

    def _deliver(self, input: CallerInput) -> None:
        self._go(Floor.IDLE)
        self._do(Deliver(input))

    def _go(self, floor: Floor, deadline: float | None = None) -> None:
        self.floor = floor
        self.deadline = deadline

    def _do(self, command: Command) -> None:
        self._commands.append(command)


Handler = Callable[[TurnMachine, E, float], None]
Row = tuple[Handler[Event], frozenset[Floor]]


def _row(handler: Handler[E], *floors: Floor) -> Row:
    return cast(Handler[Event], handler), frozenset(floors)


_M = TurnMachine
_F = Floor

TRANSITIONS: dict[tuple[Floor, type[object]], Row] = {
    (_F.IDLE, TurnBegan): _row(_M._turn_began, _F.BOT, _F.OPEN, _F.CLOSED),
    (_F.BOT, PromptBegan): _row(_M._prompt_began, _F.BOT),
    (_F.BOT, PromptsDone): _row(_M._prompts_done, _F.OPEN, _F.CLOSED),
    (_F.BOT, TimeUp): _row(_M._prompt_stuck, _F.OPEN, _F.CLOSED),
    (_F.BOT, SpeechStarted): _row(_M._speech_over_prompt, _F.HELD, _F.BOT),
    (_F.BOT, KeyPressed): _row(_M._key, _F.KEYING, _F.IDLE, _F.BOT),
    (_F.HELD, SpeechPaused): _row(_M._paused, _F.HELD),
    (_F.HELD, SpeechEnded): _row(_M._speech_ended, _F.HELD_WEIGHING),
    (_F.HELD, KeyPressed): _row(_M._key, _F.KEYING, _F.IDLE, _F.HELD),
    (_F.HELD_WEIGHING, Recognised): _row(_M._weighed_over_prompt, _F.BOT, _F.IDLE),
    (_F.HELD_WEIGHING, KeyPressed): _row(_M._key, _F.KEYING, _F.IDLE, _F.HELD_WEIGHING),
    (_F.HELD_WEIGHING, TimeUp): _row(_M._result_lost, _F.IDLE),
    (_F.OPEN, SpeechStarted): _row(_M._speech, _F.CALLER),
    (_F.OPEN, KeyPressed): _row(_M._key, _F.KEYING, _F.IDLE, _F.OPEN),
    (_F.OPEN, TimeUp): _row(_M._silence, _F.IDLE),
    (_F.CALLER, SpeechPaused): _row(_M._paused, _F.CALLER),
    (_F.CALLER, SpeechEnded): _row(_M._speech_ended, _F.WEIGHING),
    (_F.CALLER, KeyPressed): _row(_M._key, _F.KEYING, _F.IDLE, _F.CALLER),
    (_F.WEIGHING, Recognised): _row(_M._weighed, _F.IDLE, _F.OPEN),
    (_F.WEIGHING, KeyPressed): _row(_M._key, _F.KEYING, _F.IDLE, _F.WEIGHING),
    (_F.WEIGHING, TimeUp): _row(_M._result_lost, _F.IDLE),
    (_F.KEYING, KeyPressed): _row(_M._key, _F.KEYING, _F.IDLE),
    (_F.KEYING, SpeechStarted): _row(_M._speech_after_keys, _F.CALLER),
    (_F.KEYING, TimeUp): _row(_M._keys_done, _F.IDLE),
    (_F.BOT, Intervened): _row(_M._intervened, _F.IDLE),
    (_F.HELD, Intervened): _row(_M._intervened, _F.IDLE),
    (_F.HELD_WEIGHING, Intervened): _row(_M._intervened, _F.IDLE),
    (_F.OPEN, Intervened): _row(_M._intervened, _F.IDLE),
    (_F.CALLER, Intervened): _row(_M._intervened, _F.IDLE),
    (_F.WEIGHING, Intervened): _row(_M._intervened, _F.IDLE),
    (_F.KEYING, Intervened): _row(_M._intervened, _F.IDLE),
}
"""(floor, event) -> (handler, floors it may lead to)."""


def diagram() -> str:
    """Return the machine as a Mermaid state diagram, made from `TRANSITIONS`."""
    lines = ["stateDiagram-v2", "    [*] --> IDLE"]
    for (floor, event), (_, targets) in TRANSITIONS.items():
        lines += [
            f"    {floor.name} --> {target.name}: {event.__name__}"
            for target in sorted(targets, key=lambda f: f.name)
        ]
    lines.append("    CLOSED --> [*]")
    return "\n".join(lines)
