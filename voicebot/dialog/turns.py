"""What passes between a dialog and whoever carries its words: a call, a text chat, a test, a prover.

The interpreter is given a `CallerInput` and answers with a `BotTurn`: prompts to play, then what to listen
for, or the end. As in VoiceXML 2.1 prompts queue up until the next input is collected (2.0, section 4.1.8).
"""

from __future__ import annotations

from dataclasses import dataclass

from voicebot.speech.stt import Expectation, Transcript

# --- from the bot ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class SpokenText:
    """Words to synthesise. `bargein` False: the caller cannot interrupt it.

    `static` is True when the text holds no value known only in the call, so that it can be rendered ahead.
    `sensitive` words are played but never logged, recorded or cached.
    """

    text: str
    language: str
    bargein: bool = True
    static: bool = True
    sensitive: bool = False


@dataclass(frozen=True, slots=True)
class SpokenAudio:
    """A wav file, as an absolute path. `text` is what it says, for logs, transcripts and text chats."""

    path: str
    text: str = ""
    bargein: bool = True


@dataclass(frozen=True, slots=True)
class SpokenPause:
    """Silence of `ms` milliseconds."""

    ms: int
    bargein: bool = True


Prompt = SpokenText | SpokenAudio | SpokenPause


@dataclass(frozen=True, slots=True)
class DtmfExpectation:
    """Which keys may come now.

    keys:          single keys that are a complete answer at once ("menu" keys), as a string of 0-9*#ABCD
    min_digits:    a string of digits is an answer from this length on; 0 where no string is expected
    max_digits:    it is complete at this length, without waiting
    terminator:    the key that ends a string early, "" for none
    interdigit_ms: silence after a key that ends the string
    """

    keys: str = ""
    min_digits: int = 0
    max_digits: int = 0
    terminator: str = "#"
    interdigit_ms: int = 3000


@dataclass(frozen=True, slots=True)
class Listen:
    """Collect one input. All times in ms.

    noinput_ms:   silence after the last prompt until the caller counts as silent
    pause_ms:     silence after speech that ends an utterance (VoiceXML `completetimeout`)
    longest_ms:   speech longer than this is cut off (`maxspeechtimeout`)
    sensitive:    neither words nor keys may be logged, recorded or stored
    """

    step: str
    expect: Expectation
    dtmf: DtmfExpectation = DtmfExpectation()
    noinput_ms: int = 5000
    pause_ms: int = 600
    longest_ms: int = 15000
    sensitive: bool = False


@dataclass(frozen=True, slots=True)
class End:
    """The dialog is over: hang up after the prompts. `outcome` is the dialog's own word for how it went."""

    outcome: str
    goal: bool = False
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Handover:
    """Leave the caller to a person at `destination` (dialplan extension) with these variables as context.

    `goal`: this is what the dialog is for.
    """

    destination: str
    context: tuple[tuple[str, str], ...] = ()
    outcome: str = "transferred"
    goal: bool = False


@dataclass(frozen=True, slots=True)
class BotTurn:
    """Play `prompts` in order, then do `then`."""

    prompts: tuple[Prompt, ...]
    then: Listen | End | Handover


# --- from the caller ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Utterance:
    """The caller spoke and it was transcribed (perhaps to nothing, or to something unlikely)."""

    transcript: Transcript


@dataclass(frozen=True, slots=True)
class Keys:
    """The caller keyed `digits` (terminator removed)."""

    digits: str


@dataclass(frozen=True, slots=True)
class Silence:
    """The caller said and keyed nothing in time (`noinput`)."""


@dataclass(frozen=True, slots=True)
class Unheard:
    """The caller spoke but recognition failed us; our fault, so it counts less than a `nomatch`."""

    why: str = ""


@dataclass(frozen=True, slots=True)
class HungUp:
    """The caller went away."""


CallerInput = Utterance | Keys | Silence | Unheard | HungUp


@dataclass(frozen=True, slots=True)
class Understood:
    """How the interpreter took the last input, for the record: `kind` is `match`, `nomatch`, `noinput`,
    `command`, `unheard`; `meaning` is the slot value, choice or command as text; `sensitive` hides it."""

    kind: str
    step: str
    meaning: str = ""
    confidence: float | None = None
    sensitive: bool = False
