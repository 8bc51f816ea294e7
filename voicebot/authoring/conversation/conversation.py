"""A dialog in writing, from its beginning to its end: for tests, chats and replays.

Pure: it has a clock of its own, which moves on by about the time that talking takes. So a conversation of
five minutes runs in milliseconds, and always in the same way.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Protocol

from voicebot.dialog.model.dialog import Dialog
from voicebot.dialog.running.free_talk import GO_TO
from voicebot.dialog.running.interpreter import Interpreter
from voicebot.dialog.speaking.prompts import text_of
from voicebot.dialog.turns import (
    AskModel,
    BotTurn,
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
    Prompt,
    RecordMessage,
    Replied,
    RunHook,
    Silence,
    SpokenPause,
    Understood,
    Utterance,
    Work,
    WorkResult,
)

BEGAN = datetime(2027, 1, 1, 10, 0, tzinfo=UTC)
"""When a conversation begins where nobody says it: a Friday morning, so that runs are alike."""

CHARACTERS_A_SECOND = 14.0
"""How fast people and voices talk: about 160 words a minute."""
THINKING_S = 0.8
KEY_S = 0.4
WORK_S = 0.5
"""A look-up's time on the conversation's clock."""

ANY_ENVIRONMENT = "http://{name}.example"
"""Stands for a value of the operator's environment that nobody gives, so that its requests can be told."""
_ENVIRONMENT = re.compile(r"\benv\.([A-Za-z_][A-Za-z0-9_]*)")


class Worker(Protocol):
    """Answers what a dialog asks of services, hooks and models."""

    def __call__(self, work: Work, /) -> WorkResult: ...


@dataclass(frozen=True, slots=True)
class Turn:
    """What came in (None at the beginning), and what the bot made of it.

    bot:    what it says, in words
    then:   what it does after that
    steps:  the steps that it came to, in order; repeated ones once
    slots:  what has been learnt by now
    now:    seconds since the beginning
    """

    event: Event | None
    bot: str
    prompts: tuple[Prompt, ...]
    then: Listen | Work | End | Handover
    understood: Understood | None
    step: str
    dialog: str
    steps: tuple[str, ...]
    slots: Mapping[str, object]
    now: float


class Conversation:
    """One run of a dialog. `take` gives it what happens, `settle` has its look-ups answered.

    started:      an aware datetime, the wall clock at the beginning
    environment:  for `env.*`; names that are not in it get an address made from them

    Raises UserError where `given` is not what the dialog needs.
    """

    def __init__(
        self,
        dialog: Dialog,
        given: Mapping[str, object] | None = None,
        *,
        started: datetime | None = None,
        language: str | None = None,
        seed: int = 0,
        call: Mapping[str, object] | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self._interpreter = Interpreter(
            dialog,
            given,
            language=language,
            seed=seed,
            call=call,
            environment={**named_environment(dialog), **(environment or {})},
            started=started or BEGAN,
        )
        self.now = 0.0
        self._told = 0  # entries of `taken` that turns have told
        self.turns: list[Turn] = []
        self._keep(None, self._interpreter.begin(self.now))

    @property
    def interpreter(self) -> Interpreter:
        return self._interpreter

    @property
    def turn(self) -> Turn:
        """The last one."""
        return self.turns[-1]

    @property
    def waits_for(self) -> Work | None:
        """What it asks of a service, a hook, a recorder or a model now; None where it does not."""
        then = self.turn.then
        return then if isinstance(then, Work) else None

    @property
    def listens(self) -> bool:
        return isinstance(self.turn.then, Listen)

    @property
    def ended(self) -> bool:
        return self._interpreter.outcome is not None

    @property
    def outcome(self) -> str | None:
        return self._interpreter.outcome

    @property
    def goal(self) -> bool:
        return self._interpreter.goal

    @property
    def slots(self) -> Mapping[str, object]:
        return self._interpreter.slots

    def take(self, event: Event) -> Turn:
        """Give it what the caller did, or how the work went; return what the bot does."""
        self.now += _lasts(self.turn, event)
        return self._keep(event, self._interpreter.handle(event, self.now))

    def settle(self, worker: Worker) -> None:
        """Have `worker` answer everything that it asks for, until it listens or ends."""
        while (work := self.waits_for) is not None:
            self.take(worker(work))

    def fork(self) -> Conversation:
        """Return an independent copy."""
        copy = object.__new__(Conversation)
        copy._interpreter = self._interpreter.fork()
        copy.now, copy._told, copy.turns = self.now, self._told, list(self.turns)
        return copy

    def _keep(self, event: Event | None, turn: BotTurn) -> Turn:
        run = self._interpreter
        new = run.taken[self._told :]
        self._told = len(run.taken)
        steps = [entry.step for entry in new if entry.step] + [run.step]
        words = [event.text] if isinstance(event, Replied) and event.text else []
        words.append(text_of(turn.prompts, hide=False))
        kept = Turn(
            event=event,
            bot=" ".join(filter(None, words)),
            prompts=turn.prompts,
            then=turn.then,
            understood=run.understood if event is not None and not isinstance(event, HungUp) else None,
            step=run.step,
            dialog=run.dialog.name,
            steps=tuple(step for at, step in enumerate(steps) if at == 0 or step != steps[at - 1]),
            slots=dict(run.slots),
            now=self.now,
        )
        self.turns.append(kept)
        return kept


def failed(work: Work, why: str = "timeout") -> WorkResult:
    """Return what a dialog is told where its work has failed."""
    match work:
        case Fetch():
            return Fetched(None, error=why)
        case RunHook():
            return HookDone(error=why)
        case RecordMessage():
            return MessageRecorded("", ended_by="error")
        case AskModel():
            return Replied(error=why)


@lru_cache(maxsize=64)
def named_environment(dialog: Dialog) -> dict[str, str]:
    """Return an address for every `env.NAME` that a dialog (or one that it includes) speaks of."""
    found: dict[str, str] = {}
    todo, seen = [dialog], set()
    while todo:
        each = todo.pop()
        if each.version not in seen:
            seen.add(each.version)
            todo += each.included.values()
            for name in _ENVIRONMENT.findall(each.file.model_dump_json()):
                found[name] = ANY_ENVIRONMENT.format(name=name.lower().replace("_", "-"))
    return found


def described(work: Work) -> str:
    """Return in a few words what a dialog asks for."""
    match work:
        case Fetch():
            body = f" {work.body.decode(errors='replace')}" if work.body else ""
            return f"{work.method.upper()} {work.url}{body}"
        case RunHook():
            return f"hook {work.name}({', '.join(f'{name}={value!r}' for name, value in work.arguments)})"
        case RecordMessage():
            return f"a message of up to {work.longest_ms // 1000} s"
        case AskModel():
            return f"a model's reply ({len(work.messages)} messages, tools {_names(work)})"


def tool_name(work: AskModel, name: str) -> str | None:
    """Return the tool of a model that is called so, or that goes to the step of this name."""
    known = {tool.name for tool in work.tools}
    return next((each for each in (name, f"{GO_TO}{name}") if each in known), None)


def _names(work: AskModel) -> str:
    return ", ".join(tool.name for tool in work.tools) or "none"


def _lasts(turn: Turn, event: Event) -> float:
    """Return about how many seconds pass from the beginning of a turn to the end of what came next."""
    pauses = sum(prompt.ms for prompt in turn.prompts if isinstance(prompt, SpokenPause))
    spoken = len(turn.bot) / CHARACTERS_A_SECOND + pauses / 1000
    match event:
        case Silence():
            waited = turn.then.noinput_ms / 1000 if isinstance(turn.then, Listen) else 0.0
            return spoken + waited
        case Utterance():
            return spoken + THINKING_S + len(event.transcript.text) / CHARACTERS_A_SECOND
        case Keys():
            return spoken + THINKING_S + KEY_S * len(event.digits)
        case MessageRecorded():
            return spoken + event.ms / 1000
        case Fetched() | HookDone() | Replied():
            return max(spoken, WORK_S)
    return spoken
