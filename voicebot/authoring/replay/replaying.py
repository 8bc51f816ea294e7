"""Runs recorded calls against a dialog as it is now, and tells where they would differ.

A record does not hold everything: what is missing of what services answered is made up from the values that
the call knew at its end, and what was sensitive is replaced by some answer that is valid now. Where several
continuations are possible the one is taken that comes closest to the call.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import tzinfo
from typing import Any

from voicebot.authoring.conversation.conversation import Conversation, Turn, described
from voicebot.authoring.replay.guesses import after_valid_answers, likeness, same_words, settle
from voicebot.authoring.testing.compare import same_value
from voicebot.call.record import HIDDEN, BotTurnRecord, CallerTurnRecord, CallRecord
from voicebot.dialog.model.dialog import Dialog
from voicebot.dialog.model.slots import meaning_of
from voicebot.dialog.running.interpreter import seed_of
from voicebot.dialog.turns import (
    Event,
    Handover,
    HungUp,
    Keys,
    Silence,
    Unheard,
    Utterance,
)
from voicebot.errors import UserError
from voicebot.speech.stt import Transcript


@dataclass(frozen=True, slots=True)
class Row:
    """One exchange: what the caller did, and what the bot made of it then and makes of it now.

    differs:  `said`, `step`, `understood`, as far as they do
    guessed:  the caller's part or a service's was not recorded
    """

    caller: str
    said_then: str
    said_now: str
    step_then: str
    step_now: str
    taken_then: str = ""
    taken_now: str = ""
    differs: tuple[str, ...] = ()
    guessed: bool = False


@dataclass(slots=True)
class Replay:
    """One call, then and now. `stopped` says why it could not be replayed to its end, "" if it was."""

    id: str
    rows: list[Row] = field(default_factory=list)
    outcome_then: str = ""
    outcome_now: str = ""
    slots: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Slots that differ: then, now."""
    notes: list[str] = field(default_factory=list)
    stopped: str = ""

    @property
    def first(self) -> Row | None:
        """The first exchange that differs."""
        return next((row for row in self.rows if row.differs), None)

    @property
    def same(self) -> bool:
        return not (self.first or self.slots or self.stopped or self.outcome_then != self.outcome_now)

    @property
    def why(self) -> str:
        """What differs first, in a few words; "" where nothing does."""
        row = self.first
        if row is not None:
            words = {
                "understood": f"`{row.caller}`: {row.taken_now or '?'}, not {row.taken_then or '?'}",
                "step": f"step {row.step_now} instead of {row.step_then}",
                "said": f"in step {row.step_now} other words are said",
            }
            return words[row.differs[0]]
        if self.outcome_then != self.outcome_now:
            return f"outcome {self.outcome_now or 'none'} instead of {self.outcome_then or 'none'}"
        if self.slots:
            name, (then, now) = next(iter(self.slots.items()))
            return f"slot {name} is {now or 'unknown'} instead of {then or 'unknown'}"
        return self.stopped


def replay(
    record: CallRecord, dialog: Dialog, given: Mapping[str, object], *, zone: tzinfo | None = None
) -> Replay:
    """Run the turns of a recorded call; `zone` is that of its clock.

    Raises UserError where the dialog needs values that are not given."""
    result = Replay(record.id, outcome_then=record.outcome)
    if record.dialog.name != dialog.name:
        result.notes.append(f"the call ran the dialog {record.dialog.name}")
    call = {"number": record.caller.number, "called": record.called.number, "id": record.id}
    started = record.started_at.astimezone(zone) if zone else record.started_at
    language = record.dialog.language if record.dialog.language in dialog.languages else None
    talk = Conversation(dialog, given, started=started, language=language, call=call, seed=seed_of(record.id))
    exchanges = list(_exchanges(record))
    said = exchanges[0][1] if exchanges else []
    talk, guessed = settle(talk, record, said)
    result.rows.append(_row("", None, said, talk, 0, guessed=guessed))
    for caller, said in exchanges[1:]:
        assert caller is not None
        if talk.ended:
            result.stopped = f"the call ends before `{_shown(caller)}`"
            break
        before = len(talk.turns)
        found = _caller(talk, caller, record, said)
        if found is None:
            result.stopped = "a sensitive answer was not recorded, and none can be made up"
            break
        talk, guessed = found
        result.rows.append(_row(_shown(caller), caller, said, talk, before, guessed=guessed))
    if not talk.ended and not result.stopped and record.ended_by == "caller":
        talk.take(HungUp())
    if any(row.guessed for row in result.rows):
        result.notes.append(
            "some answers were not recorded (services, sensitive ones); likely ones are put in"
        )
    _end(result, record, talk)
    return result


def _exchanges(record: CallRecord) -> Iterator[tuple[CallerTurnRecord | None, list[BotTurnRecord]]]:
    """Yield each caller's turn with the bot's that follow it; first None, with the bot's greeting."""
    caller: CallerTurnRecord | None = None
    said: list[BotTurnRecord] = []
    for turn in record.turns:
        if isinstance(turn, BotTurnRecord):
            said.append(turn)
        else:
            yield caller, said
            caller, said = turn, []
    yield caller, said


def _caller(
    talk: Conversation, caller: CallerTurnRecord, record: CallRecord, said: list[BotTurnRecord]
) -> tuple[Conversation, bool] | None:
    """Let the caller do what they did; None where nobody knows what that was."""
    if caller.text != HIDDEN:
        talk.take(_event(caller))
        return settle(talk, record, said)
    wanted = caller.understood in ("match", "correction", "command", "invalid")
    if not wanted:
        talk.take(Utterance(Transcript("")))
        talk, _ = settle(talk, record, said)
        return talk, True
    best: Conversation | None = None
    for fork in after_valid_answers(talk, caller.understood):
        fork, _ = settle(fork, record, said)
        if best is None or likeness(fork, said) > likeness(best, said):
            best = fork
    return None if best is None else (best, True)


def _event(caller: CallerTurnRecord) -> Event:
    match caller.kind:
        case "speech":
            return Utterance(Transcript(caller.text, caller.confidence, engine=caller.engine))
        case "dtmf":
            return Keys(caller.text)
        case "silence":
            return Silence()
        case _:
            return Unheard("not recognised")


def _shown(caller: CallerTurnRecord) -> str:
    if caller.kind == "silence":
        return "(silence)"
    if caller.kind == "unheard":
        return "(not recognised)"
    return f"keys {caller.text}" if caller.kind == "dtmf" else caller.text or "(noise)"


# --- comparing ------------------------------------------------------------------------------------------


def _row(
    shown: str,
    caller: CallerTurnRecord | None,
    said: list[BotTurnRecord],
    talk: Conversation,
    before: int,
    *,
    guessed: bool,
) -> Row:
    turns = talk.turns[before:]
    then_words = " ".join(turn.text for turn in said)
    now_words = " ".join(turn.bot for turn in turns if turn.bot)
    step_then, step_now = said[-1].step if said else "", talk.turn.step
    taken_then = _taken(caller.understood, caller.meaning) if caller else ""
    taken_now = _taken_now(turns[0]) if caller and turns else ""
    hidden = HIDDEN in taken_then or guessed
    differs = []
    if taken_then != taken_now and not (hidden and taken_then.split(":")[0] == taken_now.split(":")[0]):
        differs.append("understood")
    if said and step_then != step_now:
        differs.append("step")
    if said and not same_words(then_words, now_words):
        differs.append("said")
    return Row(
        shown, then_words, now_words, step_then, step_now, taken_then, taken_now, tuple(differs), guessed
    )


def _taken(kind: str, meaning: str) -> str:
    return f"{kind}: {meaning}" if meaning else kind


def _taken_now(turn: Turn) -> str:
    taken = turn.understood
    if taken is None:
        return ""
    return _taken(taken.kind, (HIDDEN if taken.sensitive and taken.meaning else taken.meaning))


def _end(result: Replay, record: CallRecord, talk: Conversation) -> None:
    result.outcome_now = talk.outcome or ""
    if not talk.ended:
        work = talk.waits_for
        doing = f"waits for {described(work)}" if work else f"still asks in step {talk.turn.step}"
        result.notes.append(f"when the recorded call was over, it {doing}")
    if isinstance(talk.turn.then, Handover):
        result.notes.append(f"handed over to {talk.turn.then.destination}")
    learnt = talk.slots
    for name in {**record.slots, **learnt}:
        then, now = record.slots.get(name), learnt.get(name)
        text = meaning_of(then) if isinstance(then, bool) else None if then is None else str(then)
        if not same_value(text, now):
            result.slots[name] = (text or "", meaning_of(now))


# --- many calls -----------------------------------------------------------------------------------------


@dataclass(slots=True)
class Summary:
    """Many calls, then and now. `outcomes` counts (then, now); `failed` names calls with what kept them."""

    replays: list[Replay] = field(default_factory=list)
    failed: list[tuple[str, str]] = field(default_factory=list)
    others: int = 0
    """Calls of other dialogs, passed over."""

    @property
    def same(self) -> int:
        return sum(each.same for each in self.replays)

    @property
    def different(self) -> list[Replay]:
        return [each for each in self.replays if not each.same]

    @property
    def outcomes(self) -> dict[tuple[str, str], int]:
        counts: dict[tuple[str, str], int] = {}
        for each in self.replays:
            pair = (each.outcome_then, each.outcome_now)
            counts[pair] = counts.get(pair, 0) + 1
        return counts


def replay_all(
    records: Iterable[CallRecord], dialog: Dialog, given: Mapping[str, object], *, zone: tzinfo | None = None
) -> Summary:
    """Replay all records of this dialog; others are passed over."""
    summary = Summary()
    for record in records:
        if record.dialog.name != dialog.name:
            summary.others += 1
            continue
        try:
            summary.replays.append(replay(record, dialog, given, zone=zone))
        except UserError as error:
            summary.failed.append((record.id, str(error)))
    return summary


def as_json(each: Replay) -> dict[str, Any]:
    """Return a replay for other programs."""
    rows = [
        {
            "caller": row.caller,
            "then": {"said": row.said_then, "step": row.step_then, "understood": row.taken_then},
            "now": {"said": row.said_now, "step": row.step_now, "understood": row.taken_now},
            "differs": list(row.differs),
            "guessed": row.guessed,
        }
        for row in each.rows
    ]
    first = next((number for number, row in enumerate(each.rows) if row.differs), None)
    return {
        "call": each.id,
        "same": each.same,
        "why": each.why,
        "first_difference": first,
        "outcome": {"then": each.outcome_then, "now": each.outcome_now},
        "slots": {name: {"then": then, "now": now} for name, (then, now) in each.slots.items()},
        "turns": rows,
        "notes": each.notes,
        "stopped": each.stopped,
    }


def summary_json(summary: Summary) -> dict[str, Any]:
    """Return many replays for other programs."""
    return {
        "calls": len(summary.replays),
        "same": summary.same,
        "different": len(summary.different),
        "others": summary.others,
        "outcomes": [
            {"then": then, "now": now, "calls": count} for (then, now), count in summary.outcomes.items()
        ],
        "failed": [{"call": call, "why": why} for call, why in summary.failed],
        "replays": [as_json(each) for each in summary.replays],
    }
