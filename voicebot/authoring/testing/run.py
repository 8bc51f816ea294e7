"""Runs one test conversation by text, and tells what was not as it should be."""

from __future__ import annotations

import json
import time as clock
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC

from voicebot.authoring.conversation.conversation import Conversation, described, failed, tool_name
from voicebot.authoring.testing.compare import asked, missing_words, same_value, sent_by, within
from voicebot.authoring.testing.format import FetchLine, HookLine, Item, ModelReply
from voicebot.authoring.testing.load import Case
from voicebot.dialog.model.dialog import Dialog
from voicebot.dialog.model.slots import meaning_of
from voicebot.dialog.turns import (
    AskModel,
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
    Understood,
    Unheard,
    Utterance,
    Work,
    WorkResult,
)
from voicebot.errors import UserError
from voicebot.speech.stt import Transcript

ANSWERS: dict[type, str] = {Fetch: "fetch", RunHook: "hook", RecordMessage: "records", AskModel: "model"}
"""Which line of a talk answers which work."""
CHECKS = ("bot", "slots", "step", "understood", "language")


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a conversation that was held: `who` is bot, caller, or what was asked of whom."""

    who: str
    text: str


@dataclass(frozen=True, slots=True)
class Failure:
    """What was not as the test wants it.

    line:  of the test file
    at:    how many lines of the conversation had been held by then
    """

    line: int
    what: str
    expected: str
    got: str
    at: int


@dataclass(frozen=True, slots=True)
class Heard:
    """What was made of a spoken line. `rightly`: it was taken as the words themselves would have been."""

    said: str
    heard: str
    meaning: str
    rightly: bool


@dataclass(slots=True)
class Result:
    """How one conversation went.

    ways:     what was taken of each dialog: (dialog, step, way, target)
    visited:  the steps that it came to: (dialog, step)
    """

    case: Case
    talk: list[Line] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    outcome: str | None = None
    slots: Mapping[str, object] = field(default_factory=dict)
    ways: set[tuple[str, str, str, str]] = field(default_factory=set)
    visited: set[tuple[str, str]] = field(default_factory=set)
    took_ms: float = 0.0
    heard: list[Heard] = field(default_factory=list)
    """By sound only: every line of the caller that was spoken."""

    @property
    def passed(self) -> bool:
        return not self.failures


class Stop(Exception):
    """The conversation cannot go on: what follows in the talk would only confuse."""


def run_case(case: Case, dialog: Dialog) -> Result:
    """Hold one conversation by text. Never raises for what the dialog or the test does."""
    result = Result(case)
    began = clock.perf_counter()
    try:
        script = Script(case, dialog, result)
    except UserError as error:
        result.failures.append(Failure(case.lines.of("given"), "cannot begin", "", str(error), 0))
        return result
    try:
        while (item := script.advance()) is not None:
            script.give(*script.event_of(item))
        script.finish()
    except Stop:
        pass
    script.close()
    result.took_ms = (clock.perf_counter() - began) * 1000
    return result


class Script:
    """The talk of a test, line by line: what is checked and answered by itself, and what the caller must do.

    advance() -> what the caller does next; event_of() -> as text; give() -> to the dialog; finish(), close().
    Raises UserError where the dialog is not given what it needs; the methods raise `Stop`.
    """

    def __init__(self, case: Case, dialog: Dialog, result: Result) -> None:
        self._spec, self._lines, self._result = case.spec, case.lines, result
        spec = case.spec
        started = spec.now.replace(tzinfo=UTC) if spec.now and spec.now.tzinfo is None else spec.now
        self.run = Conversation(
            dialog,
            spec.given,
            started=started,
            language=spec.language,
            seed=spec.seed,
            call={str(name): value for name, value in spec.call.items()},
            environment=spec.environment,
        )
        self._said: list[str] = []  # by the bot since the caller's last turn
        self._understood: Understood | None = None
        self._next = 0  # of the talk
        self._line = self._lines.conversation
        self._note_bot()

    def advance(self) -> Item | None:
        """Check what stands here, answer what is asked for; return what the caller does next."""
        self._use_stubs()
        while self._next < len(self._spec.talk):
            item = self._spec.talk[self._next]
            self._line = self._lines.talk[self._next]
            self._next += 1
            if item.kind in CHECKS:
                self._check(item)
            elif self._answers(item):
                self._use_stubs()
            else:
                return item
        return None

    def event_of(self, item: Item) -> tuple[Event, str, str]:
        """Return what a caller's line is as an event, who does it, and how it is shown."""
        if item.does == "hangup":
            return HungUp(), "caller", "(hangs up)"
        if isinstance(self.run.waits_for, RecordMessage):
            return MessageRecorded(""), "caller", "(leaves no message)"
        if item.caller is not None:
            says = item.caller.says
            return Utterance(Transcript(says, item.caller.confidence)), "caller", says
        if item.keys is not None:
            return self._keys(item.keys), "caller", f"keys {item.keys}"
        if item.does == "silence":
            return Silence(), "caller", "(silence)"
        if item.does == "noise":
            return Utterance(Transcript("")), "caller", "(noise)"
        return Unheard("not recognised"), "caller", "(not recognised)"

    def give(self, event: Event, who: str, text: str) -> None:
        """Let something happen to the dialog."""
        if who == "caller":
            self._said.clear()
        if text:
            self._result.talk.append(Line(who, text))
        turn = self.run.take(event)
        if who == "caller":
            self._understood = turn.understood
        self._note_bot()

    def finish(self) -> None:
        """Check what must be true at the end."""
        run, spec = self.run, self._spec
        self._line = self._lines.of("outcome")
        if spec.outcome is not None and spec.outcome != run.outcome:
            work = run.waits_for
            state = f"it waits for {described(work)}" if work else f"it still listens in step {run.turn.step}"
            self._fail("the call ends in another way", spec.outcome, run.outcome or state)
        if spec.goal is not None and spec.goal != run.goal:
            self._line = self._lines.of("goal")
            self._fail("the goal", "reached" if spec.goal else "missed", "reached" if run.goal else "missed")
        if spec.to is not None:
            self._line = self._lines.of("to")
            then = run.turn.then
            to = then.destination if isinstance(then, Handover) else "no hand-over"
            if to != spec.to:
                self._fail("the caller is handed over to another", spec.to, to)
        for name, wanted in spec.slots.items():
            self._line = self._lines.of(name)
            self._check_slot(name, wanted)

    def fail_here(self, what: str, expected: str, got: str) -> None:
        """Note that something is not as it should be, at the line that the talk has come to."""
        self._fail(what, expected, got)

    def close(self) -> None:
        """Keep what came of it."""
        run, result = self.run, self._result
        result.outcome, result.slots = run.outcome, dict(run.slots)
        result.ways = {(t.dialog, t.step, t.way, t.target) for t in run.interpreter.taken}
        result.visited = {way[:2] for way in result.ways} | {(t.dialog, t.step) for t in run.turns}

    # --- what is done -----------------------------------------------------------------------------------

    def _answers(self, item: Item) -> bool:
        """Answer the dialog's work with a line of the talk; False where the caller must act. Raises Stop."""
        if self.run.ended:
            got = f"the outcome {self.run.outcome}"
            raise self._stop("the call has ended before this", f"a `{item.name}`", got)
        work = self.run.waits_for
        if item.kind in ANSWERS.values():
            if work is None or ANSWERS[type(work)] != item.kind:
                got = f"it asks for {described(work)}" if work else f"it listens in step {self.run.turn.step}"
                raise self._stop(f"the dialog does not wait for a `{item.kind}`", f"a `{item.kind}`", got)
            self._answer(work, item)
            return True
        free = item.does == "hangup" or (isinstance(work, RecordMessage) and item.does == "silence")
        if work is not None and not free:
            wanted = f"a line before it that answers: `- {ANSWERS[type(work)]}: ...`"
            raise self._stop("the dialog does not listen here", wanted, f"it waits for {described(work)}")
        return False

    def _keys(self, keys: str) -> Keys:
        then = self.run.turn.then
        terminator = then.dtmf.terminator if isinstance(then, Listen) else "#"
        return Keys((keys.removesuffix(terminator) if terminator else keys) or keys)

    def _answer(self, work: Work, item: Item) -> None:
        if isinstance(work, Fetch) and item.fetch is not None:
            self.give(self._fetched(work, item.fetch), "fetch", described(work))
        elif isinstance(work, RunHook) and item.hook is not None:
            self.give(self._hooked(work, item.hook), "hook", described(work))
        elif isinstance(work, AskModel) and item.model is not None:
            self.give(self._replied(work, item.model), "model", "")
        elif item.records is not None:
            ms = item.records
            self.give(
                MessageRecorded("message.wav" if ms else "", ms), "caller", f"(a message, {ms / 1000:g} s)"
            )

    def _fetched(self, work: Fetch, item: FetchLine) -> WorkResult:
        if not asked(item.method, item.address, work):
            wanted = f"{(item.method or 'any').upper()} {item.address}"
            self._fail("it asks another address", wanted, f"{work.method.upper()} {work.url}")
        if item.sent is not None and not within(item.sent, sent := sent_by(work)):
            self._fail("it sends something else", _json(item.sent), _json(sent))
        return _fetched(work, item)

    def _hooked(self, work: RunHook, item: HookLine) -> WorkResult:
        if item.name != work.name:
            self._fail("it runs another hook", item.name, work.name)
        if not within(item.arguments, given := dict(work.arguments)):
            self._fail("it gives the hook something else", _json(item.arguments), _json(given))
        return _hooked(work, item)

    def _replied(self, work: AskModel, item: ModelReply) -> WorkResult:
        if item.fail is not None:
            return Replied(error=item.fail)
        if not item.uses:
            return Replied(item.says)
        name = tool_name(work, item.uses)
        if name is None:
            tools = ", ".join(tool.name for tool in work.tools) or "none"
            self._fail("the model has no such tool", item.uses, tools)
        return Replied(item.says, (ToolUse(name or item.uses, json.dumps(item.arguments), "1"),))

    def _use_stubs(self) -> None:
        """Answer what is asked for by the stubs, unless the talk has the answer itself."""
        while (work := self.run.waits_for) is not None and not self.run.ended:
            rest = self._spec.talk[self._next :]
            following = next((item for item in rest if item.kind not in CHECKS), None)
            if following is not None and ANSWERS[type(work)] == following.kind:
                return
            for stub in self._spec.stubs:
                if (
                    isinstance(work, Fetch)
                    and stub.fetch
                    and asked(stub.fetch.method, stub.fetch.address, work)
                ):
                    self.give(_fetched(work, stub.fetch), "fetch", described(work))
                    break
                if isinstance(work, RunHook) and stub.hook and stub.hook.name == work.name:
                    self.give(_hooked(work, stub.hook), "hook", described(work))
                    break
            else:
                return

    def _note_bot(self) -> None:
        if text := self.run.turn.bot:
            self._said.append(text)
            self._result.talk.append(Line("bot", text))

    # --- what is checked --------------------------------------------------------------------------------

    def _check(self, item: Item) -> None:
        run = self.run
        if item.bot is not None:
            text = " ".join(self._said)
            if missing := missing_words(item.bot, text):
                self._fail("the bot says something else", ", ".join(missing), f'"{text}"')
        elif item.slots is not None:
            for name, wanted in item.slots.items():
                self._check_slot(name, wanted)
        elif item.step is not None and item.step != run.turn.step:
            self._fail("it is in another step", item.step, run.turn.step)
        elif item.understood is not None:
            taken = self._understood
            kind = taken.kind if taken else "nothing"
            full = f"{kind}: {taken.meaning}" if taken and taken.meaning else kind
            if item.understood not in (kind, full):
                self._fail("the answer was taken in another way", item.understood, full)
        elif item.language is not None and item.language != run.interpreter.language:
            self._fail("another language is spoken", item.language, run.interpreter.language)

    def _check_slot(self, name: str, wanted: str | None) -> None:
        values = {**self.run.interpreter.values, **self.run.slots}
        value = values.get(name)
        if not same_value(wanted, value):
            unknown = "" if name in values else " (there is no slot of this name, or it is still unknown)"
            got = "unknown" if value is None else meaning_of(value)
            self._fail(
                f"the slot `{name}` is another", "unknown" if wanted is None else wanted, got + unknown
            )

    def _fail(self, what: str, expected: str, got: str) -> None:
        at = len(self._result.talk)
        self._result.failures.append(Failure(self._line, what, expected, got, at))

    def _stop(self, what: str, expected: str, got: str) -> Stop:
        self._fail(what, expected, got)
        return Stop(what)


def _fetched(work: Fetch, item: FetchLine) -> WorkResult:
    return failed(work, item.fail) if item.fail is not None else Fetched(item.status, item.reply)


def _hooked(work: RunHook, item: HookLine) -> WorkResult:
    return failed(work, item.fail) if item.fail is not None else HookDone(item.returns)


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)
