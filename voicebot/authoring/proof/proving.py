"""Proves of a dialog what its author takes for granted, or shows the shortest conversation in which it fails.

Every state that a call can be in is visited on the real interpreter (`exploring`). What is proven of them,
and what the words mean, stands in docs/dialog-proof.md.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from voicebot.authoring.conversation.coverage import family
from voicebot.authoring.proof.exploring import MOST_STATES, Arrow, Exploration, Visit, explore
from voicebot.authoring.proof.paths import Longest, longest, reaching, round_from, rounds
from voicebot.authoring.proof.told import Told, told
from voicebot.authoring.proof.unknown import Unknown, unknown_in
from voicebot.dialog.model.dialog import Dialog
from voicebot.dialog.speaking.prompts import text_of
from voicebot.dialog.turns import End, Event, Handover, Listen

_GIVEN_UP = frozenset(("failed", "error", "crash", "hangup", "timeout"))


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that does not hold, with the shortest conversation that shows it (None where there is none).

    code:  see docs/dialog-proof.md
    """

    code: str
    what: str
    remedy: str
    source: str
    dialog: str
    step: str
    warning: bool = False
    conversation: Told | None = None


@dataclass(frozen=True, slots=True)
class Proof:
    """What was found out about one dialog.

    longest:   the longest way through a call; None where exploration was cut
    steps_met: steps that a call can come to, of all `steps` (included dialogs left out)
    rounds:    the steps of each round that callers can go as often as they like (up to `limits.turns`)
    outcomes:  how calls can end
    cut:       why not everything was seen, or ""
    """

    dialog: Dialog
    findings: tuple[Finding, ...]
    states: int
    turns: int
    ways: int
    steps: int
    steps_met: int
    longest: Longest | None
    rounds: tuple[tuple[str, ...], ...]
    outcomes: frozenset[str]
    cut: str

    @property
    def mistakes(self) -> tuple[Finding, ...]:
        return tuple(finding for finding in self.findings if not finding.warning)

    @property
    def proven(self) -> bool:
        return not self.cut and not self.mistakes


def prove(
    dialog: Dialog,
    given: Mapping[str, object] | None = None,
    *,
    most_turns: int | None = None,
    most_seconds: float | None = None,
    language: str | None = None,
    most_states: int = MOST_STATES,
    stop: Callable[[], bool] = lambda: False,
) -> Proof:
    """Explore a dialog and judge what was found.

    given:        values for its needs; the others get usual ones, and each that matters
    most_turns, most_seconds:  what a call may last; else as `limits` says
    stop:         asked now and then whether time is over
    """
    watch = _Watch(dialog)
    found = explore(dialog, given, language=language, most_states=most_states, stop=stop, observe=watch.see)
    limits = dialog.file.limits
    judge = _Judge(found, most_turns or limits.turns, most_seconds or limits.time / 1000)
    judge.states()
    judge.commands(watch.tried, watch.worked)
    judge.unknown(watch.unknown)
    if not found.cut:
        judge.whole()
    met = {step for name, step in found.visited if name == dialog.name}
    return Proof(
        dialog,
        tuple(judge.findings),
        len(found.states),
        found.turns,
        len(found.arrows),
        len(dialog.steps),
        len(met & dialog.steps.keys()),
        judge.longest,
        judge.rounds,
        frozenset(state.outcome for state in found.states if state.outcome),
        found.cut,
    )


@dataclass(slots=True)
class _Watch:
    """Notes on the way what cannot be seen from states alone; of each thing the first, shortest case."""

    dialog: Dialog
    tried: dict[tuple[int, str], Visit] = field(default_factory=dict)
    worked: set[tuple[int, str]] = field(default_factory=set)
    unknown: dict[Unknown, Visit] = field(default_factory=dict)
    dialogs: dict[str, Dialog] = field(init=False)
    commands: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        self.dialogs = {each.name: each for each in reversed(family(self.dialog))}
        file = self.dialog.file
        agent, opt_out = file.always.get("agent"), file.always.get("opt_out")
        commands = {"agent"} if agent and agent.goto and not agent.off else set()
        self.commands = frozenset(
            commands | ({"opt_out"} if file.outbound or (opt_out and opt_out.goto) else set())
        )

    def see(self, visit: Visit) -> None:
        for unknown in unknown_in(visit, self.dialogs):
            self.unknown.setdefault(unknown, visit)
        sort, _, name = visit.happening.sort.partition(":") if visit.happening else ("", "", "")
        if sort != "command" or name not in self.commands or visit.source is None:
            return
        place = (visit.source, name)
        self.tried.setdefault(place, visit)
        left = any(taken.way == f"command:{name}" for taken in visit.taken)
        over = isinstance(visit.turn.then, End | Handover) and visit.turn.then.outcome == "opted_out"
        if left or over:
            self.worked.add(place)


class _Judge:
    """Turns what was explored into findings."""

    def __init__(self, found: Exploration, most_turns: int, most_seconds: float) -> None:
        self._found = found
        self._most_turns, self._most_seconds = most_turns, most_seconds
        self._sources = {each.name: each.source for each in family(found.dialog)}
        self.findings: list[Finding] = []
        self.longest: Longest | None = None
        self.rounds: tuple[tuple[str, ...], ...] = ()

    # --- one state ------------------------------------------------------------------------------------

    def states(self) -> None:
        """Judge how calls end."""
        seen: set[tuple[str, str, str]] = set()
        for number, state in enumerate(self._found.states):
            if state.outcome is None or (place := (state.outcome, state.dialog, state.step)) in seen:
                continue
            then = state.turn.then
            reason = then.reason if isinstance(then, End) else ""
            silent = not text_of(state.turn.prompts) and state.happening is not None
            if state.outcome == "crash":
                self._find(
                    "crash",
                    f"the call breaks: {reason}",
                    "this is a mistake of ours; please report it",
                    number,
                )
            elif state.outcome == "error" and not state.authored:
                remedy = {
                    "ran past the last step": "let the last step `end`, or go somewhere",
                    "endless loop": "let one of the steps ask something",
                }.get(reason, "give the step a `failed`")
                self._find("error", f"the call ends with an error: {reason}", remedy, number)
            elif (
                state.outcome != "hangup"
                and silent
                and state.authored not in ("return", "transfer")
                and not self._spoke(number)
            ):
                what = f"the bot hangs up (`{state.outcome}`) without a word"
                self._find("wordless", what, "`say` good-bye", number)
            else:
                continue
            seen.add(place)

    def _spoke(self, number: int) -> bool:
        """Whether the bot said something since the caller's last turn (before a look-up, perhaps)."""
        at: int | None = number
        while at is not None:
            state = self._found.states[at]
            if text_of(state.turn.prompts):
                return not isinstance(state.turn.then, Listen)
            at = state.parent
        return False

    def commands(self, tried: Mapping[tuple[int, str], Visit], worked: set[tuple[int, str]]) -> None:
        """Judge whether callers can leave wherever the bot listens."""
        told_of: set[tuple[str, str, str]] = set()
        for (number, name), visit in tried.items():
            state = self._found.states[number]
            if (number, name) in worked or (name, state.dialog, state.step) in told_of:
                continue
            told_of.add((name, state.dialog, state.step))
            what = f"neither words nor key of `{name}` are understood here"
            remedy = "let no choice or slot have the same words, or the same key"
            event = visit.happening.event if visit.happening else None
            self._find(name, what, remedy, number, [event] if event else [])

    def unknown(self, unknown: Mapping[Unknown, Visit]) -> None:
        """Judge what was read before it was known."""
        told_of: set[tuple[str, str, str, bool]] = set()
        for each, visit in unknown.items():
            place = (each.dialog, each.step, each.name, each.compared)
            if place in told_of:
                continue
            told_of.add(place)
            if each.compared:
                what = f"`{each.name}` is compared in `{each.place}`, but may be unknown then, which is false"
                remedy = f"if that is meant, write `{each.name} != unknown and ...`"
            else:
                what = f"`{{{each.name}}}` in `{each.place}` may be unknown then, and is left out"
                remedy = f"go elsewhere where `{each.name} == unknown`, or give it a `start` or a `default`"
            warning = each.compared or each.place == "summary"
            events = [visit.happening.event] if visit.happening else []
            source = visit.source if visit.source is not None else visit.state
            self._find(
                "unknown", what, remedy, source, events if visit.source is not None else [],
                at=(each.dialog, each.step), warning=warning,
            )  # fmt: skip

    # --- the whole ------------------------------------------------------------------------------------

    def whole(self) -> None:
        """Judge what can be judged only when everything has been seen."""
        found = self._found
        count = len(found.states)
        arrows = [arrow for arrow in found.arrows if arrow.happening.sort != "hangup"]
        self._loops(count, arrows)
        self._traps(count, arrows)
        counted = [arrow for arrow in arrows if not arrow.aside]
        roots = [number for number, state in enumerate(found.states) if state.parent is None]
        self.longest = longest([state.place for state in found.states], counted, roots)
        self.rounds = self._rounds(count, counted)
        self._too_long(self.longest)
        if found.unfollowed:
            what = "a call can go on from here to ever new values; only `limits.turns` ends it"
            remedy = "compare what is counted with a number, and leave there"
            self._find("endless", what, remedy, found.unfollowed[0], warning=True)
        self._unmet()

    def _loops(self, count: int, arrows: Sequence[Arrow]) -> None:
        """Find rounds in which nobody needs to be understood: only `limits` end them."""
        blind = [arrow for arrow in arrows if not (arrow.wish or arrow.aside)]
        told_of: set[frozenset[str]] = set()
        for part in sorted(rounds(count, blind)):
            way = round_from(part[0], part, blind)
            steps = _steps(self._found, part)
            if frozenset(steps) in told_of:
                continue
            told_of.add(frozenset(steps))
            turn = any(arrow.turn for arrow in way)
            ends = "only `limits.turns` ends" if turn else "only `limits.time` ends"
            what = f"{ends} this loop of {_listed(steps)}: it goes on although the caller is not understood"
            remedy = "count the rounds (`set`), and leave after some; or let `failed` lead to an end"
            self._find("loop", what, remedy, part[0], [arrow.happening.event for arrow in (*way, *way[:1])])

    def _traps(self, count: int, arrows: Sequence[Arrow]) -> None:
        """Find states from which the dialog never leads to one of its ends."""
        states = self._found.states
        ends = [
            number
            for number, state in enumerate(states)
            if state.outcome is not None
            and (state.authored or state.outcome not in _GIVEN_UP | {"cancelled", "opted_out"})
        ]
        out = reaching(count, arrows, [*ends, *self._found.unfollowed])
        told_of: set[str] = set()
        for number, state in enumerate(states):
            if state.outcome is None and not out[number]:
                place = f"{state.dialog}/{state.step}"
                first = not told_of
                told_of.add(place)
                if first:
                    what = "no end or transfer of the dialog can be reached from here"
                    self._find("trap", what, "give one of the answers a way to an `end`", number)

    def _too_long(self, way: Longest) -> None:
        states = self._found.states
        for code, long, most, unit, arrows in (
            ("turns", way.turns, self._most_turns, "turns", way.by_turns),
            ("seconds", way.seconds, self._most_seconds, "s", way.by_seconds),
        ):
            if long <= most or not arrows:
                continue
            exactly = "" if way.exact else "up to "
            what = f"a call can last {exactly}{long:.0f} {unit}, longer than {most:.0f}"
            remedy = f"ask less, or allow more with --{code}"
            start = arrows[0].source
            state = states[start]
            finding = Finding(
                code, what, remedy, self._sources.get(state.dialog, ""), state.dialog, state.step,
                conversation=told(self._found, state.start, self._events(start, arrows)),
            )  # fmt: skip
            self.findings.append(finding)

    def _events(self, start: int, arrows: Iterable[Arrow]) -> list[Event]:
        """Return the events on the shortest way to `start`, and along arrows from there."""
        events = [each.event for each, _ in self._found.way_to(start) if each is not None]
        at = start
        for arrow in arrows:
            if arrow.source != at:
                break  # within a round: what follows depends on how often it was gone
            events.append(arrow.happening.event)
            at = arrow.target
        return events

    def _unmet(self) -> None:
        """Find outcomes and steps that no call comes to."""
        file = self._found.dialog.file
        outcomes = {state.outcome for state in self._found.states}
        for goal in file.goals:
            if goal not in outcomes:
                step = next(
                    (n for n, s in file.steps.items() if s.end == goal), self._found.dialog.first_step
                )
                self._note(
                    "goal",
                    f"no call reaches the goal `{goal}`",
                    "mend the way to it, or take it from `goals`",
                    step,
                )
        met = {step for name, step in self._found.visited if name == self._found.dialog.name}
        for step in file.steps:
            if step not in met:
                self._note(
                    "unmet",
                    "no call comes to this step",
                    "mend the conditions before it, or take it away",
                    step,
                    warning=True,
                )

    def _rounds(self, count: int, arrows: Sequence[Arrow]) -> tuple[tuple[str, ...], ...]:
        rounded = rounds(count, [arrow for arrow in arrows if arrow.wish or arrow.source != arrow.target])
        found = {tuple(sorted(_steps(self._found, part))) for part in rounded}
        return tuple(sorted(found))

    # --- findings -------------------------------------------------------------------------------------

    def _note(self, code: str, what: str, remedy: str, step: str, *, warning: bool = False) -> None:
        dialog = self._found.dialog
        self.findings.append(Finding(code, what, remedy, dialog.source, dialog.name, step, warning))

    def _find(
        self,
        code: str,
        what: str,
        remedy: str,
        number: int,
        further: Sequence[Event] = (),
        *,
        at: tuple[str, str] | None = None,
        warning: bool = False,
    ) -> None:
        """Add a finding in state `number`, shown by the shortest way to it and what happens `further`."""
        state = self._found.states[number]
        dialog, step = at or (state.dialog, state.step)
        events = [each.event for each, _ in self._found.way_to(number) if each is not None]
        conversation = told(self._found, state.start, [*events, *further])
        source = self._sources.get(dialog, "")
        self.findings.append(Finding(code, what, remedy, source, dialog, step, warning, conversation))


def _steps(found: Exploration, part: Iterable[int]) -> list[str]:
    return list(dict.fromkeys(found.states[number].step for number in part))


def _listed(steps: Sequence[str]) -> str:
    names = [f"`{step}`" for step in steps]
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
