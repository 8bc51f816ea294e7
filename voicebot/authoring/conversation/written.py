"""What an author types in a chat with a dialog, and what is shown of its run."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from voicebot.authoring.conversation.conversation import Turn, described, tool_name
from voicebot.dialog.model.dialog import Dialog
from voicebot.dialog.model.slots import meaning_of
from voicebot.dialog.running.interpreter import Interpreter
from voicebot.dialog.speaking.prompts import text_of
from voicebot.dialog.turns import (
    AskModel,
    BotTurn,
    CallerInput,
    End,
    Event,
    Fetch,
    Fetched,
    Handover,
    HookDone,
    HungUp,
    Keys,
    Listen,
    MessageRecorded,
    RecordMessage,
    Replied,
    RunHook,
    Silence,
    ToolUse,
    Unheard,
    Utterance,
    Work,
)
from voicebot.errors import UserError
from voicebot.speech.stt import Transcript

HELP = """\
words              what the caller says; an empty line is silence
/dtmf 5            keys, also /dtmf 4271# (or <4271>)
/silence           nothing in time
/noise             a sound without words
/unheard           speech that our recogniser failed on
/hangup            the caller goes away (or Ctrl-D)
/unsure words      words that the recogniser is not sure of
/fetch 200 {json}  what a service answers; a hook's value is /return {json}
/record 12s        a message is left
/model words       what a language model says; /use step {json} for its tools
/fail              what is asked for fails
/slots             what has been learnt
/path              the steps so far
/back              take the last turn back
/help              this"""

UNSURE = 0.4
"""A recogniser's confidence in `/unsure` words: low enough to be asked back."""
MESSAGE_MS = 10_000
"""Length of a message where none is given."""


@dataclass(frozen=True, slots=True)
class Order:
    """An order to the chat itself: `slots`, `path`, `back`, `help`."""

    name: str


def read_input(line: str) -> CallerInput:
    """Read a written input: words, nothing for silence, `<4271>` for keys, `<hangup>`."""
    line = line.strip()
    if not line:
        return Silence()
    if line == "<hangup>":
        return HungUp()
    if line.startswith("<") and line.endswith(">"):
        return Keys(line[1:-1].removesuffix("#") or "#")
    return Utterance(Transcript(line))


def read_line(line: str, waits_for: Work | None) -> Event | Order:
    """Read a line of a chat, while the dialog waits for some work or listens (None).

    Raises UserError for what is no order, or not possible now.
    """
    line = line.strip()
    if not line.startswith("/"):
        if waits_for is None or line == "<hangup>":
            return read_input(line)
        if isinstance(waits_for, AskModel) and line:
            return Replied(line)
        if isinstance(waits_for, RecordMessage):
            return MessageRecorded("message.wav" if line else "", MESSAGE_MS if line else 0)
        raise UserError(f"the dialog waits for {described(waits_for)}", _remedy(waits_for))
    word, _, rest = line[1:].partition(" ")
    rest = rest.strip()
    if word in ("slots", "path", "back", "help"):
        return Order(word)
    if word == "hangup":
        return HungUp()
    event = _work_done(word, rest, waits_for) if waits_for is not None else _caller(word, rest)
    if event is None:
        known = word in _CALLER or word in ("fetch", "return", "record", "model", "use", "fail")
        what = f"/{word} is not possible now" if known else f"there is no /{word}"
        raise UserError(what, _remedy(waits_for) if waits_for else "see /help")
    return event


_CALLER = ("dtmf", "silence", "noise", "unheard", "unsure", "say")


def _caller(word: str, rest: str) -> CallerInput | None:
    match word:
        case "dtmf":
            if not rest or set(rest.upper()) - set("0123456789*#ABCD"):
                raise UserError("these are no keys", "write /dtmf 4271#")
            return Keys(rest.upper().removesuffix("#") or "#")
        case "silence":
            return Silence()
        case "noise":
            return Utterance(Transcript(""))
        case "unheard":
            return Unheard("not recognised")
        case "unsure":
            return Utterance(Transcript(rest, UNSURE))
        case "say":
            return Utterance(Transcript(rest))
    return None


def _work_done(word: str, rest: str, work: Work) -> Event | None:
    match word, work:
        case "fail", Fetch():
            return Fetched(None, error=rest or "timeout")
        case "fail", RunHook():
            return HookDone(error=rest or "failed")
        case "fail", AskModel():
            return Replied(error=rest or "timeout")
        case "fail", RecordMessage():
            return MessageRecorded("", ended_by="error")
        case "fetch", Fetch():
            status, _, body = rest.partition(" ")
            if not status.isdigit():
                status, body = "200", rest
            return Fetched(int(status), _json(body))
        case "return", RunHook():
            return HookDone(_json(rest))
        case "record", RecordMessage():
            seconds = rest.removesuffix("s") or str(MESSAGE_MS // 1000)
            if not seconds.replace(".", "", 1).isdigit():
                raise UserError(f"{rest} is no time", "write /record 12s")
            ms = round(float(seconds) * 1000)
            return MessageRecorded("message.wav" if ms else "", ms)
        case "silence", RecordMessage():
            return MessageRecorded("")
        case "model", AskModel():
            return Replied(rest)
        case "use", AskModel():
            name, _, arguments = rest.partition(" ")
            if (tool := tool_name(work, name)) is None:
                tools = ", ".join(each.name for each in work.tools) or "none"
                raise UserError(f"there is no tool {name}", f"there are {tools}")
            return Replied("", (ToolUse(tool, json.dumps(_json(arguments) or {}), "1"),))
    return None


def _json(text: str) -> Any:
    if not text:
        return None
    try:
        return json.loads(text)
    except ValueError as error:
        raise UserError(f"this is no JSON: {error}", 'write it as {"ok": true}') from error


def _remedy(work: Work) -> str:
    match work:
        case Fetch():
            return 'answer with /fetch 200 {"ok": true} or /fail; --live really asks'
        case RunHook():
            return 'answer with /return {"ok": true} or /fail; --live really runs it'
        case AskModel():
            return "answer with words, /use STEP or /fail; --live really asks"
        case RecordMessage():
            return "leave one with /record 12s; an empty line is none"


# --- what is shown --------------------------------------------------------------------------------------


def written(turn: BotTurn | Turn) -> str:
    """Write a turn of the bot down; its end in brackets."""
    words = turn.bot if isinstance(turn, Turn) else text_of(turn.prompts, hide=False)
    if isinstance(turn.then, End):
        return f"{words} [{turn.then.outcome}]".strip()
    if isinstance(turn.then, Handover):
        return f"{words} [to {turn.then.destination}]".strip()
    return words


def changed(before: Mapping[str, object], after: Mapping[str, object]) -> dict[str, str]:
    """Return the slots that are new or other, as text; forgotten ones as ""."""
    names = {**before, **after}
    return {name: meaning_of(after.get(name)) for name in names if before.get(name) != after.get(name)}


def understood_text(turn: Turn) -> str:
    """Tell how the caller's input was taken, "" where there was none."""
    taken = turn.understood
    if taken is None:
        return ""
    parts = [taken.kind, f": {taken.meaning}" if taken.meaning else ""]
    if taken.slot and taken.kind != "match":
        parts.append(f" ({taken.slot})")
    return "".join(parts)


def as_json(turn: Turn, slots: Mapping[str, object]) -> dict[str, Any]:
    """Return a turn for other programs; `slots` are those of the turn before."""
    taken = turn.understood
    line: dict[str, Any] = {"bot": turn.bot}
    if turn.event is not None:
        line["caller"] = event_text(turn.event)
    if taken is not None:
        line["understood"] = {"kind": taken.kind, "meaning": taken.meaning, "slot": taken.slot}
        if taken.confidence is not None:
            line["understood"]["confidence"] = taken.confidence
    line["slots"] = {name: meaning_of(value) for name, value in turn.slots.items()}
    line["changed"] = changed(slots, turn.slots)
    line["path"] = list(turn.steps)
    match turn.then:
        case Listen():
            line["then"] = "listen"
        case End(outcome, goal):
            line["then"], line["outcome"], line["goal"] = "end", outcome, goal
        case Handover():
            line["then"], line["outcome"], line["to"] = (
                "handover",
                turn.then.outcome,
                turn.then.destination,
            )
        case _:
            line["then"], line["work"] = "wait", described(turn.then)
    return line


def event_text(event: Event) -> str:
    """Return an event as it is written in a chat."""
    match event:
        case Utterance(transcript):
            return transcript.text or "/noise"
        case Keys(digits):
            return f"/dtmf {digits}"
        case Silence():
            return "/silence"
        case Unheard():
            return "/unheard"
        case HungUp():
            return "/hangup"
        case Fetched():
            return (
                f"/fail {event.error}" if event.error else f"/fetch {event.status} {json.dumps(event.body)}"
            )
        case HookDone():
            return (
                f"/fail {event.error}" if event.error else f"/return {json.dumps(event.value, default=str)}"
            )
        case MessageRecorded():
            return f"/record {event.ms / 1000:g}s"
        case Replied():
            return f"/fail {event.error}" if event.error else f"/model {event.text}"


def converse(
    dialog: Dialog,
    inputs: Iterable[CallerInput | str],
    given: Mapping[str, object] | None = None,
    seed: int = 0,
) -> list[str]:
    """Return what the bot says at first and to each input, until the dialog ends."""
    interpreter = Interpreter(dialog, given, seed=seed)
    lines = [written(interpreter.begin(0.0))]
    for now, event in enumerate(inputs, 1):
        if interpreter.outcome is not None:
            break
        turn = interpreter.handle(read_input(event) if isinstance(event, str) else event, float(now))
        lines.append(written(turn))
    return lines
