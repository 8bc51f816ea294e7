"""How fast dialogs run, are checked, proved and begun, and how much of callers' words is understood.

Turns: conversations through a dialog of 50 steps (yes and no, menus, digits, weekdays, numbers), in words as
callers vary them and in keys, on one core in one thread. The reference of the same run is the least that any
dialog engine does: look an answer up, fill a sentence in, and build the two records of a turn.
The rest is measured from the command line, as an author waits for it; the reference is an empty Python.

Usage: scripts/bench dialog [--json] [--seconds S] [--runs N] [--only turns|tools|understanding]
"""

from __future__ import annotations

import argparse
import itertools
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from _large_dialog import large_dialog
from _understanding import accuracy, misses

from voicebot.dialog.loading.loader import parse_dialog
from voicebot.dialog.model.dialog import Dialog
from voicebot.dialog.running.interpreter import Interpreter
from voicebot.dialog.turns import CallerInput, Keys, Listen, Utterance
from voicebot.speech.stt import Transcript

PROJECT = Path(__file__).resolve().parents[2]
STARTED = datetime(2027, 3, 1, 10, 0, tzinfo=UTC)
STEPS = 50
TARGETS = {"turns_per_s": 20_000, "check_s": 1.0, "prove_s": 5.0, "first_prompt_s": 0.7}

KINDS: dict[str, tuple[str, Sequence[str]]] = {
    "sure": (
        "Will you come to room {at}?",
        [
            "yes",
            "yes please",
            "no",
            "I think so",
            "um, yes, sure",
            "not really",
            "I'm afraid I can't",
            "<1>",
            "<2>",
        ],
    ),
    "size": (
        "Which one would you like in room {at}?",
        [
            "the large one",
            "small please",
            "I'd like a medium one",
            "extra large",
            "<3>",
            "uh the small one",
            "large",
        ],
    ),
    "pin": (
        "Which four digits?",
        ["four two seven one", "4271", "<9314>", "it's one double two three", "oh five five nine", "6 0 2 4"],
    ),
    "day": (
        "Which day of the week?",
        ["tuesday", "on Friday please", "next monday", "Wednesday, I think", "<5>", "saturday would be fine"],
    ),
    "count": (
        "How many for room {at}?",
        ["two", "twenty five", "<12>", "we are seven", "a hundred and one", "3"],
    ),
}
HEADER = """\
dialog: fifty
about: Fifty questions.
slots:
  sure: yes_no
  size:
    type: choice
    choices:
      small: {hear: [small, the small one], key: 1}
      medium: {hear: [medium, the middle one], key: 2}
      large: {hear: [large, big, the large one], key: 3}
      extra: {hear: [extra large, the largest], key: 4}
  pin: {type: digits, length: 4}
  day: weekday
  count: number
values: {seen: number}
always: {agent: {goto: person}}
steps:
"""


def fifty_steps() -> Dialog:
    """Return the dialog: 48 questions, and two ways to end."""
    text = HEADER
    for at, (slot, (question, _)) in zip(range(STEPS - 2), itertools.cycle(KINDS.items()), strict=False):
        text += (
            f"  q{at}:\n    say: Thank you.\n    ask: {question.format(at=at)}\n    fill: {slot}\n"
            f"    set: {{seen: seen + 1}}\n    goto: {{person: seen > 90, q{at + 1}: {slot} != unknown}}\n"
        )
    text = text.replace(f"q{STEPS - 2}:", "bye:")
    return parse_dialog(
        text + '  bye: {say: "{seen} questions. Goodbye.", end: done}\n  person: {transfer: desk}\n'
    )


def conversations() -> list[list[CallerInput]]:
    """Return conversations that answer every question, each in other words."""
    answers = {slot: itertools.cycle(said) for slot, (_, said) in KINDS.items()}
    asked = [slot for slot, _ in zip(itertools.cycle(KINDS), range(STEPS - 2), strict=False)]
    return [[_event(next(answers[slot])) for slot in asked] for _ in range(42)]


def _event(written: str) -> CallerInput:
    return Keys(written.strip("<>")) if written.startswith("<") else Utterance(Transcript(written, 0.9))


def turns_per_s(dialog: Dialog, said: list[list[CallerInput]], seconds: float) -> float:
    """Return the turns a second of whole conversations; the first round, which compiles, does not count."""

    def one(events: list[CallerInput]) -> int:
        bot = Interpreter(dialog, started=STARTED)
        turn = bot.begin(0.0)
        for now, event in enumerate(events, 1):
            assert isinstance(turn.then, Listen), turn
            turn = bot.handle(event, float(now))
        assert bot.outcome == "done", bot.outcome
        return len(events)

    return _rate(one, said, seconds)


def reference_per_s(said: list[list[CallerInput]], seconds: float) -> float:
    """Return the same for the least that any engine does."""
    known = {str(event): at for at, event in enumerate(itertools.chain(*said))}

    def one(events: list[CallerInput]) -> int:
        values: dict[str, object] = {}
        record = []
        for at, event in enumerate(events):
            words = event.digits if isinstance(event, Keys) else event.transcript.text  # type: ignore[union-attr]
            values["said"] = words.lower().split()
            values["at"] = known.get(words, at)
            record.append(("bot", "Thank you. Will you come to room {at}?".format(**values)))
            record.append(("caller", words))
        return len(events)

    return _rate(one, said, seconds)


def _rate(one: Callable[[list[CallerInput]], int], said: list[list[CallerInput]], seconds: float) -> float:
    for events in said:
        one(events)
    rates = []
    for _ in range(5):
        turns, began = 0, time.perf_counter()
        while (took := time.perf_counter() - began) < seconds / 5:
            turns += sum(one(events) for events in said[:6])
        rates.append(turns / took)
    return statistics.median(rates)


def seconds_of(command: list[str], runs: int) -> list[float]:
    times = []
    for _ in range(runs):
        began = time.perf_counter()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, input=b"")
        times.append(time.perf_counter() - began)
    return times


def seconds_to_first_line(command: list[str], runs: int) -> list[float]:
    times = []
    for _ in range(runs):
        began = time.perf_counter()
        with subprocess.Popen(command, stdout=subprocess.PIPE, stdin=subprocess.PIPE) as chat:
            assert chat.stdout is not None
            if not chat.stdout.readline():
                raise SystemExit("the chat says nothing")
            times.append(time.perf_counter() - began)
            chat.communicate(b"")
    return times


def tools(runs: int) -> dict[str, Any]:
    """Measure the tools from the command line, in s (medians)."""
    voicebot = [sys.executable, "-m", "voicebot", "dialog"]
    shipped = sorted(
        str(p)
        for p in (PROJECT / "dialogs").rglob("*.yaml")
        if not p.name.endswith((".test.yaml", ".campaign.yaml"))
    )
    with tempfile.TemporaryDirectory() as folder:
        large = Path(folder, "large.yaml")
        large.write_text(large_dialog(500), encoding="utf-8")
        found = {
            "check_s": seconds_of([*voicebot, "check", str(large)], runs),
            "prove_s": seconds_of([*voicebot, "prove", *shipped], max(1, runs // 2)),
            "first_prompt_s": seconds_to_first_line([*voicebot, "chat", shipped[0]], runs),
            "empty_python_s": seconds_of([sys.executable, "-c", "pass"], runs),
        }
    return {name: round(statistics.median(seconds), 3) for name, seconds in found.items()} | {
        "proved": len(shipped)
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--seconds", type=float, default=5.0, help="how long turns are measured")
    parser.add_argument("--runs", type=int, default=5, help="runs of each tool")
    parser.add_argument("--only", choices=("turns", "tools", "understanding"))
    options = parser.parse_args()
    found: dict[str, Any] = {"targets": TARGETS}
    if options.only in (None, "turns"):
        said = conversations()
        rate = turns_per_s(fifty_steps(), said, options.seconds)
        bare = reference_per_s(said, options.seconds)
        found |= {
            "turns_per_s": round(rate),
            "us_a_turn": round(1e6 / rate, 1),
            "bare_turns_per_s": round(bare),
        }
        found["ratio"] = round(bare / rate, 1)
    if options.only in (None, "tools"):
        found |= tools(options.runs)
    if options.only in (None, "understanding"):
        found["understanding"] = accuracy()
    if options.json:
        print(json.dumps(found, indent=1, ensure_ascii=False))
        return
    understanding = found.pop("understanding", {})
    for name, value in found.items():
        print(f"{name:20} {value}")
    for name, part in understanding.items():
        print(f"{name}: {part['right']} of {part['phrases']} phrases are read rightly")
        print(f"  µs a phrase: {part['us_per_phrase']}")
        for kind, counts in part["types"].items():
            print(f"  {kind:10} {counts['right']:3} of {counts['phrases']:3}")
        for row, got in misses(name):
            print(f"    {row.type}: {row.phrase!r} ({row.language}) is {got}, not {row.expected}")


if __name__ == "__main__":
    main()
