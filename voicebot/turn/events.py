"""What the turn machine is told, and what it tells its shell to do. All frozen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from voicebot.dialog.turns import CallerInput, Listen

# --- told to the machine --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class TurnBegan:
    """The bot has prompts to play (`prompts` may be 0) and then listens, or ends where `listen` is None."""

    listen: Listen | None
    prompts: int


@dataclass(frozen=True, slots=True)
class PromptBegan:
    """The first packet of a prompt has left."""

    bargein: bool


@dataclass(frozen=True, slots=True)
class PromptsDone:
    """The last packet of the last prompt of the turn has left."""


@dataclass(frozen=True, slots=True)
class SpeechStarted:
    """The end-pointer is sure that speech began."""


@dataclass(frozen=True, slots=True)
class SpeechPaused:
    """The caller may be done: about half of the end-of-speech pause has passed."""


@dataclass(frozen=True, slots=True)
class SpeechEnded:
    """The pause is over; the utterance had `voiced_ms` of voice in it."""

    voiced_ms: int


@dataclass(frozen=True, slots=True)
class KeyPressed:
    """One DTMF key: 0-9, *, #, A-D."""

    digit: str


@dataclass(frozen=True, slots=True)
class Recognised:
    """The result for utterance `number`. `speech` False: noise. `expected`: the step understands it."""

    number: int
    input: CallerInput
    speech: bool
    expected: bool


@dataclass(frozen=True, slots=True)
class Intervened:
    """Somebody outside takes the floor, whoever has it: a turn begins anew after it."""


@dataclass(frozen=True, slots=True)
class TimeUp:
    """The time asked for by `TurnMachine.deadline` has come."""


Event = (
    TurnBegan
    | PromptBegan
    | PromptsDone
    | SpeechStarted
    | SpeechPaused
    | SpeechEnded
    | KeyPressed
    | Recognised
    | Intervened
    | TimeUp
)

# --- told to the shell ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class HoldPrompts:
    """Go silent at once, but keep the place."""


@dataclass(frozen=True, slots=True)
class ResumePrompts:
    """It was nothing: go on a little before the place where the prompt was held."""


@dataclass(frozen=True, slots=True)
class StopPrompts:
    """The caller has the floor: drop what was not played yet."""

    by: Literal["speech", "dtmf", "timeout", "supervisor"]


@dataclass(frozen=True, slots=True)
class OpenUtterance:
    """Begin to recognise, from the pre-roll on."""

    number: int


@dataclass(frozen=True, slots=True)
class GuessUtterance:
    """Let the recogniser prepare its result."""

    number: int


@dataclass(frozen=True, slots=True)
class FinishUtterance:
    """Ask for the result; `Recognised` must follow."""

    number: int


@dataclass(frozen=True, slots=True)
class DropUtterance:
    """Forget it; no result is wanted."""

    number: int


@dataclass(frozen=True, slots=True)
class ForgiveNoise:
    """A sound after the prompts was nothing: go on waiting for the answer."""


@dataclass(frozen=True, slots=True)
class Deliver:
    """The caller's turn is complete: give `input` to the dialog."""

    input: CallerInput


@dataclass(frozen=True, slots=True)
class Finished:
    """The last words are spoken: do what the dialog's last turn asks for (hang up, hand over)."""


Command = (
    HoldPrompts
    | ResumePrompts
    | StopPrompts
    | OpenUtterance
    | GuessUtterance
    | FinishUtterance
    | DropUtterance
    | ForgiveNoise
    | Deliver
    | Finished
)
