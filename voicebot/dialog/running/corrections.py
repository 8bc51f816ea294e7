"""Going back: to the question before, or to an answer that the caller takes back.

A correction changes that answer only: the call goes back to where it was given, and forward again through
all answers that were given since, as far as the way is the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from functools import lru_cache

from voicebot.dialog.language.languages import lexicon_of
from voicebot.dialog.language.lexicon import Lexicon
from voicebot.dialog.language.text import Tokens, tokens_of
from voicebot.dialog.model.dialog import Dialog
from voicebot.dialog.model.slots import meaning_of
from voicebot.dialog.running import voice
from voicebot.dialog.running.listening import closed_phrases
from voicebot.dialog.running.state import Answered, Next, Run
from voicebot.dialog.running.steps import go_on, hear, leave, question_of
from voicebot.dialog.turns import Prompt, Understood
from voicebot.dialog.understanding.grammar import Grammar, Match
from voicebot.speech.stt import Transcript

SURE = 0.75
"""Score from which on an answer that nobody asked for is taken for a correction."""

MOST_TOKENS = 30
"""Words of a correction; who says more is telling something else."""


def go_back(run: Run) -> Next:
    """Undo the last answer, and ask that question again."""
    if not run.trail:
        return hear(run, [*voice.own(run, "no_back"), *run.question])
    _restore(run, run.trail.pop())
    return _ask_here(run)


def _ask_here(run: Run, said: list[Prompt] | None = None) -> Next:
    step = run.step
    run.patience.enter_step()
    focused = bool(run.asked) and len(run.asked) < len(step.fill)
    run.question = question_of(run) if focused else tuple(voice.say_one(run, step.ask, "ask"))
    run.said = run.question
    return hear(run, [*(said or ()), *run.question])


def _restore(run: Run, answered: Answered) -> None:
    """Put the call back to where a question was asked."""
    run.pending = run.working = None
    run.replay = []
    run.frames = [frame.copy() for frame in answered.frames]
    run.asked = answered.asked


def correct(run: Run, transcript: Transcript, match: Match | None, moment: datetime) -> Next | None:
    """Take a correction of an earlier answer; None where the words are none."""
    if not run.trail or run.step.llm is not None:
        return None
    lexicon = lexicon_of(run.language)
    tokens = tokens_of(transcript.text, lexicon)
    if not tokens or len(tokens) > MOST_TOKENS or tokens[0] not in _first_words(run.dialogs, run.language):
        return None
    for at in range(len(run.trail) - 1, -1, -1):
        answered = run.trail[at]
        if len(answered.frames) > len(run.frames):
            continue
        for slot in answered.fills:
            rest = _named(run, answered, slot, tokens, lexicon)
            if rest is not None:
                return _corrected(run, at, slot, rest, moment, lexicon, named=True)
    rest = _after_cue(tokens, lexicon)
    if rest is None:
        softened = _without_softeners(tokens, lexicon)
        if match is not None or softened == tokens:
            return None
        rest = softened  # "no, Tuesday", where no Tuesday was asked for
    if not rest:
        return None
    for at in range(len(run.trail) - 1, -1, -1):
        if len(run.trail[at].frames) > len(run.frames):
            continue
        for slot in run.trail[at].fills:
            found = _corrected(run, at, slot, rest, moment, lexicon, named=False)
            if found is not None:
                return found
    return None


def _corrected(
    run: Run, at: int, slot: str, rest: Tokens, moment: datetime, lexicon: Lexicon, *, named: bool
) -> Next | None:
    """Change one slot to what `rest` says; where its name was said without a new value, ask for it."""
    answered = run.trail[at]
    frame = answered.frame
    value = _read(run, answered, slot, rest, moment)
    if value is None and not named:
        return None
    if value is not None and value == answered.fills[slot] and not named:
        return None
    later = run.trail[at + 1 :]
    run.trail = run.trail[:at]
    _restore(run, answered)
    run.tell_time_of(moment)
    if value is None:
        run.understood = Understood("correction", frame.step, "", slot=slot)
        others = {name: known for name, known in answered.fills.items() if name != slot}
        _give_again(run, others, "")
        run.replay = _same_question(run, later)
        run.asked = tuple(dict.fromkeys((slot, *run.asked)))
        run.frame.values[slot] = None
        return _ask_here(run)
    spec = frame.slot(slot)
    run.understood = Understood(
        "correction", frame.step, meaning_of(value), sensitive=spec.sensitive, slot=slot
    )
    fills = {**answered.fills, slot: value}
    _give_again(run, fills, "")
    run.took("match")
    words = voice.worded(run, run.frame, slot, value)
    said = voice.own_with(run, "corrected", {"value": words}, sensitive=spec.sensitive)
    later = _same_question(run, later)
    if run.asked and len(run.step.fill) > 1:
        return _ask_here(run, said)
    run.replay = later
    turn = go_on(run, _prefixed(said, leave(run)))
    run.replay = []
    return turn


def _same_question(run: Run, later: list[Answered]) -> list[Answered]:
    """Give again what else was answered in this step; return the answers of the steps after it."""
    here = (run.dialog, run.frame.step, len(run.frames))
    while later and run.asked:
        then = later[0]
        if (then.frame.dialog, then.frame.step, len(then.frames)) != here:
            break
        _give_again(run, then.fills, then.choice)
        later = later[1:]
    return later


def _give_again(run: Run, fills: Mapping[str, object], choice: str) -> None:
    run.remember(fills, choice)
    for name, value in fills.items():
        run.frame.learn(name, value)
    run.asked = tuple(name for name in run.asked if name not in fills)


def _prefixed(said: list[Prompt], following: Next) -> Next:
    return replace(following, prompts=(*said, *following.prompts))


def _read(run: Run, answered: Answered, slot: str, rest: Tokens, moment: datetime) -> object | None:
    """Read a value of the slot from what was said."""
    spec = answered.frame.slot(slot)
    if not rest or spec.type in ("text", "recording"):
        return None
    grammar = _grammar(answered.frame.dialog, slot, run.language)
    match = grammar.match(" ".join(rest), None, moment)
    if match is None or match.score < SURE:
        return None
    return match.value


@lru_cache(maxsize=512)
def _grammar(dialog: Dialog, slot: str, language: str) -> Grammar:
    return Grammar(
        dialog.file.slots[slot], language, phrases=closed_phrases(dialog, slot, language), name=slot
    )


# --- the words of a correction --------------------------------------------------------------------------


def _named(run: Run, answered: Answered, slot: str, tokens: Tokens, lexicon: Lexicon) -> Tokens | None:
    """Return what follows "change the day to"; None where this slot was not named."""
    frame = answered.frame
    spec = frame.slot(slot)
    names = frame.dialog.phrases_in(run.language, spec.called or (slot.replace("_", " "),))
    words = _without_softeners(tokens, lexicon)
    for lead in _leads(names, lexicon):
        if words[: len(lead)] == lead:
            return words[len(lead) :]
    return None


@lru_cache(maxsize=1024)
def _leads_of(names: tuple[str, ...], language: str) -> tuple[Tokens, ...]:
    lexicon = lexicon_of(language)
    leads = {tokens_of(lead.replace("{called}", name), lexicon) for name in names for lead in lexicon.changes}
    return tuple(sorted(leads, key=len, reverse=True))


def _leads(names: tuple[str, ...], lexicon: Lexicon) -> tuple[Tokens, ...]:
    return _leads_of(names, lexicon.language)


def _after_cue(tokens: Tokens, lexicon: Lexicon) -> Tokens | None:
    """Return what follows "no, I said"; None where there is no such cue."""
    words = _without_softeners(tokens, lexicon)
    for cue in _cues(lexicon.language):
        if words[: len(cue)] == cue and len(words) > len(cue):
            return words[len(cue) :]
    return None


@lru_cache(maxsize=16)
def _cues(language: str) -> tuple[Tokens, ...]:
    lexicon = lexicon_of(language)
    return tuple(sorted((tokens_of(cue, lexicon) for cue in lexicon.corrects), key=len, reverse=True))


def _without_softeners(tokens: Tokens, lexicon: Lexicon) -> Tokens:
    """Take away "no", "sorry" and the like at the start."""
    changed = True
    while changed and len(tokens) > 1:
        changed = False
        for softener in _softeners(lexicon.language):
            if len(tokens) > len(softener) and tokens[: len(softener)] == softener:
                tokens, changed = tokens[len(softener) :], True
    return tokens


@lru_cache(maxsize=16)
def _softeners(language: str) -> tuple[Tokens, ...]:
    lexicon = lexicon_of(language)
    return tuple(sorted((tokens_of(word, lexicon) for word in lexicon.softeners), key=len, reverse=True))


@lru_cache(maxsize=256)
def _first_words(dialogs: tuple[Dialog, ...], language: str) -> frozenset[str]:
    """Return the words with which a correction can begin: most answers do not."""
    leads = [*_cues(language), *_softeners(language)]
    for dialog in dialogs:
        for name, slot in dialog.file.slots.items():
            called = dialog.phrases_in(language, slot.called or (name.replace("_", " "),))
            leads += _leads_of(called, language)
    return frozenset(lead[0] for lead in leads if lead)
