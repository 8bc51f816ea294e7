"""What a call's record does not hold, made up so that it comes closest to the call: replies, secrets."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from voicebot.authoring.conversation.conversation import Conversation, failed
from voicebot.call.record import HIDDEN, BotTurnRecord, CallRecord
from voicebot.dialog.turns import (
    AskModel,
    CallerInput,
    Fetch,
    Fetched,
    HookDone,
    Keys,
    Listen,
    MessageRecorded,
    RecordMessage,
    Replied,
    RunHook,
    ToolUse,
    Utterance,
    Work,
    WorkResult,
)
from voicebot.speech.stt import Transcript

MOST_WORK = 20
"""Look-ups between two turns of the caller."""
MESSAGE_MS = 10_000
MOST_ANSWERS = 3
"""Answers that are tried in place of one that was not recorded."""
DIGITS_TRIED = 500
"""Strings of keys that are tried for a sensitive answer, to meet a check digit."""


def after_valid_answers(talk: Conversation, kind: str) -> Iterator[Conversation]:
    """Yield the conversation after up to three answers that are taken as `kind` now."""
    then = talk.turn.then
    if not isinstance(then, Listen):
        return
    found = 0
    for event in _possible_answers(then):
        fork = talk.fork()
        taken = fork.take(event).understood
        if taken is not None and taken.kind == kind:
            yield fork
            found += 1
            if found == MOST_ANSWERS:
                return


def _possible_answers(then: Listen) -> Iterator[CallerInput]:
    length = then.dtmf.min_digits
    if length:
        for tail in range(DIGITS_TRIED):
            yield Keys(f"{4271_0000_0000_0000 + tail * 7:0>16}"[-length:].rjust(length, "4"))
    yield from (Keys(key) for key in then.dtmf.keys if key.isdigit())
    yield from (Utterance(Transcript(phrase)) for phrase in then.expect.phrases)
    yield Utterance(Transcript("something"))


def settle(talk: Conversation, record: CallRecord, said: list[BotTurnRecord]) -> tuple[Conversation, bool]:
    """Have everything answered that is asked for, as the record has it, else as it comes closest to it.

    Returns how the conversation goes on, and whether something had to be made up.
    """
    guessed = False
    for _ in range(MOST_WORK):
        work = talk.waits_for
        if work is None or talk.ended:
            break
        recorded = _recorded(talk, work, record)
        if recorded is not None:
            talk.take(recorded)
            continue
        guessed = True
        forks = []
        for answer in _answers(talk, work, record, said):
            fork = talk.fork()
            fork.take(answer)
            forks.append(fork)
        talk = max(forks, key=lambda fork: likeness(fork, said))  # of equals the first: that it went well
    return talk, guessed


def _recorded(talk: Conversation, work: Work, record: CallRecord) -> WorkResult | None:
    """Return how this very work went in the call; None where the record does not hold it."""
    before = sum(
        isinstance(turn.then, type(work)) and turn.then.step == work.step for turn in talk.turns[:-1]
    )
    same = [each for each in record.work if (each.kind, each.step) == (_KINDS[type(work)], work.step)]
    if before >= len(same):
        return None
    found = same[before]
    match work:
        case Fetch() if found.error or found.status is not None:
            large = found.result is None and found.status is not None and found.status < 400
            return None if large else Fetched(found.status, found.result, found.error)
        case RunHook() if found.error or found.result is not None:
            return HookDone(found.result, found.error)
        case RecordMessage():
            return MessageRecorded(found.recording or "", found.length_ms or 0, found.ended_by or "silence")
        case AskModel() if found.error:
            return Replied(error=found.error)
        case AskModel() if isinstance(found.result, list):
            uses = [ToolUse(str(use["name"]), str(use["arguments"]), "1") for use in found.result]
            return Replied("", tuple(uses))
    return None


_KINDS: dict[type, str] = {Fetch: "fetch", RunHook: "hook", RecordMessage: "message", AskModel: "reply"}


def _answers(
    talk: Conversation, work: Work, record: CallRecord, said: list[BotTurnRecord]
) -> Iterable[WorkResult]:
    match work:
        case Fetch():
            step = talk.interpreter.dialog.steps.get(work.step)
            request = step.fetch if step else None
            body = _reply(request.keep if request else {}, record)
            accepted = request.accept if request else ()
            return [Fetched(200, body), *(Fetched(status, {}) for status in accepted), failed(work)]
        case RunHook():
            step = talk.interpreter.dialog.steps.get(work.step)
            keep = step.hook.keep if step and step.hook else {}
            return [HookDone(_reply(keep, record) if keep else True), HookDone(False), failed(work)]
        case RecordMessage():
            return [MessageRecorded("message.wav", MESSAGE_MS), MessageRecorded("")]
        case AskModel():
            tools = (Replied("", ()),)
            return [Replied(said[0].text if said else ""), *tools, failed(work)]


def _reply(keep: Mapping[str, str], record: CallRecord) -> Any:
    """Make a service's reply up, in which the values stand that the call knew at its end."""
    body: dict[str, Any] = {}
    for name, path in keep.items():
        place = body
        *parts, last = path.split(".")
        for part in parts:
            place = place.setdefault(part, {})
        if name in record.slots:
            place[last] = record.slots[name]
    return body


def likeness(talk: Conversation, said: list[BotTurnRecord]) -> int:
    """Return how close a conversation has come to what the bot said then, from 0 to 3."""
    if not said:
        return 0
    last, turn = said[-1], talk.turn
    return 2 * (turn.step == last.step) + same_words(last.text, turn.bot)


def same_words(then: str, now: str) -> bool:
    """Whether two texts say the same; what is hidden in the first may be anything."""
    parts = [" ".join(part.split()) for part in then.split(HIDDEN)]
    now = " ".join(now.split())
    if len(parts) == 1:
        return parts[0] == now
    at = 0
    for number, part in enumerate(parts):
        found = now.find(part, at)
        if found < 0 or (number == 0 and found > 0):
            return False
        at = found + len(part)
    return parts[-1] == "" or now.endswith(parts[-1])
