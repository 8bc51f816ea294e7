"""A dialog in writing: what the bot says to a list of inputs. For tests, and for authors at their desk."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from voicebot.dialog.model.dialog import Dialog
from voicebot.dialog.running.interpreter import Interpreter
from voicebot.dialog.speaking.prompts import text_of
from voicebot.dialog.turns import BotTurn, CallerInput, End, Handover, HungUp, Keys, Silence, Utterance
from voicebot.speech.stt import Transcript


def read_input(line: str) -> CallerInput:
    """Read a written input: words, nothing for silence, `<4271>` for keys, `<hangup>`."""
    line = line.strip()
    if not line:
        return Silence()
    if line == "<hangup>":
        return HungUp()
    if line.startswith("<") and line.endswith(">"):
        return Keys(line[1:-1].removesuffix("#") or "#")
    return Utterance(Transcript(line))


def written(turn: BotTurn) -> str:
    """Write a turn of the bot down; its end in brackets."""
    words = text_of(turn.prompts, hide=False)
    if isinstance(turn.then, End):
        return f"{words} [{turn.then.outcome}]".strip()
    if isinstance(turn.then, Handover):
        return f"{words} [to {turn.then.destination}]".strip()
    return words


def converse(
    dialog: Dialog,
    inputs: Iterable[CallerInput | str],
    given: Mapping[str, object] | None = None,
    seed: int = 0,
) -> list[str]:
    """Return what the bot says at first and to each input, until the dialog ends."""
    interpreter = Interpreter(dialog, given, seed=seed)
    lines = [written(interpreter.begin(0.0))]
    for now, event in enumerate(inputs, 1):
        if interpreter.outcome is not None:
            break
        turn = interpreter.handle(read_input(event) if isinstance(event, str) else event, float(now))
        lines.append(written(turn))
    return lines
