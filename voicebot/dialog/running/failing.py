"""What happens where an answer fails: asked again, more explicitly each time, until patience ends."""

from __future__ import annotations

from datetime import time

from voicebot.dialog.model.say import Say
from voicebot.dialog.running import voice
from voicebot.dialog.running.state import Completing, Go, Next, Run
from voicebot.dialog.running.steps import agent_of, close_frame, hear, leave_frames
from voicebot.dialog.speaking.prompts import is_sensitive_value
from voicebot.dialog.turns import BotTurn, End, Prompt
from voicebot.dialog.understanding.grammar import Match


def fail(
    run: Run, kind: str, match: Match | None = None, *, blamed: bool = True, keyed_in_vain: bool = False
) -> Next:
    """Take a `noinput`, `nomatch` or `invalid`; ask again, or end where patience ends.

    Who is not `blamed` for the first (a mere "hello?") hears the question and no apology; who has
    `keyed_in_vain`, where only words answer, is told to speak.
    """
    run.took(kind)
    attempt = run.patience.fail(kind)
    if run.patience.exhausted:
        return failed(run)
    slot = match.fills[0][0] if kind == "invalid" and match is not None and match.fills else ""
    own = _own_prompts(run, kind, slot) if run.pending is None else ()
    told = voice.own(run, "by_voice") if keyed_in_vain else []
    if own:
        return hear(run, [*told, *voice.say(run, own[min(attempt, len(own)) - 1], run.step)])
    if kind == "invalid" and match is not None:
        return hear(run, [*_impossible(run, match), *run.question])
    if attempt == 1 and not blamed:
        return hear(run, run.question)
    return hear(
        run, voice.retry(run, told or voice.own(run, kind, attempt - 1), attempt, hinted=run.pending is None)
    )


def refuse(run: Run, match: Match) -> BotTurn:
    """Say why a value is not possible and ask for it again, where the others of the answer were taken."""
    slot = run.frame.slot(run.asked[0])
    if slot.invalid:
        run.took("invalid")
        return hear(run, voice.say(run, slot.invalid[0], run.step))
    return hear(run, [*_impossible(run, match), *run.question])


def _own_prompts(run: Run, kind: str, at_fault: str = "") -> tuple[Say, ...]:
    """Return what the step, or else the slot at fault or asked for, says to this kind of failure."""
    own: tuple[Say, ...] = getattr(run.step, kind)
    if own or not run.asked:
        return own
    slot: tuple[Say, ...] = getattr(run.frame.slot(at_fault or run.asked[0]), kind)
    return slot


def _impossible(run: Run, match: Match) -> list[Prompt]:
    """Say why a value is not possible."""
    name = match.fills[0][0] if match.fills and match.fills[0][0] else run.asked[0]
    if isinstance(run.pending, Completing):
        name = run.pending.slot
    slot = run.frame.slot(name)
    value = voice.worded(run, run.frame, name, match.value)
    hidden = is_sensitive_value(run.dialog, name)
    match match.invalid:
        case "range" if slot.between is not None and slot.type in ("number", "money", "time"):
            bounds = (time.fromisoformat(str(b)) if slot.type == "time" else b for b in slot.between)
            least, greatest = (voice.worded(run, run.frame, name, bound) for bound in bounds)
            told = {"value": value, "least": least, "greatest": greatest}
            return voice.own_with(run, "invalid_range", told, sensitive=hidden)
        case "length" if slot.length is not None:
            low, high = slot.digits_range
            length = str(low) if low == high else f"{low}-{high}"
            told = {"length": length, "got": str(len(str(match.value)))}
            return voice.own_with(run, "invalid_length", told)
        case "check":
            return voice.own(run, "invalid_check")
        case "past":
            return voice.own_with(run, "invalid_past", {"value": value}, sensitive=hidden)
    return voice.own_with(run, "invalid", {"value": value}, sensitive=hidden)


def failed(run: Run) -> Next:
    """Patience has ended: where the step says, or the step that called this dialog; else to an agent."""
    run.pending = None
    agent = agent_of(run)
    place = f"{run.dialog.name}/{run.frame.step}"
    if run.patience.fail_step(place):
        return give_up(run, run.frame.step)
    for at in range(len(run.frames) - 1, -1, -1):
        frame = run.frames[at]
        target = frame.dialog.steps[frame.step].failed
        if target is not None:
            run.took("failed", target)
            while len(run.frames) > at + 1:
                _, outer = close_frame(run)
                outer.values["result"] = "failed"
            return Go(target)
    if agent is None:
        run.took("failed")
        return give_up(run, run.frame.step)
    run.took("failed", agent[1])
    leave_frames(run, agent[0])
    return Go(agent[1])


def give_up(run: Run, reason: str) -> BotTurn:
    """End the call with an apology."""
    return BotTurn(tuple(voice.own(run, "failed")), End("failed", reason=reason))
