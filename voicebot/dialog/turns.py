"""What passes between a dialog and whoever carries its words: a call, a text chat, a test, a prover.

The interpreter is given an `Event` (what the caller did, or how some work went) and answers with a `BotTurn`:
prompts to play, then what to listen for, work to do, or the end. As in VoiceXML 2.1 prompts queue up until
the next input is collected (2.0, section 4.1.8).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

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
    """A wav file, as an absolute path. `text` is what it says, for logs, transcripts and text chats.

    `sensitive` ones are played but never recorded, nor is their text kept.
    """

    path: str
    text: str = ""
    bargein: bool = True
    sensitive: bool = False


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
    interdigit_ms: silence after a key that ends the string; keys that nothing awaits are a string, too
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

    `queue`: the destination is a queue, not an extension; `conference`: it is a conference.
    `summary`: what the person is told about the call.
    `goal`: this is what the dialog is for.
    `priority`: of the caller in a queue, 0 (least) to 10.
    `skills`: what the person should be able to do.
    `host`: the caller is a host of the conference.
    `language`: that is spoken with the caller, such as ko-KR; "" where nobody said.
    `shown`: the summary without sensitive values, for others to see; `sensitive`: their names in `context`.
    """

    destination: str
    context: tuple[tuple[str, str], ...] = ()
    outcome: str = "transferred"
    goal: bool = False
    queue: bool = False
    summary: str = ""
    priority: int = 0
    skills: tuple[str, ...] = ()
    conference: bool = False
    host: bool = False
    language: str = ""
    shown: str = ""
    sensitive: tuple[str, ...] = ()


# --- work, done while the caller waits: begun at once, while the prompts of its turn are played ----------

Fillers = tuple[tuple[Prompt, ...], ...]
"""Prompts for a caller who waits, one after another, each only when the last is over for some time."""


@dataclass(frozen=True, slots=True)
class Fetch:
    """Ask a web service; answered with `Fetched`. Times in ms.

    headers:    name, value
    body:       None for none; `content_type` tells what it is
    retries:    further attempts after no answer, or one of 429, 502, 503, 504
    sensitive:  address, body and reply may not be logged
    """

    step: str
    method: str
    url: str
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes | None = None
    content_type: str = ""
    timeout_ms: int = 3000
    retries: int = 0
    filler: Fillers = ()
    sensitive: bool = False


@dataclass(frozen=True, slots=True)
class RunHook:
    """Run the function registered as `name`; answered with `HookDone`. Time in ms.

    sensitive:  arguments and result may not be logged
    """

    step: str
    name: str
    arguments: tuple[tuple[str, object], ...] = ()
    timeout_ms: int = 3000
    filler: Fillers = ()
    sensitive: bool = False


@dataclass(frozen=True, slots=True)
class RecordMessage:
    """Record the caller until silence, a key or the longest time; answered with `MessageRecorded`.

    Times in ms. A key of `keys` ends the message. `beep`: a tone tells when to speak.
    """

    step: str
    longest_ms: int
    shortest_ms: int
    silence_ms: int
    noinput_ms: int
    beep: bool = True
    keys: str = "#"
    sensitive: bool = False


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a conversation with a language model: `role` is system, user, assistant or tool."""

    role: str
    text: str
    tool: str = ""
    arguments: str = ""
    call_id: str = ""


@dataclass(frozen=True, slots=True)
class Tool:
    """Something that a language model may do: `parameters` is a JSON Schema of an object."""

    name: str
    description: str
    parameters: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class AskModel:
    """Ask a language model; its words are spoken as they come, then `Replied` answers. Time in ms."""

    step: str
    messages: tuple[Message, ...]
    tools: tuple[Tool, ...] = ()
    model: str = ""
    timeout_ms: int = 8000
    language: str = "en-US"
    filler: Fillers = ()
    sensitive: bool = False


Work = Fetch | RunHook | RecordMessage | AskModel


@dataclass(frozen=True, slots=True)
class BotTurn:
    """Play `prompts` in order, then do `then`; work is begun at once."""

    prompts: tuple[Prompt, ...]
    then: Listen | Work | End | Handover


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


# --- from those who worked ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Fetched:
    """A web service answered with `status` and `body` (its JSON, or text, or None), or not: `error`."""

    status: int | None
    body: object = None
    error: str = ""


@dataclass(frozen=True, slots=True)
class HookDone:
    """A hook returned `value` (a mapping or one value), or failed: `error`."""

    value: object = None
    error: str = ""


@dataclass(frozen=True, slots=True)
class MessageRecorded:
    """A message was recorded to `path`, `ms` long; "" where nothing was said.

    `ended_by` is `silence`, `key`, `longest`, `hangup` or `error`.
    """

    path: str
    ms: int = 0
    ended_by: str = "silence"


@dataclass(frozen=True, slots=True)
class ToolUse:
    """A language model wants to use a tool; `arguments` is what it gave, as JSON."""

    name: str
    arguments: str = "{}"
    call_id: str = ""


@dataclass(frozen=True, slots=True)
class Replied:
    """A language model said `text` (spoken already) and perhaps uses a tool, or failed: `error`."""

    text: str = ""
    tools: tuple[ToolUse, ...] = ()
    error: str = ""


WorkResult = Fetched | HookDone | MessageRecorded | Replied
Event = CallerInput | WorkResult


@dataclass(frozen=True, slots=True)
class Understood:
    """How the interpreter took the last input, for the record.

    kind:       `match`, `invalid`, `nomatch`, `noinput`, `command`, `correction`, `unheard`; of work `fetch`,
                `hook`, `message`, `reply`
    meaning:    the slot's value, the choice, the command, or how the work went, as text
    slot:       the slot that was filled or corrected, "" for none
    sensitive:  hides the meaning
    """

    kind: str
    step: str
    meaning: str = ""
    confidence: float | None = None
    sensitive: bool = False
    slot: str = ""
