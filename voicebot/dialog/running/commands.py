"""Commands: what callers may say at any time."""

from __future__ import annotations

from voicebot.dialog.model.step import Always
from voicebot.dialog.running import voice
from voicebot.dialog.running.corrections import go_back
from voicebot.dialog.running.state import Cancelling, Confirming, Go, Next, Run, interruptible
from voicebot.dialog.running.steps import close_frame, hear, leave, leave_frames, question_of
from voicebot.dialog.turns import BotTurn, End


def command(run: Run, name: str) -> Next:
    """Do what the caller commands. Afterwards the question comes again, unless the command leads away."""
    at, own = _declared(run, name)
    said = voice.say_one(run, own.say, f"always {name}") if own and own.say else []
    if own is not None and own.goto:
        run.took(f"command:{name}", own.goto)
        leave_frames(run, at)
        return Go(own.goto, tuple(said))
    run.took(f"command:{name}")
    if said:
        return hear(run, [*said, *run.question])
    match name:
        case "repeat":
            return hear(run, interruptible(run.said if run.pending is None else run.question))
        case "help":
            own_help = run.step.help or (run.frame.slot(run.asked[0]).help if run.asked else ())
            words = voice.say_one(run, own_help, "help") or voice.own_help(run)
            return hear(run, [*words, *run.question])
        case "agent":
            return hear(run, [*voice.own(run, "no_agent"), *run.question])
        case "back":
            return go_back(run)
        case "skip":
            return _skip(run)
        case "cancel":
            run.pending = Cancelling()
            run.question = tuple(voice.own(run, "cancel"))
            return hear(run, run.question)
        case "opt_out":
            return BotTurn(tuple(voice.own(run, "opted_out")), End("opted_out", reason=run.frame.step))
    return hear(run, run.question)


def _declared(run: Run, name: str) -> tuple[int, Always | None]:
    """Return the command of the innermost dialog that has it, and that dialog's place."""
    for at in range(len(run.frames) - 1, -1, -1):
        own = run.frames[at].dialog.file.always.get(name)
        if own is not None and not own.off:
            return at, own
    return 0, None


def cancel(run: Run) -> Next:
    """Stop what the caller wants no more: a dialog that was called, or the call."""
    while len(run.frames) > 1:
        _, outer = close_frame(run)
        outer.values["result"] = "cancelled"
        if run.step.failed:
            run.took("failed", run.step.failed)
            return Go(run.step.failed)
    return BotTurn(tuple(voice.own(run, "cancelled")), End("cancelled", reason=run.frame.step))


def _skip(run: Run) -> Next:
    """Leave the slot that is asked for unknown, if it may be."""
    name = run.asked[0] if run.asked else ""
    may = run.step.optional or (name != "" and run.frame.slot(name).optional)
    if not may or isinstance(run.pending, Confirming):
        return hear(run, [*voice.own(run, "needed"), *run.question])
    run.pending = None
    run.remember({})
    run.asked = run.asked[1:]
    if run.asked and len(run.step.fill) > 1:
        run.patience.enter_step()
        run.question = run.said = question_of(run)
        return hear(run, run.question)
    return leave(run)
