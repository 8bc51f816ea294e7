"""Everything that can happen to a call where it stands: what a caller may do, and how work may go."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date

from voicebot.authoring.proof.facts import Compared, Facts, facts_of
from voicebot.authoring.proof.key import Standing
from voicebot.authoring.proof.values import noise, possible, said_values
from voicebot.dialog.language.languages import lexicon_of
from voicebot.dialog.model.dialog import Dialog
from voicebot.dialog.model.step import Step
from voicebot.dialog.model.words import COMMAND_KEYS, COMMANDS
from voicebot.dialog.running.state import Completing
from voicebot.dialog.running.types import types_of
from voicebot.dialog.turns import (
    AskModel,
    BotTurn,
    Event,
    Fetch,
    Fetched,
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
)
from voicebot.speech.stt import Transcript

DOUBTFUL = 0.5
"""A recogniser's confidence in an answer that is asked back where the dialog wants that."""

MESSAGE_MS = 8000


@dataclass(frozen=True, slots=True)
class Happening:
    """One thing that may happen.

    sort:  `answer`, `doubt`, `choice`, `key`, `command:<name>`, `correction`, `silence`, `noise`, `unheard`,
           `hangup`, or `work`
    """

    event: Event
    sort: str


HANG_UP = Happening(HungUp(), "hangup")
SILENCE = Happening(Silence(), "silence")
UNHEARD = Happening(Unheard("proof"), "unheard")


def says(text: str, sort: str = "answer", confidence: float | None = None) -> Happening:
    return Happening(Utterance(Transcript(text, confidence)), sort)


def keys(digits: str, sort: str = "key") -> Happening:
    return Happening(Keys(digits), sort)


def happenings(turn: BotTurn, at: Standing, family: Mapping[str, Dialog], today: date) -> list[Happening]:
    """Return what may happen after `turn`, where the call stands as `at`; usual things first.

    family:  version -> dialog
    """
    dialogs = [family[version] for version, _, _ in reversed(at.frames)]
    dialog = dialogs[0]
    step = dialog.steps[at.step]
    if isinstance(turn.then, Listen):
        found = [*_answers(dialog, step, at, today), SILENCE, says(noise(at.language), "noise")]
        return [*dict.fromkeys((*found, *_commands(dialogs, step, at))), UNHEARD, HANG_UP]
    if isinstance(turn.then, AskModel | Fetch | RunHook | RecordMessage):
        return [*_results(turn.then, dialog, step, at, today), HANG_UP]
    return []


# --- a caller -------------------------------------------------------------------------------------------


def _answers(dialog: Dialog, step: Step, at: Standing, today: date) -> Iterator[Happening]:
    lexicon = lexicon_of(at.language)
    if at.pending is not None and not isinstance(at.pending, Completing):
        yield says(lexicon.yes[0])
        yield says(lexicon.no[0])
        yield keys("1")
        yield keys("2")
    for name, choice in step.choices.items() if at.pending is None else ():
        phrases = dialog.phrases_in(at.language, choice.hear) or (name.replace("_", " "),)
        yield says(phrases[0], "choice")
        if choice.key:
            yield keys(choice.key)
    first: list[str] = []
    for name in at.asked or step.fill:
        slot = dialog.file.slots.get(name)
        if slot is None:
            continue
        texts = list(dict.fromkeys(said_values(name, slot, facts_of(dialog), at.values, at.language, today)))
        first += texts[:1]
        for text in texts:
            yield says(text)
        if texts and not slot.open:
            yield says(texts[0], "doubt", DOUBTFUL)
        if slot.type in ("digits", "number", "phone", "date", "time") and texts:
            yield keys("".join(c for c in texts[0] if c.isdigit()) or "1")
        for choice_key in (choice.key for choice in slot.choices.values()):
            if choice_key:
                yield keys(choice_key)
        if slot.type == "yes_no":
            yield keys("1")
            yield keys("2")
    if len(first) > 1:
        yield says(" ".join(first))
    if step.listens and not step.fill and not step.choices:
        yield says(noise(at.language))


def _commands(dialogs: list[Dialog], step: Step, at: Standing) -> Iterator[Happening]:
    """Yield the commands that are in force: those of the outer dialogs, too."""
    lexicon = lexicon_of(at.language)
    names = dict.fromkeys((*COMMANDS, *(name for dialog in dialogs for name in dialog.file.always)))
    for name in names:
        own = next((d.file.always[name] for d in dialogs if name in d.file.always), None)
        if own is not None and own.off:
            continue
        known = lexicon.commands.get(name, ())
        for phrase in (*(own.hear if own else ()), *known)[:1]:
            yield says(dialogs[0].phrases_in(at.language, (phrase,))[0], f"command:{name}")
        if key := (own.key if own else None) or COMMAND_KEYS.get(name):
            yield keys(key, f"command:{name}")
    learnt = [
        name for name in dialogs[0].file.slots if at.values.get(name) is not None and name not in at.asked
    ]
    for name in learnt[-1:]:
        called = dialogs[0].file.slots[name].called or (name.replace("_", " "),)
        if lexicon.changes:
            yield says(lexicon.changes[0].format(called=called[0]), "correction")


# --- work -----------------------------------------------------------------------------------------------


def _results(
    work: AskModel | Fetch | RunHook | RecordMessage, dialog: Dialog, step: Step, at: Standing, today: date
) -> Iterator[Happening]:
    match work:
        case Fetch():
            accept = step.fetch.accept if step.fetch else ()
            for status in (200, *accept):
                for body in _bodies(step.fetch.keep if step.fetch else {}, dialog, at, today):
                    yield Happening(Fetched(status, body), "work")
            failing = next(status for status in (500, 503, 404, 418) if status not in accept)
            yield Happening(Fetched(failing), "work")
            yield Happening(Fetched(None, error="timeout"), "work")
        case RunHook():
            for value in _returned(step, dialog, at, today):
                yield Happening(HookDone(value), "work")
            yield Happening(HookDone(error="timeout"), "work")
        case RecordMessage():
            yield Happening(MessageRecorded("message.wav", max(MESSAGE_MS, work.shortest_ms)), "work")
            yield Happening(MessageRecorded("message.wav", work.longest_ms, "longest"), "work")
            yield Happening(MessageRecorded("", 0), "silence")
            yield Happening(MessageRecorded("message.wav", MESSAGE_MS, "hangup"), "work")
            yield Happening(MessageRecorded("", 0, "error"), "work")
        case AskModel():
            yield Happening(Replied("I see."), "work")
            for tool in work.tools:
                yield Happening(Replied("", (ToolUse(tool.name, "{}", "1"),)), "work")
            yield Happening(Replied("", (ToolUse("no_such_tool", "{", "1"),)), "work")
            yield Happening(Replied(error="timeout"), "work")


def _bodies(
    keep: Mapping[str, str], dialog: Dialog, at: Standing, today: date
) -> Iterator[dict[str, object] | None]:
    """Yield replies: with all fields, with each other value that matters, without each one, without any."""
    facts = facts_of(dialog)
    values = {name: _possible(name, facts, dialog, at, today) for name in keep}
    usual = {name: found[0] for name, found in values.items()}
    yield _body(keep, usual)
    if not keep:
        return
    for name, found in values.items():
        for other in found[1:]:
            yield _body(keep, {**usual, name: other})
        if len(keep) > 1:
            yield _body(keep, {each: value for each, value in usual.items() if each != name})
            for other in found[1:]:
                yield _body(keep, {name: other})
    yield {}
    yield None


def _possible(name: str, facts: Facts, dialog: Dialog, at: Standing, today: date) -> list[object]:
    kind = types_of(dialog).get(name, "text").partition(":")[0]
    compared = facts.compared.get(name, Compared())
    if slot := dialog.file.slots.get(name):
        kind = "text" if slot.type == "choice" else slot.type
    return possible(kind, compared, name in facts.deciding, at.values, today)


def _body(keep: Mapping[str, str], values: Mapping[str, object]) -> dict[str, object]:
    """Put values to their paths; a path of numbers goes through a list of one."""
    body: dict[str, object] = {}
    for name, value in values.items():
        _put(body, keep[name].split("."), value)
    return body


def _put(body: dict[str, object], path: list[str], value: object) -> None:
    here: object = body
    for at, part in enumerate(path):
        last = at == len(path) - 1
        deeper: object = value if last else [] if path[at + 1].isdigit() else {}
        if isinstance(here, list):
            number = int(part)
            while len(here) <= number:
                here.append(deeper)
            here = here[number]
        elif isinstance(here, dict):
            here = here.setdefault(part, deeper)


def _returned(step: Step, dialog: Dialog, at: Standing, today: date) -> Iterator[object]:
    keep = step.hook.keep if step.hook else {}
    yield from _bodies(keep, dialog, at, today) if keep else ()
    if not keep:
        compared = facts_of(dialog).compared.get("result", Compared())
        found = [value for value in compared.literals if isinstance(value, bool | int | float | str)]
        yield from [True, *[value for value in found if value is not True], None]
