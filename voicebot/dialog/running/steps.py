"""Running from step to step until one waits: for the caller, for some work, or for nothing more."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal

from voicebot.dialog.expressions.expressions import is_true, parse_expression
from voicebot.dialog.model.dialog import Dialog
from voicebot.dialog.model.slots import meaning_of
from voicebot.dialog.model.step import Step
from voicebot.dialog.model.words import ENVIRONMENT
from voicebot.dialog.running import voice
from voicebot.dialog.running.free_talk import ask_model, begin_talk
from voicebot.dialog.running.listening import grammar_of, listen, part_grammar, yes_or_no
from voicebot.dialog.running.needs import given_values
from voicebot.dialog.running.requests import request_of
from voicebot.dialog.running.state import Cancelling, Completing, Confirming, Frame, Go, Next, Run
from voicebot.dialog.running.types import types_of
from voicebot.dialog.speaking.prompts import is_sensitive_value, text_of
from voicebot.dialog.speaking.raw import fill_in_for_reading
from voicebot.dialog.turns import BotTurn, End, Handover, Prompt
from voicebot.dialog.understanding.grammar import Grammar
from voicebot.dialog.understanding.values import value_of_given
from voicebot.errors import UserError

MOST_STEPS = 100
"""Steps run without waiting for anything; more is an endless loop and ends the call as `error`."""

HIDDEN = "•••"
"""Stands for a sensitive value."""

DONE = "done"
"""The word with which an included dialog returns that runs past its last step."""


def go_on(run: Run, following: Next) -> BotTurn:
    """Run steps until one waits or ends."""
    if isinstance(following, BotTurn):
        return following
    prompts = list(following.prompts)
    _enter(run)
    step_name = following.step
    for _ in range(MOST_STEPS):
        run.frame.step = step_name
        step = run.step
        then: Next
        if step.if_ and not is_true(step.if_, run.frame.values):
            then = _next_in_file(run, "if")
        else:
            if step.language:
                run.language = step.language
            if step.say and run.replay:
                run.held += tuple(voice.say_one(run, step.say, "say"))
            elif step.say:
                prompts += voice.say_one(run, step.say, "say")
            then = _do(run, step, prompts)
        if isinstance(then, BotTurn):
            if run.working is None:
                _speak_up(run, prompts)
            return BotTurn((*prompts, *then.prompts), then.then)
        prompts += then.prompts
        step_name = then.step
    run.replay = []
    return error(run, "endless loop")


def _speak_up(run: Run, prompts: list[Prompt]) -> None:
    """Say what was held back on the way after a correction: the way has changed."""
    prompts += run.held
    run.held = ()


def _enter(run: Run) -> None:
    run.pending = run.working = None
    run.asked = ()
    run.patience.enter_step()


def _do(run: Run, step: Step, prompts: list[Prompt]) -> Next:
    """Do what the step waits for, or leave it."""
    if step.ask:
        known = run.frame.values
        run.asked = step.fill
        if len(step.fill) > 1:
            run.asked = tuple(name for name in step.fill if known.get(name) is None)
            if not run.asked:
                return leave(run)
        if (again := _replayed(run)) is not None:
            return again
        if len(step.fill) == 1 and step.fill[0] in run.frame.ahead:
            return _pass_over(run, step.fill[0])
        _speak_up(run, prompts)
        focused = len(run.asked) < len(step.fill)
        run.question = tuple(voice.say_one(run, step.ask, "ask")) if not focused else question_of(run)
        run.said = (*prompts, *run.question)
        return hear(run, run.question)
    if step.call:
        return _call(run, step)
    if step.waits:
        if step.llm is not None or step.record is not None:
            run.replay = []
            _speak_up(run, prompts)
        if step.llm is not None:
            begin_talk(run)
            if step.say:  # whoever was spoken to answers first
                run.question = run.said = tuple(prompts)
                return hear(run, ())
            return ask_model(run)
        return request_of(run)
    return leave(run)


def _pass_over(run: Run, slot: str) -> Next:
    """Leave a question whose answer was given from outside, as if the caller had given it."""
    frame = run.frame
    frame.ahead -= {slot}
    value = frame.values.get(slot)
    choice = run.step.choices.get(meaning_of(value))
    run.remember({slot: value}, meaning_of(value) if choice is not None else "")
    run.asked = ()
    return Go(choice.goto) if choice is not None and choice.goto else leave(run)


def _replayed(run: Run) -> Next | None:
    """Give an answer again that was given before a correction; None where the way has changed."""
    if not run.replay:
        return None
    answer = run.replay[0]
    run.replay = run.replay[1:]
    then, frame = answer.frame, run.frame
    if then.dialog is not frame.dialog or then.step != frame.step or len(answer.frames) != len(run.frames):
        run.replay = []
        return None
    run.held = ()
    run.remember(answer.fills, answer.choice)
    for name, value in answer.fills.items():
        frame.learn(name, value)
    run.asked = tuple(name for name in run.asked if name not in answer.fills)
    choice = run.step.choices.get(answer.choice)
    if choice is not None and choice.goto:
        return Go(choice.goto)
    if run.asked and len(run.step.fill) > 1:
        return _replayed(run)
    return leave(run)


def question_of(run: Run) -> tuple[Prompt, ...]:
    """Ask for the first slot that is still open."""
    slot = run.frame.slot(run.asked[0])
    if slot.ask:
        return tuple(voice.say_one(run, slot.ask, f"slot {run.asked[0]}"))
    return tuple(voice.own_with(run, "missing", {"called": voice.called(run, run.frame, run.asked[0])}))


def grammar_now(run: Run) -> Grammar:
    """Return what is understood at this moment."""
    match run.pending:
        case None:
            pass
        case Confirming() | Cancelling():
            return yes_or_no(run.dialogs, run.language)
        case Completing(slot, part):
            kind = "time" if not hasattr(part, "hour") else "date"
            return part_grammar(run.dialogs, kind, run.language, slot)
    if run.step.llm is not None:
        return part_grammar(run.dialogs, "text", run.language, "")
    return grammar_of(run.dialogs, run.frame.step, run.language, run.asked)


def hear(run: Run, prompts: tuple[Prompt, ...] | list[Prompt]) -> BotTurn:
    """Say `prompts`, then listen."""
    answered = None
    if run.trail and run.pending is None:
        last = run.trail[-1]
        answered = (last.frames[-1].dialog, tuple(last.fills), run.language)
    frame = run.frames[-1]
    listens = listen(frame.dialog, frame.step, grammar_now(run), text_of(run.question), answered)
    return BotTurn(tuple(prompts), listens)


def _shown_summary(run: Run, summary: str) -> str:
    """Return the summary of a transfer as those may see it who are not the person: nothing sensitive."""
    frame = run.frame
    hidden = {name: HIDDEN for name in frame.values if is_sensitive_value(frame.dialog, name)}
    values = {**frame.values, **hidden}
    return fill_in_for_reading(summary, values, run.language, types_of(frame.dialog))


def _priority(expression: str | None, values: Mapping[str, object]) -> int:
    """Return a caller's priority in a queue; what is unknown or no number counts as 0."""
    value = parse_expression(expression).evaluate(values) if expression else 0
    if not isinstance(value, int | float | Decimal):
        return 0
    return min(10, max(0, round(value)))


# --- leaving a step -------------------------------------------------------------------------------------


def leave(run: Run) -> Next:
    """Compute, then return the step that follows, or how the dialog ends."""
    frame, step = run.frame, run.step
    for name, expression in step.set.items():
        frame.learn(name, parse_expression(expression).evaluate(frame.values))
    if step.end:
        run.took("end")
        goal = step.goal or step.end in frame.dialog.file.goals or step.end in run.root.dialog.file.goals
        return BotTurn((), End(step.end, goal, reason=frame.step))
    if step.return_:
        return _return(run, step.return_)
    if step.transfer:
        run.took("transfer")
        transfer = step.transfer
        goal = step.goal or "transferred" in run.root.dialog.file.goals
        return BotTurn(
            (),
            Handover(
                transfer.destination,
                tuple((name, meaning_of(frame.values.get(name))) for name in transfer.context),
                goal=goal,
                queue=transfer.queue is not None,
                conference=transfer.conference is not None,
                host=transfer.host,
                priority=_priority(transfer.priority, frame.values),
                skills=transfer.skills,
                language=run.language,
                shown=_shown_summary(run, transfer.summary),
                sensitive=tuple(name for name in transfer.context if is_sensitive_value(frame.dialog, name)),
                summary=fill_in_for_reading(
                    transfer.summary, frame.values, run.language, types_of(frame.dialog)
                ),
            ),
        )
    for target, condition in step.goto.items():
        if is_true(condition, frame.values):
            run.took("goto", target)
            return Go(target)
    return _next_in_file(run, "next")


def _next_in_file(run: Run, way: str) -> Next:
    following = run.dialog.step_after(run.frame.step)
    if following is not None:
        run.took(way, following)
        return Go(following)
    if len(run.frames) > 1:
        return _return(run, DONE)
    return error(run, "ran past the last step")


def error(run: Run, reason: str) -> BotTurn:
    """End the call with an apology: something is wrong on our side."""
    return BotTurn(tuple(voice.own(run, "error")), End("error", reason=reason))


# --- included dialogs -----------------------------------------------------------------------------------


def _call(run: Run, step: Step) -> Next:
    """Open the dialog that the step calls."""
    assert step.call is not None
    outer = run.frame
    inner = outer.dialog.included[step.call.dialog]
    given = {n: parse_expression(e).evaluate(outer.values) for n, e in step.call.arguments.items()}
    try:
        frame = Frame(inner, inner.first_step, first_values(inner, given, shared_of(outer.values)))
    except UserError as error:  # told without the values, which may be sensitive in this dialog
        return unwell(run, f"`{step.call.dialog}` is not given what it needs ({len(error.problems)})")
    run.took("call", inner.first_step)
    run.frames.append(frame)
    return Go(inner.first_step)


def _return(run: Run, word: str) -> Next:
    """Close the innermost dialog, hand its results over, and go on after the step that called it."""
    run.took("return")
    if len(run.frames) == 1:
        goal = run.step.goal or word in run.dialog.file.goals
        return BotTurn((), End(word, goal, reason=run.frame.step))
    inner, outer = close_frame(run)
    assert run.step.call is not None
    for own, theirs in run.step.call.keep.items():
        outer.learn(own, inner.values.get(theirs))
    outer.values["result"] = word
    run.took("returned")
    return leave(run)


def close_frame(run: Run) -> tuple[Frame, Frame]:
    """Close the innermost dialog; return it and the one that called it."""
    inner = run.frames.pop()
    outer = run.frame
    outer.values.update({name: inner.values.get(name) for name in ("now", "today")})
    return inner, outer


def unwell(run: Run, reason: str) -> Next:
    """Go where the step says that its work failed; else to an agent; else apologise."""
    target = run.step.failed
    if target is None and (agent := agent_of(run)) is not None:
        leave_frames(run, agent[0])
        target = agent[1]
    run.took("failed", target or "")
    return error(run, reason) if target is None else Go(target)


def agent_of(run: Run) -> tuple[int, str] | None:
    """Return the open dialog (its place) that has an agent, and the step that leads there."""
    for at in range(len(run.frames) - 1, -1, -1):
        command = run.frames[at].dialog.file.always.get("agent")
        if command is not None and command.goto and not command.off:
            return at, command.goto
    return None


def leave_frames(run: Run, at: int) -> None:
    """Close the dialogs that were opened after the one at place `at`."""
    while len(run.frames) > at + 1:
        close_frame(run)


def shared_of(values: Mapping[str, object]) -> dict[str, object]:
    """Return the values that belong to the call, and not to one dialog."""
    return {
        name: value
        for name, value in values.items()
        if name in ("now", "today") or name.startswith(("call.", ENVIRONMENT))
    }


def first_values(
    dialog: Dialog, given: Mapping[str, object], shared: Mapping[str, object]
) -> dict[str, object]:
    """Return all values at the beginning of a dialog. Raises UserError for its needs."""
    now = shared.get("now")
    moment = now if isinstance(now, datetime) else None
    values: dict[str, object] = {**shared, **given_values(dialog, given, moment)}
    for name, computed in dialog.file.values.items():
        values[name] = (
            None if computed.start is None else value_of_given(computed.start, computed.type, moment)
        )
    return values
