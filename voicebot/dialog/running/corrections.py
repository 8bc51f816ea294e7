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
from voicebot.dialog.language.text import Tokens, tokens_of
from voicebot.dialog.model.dialog import Dialog
from voicebot.dialog.model.slots import meaning_of
from voicebot.dialog.running import voice
from voicebot.dialog.running.conditions import checked
from voicebot.dialog.running.listening import closed_phrases
from voicebot.dialog.running.openings import openings_of
from voicebot.dialog.running.state import Answered, Next, Run
from voicebot.dialog.running.steps import go_on, hear, leave, question_of
from voicebot.dialog.speaking.prompts import has_secrets, is_sensitive_value
from voicebot.dialog.speaking.templates import references
from voicebot.dialog.turns import Prompt, Understood, Utterance
from voicebot.dialog.understanding.grammar import Grammar, Match
from voicebot.speech.stt import Transcript

SURE = 0.75
"""Score from which on an answer that nobody asked for is taken for a correction."""

ENTIRELY = 0.95
"""Score from which on nothing else was said."""

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
    run.replay, run.held = [], ()
    run.frames = [frame.copy() for frame in answered.frames]
    run.asked = answered.asked


def correct(
    run: Run, transcript: Transcript, match: Match | None, moment: datetime, *, denied: bool = False
) -> Next | None:
    """Take a correction of an earlier answer; None where the words are none.

    `match` is what they mean to the question. `denied`: they say no to it, so that what follows may correct a
    slot that the question has read back: "no, the morning".
    """
    if not run.trail or run.step.llm is not None:
        return None
    lexicon = lexicon_of(run.language)
    tokens = tokens_of(transcript.text, lexicon)
    if not tokens or len(tokens) > MOST_TOKENS:
        return None
    openings = openings_of(run.dialogs, run.language)
    if match is not None and match.value is True and run.pending is None and match.score < ENTIRELY:
        tokens = openings.excepted(tokens)  # "yes, but Friday" denies as well
        denied = bool(tokens)
    if not tokens or not openings.begin(tokens):
        return None
    words = openings.softened(tokens)
    rest = openings.after_cue(words)
    name = match is not None and _asks_for_name(run)
    free = match is None or denied or name
    for slot, value in openings.named(words):
        for at in _answers_of(run, slot):
            return _corrected(run, at, slot, value, moment, named=True)
    if words != tokens:
        for slot, value in openings.named_last(words):
            for at in _answers_of(run, slot):
                return _corrected(run, at, slot, value, moment, named=False)
    bare = rest is None
    if rest is None:
        rest = openings.before_cue(words) if free else None
    if rest is None:
        if not free or (words == tokens and not openings.denies(words)):
            return None
        if name and not openings.takes_back(tokens):
            return None  # "it is Friday" may be a name
        rest = words  # "no, Tuesday", where no Tuesday was asked for
    sure = ENTIRELY if name and bare and not openings.denies(words) else SURE
    fitting = [
        (at, slot)
        for at in range(len(run.trail) - 1, -1, -1)
        if len(run.trail[at].frames) <= len(run.frames)
        for slot in run.trail[at].fills
        if not denied or slot in read_back(run.dialog, run.frame.step)
    ]
    # names last, which any words may be; and "no idea" takes no name back, "I said Sara" does
    for opened in (False,) if bare else (False, True):
        for at, slot in fitting:
            if run.trail[at].frame.slot(slot).open is opened:
                found = _corrected(run, at, slot, rest, moment, named=False, sure=sure)
                if found is not None:
                    return found
    return None


@lru_cache(maxsize=4096)
def read_back(dialog: Dialog, step_name: str) -> frozenset[str]:
    """Return the names of the values that a step says before it asks."""
    step = dialog.steps[step_name]
    texts = [piece.text for say in (*step.say, *step.ask) for piece in say.pieces]
    return frozenset(reference.name for text in texts for reference in references(text))


def _answers_of(run: Run, slot: str) -> list[int]:
    """Return where in the trail a slot was filled, the last first."""
    open_frames = len(run.frames)
    return [
        at
        for at in range(len(run.trail) - 1, -1, -1)
        if slot in run.trail[at].fills and len(run.trail[at].frames) <= open_frames
    ]


def _asks_for_name(run: Run) -> bool:
    """Whether any words are an answer, since a name was asked for."""
    return run.pending is None and bool(run.asked) and run.frame.slot(run.asked[0]).type == "name"


def _corrected(
    run: Run, at: int, slot: str, rest: Tokens, moment: datetime, *, named: bool, sure: float = SURE
) -> Next | None:
    """Change one slot to what `rest` says; where its name was said without a new value, ask for it."""
    answered = run.trail[at]
    value = _read(run, answered, slot, rest, moment, sure)
    if value is None and not named:
        return None
    if value is not None and value == answered.fills[slot] and not named:
        return None
    if is_sensitive_value(answered.frame.dialog, slot):
        run.journal.hide()
    return replace_answer(run, at, slot, value, moment)


def replace_answer(run: Run, at: int, slot: str, value: object, moment: datetime) -> Next:
    """Go back to the answer at place `at` of the trail, put another value there, and go forward again.

    Without a value the question is asked again.
    """
    answered = run.trail[at]
    frame = answered.frame
    hidden = is_sensitive_value(frame.dialog, slot)
    later = run.trail[at + 1 :]
    run.trail = run.trail[:at]
    _restore(run, answered)
    run.tell_time_of(moment)
    if value is None:
        run.understood = Understood("correction", frame.step, "", sensitive=hidden, slot=slot)
        others = {name: known for name, known in answered.fills.items() if name != slot}
        _give_again(run, others, "")
        run.replay = _same_question(run, later)
        run.asked = tuple(dict.fromkeys((slot, *run.asked)))
        run.frame.values[slot] = None
        return _ask_here(run)
    run.understood = Understood("correction", frame.step, meaning_of(value), sensitive=hidden, slot=slot)
    fills = {**answered.fills, slot: value}
    _give_again(run, fills, "")
    run.took("match")
    words = voice.worded(run, run.frame, slot, value)
    said = voice.own_with(run, "corrected", {"value": words}, sensitive=hidden)
    later = _same_question(run, later)
    if run.asked and len(run.step.fill) > 1:
        return _ask_here(run, said)
    run.replay, run.again = later, True
    return go_on(run, _prefixed(said, leave(run)))


def secrets_known(run: Run) -> set[tuple[Dialog, str]]:
    """Return the sensitive slots that were answered: the caller may say them again at any step."""
    if not run.trail or not has_secrets(run.root.dialog):
        return set()
    return {
        (answered.frame.dialog, slot)
        for answered in run.trail
        for slot in answered.fills
        if is_sensitive_value(answered.frame.dialog, slot)
    }


def tells_secret(run: Run, event: Utterance, now: float) -> bool:
    """Whether words that a step does not hide hold a value of a sensitive slot that was asked for before."""
    lexicon = lexicon_of(run.language)
    for dialog, slot in secrets_known(run):
        spec = dialog.file.slots[slot]
        if not (spec.open or spec.closed):
            tokens = tokens_of(event.transcript.text, lexicon)[:MOST_TOKENS]
            rest = openings_of(run.dialogs, run.language).after_cue(tokens) or tokens
            if (
                grammar_of_slot(dialog, slot, run.language).match(" ".join(rest), None, run.wall(now))
                is not None
            ):
                return True
    return False


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


def _read(
    run: Run, answered: Answered, slot: str, rest: Tokens, moment: datetime, sure: float
) -> object | None:
    """Read a value of the slot from what was said."""
    spec = answered.frame.slot(slot)
    if not rest or spec.type in ("text", "recording"):
        return None
    grammar = grammar_of_slot(answered.frame.dialog, slot, run.language)
    match = grammar.match(" ".join(rest), None, moment)
    if match is None or match.score < sure:
        return None
    match = checked(answered.frame, match, {slot: match.value})
    return None if match.invalid else match.value


@lru_cache(maxsize=512)
def grammar_of_slot(dialog: Dialog, slot: str, language: str) -> Grammar:
    """Return what reads the value of one slot."""
    return Grammar(
        dialog.file.slots[slot], language, phrases=closed_phrases(dialog, slot, language), name=slot
    )
