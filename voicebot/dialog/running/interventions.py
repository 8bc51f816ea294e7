"""Somebody outside takes a hand in the conversation: a supervisor corrects an answer, or leads it elsewhere.

Each of these changes the run as the caller's own words would, or raises `UserError` that names what is
possible. They work as well while a look-up, hook, message or model is at work:

    say       is said meanwhile; the work goes on                    not into a caller's message
    correct   of what was not asked yet: the work goes on            else only a model's words are given up
    jump      the work is given up
    repeat    there is no question to repeat
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time

from voicebot.dialog.expressions.expressions import is_true
from voicebot.dialog.model.slots import Slot, Value, meaning_of
from voicebot.dialog.model.step import WORKS, Step
from voicebot.dialog.running.answers import accept
from voicebot.dialog.running.conditions import checked, holds
from voicebot.dialog.running.corrections import SURE, grammar_of_slot, replace_answer
from voicebot.dialog.running.listening import closed_phrases
from voicebot.dialog.running.state import Frame, Go, Next, Run, interruptible
from voicebot.dialog.running.steps import hear, leave_frames
from voicebot.dialog.speaking.prompts import is_sensitive_value
from voicebot.dialog.turns import AskModel, BotTurn, Message, Prompt, RecordMessage, SpokenText, Understood
from voicebot.dialog.understanding.fitting import fits
from voicebot.dialog.understanding.values import fits_number, value_of_given
from voicebot.errors import Problem, UserError
from voicebot.speech.characters import without_controls

MOST_TEXT = 500
"""Characters that the bot can be told to say at once, and of a value."""

MOST_OPTIONS = 50
"""Of a choice's values, so many are listed."""

LABEL = 60
"""Characters of what a step says, by which a person knows it."""

_WHEN = ("date", "time", "datetime")
_EXAMPLES = {
    "yes_no": "yes or no",
    "weekday": "a day of the week, such as monday",
    "digits": "digits",
    "number": "a number",
    "money": "an amount, such as 12.50",
    "date": "a day, such as 2027-03-31 or `next Friday`",
    "time": "a time of day, such as 16:30",
    "datetime": "a day and time, such as 2027-03-31T16:30",
    "phone": "a telephone number, such as +14155550123",
    "email": "an e-mail address",
    "spelled": "letters and digits",
    "name": "a name",
    "text": "some words",
}


@dataclass(frozen=True, slots=True)
class StepChoice:
    """A step that the call can be sent to.

    label:  the beginning of what it asks or says;  now: the call is there
    """

    name: str
    dialog: str
    label: str
    now: bool = False


@dataclass(frozen=True, slots=True)
class SlotChoice:
    """A slot that can be corrected.

    value:    as a word (`meaning_of`); "" where nothing is known, or where it is sensitive
    options:  what a choice allows, () for other types
    """

    name: str
    dialog: str
    type: str
    value: str = ""
    known: bool = False
    sensitive: bool = False
    options: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Possible:
    """What a dialog can be told from outside, the innermost open dialog first, in the order of its file."""

    steps: tuple[StepChoice, ...] = ()
    slots: tuple[SlotChoice, ...] = ()


def possible(run: Run) -> Possible:
    """Return the steps to jump to and the slots to correct; neither after the end."""
    if run.outcome is not None:
        return Possible()
    steps: dict[str, StepChoice] = {}
    slots: dict[str, SlotChoice] = {}
    for frame in reversed(run.frames):
        file = frame.dialog.file
        for name, step in file.steps.items():
            now = frame is run.frame and name == frame.step
            steps.setdefault(name, StepChoice(name, frame.dialog.name, _label(step), now))
        for name, slot in file.slots.items():
            if slot.type != "recording":
                slots.setdefault(name, _slot_choice(run, frame, name))
    return Possible(tuple(steps.values()), tuple(slots.values()))


def _label(step: Step) -> str:
    for variants in (step.ask, step.say):
        if variants:
            return " ".join(" ".join(piece.text for piece in variants[0].pieces).split())[:LABEL]
    return next((key for key in WORKS if getattr(step, key, None)), "") or (step.end or "")


def _slot_choice(run: Run, frame: Frame, name: str) -> SlotChoice:
    slot = frame.slot(name)
    value = frame.values.get(name)
    hidden = is_sensitive_value(frame.dialog, name)
    options = tuple(closed_phrases(frame.dialog, name, run.language)) if slot.type == "choice" else ()
    return SlotChoice(
        name, frame.dialog.name, slot.type, "" if hidden else meaning_of(value), value is not None, hidden,
        options[:MOST_OPTIONS],
    )  # fmt: skip


# --- say, repeat ----------------------------------------------------------------------------------------


def say(run: Run, text: str) -> Next:
    """Say a sentence of somebody else's, then ask again. Nothing else changes."""
    words = " ".join(without_controls(text).split())
    if not words:
        raise UserError("there is nothing to say", "give a sentence")
    if len(words) > MOST_TEXT:
        raise UserError(f"that is {len(words)} characters long", f"say at most {MOST_TEXT} at once")
    spoken = SpokenText(words, run.language, static=False)
    if isinstance(run.working, RecordMessage):
        raise UserError("the caller is leaving a message", "wait for its end, or jump to another step")
    if run.working is not None:
        return BotTurn((spoken,), run.working)
    return hear(run, [spoken, *_question(run)])


def repeat(run: Run) -> Next:
    """Ask again what was asked last."""
    if run.working is not None:
        raise UserError(f"the bot is at work in step `{run.frame.step}`", "wait for its next question")
    return hear(run, _question(run) or run.said)


def _question(run: Run) -> tuple[Prompt, ...]:
    return interruptible(run.question)


# --- jump -----------------------------------------------------------------------------------------------


def jump(run: Run, step_name: str) -> Next:
    """Go on at a step of the innermost dialog that has it; dialogs called since are closed."""
    at = next((n for n in reversed(range(len(run.frames))) if step_name in _steps(run.frames[n])), None)
    if at is None:
        names = ", ".join(step.name for step in possible(run).steps)
        raise UserError(Problem(f"there is no step `{step_name}` here", f"jump to one of: {names}"))
    step = run.frames[at].dialog.file.steps[step_name]
    leave_frames(run, at)
    frame = run.frame
    if step.if_ and not is_true(step.if_, frame.values):
        raise UserError(
            f"step `{step_name}` is passed over, since `{step.if_}` does not hold", "correct a slot first"
        )
    if len(step.fill) > 1 and all(frame.values.get(name) is not None for name in step.fill):
        for name in step.fill:  # else there was nothing left to ask
            frame.values[name] = None
    frame.ahead -= set(step.fill)
    run.replay, run.held, run.again = [], (), False
    run.took("jump", step_name)
    run.understood = Understood("jump", step_name)
    return Go(step_name)


def _steps(frame: Frame) -> Sequence[str]:
    return tuple(frame.dialog.file.steps)


# --- correct --------------------------------------------------------------------------------------------


def correct(run: Run, slot: str, given: object, moment: datetime) -> Next:
    """Put a slot right, as if the caller had; what was not asked yet will not be asked any more.

    `given` None takes the answer back: it is asked for again.
    """
    frame = next((frame for frame in reversed(run.frames) if slot in frame.dialog.file.slots), None)
    if frame is None:
        names = ", ".join(choice.name for choice in possible(run).slots) or "none"
        raise UserError(Problem(f"there is no slot `{slot}` here", f"slots of this dialog: {names}"))
    if given is None:
        return _take_back(run, frame, slot, moment)
    value = _read(run, frame, slot, given, moment)
    hidden = is_sensitive_value(frame.dialog, slot)
    if frame is run.frame and slot in run.asked and run.working is None and run.step.ask:
        run.understood = _understood(run, slot, value, hidden)
        run.pending = None
        return accept(run, {slot: value})
    at = _answer_of(run, frame, slot)
    if at is not None and run.step.llm is None:
        _not_at_work(run, slot)
        return replace_answer(run, at, slot, value, moment)
    first = frame.values.get(slot) is None
    frame.learn(slot, value)
    if first:
        frame.ahead |= {slot}
    run.understood = _understood(run, slot, value, hidden)
    if run.working is not None and not isinstance(run.working, AskModel):
        return BotTurn((), run.working)
    if run.step.llm is not None:
        if not hidden:
            fact = f"{slot.replace('_', ' ')} is now known to be: {meaning_of(value)}"
            run.messages = (*run.messages, Message("system", fact))
        if run.working is not None:
            return BotTurn((), run.working)
    return hear(run, _question(run))


def _take_back(run: Run, frame: Frame, slot: str, moment: datetime) -> Next:
    if frame.values.get(slot) is None:
        raise UserError(f"nothing is known of `{slot}`", "give a value, or jump to the step that asks for it")
    _not_at_work(run, slot)
    at = _answer_of(run, frame, slot)
    frame.ahead -= {slot}
    if at is not None and run.step.llm is None:
        return replace_answer(run, at, slot, None, moment)
    frame.values[slot] = None
    hidden = is_sensitive_value(frame.dialog, slot)
    run.understood = Understood("correction", run.frame.step, "", sensitive=hidden, slot=slot)
    if run.working is not None:
        return BotTurn((), run.working)
    return hear(run, _question(run))


def _not_at_work(run: Run, slot: str) -> None:
    """Raise UserError where the old value of a slot may be on its way somewhere."""
    if run.working is not None and not isinstance(run.working, AskModel):
        raise UserError(
            f"the bot is at work in step `{run.frame.step}`, perhaps with the old value of `{slot}`",
            "correct it when the work is done, or jump to another step",
        )


def _understood(run: Run, slot: str, value: object, hidden: bool) -> Understood:
    return Understood("correction", run.frame.step, meaning_of(value), sensitive=hidden, slot=slot)


def _answer_of(run: Run, frame: Frame, slot: str) -> int | None:
    """Return where in the trail the value stands that the slot has now; None where no answer brought it."""
    depth = run.frames.index(frame) + 1
    for at in range(len(run.trail) - 1, -1, -1):
        answered = run.trail[at]
        if slot in answered.fills and len(answered.frames) == depth and answered.frame.dialog is frame.dialog:
            return at if answered.fills[slot] == frame.values.get(slot) else None
    return None


# --- values ---------------------------------------------------------------------------------------------


def _read(run: Run, frame: Frame, name: str, given: object, moment: datetime) -> Value:
    """Return what is meant, in the words of a caller or as a value of the slot's type (ISO 8601)."""
    slot = frame.slot(name)
    text = " ".join(without_controls(_text(given)).split())
    if slot.type == "recording":
        raise UserError(f"`{name}` is a recording", "jump to the step that records it")

    def impossible(why: str = "") -> UserError:
        shown = "what was given" if is_sensitive_value(frame.dialog, name) else f"`{text[:80]}`"
        what = f"`{name}` cannot be {shown}{f' ({why})' if why else ''}"
        return UserError(Problem(what, f"give {_wanted(run, frame, name)}"))

    if not text or len(text) > MOST_TEXT:
        raise impossible()
    if slot.type in ("text", "name"):
        value: Value = text
    elif slot.type == "choice" and text in closed_phrases(frame.dialog, name, run.language):
        value = text
    elif (typed := _typed(slot, text, moment, impossible)) is not None:
        value = typed
    else:
        return _said(run, frame, name, text, moment, impossible)
    if not holds(frame, name, {name: value}):
        raise impossible("the slot's condition is not met")
    return value


def _text(given: object) -> str:
    return meaning_of(given) if isinstance(given, bool | float | date | time) else str(given)


def _typed(slot: Slot, text: str, moment: datetime, impossible: Callable[[str], UserError]) -> Value | None:
    """Read what programs write; None where it is none, or not for this type."""
    if slot.type not in (*_WHEN, "number", "money"):
        return None
    value = value_of_given(text, slot.type, moment)
    if value is None:
        return None
    if isinstance(value, datetime):
        at = value
    elif isinstance(value, date):
        at = datetime.combine(value, time(12), moment.tzinfo)
    elif isinstance(value, time):
        at = datetime.combine(moment.date(), value, moment.tzinfo)
    else:
        assert not isinstance(value, str)
        if not fits_number(float(value), slot):
            raise impossible("out of range")
        return value
    if fits(slot, at, moment):
        raise impossible("out of range")
    return value


def _said(
    run: Run,
    frame: Frame,
    name: str,
    text: str,
    moment: datetime,
    impossible: Callable[[str], UserError],
) -> Value:
    """Read what a caller might say."""
    match = grammar_of_slot(frame.dialog, name, run.language).understand(text, None, moment)
    if match is None or match.command or match.score < SURE or match.value is None:
        raise impossible("")
    match = checked(frame, match, {name: match.value})
    if match.invalid:
        raise impossible("the slot's condition is not met" if match.invalid == "valid" else match.invalid)
    return match.value


def _wanted(run: Run, frame: Frame, name: str) -> str:
    """Say what a slot takes."""
    slot = frame.slot(name)
    if slot.type == "choice":
        options = list(closed_phrases(frame.dialog, name, run.language))
        more = f" and {len(options) - MOST_OPTIONS} more" if len(options) > MOST_OPTIONS else ""
        return f"one of: {', '.join(options[:MOST_OPTIONS])}{more}"
    wanted = [_EXAMPLES[slot.type]]
    if slot.type in ("digits", "spelled") and slot.length is not None:
        low, high = slot.digits_range
        wanted.append(f"{low} of them" if low == high else f"{low} to {high} of them")
    if slot.check:
        wanted.append(f"with a right check digit ({slot.check})")
    if slot.between is not None:
        wanted.append(f"between {slot.between[0]} and {slot.between[1]}")
    if slot.valid:
        wanted.append(f"so that `{slot.valid}`")
    return ", ".join(wanted)
