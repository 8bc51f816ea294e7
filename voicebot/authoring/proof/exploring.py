"""Walks through everything that can happen in a dialog, on the real interpreter.

Breadth first: the way to a state is a shortest one. States that behave alike are merged (`key.py`), so
that the walk ends although calls need not.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field

from voicebot.authoring.conversation.conversation import named_environment
from voicebot.authoring.conversation.coverage import family
from voicebot.authoring.proof.events import Happening, happenings
from voicebot.authoring.proof.key import Keys, Standing, place_of, standing
from voicebot.authoring.proof.seconds import lasts
from voicebot.authoring.proof.starts import Start, starts_of
from voicebot.dialog.model.dialog import Dialog
from voicebot.dialog.running.interpreter import Interpreter
from voicebot.dialog.running.state import Cancelling, Taken
from voicebot.dialog.speaking.prompts import text_of
from voicebot.dialog.turns import (
    BotTurn,
    End,
    Fetched,
    Handover,
    HookDone,
    MessageRecorded,
    Replied,
)

MOST_STATES = 200_000
_WORK_RESULTS = (Fetched, HookDone, MessageRecorded, Replied)


@dataclass(frozen=True, slots=True)
class Arrow:
    """One way from a state to another.

    wish:     the caller was understood
    aside:    and only wants to hear it again, to have help, to go back, to correct or to stop
    turn:     it is a turn of the caller (and not the result of some work)
    seconds:  what came before the caller's turn, or the work, and it itself
    way:      as the interpreter tells what it took last
    """

    source: int
    target: int
    happening: Happening
    wish: bool
    aside: bool
    turn: bool
    seconds: float


@dataclass(slots=True)
class State:
    """A state of the call. `parent` is the state before it on a shortest way, None at a beginning.

    place:     alike for states that differ only in used-up patience, and in what is known but decides nothing
    outcome:   None while the call goes on
    authored:  `end`, `return` or `transfer`, where the dialog itself says that it ends here
    """

    parent: int | None
    happening: Happening | None
    start: int
    step: str
    dialog: str
    turn: BotTurn
    place: int = -1
    outcome: str | None = None
    authored: str = ""
    depth: int = 0


@dataclass(frozen=True, slots=True)
class Visit:
    """What an observer is shown for each way that was walked.

    source, state:  where from, and where to
    before, after:  None before the beginning, and where the call broke
    taken:          what the interpreter took on this way
    kind:           how the input was understood, "" where it was not asked
    """

    source: int | None
    state: int
    new: bool
    before: Standing | None
    after: Standing | None
    happening: Happening | None
    turn: BotTurn
    taken: tuple[Taken, ...]
    kind: str
    meaning: str
    error: str = ""


Observer = Callable[[Visit], None]


@dataclass(slots=True)
class Exploration:
    """All states that were found, and all ways between them.

    unfollowed:  states that lie as deep as a call may have turns; what follows is not told
    cut:         why it is not complete, or ""
    """

    dialog: Dialog
    language: str
    starts: list[Start]
    states: list[State] = field(default_factory=list)
    arrows: list[Arrow] = field(default_factory=list)
    visited: set[tuple[str, str]] = field(default_factory=set)
    taken: set[tuple[str, str, str, str]] = field(default_factory=set)
    turns: int = 0
    unfollowed: list[int] = field(default_factory=list)
    cut: str = ""

    def way_to(self, state: int) -> list[tuple[Happening | None, int]]:
        """Return what happened on the way to a state, and where it led; the beginning first."""
        way: list[tuple[Happening | None, int]] = []
        at: int | None = state
        while at is not None:
            way.append((self.states[at].happening, at))
            at = self.states[at].parent
        return way[::-1]


def explore(
    dialog: Dialog,
    given: Mapping[str, object] | None = None,
    *,
    language: str | None = None,
    most_states: int = MOST_STATES,
    stop: Callable[[], bool] = lambda: False,
    observe: Observer = lambda visit: None,
) -> Exploration:
    """Walk through everything that can happen; `stop` is asked now and then whether time is over.

    given:  values for the dialog's needs; others get usual ones, and each one that matters
    """
    found = Exploration(dialog, language or dialog.language, list(starts_of(dialog, given or {})))
    _Walk(found, most_states, stop, observe).run()
    return found


@dataclass(slots=True)
class _Kind:
    """States that differ in used-up patience only.

    groups:    what can happen, by where it led from the first of them and how it was understood
    renewing:  those groups that lead there whatever patience is used up
    tested:    whether that has been seen
    answered:  number of failures -> the ways of all that ends silences and failures to hear
    """

    groups: dict[tuple[int | None, str, bool], list[tuple[Happening, Arrow | None]]] = field(
        default_factory=dict
    )
    renewing: set[tuple[int | None, str, bool]] = field(default_factory=set)
    tested: bool = False
    answered: dict[int, list[Arrow]] = field(default_factory=dict)


class _Walk:
    """One exploration while it is under way."""

    def __init__(
        self, found: Exploration, most_states: int, stop: Callable[[], bool], observe: Observer
    ) -> None:
        self._found = found
        self._most = most_states
        self._deepest = found.dialog.file.limits.turns - 1
        self._stop = stop
        self._observe = observe
        self._family = {dialog.version: dialog for dialog in family(found.dialog)}
        self._keys = Keys(self._family.values())
        self._numbers: dict[Hashable, int] = {}
        self._queue: deque[tuple[int, Interpreter, Standing, Hashable]] = deque()
        self._clocks: list[dict[str, object]] = [
            {"now": start.started, "today": start.started.date()} for start in found.starts
        ]
        self._forgiven: dict[Hashable, int] = {}
        self._kinds: dict[Hashable, _Kind] = {}
        self._places: dict[Hashable, int] = {}

    def run(self) -> None:
        environment = named_environment(self._found.dialog)
        for number, start in enumerate(self._found.starts):
            interpreter = Interpreter(
                self._found.dialog,
                start.given,
                language=self._found.language,
                call={"number": "+12025550123", "called": "+12025550100", "id": "1"},
                environment=environment,
                started=start.started,
            )
            try:
                turn = interpreter.begin(0.0)
            except Exception as error:  # as in `_do`
                lost = BotTurn((), End("crash", reason=f"{type(error).__name__}: {error}"))
                state = State(None, None, number, interpreter.step, interpreter.dialog.name, lost)
                state.place, state.outcome = (
                    self._places.setdefault(("crash", number), len(self._places)),
                    "crash",
                )
                self._add(state)
                continue
            self._arrive(interpreter, turn, None, None, number, None)
        while self._queue:
            number, interpreter, at, base = self._queue.popleft()
            if len(self._found.states) > self._most:
                self._found.cut = f"at {self._most} states"
                return
            if self._found.states[number].depth >= self._deepest:
                self._found.unfollowed.append(number)  # `limits.turns` would end the call, whatever it does
                continue
            if number % 16 == 0 and self._stop():
                self._found.cut = "as the time was over"
                return
            self._expand(number, interpreter, at, base)

    def _expand(self, number: int, interpreter: Interpreter, at: Standing, base: Hashable) -> None:
        """Do everything that can happen in a state; of what is known to go alike, only note the way.

        States of a kind differ in used-up patience only. Whoever says or keys something ends a row of
        silences and of failures to hear, so that what follows is done once for each number of failures. Most
        answers renew patience, whatever has failed: which do is seen where something has failed first. Of
        several answers that led to one state, such as two dates that are both too late, one is done again.
        """
        state = self._found.states[number]
        kind = self._kinds.get(base)
        if kind is None:
            kind = self._kinds[base] = _Kind()
            today = self._found.starts[state.start].started.date()
            for each in happenings(state.turn, at, self._family, today):
                arrow, how = self._do(number, interpreter, at, each)
                key = (arrow.target if arrow else None, how, each.sort == "hangup")
                kind.groups.setdefault(key, []).append((each, arrow))
            kind.answered[at.failures] = [
                arrow for group in kind.groups.values() for each, arrow in group if arrow and _answers(each)
            ]
            return
        answered = kind.answered.get(at.failures)
        if answered is not None:
            self._found.arrows.extend(Arrow(number, *_rest(arrow)) for arrow in answered)
            for group in kind.groups.values():
                if not _answers(group[0][0]):
                    self._do(number, interpreter, at, group[0][0])
            return
        answered = kind.answered[at.failures] = []
        for key, group in kind.groups.items():
            if key in kind.renewing:
                found = [Arrow(number, *_rest(arrow)) for _, arrow in group if arrow]
                self._found.arrows.extend(found)
            else:
                arrow, _ = self._do(number, interpreter, at, group[0][0])
                found = [arrow] if arrow else []
                if at.failures and not kind.tested and arrow is not None and arrow.target == key[0]:
                    kind.renewing.add(key)
            answered += found if _answers(group[0][0]) else []
        kind.tested = kind.tested or at.failures > 0

    def _do(
        self, number: int, interpreter: Interpreter, at: Standing, each: Happening
    ) -> tuple[Arrow | None, str]:
        """Do one thing; return the way that it went (None: it broke), and how it was understood."""
        run = interpreter.fork()
        told = len(run.taken)
        self._found.turns += 1
        try:
            turn = run.handle(each.event, 0.0)
        except Exception as error:  # whatever is raised in a call is what the proof is to find
            self._crash(number, at, each, f"{type(error).__name__}: {error}")
            return None, "crash"
        kind = run.understood.kind if run.understood is not None and each.sort != "hangup" else ""
        wish = kind in ("match", "command", "correction")
        led = any(taken.way.startswith("command:") and taken.target for taken in run.taken[told:])
        aside = kind in ("command", "correction") and not led
        aside = (aside or (wish and isinstance(at.pending, Cancelling))) and run.outcome is None
        before = self._found.states[number]
        target = self._arrive(run, turn, number, each, before.start, at, told, forgive=aside)
        is_turn = not isinstance(each.event, _WORK_RESULTS)
        arrow = Arrow(number, target, each, wish, aside, is_turn, lasts(before.turn, each))
        self._found.arrows.append(arrow)
        return arrow, kind

    def _crash(self, number: int, at: Standing, each: Happening, error: str) -> None:
        before = self._found.states[number]
        lost = BotTurn((), End("crash", reason=error))
        state = State(
            number,
            each,
            before.start,
            before.step,
            before.dialog,
            lost,
            before.place,
            "crash",
            depth=before.depth + 1,
        )
        self._observe(Visit(number, self._add(state), True, at, None, each, lost, (), "", "", error))

    def _arrive(
        self,
        run: Interpreter,
        turn: BotTurn,
        parent: int | None,
        happening: Happening | None,
        start: int,
        before: Standing | None,
        told: int = 0,
        *,
        forgive: bool = False,
    ) -> int:
        """Return the number of the state that the call has come to, a new one where it has never been.

        `forgive`: whoever goes back to a question where the call has been is there as at the first time,
        whichever questions have failed since.
        """
        taken = tuple(run.taken[told:])
        after = standing(run)
        key: Hashable
        base: Hashable = None
        if run.outcome is not None:
            authored = _authored(taken)
            goal = turn.then.goal if isinstance(turn.then, End | Handover) else False
            key = (
                "over",
                run.outcome,
                goal,
                authored,
                run.dialog.version,
                run.step,
                bool(text_of(turn.prompts)),
            )
        else:
            base = self._keys.base(after, start, self._clocks[start])
            key = (base, after.failures, after.silences, after.unheard)
        number = self._numbers.get(key)
        if number is None and forgive and base is not None:
            number = self._forgiven.get(_forgiven(base, after))
        new = number is None
        if number is None:
            depth = 0 if parent is None else self._found.states[parent].depth + 1
            authored = _authored(taken) if run.outcome is not None else ""
            place = self._places.setdefault(key if base is None else place_of(base), len(self._places))
            state = State(
                parent, happening, start, run.step, run.dialog.name, turn, place, run.outcome, authored, depth
            )
            number = self._numbers[key] = self._add(state)
            self._found.visited.add((run.dialog.name, run.step))
            if base is not None:
                self._queue.append((number, run, after, base))
                self._forgiven.setdefault(_forgiven(base, after), number)
        self._found.taken.update((t.dialog, t.step, t.way, t.target) for t in taken)
        self._found.visited.update((t.dialog, t.step) for t in taken if t.step)
        understood = run.understood if happening is not None else None
        self._observe(
            Visit(
                parent,
                number,
                new,
                before,
                after,
                happening,
                turn,
                taken,
                understood.kind if understood else "",
                understood.meaning if understood else "",
            )
        )
        return number

    def _add(self, state: State) -> int:
        self._found.states.append(state)
        return len(self._found.states) - 1


def _answers(each: Happening) -> bool:
    """Whether it ends a row of silences, and one of failures to hear."""
    return each.sort not in ("silence", "unheard")


def _authored(taken: tuple[Taken, ...]) -> str:
    return taken[-1].way if taken and taken[-1].way in ("end", "return", "transfer") else ""


def _forgiven(base: Hashable, after: Standing) -> Hashable:
    """Return the key of a state without the questions that have failed on the way to it."""
    assert isinstance(base, tuple)
    return (*base[:2], *base[3:], after.failures, after.silences, after.unheard)


def _rest(arrow: Arrow) -> tuple[int, Happening, bool, bool, bool, float]:
    return arrow.target, arrow.happening, arrow.wish, arrow.aside, arrow.turn, arrow.seconds
