"""How long `voicebot dialog check` takes for a large dialog, and how soon a chat of it begins.

Usage: scripts/bench check [--steps 500] [--runs 5] [--json]

A run is a whole process: what an author waits for.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HEADER = """\
dialog: large
about: A dialog of {steps} steps, as an author would write them.
outbound: true
needs: {{first_name: name, appointment: datetime}}
slots:
  sure: yes_no
  size: {{type: choice, choices: {{small: [small, the small one], large: {{hear: [large, big], key: 2}}}}}}
values:
  tries: {{type: number, start: 0}}
  status: text
always:
  agent: {{hear: [the manager], goto: person}}
steps:
  greet: {{say: "Hello {{first_name}}, this is the assistant of the clinic."}}
"""
BLOCK = """\
  question{n}:
    say: You have an appointment on {{appointment|date}} at {{appointment|time}}, in room {n}.
    ask: Will you be there, yes or no?
    fill: sure
    help: Say yes to keep it.
    nomatch: [Sorry, will you be there?, Please say yes or no.]
    failed: person
    goto: {{look{n}: sure, pick{n}: not sure}}
  pick{n}:
    ask: Which one would you like instead?
    fill: size
    choices:
      none{n}: {{hear: [none of them, neither], key: 3, goto: count{n}}}
      later{n}: {{hear: [some other time, another week], key: 4, goto: count{n}}}
    failed: person
    goto: {{look{n}: size == 'large' and tries < 3, count{n}: else}}
  look{n}:
    fetch:
      get: "{{env.BOOKING}}/rooms/{n}"
      query: {{name: "{{first_name}}"}}
      keep: {{status: room.status}}
    failed: count{n}
    goto: {{count{n}: status == 'free' and result == 200, after{n}: else}}
  count{n}:
    set: {{tries: tries + 1}}
    goto: {{person: tries > 40, after{n}: else}}
  after{n}:
    say: [All right., Very well.]
"""
FOOTER = """\
  bye: {say: Goodbye., end: done}
  person: {transfer: {queue: reception, with: [first_name]}}
"""
STEPS_A_BLOCK = 5


def large_dialog(steps: int) -> str:
    """Return the text of a dialog with about so many steps."""
    blocks = (BLOCK.format(n=n) for n in range(steps // STEPS_A_BLOCK))
    return HEADER.format(steps=steps) + "".join(blocks) + FOOTER


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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--steps", type=int, default=500)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    voicebot = [sys.executable, "-m", "voicebot", "dialog"]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "large.yaml")
        path.write_text(large_dialog(options.steps), encoding="utf-8")
        found = {
            "check_s": seconds_of([*voicebot, "check", str(path)], options.runs),
            "check_without_sounds_s": seconds_of(
                [*voicebot, "check", "--no-sounds", str(path)], options.runs
            ),
            "first_prompt_s": seconds_to_first_line(
                [
                    *voicebot,
                    "chat",
                    str(path),
                    "--given",
                    "first_name=Sara",
                    "--given",
                    "appointment=2027-03-04T15:00",
                ],
                options.runs,
            ),
        }
    medians = {name: round(statistics.median(times), 3) for name, times in found.items()}
    spread = {name: [round(min(times), 3), round(max(times), 3)] for name, times in found.items()}
    if options.json:
        print(json.dumps({"steps": options.steps, **medians, "spread": spread}))
        return
    for name, median in medians.items():
        print(f"{name:24} {median:.3f} s   ({spread[name][0]:.3f} to {spread[name][1]:.3f})")


if __name__ == "__main__":
    main()
