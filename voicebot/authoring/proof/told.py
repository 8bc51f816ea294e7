"""A way through a dialog as a conversation, as it would stand in a file of tests."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from voicebot.authoring.conversation.conversation import named_environment
from voicebot.authoring.proof.exploring import Exploration
from voicebot.dialog.running.interpreter import Interpreter
from voicebot.dialog.speaking.prompts import text_of
from voicebot.dialog.turns import (
    BotTurn,
    End,
    Event,
    Fetched,
    Handover,
    HookDone,
    HungUp,
    Keys,
    MessageRecorded,
    Replied,
    Silence,
    Unheard,
    Utterance,
)


@dataclass(frozen=True, slots=True)
class Line:
    """One line: who (`bot`, `caller`, `fetch`, ...; "" for what has no words), and what, as JSON has it."""

    who: str
    what: Any


@dataclass(frozen=True, slots=True)
class Told:
    """A conversation: what it was begun with, what was said and done, and how it ended (None: not yet)."""

    given: tuple[tuple[str, str], ...]
    now: str
    lines: tuple[Line, ...]
    outcome: str | None

    def yaml(self, name: str) -> str:
        """Return it as a test that can be pasted into NAME.test.yaml."""
        out = [f"- conversation: {_scalar(name)}", f"  now: {self.now}"]
        if self.given:
            out.append(
                "  given: {" + ", ".join(f"{key}: {_scalar(value)}" for key, value in self.given) + "}"
            )
        out.append("  talk:")
        for line in self.lines:
            dash = "" if str(line.what).startswith("#") and not line.who else "- "
            out.append(
                f"    {dash}{line.who}: {_scalar(line.what)}" if line.who else f"    {dash}{line.what}"
            )
        if self.outcome and self.outcome not in ("crash", "hangup"):
            out.append(f"  outcome: {self.outcome}")
        return "\n".join(out) + "\n"


def _scalar(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)


def told(found: Exploration, start: int, events: Sequence[Event]) -> Told:
    """Hold the conversation again, from a beginning of the exploration."""
    begin = found.starts[start]
    interpreter = Interpreter(
        found.dialog,
        begin.given,
        language=found.language,
        call={"number": "+12025550123", "called": "+12025550100", "id": "1"},
        environment=named_environment(found.dialog),
        started=begin.started,
    )
    lines: list[Line] = []
    crashed = False
    try:
        lines += _bot(interpreter.begin(0.0))
    except Exception as error:
        lines.append(Line("", f"# {type(error).__name__}: {error}"))
        crashed, events = True, ()
    for event in events:
        if interpreter.outcome is not None:
            break  # a limit has ended the call
        lines.append(_event(event))
        try:
            lines += _bot(interpreter.handle(event, 0.0))
        except Exception as error:  # the counter-example of a crash
            lines.append(Line("", f"# {type(error).__name__}: {error}"))
            crashed = True
            break
    needs = found.dialog.file.needs
    given = tuple(
        (name, str(value)) for name, value in begin.given.items() if str(value) != (needs[name].default or "")
    )
    outcome = "crash" if crashed else interpreter.outcome
    return Told(given, begin.started.strftime("%Y-%m-%dT%H:%M"), tuple(lines), outcome)


def _bot(turn: BotTurn) -> list[Line]:
    words = text_of(turn.prompts, hide=False)
    lines = [Line("bot", words)] if words else []
    if isinstance(turn.then, End | Handover) and not words:
        lines.append(Line("", "# the bot says nothing"))
    return lines


def _event(event: Event) -> Line:
    match event:
        case Utterance(transcript):
            if not transcript.text:
                return Line("", "noise")
            if transcript.confidence is not None:
                return Line("caller", {"says": transcript.text, "confidence": transcript.confidence})
            return Line("caller", transcript.text)
        case Keys(digits):
            return Line("keys", digits)
        case Silence():
            return Line("", "silence")
        case Unheard():
            return Line("", "unheard")
        case HungUp():
            return Line("", "hangup")
        case Fetched():
            if event.error:
                return Line("fetch", {"fail": event.error})
            reply = {} if event.body is None else {"reply": event.body}
            return Line("fetch", {"status": event.status, **reply})
        case HookDone():
            return Line("hook", {"fail": event.error} if event.error else {"returns": event.value})
        case MessageRecorded():
            return Line("records", f"{event.ms}ms")
        case Replied():
            if event.error:
                return Line("model", {"fail": event.error})
            if event.tools:
                return Line("model", {"uses": event.tools[0].name})
            return Line("model", event.text)
