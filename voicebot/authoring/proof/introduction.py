"""Whether a bot that calls people says who calls, and from which number, before anything else.

What the law asks at the beginning of a call (47 CFR 64.1200(b)(1), (2); Regulation (EU) 2024/1689, Art. 50)
is taken strictly: it must be in the words before the bot listens for the first time, whichever variants of
its prompts it says, in each language. What these words are, a campaign tells.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from voicebot.authoring.proof.starts import Start, starts_of
from voicebot.dialog.model.dialog import Dialog
from voicebot.dialog.model.words import COMMAND_KEYS
from voicebot.dialog.running.interpreter import Interpreter
from voicebot.dialog.speaking.prompts import text_of
from voicebot.dialog.speaking.templates import render
from voicebot.dialog.turns import (
    BotTurn,
    End,
    Event,
    Fetch,
    Fetched,
    Handover,
    HookDone,
    Keys,
    Listen,
    MessageRecorded,
    RecordMessage,
    Replied,
    RunHook,
)
from voicebot.errors import Problem

SEEDS = 24
"""Calls that are begun in each way: enough to hear every variant of a prompt that has a few."""
MOST_WORK = 8
"""Look-ups before the first question that are followed; each one fails here, as it may."""
_FEWEST_DIGITS = 7
"""Of a number as people say it: without the country's code."""


@dataclass(frozen=True, slots=True)
class Introduction:
    """What must be said. business: who calls; number: E.164; notice: one of these tells that it is a machine.

    An empty text, and an empty tuple, ask for nothing.
    """

    business: str = ""
    number: str = ""
    notice: tuple[str, ...] = ()


def introduction_problems(
    dialog: Dialog, given: Mapping[str, object], wanted: Introduction, languages: Sequence[str] = ()
) -> list[Problem]:
    """Return what callees may not hear before the bot listens, and where an opt-out does not end the call."""
    if not dialog.file.outbound:
        what = "is no dialog for calls that the bot places"
        return [Problem(what, "add `outbound: true` at its top", dialog.source, code="outbound")]
    missing: dict[str, Problem] = {}
    for language in languages or dialog.languages:
        for start in starts_of(dialog, given):
            for seed in range(SEEDS):
                interpreter, heard, turn = _first_words(dialog, start, language, seed)
                for problem in _lacking(dialog, heard, wanted, language):
                    missing.setdefault(problem.what, problem)
                if seed == 0 and isinstance(turn.then, Listen):
                    for problem in _clinging(dialog, interpreter):
                        missing.setdefault(problem.what, problem)
    return list(missing.values())


def _first_words(dialog: Dialog, start: Start, language: str, seed: int) -> tuple[Interpreter, str, BotTurn]:
    """Begin a call; return all that the bot says before it listens."""
    interpreter = Interpreter(dialog, start.given, language=language, seed=seed, started=start.started)
    turn = interpreter.begin(0.0)
    words = [text_of(turn.prompts, hide=False)]
    for _ in range(MOST_WORK):
        if isinstance(turn.then, Listen | End | Handover):
            break
        failed: Event = Replied(error="away")
        if isinstance(turn.then, Fetch):
            failed = Fetched(None, error="away")
        elif isinstance(turn.then, RunHook):
            failed = HookDone(error="away")
        elif isinstance(turn.then, RecordMessage):
            failed = MessageRecorded("")
        turn = interpreter.handle(failed, 0.0)
        words.append(text_of(turn.prompts, hide=False))
    return interpreter, " ".join(words), turn


def _lacking(dialog: Dialog, heard: str, wanted: Introduction, language: str) -> Iterator[Problem]:
    begins = f"; in {language} it may begin with: “{heard[:120].strip()}”"
    if wanted.business and _plain(wanted.business) not in _plain(heard):
        what = f"callees are not told first that `{wanted.business}` is calling"
        yield Problem(
            what + begins, f"begin with it: This is {wanted.business}.", dialog.source, code="identity"
        )
    if wanted.number and not _tells(heard, wanted.number, language):
        what = f"callees are not told first the number {wanted.number}, at which they can call back"
        remedy = 'say it in the first words: "... You can call us back at {number|phone}."'
        yield Problem(what + begins, remedy, dialog.source, code="identity")
    if wanted.notice and not any(_plain(each) in _plain(heard) for each in wanted.notice):
        what = "callees are not told first that a machine is talking"
        remedy = f"say one of: {', '.join(wanted.notice)}"
        yield Problem(what + begins, remedy, dialog.source, code="notice")


def _clinging(dialog: Dialog, interpreter: Interpreter) -> Iterator[Problem]:
    """Yield a problem where the key of `opt_out` does not end the call at once, as `opted_out`."""
    own = dialog.file.always.get("opt_out")
    key = (own.key if own is not None and own.key else None) or COMMAND_KEYS["opt_out"]
    turn = interpreter.handle(Keys(key), 1.0)
    if not isinstance(turn.then, End) or turn.then.outcome != "opted_out":
        what = f"who opts out by the key {key} is not let go at once with the outcome `opted_out`"
        remedy = "let `always: opt_out` as it is, or lead it to a step with `end: opted_out`"
        yield Problem(what, remedy, dialog.source, code="opt_out")


def _plain(text: str) -> str:
    return " ".join(re.findall(r"[^\W_]+", text.casefold()))


def _tells(heard: str, number: str, language: str) -> bool:
    """Whether the number is heard, in digits or as the dialog language says numbers."""
    digits = number.lstrip("+")
    written = re.sub(r"(?<=[0-9])[\s().,/-]+(?=[0-9])", "", heard)
    runs = (run for run in re.findall(r"[0-9]+", written) if len(run) >= _FEWEST_DIGITS)
    if any(digits.endswith(run) for run in runs):
        return True
    spoken = render("{number|phone}", {"number": number}, language)
    return _plain(spoken) in _plain(heard)
