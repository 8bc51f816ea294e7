"""About how long a turn takes: the bot's words, then what the caller does or how long some work takes."""

from __future__ import annotations

from voicebot.authoring.conversation.conversation import CHARACTERS_A_SECOND, THINKING_S
from voicebot.authoring.proof.events import Happening
from voicebot.dialog.turns import (
    AskModel,
    BotTurn,
    Fetch,
    Fetched,
    HookDone,
    Keys,
    Listen,
    MessageRecorded,
    Replied,
    RunHook,
    Silence,
    SpokenPause,
    Utterance,
)

SOUND_S = 2.0
"""A wav file without words."""
KEY_S = 0.4
ANSWERED_S = 1.0
"""A service's or a hook's usual time."""
MODEL_S = 3.0
"""A language model's usual time, with its words."""


def _spoken_s(turn: BotTurn) -> float:
    """Return about how long the prompts of a turn last, in s."""
    total = 0.0
    for prompt in turn.prompts:
        if isinstance(prompt, SpokenPause):
            total += prompt.ms / 1000
        else:
            total += len(prompt.text) / CHARACTERS_A_SECOND if prompt.text else SOUND_S
    return total


def lasts(turn: BotTurn, happening: Happening) -> float:
    """Return about how long it takes from the beginning of `turn` until this has happened, in s.

    Services that fail take all of their time, each time they are tried; callers talk as long as the words
    take, and are silent as long as they may.
    """
    event, then = happening.event, turn.then
    seconds = _spoken_s(turn)
    match then, event:
        case Listen(), Silence():
            return seconds + then.noinput_ms / 1000
        case Listen(), Utterance():
            words = len(event.transcript.text) / CHARACTERS_A_SECOND
            return seconds + THINKING_S + words + then.pause_ms / 1000
        case Listen(), Keys():
            wait = then.dtmf.interdigit_ms / 1000 if then.dtmf.max_digits else 0.0
            return seconds + THINKING_S + KEY_S * len(event.digits) + wait
        case Fetch(), Fetched():
            whole = then.timeout_ms / 1000 * (1 + then.retries)
            return max(seconds, ANSWERED_S if event.status is not None else whole)
        case RunHook(), HookDone():
            return max(seconds, then.timeout_ms / 1000 if event.error else ANSWERED_S)
        case AskModel(), Replied():
            return max(seconds, then.timeout_ms / 1000 if event.error else MODEL_S)
        case _, MessageRecorded():
            return seconds + event.ms / 1000
    return seconds + THINKING_S
