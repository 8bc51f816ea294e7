"""What stands in the boxes and beside the arrows of a dialog's picture."""

from __future__ import annotations

from collections.abc import Iterator

from voicebot.dialog.model.actions import Transfer
from voicebot.dialog.model.say import Say
from voicebot.dialog.model.step import Step


def boxed(step: Step, failed: str | None) -> tuple[tuple[str, str], ...]:
    """Return the lines of a step's box, each with its sort. `failed`: a target told here, not by an arrow."""
    return tuple(_boxed(step, failed))


def _boxed(step: Step, failed: str | None) -> Iterator[tuple[str, str]]:
    if step.if_:
        yield "if", f"if {step.if_}"
    if step.language:
        yield "do", f"goes on in {step.language}"
    if said := _first(step.say):
        yield "say", said
    if asked := _first(step.ask):
        yield "ask", asked
    yield from (("do", line) for line in _work(step))
    if step.fill:
        yield "set", "→ " + ", ".join(step.fill)
    for name, expression in step.set.items():
        yield "set", f"{name} = {expression}"
    if step.end:
        yield "out", f"ends: {step.end}"
    if step.return_:
        yield "out", f"returns: {step.return_}"
    if step.transfer:
        yield "out", f"to {_destination(step.transfer)}"
    if failed:
        yield "failed", f"failed: {failed}"


def _work(step: Step) -> Iterator[str]:
    if step.fetch:
        yield f"{step.fetch.method.upper()} {step.fetch.url}"
        if step.fetch.keep:
            yield "keeps " + ", ".join(step.fetch.keep)
    if step.hook:
        yield f"hook {step.hook.name}"
        if step.hook.keep:
            yield "keeps " + ", ".join(step.hook.keep)
    if step.call:
        yield f"dialog {step.call.dialog}"
        if step.call.keep:
            yield "keeps " + ", ".join(step.call.keep)
    if step.record:
        yield f"records up to {step.record.longest // 1000} s"
    if step.llm:
        yield f"free talk, up to {step.llm.turns} answers"


def said_in(step: Step) -> str:
    """Return all that a step says and does, a line each: for whoever points at its box."""
    lines = [line for _, line in boxed(step, step.failed)]
    for sort in ("say", "ask", "help", "noinput", "nomatch", "invalid"):
        texts = [text for text in map(words_of, getattr(step, sort)) if text]
        if sort in ("say", "ask"):
            lines += texts[1:]
        else:
            lines += [f"{sort}: {text}" for text in texts]
    for name, choice in step.choices.items():
        heard = ", ".join(choice.hear) or name
        lines.append(f"{choice_label(name, choice.key)}: {heard}")
    return "\n".join(lines)


def _destination(transfer: Transfer) -> str:
    if transfer.queue:
        return f"queue {transfer.queue}"
    if transfer.conference:
        return f"conference {transfer.conference}" + (", as a host" if transfer.host else "")
    return transfer.destination


def _first(variants: tuple[Say, ...]) -> str:
    more = f" (+{len(variants) - 1})" if len(variants) > 1 else ""
    return words_of(variants[0]) + more if variants else ""


def words_of(say: Say) -> str:
    """Return the words of a prompt, or the name of its sound."""
    return " ".join(piece.text or (f"♪ {piece.wav}" if piece.wav else "") for piece in say.pieces).strip()


def choice_label(name: str, key: str | None) -> str:
    """Return a choice as it stands beside an arrow: `cancel · 2`."""
    return f"{name.replace('_', ' ')} · {key}" if key else name.replace("_", " ")


def else_label(step: Step) -> str:
    """Return what stands beside the arrow to the next step of the file."""
    return "else" if step.goto or any(choice.goto for choice in step.choices.values()) else ""
