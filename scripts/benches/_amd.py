"""Asterisk's own AMD() on the labelled greetings: a real Asterisk plays each to it, in real time."""

from __future__ import annotations

import re
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from _asterisk import instance as instances
from _asterisk.cli import HOME, SHIPPED
from _asterisk.ports import Chooser, Ports
from _asterisk.program import find_program
from _greetings import Samples

from voicebot.audio import g711

A_SECOND = 12
"""New calls: each is played in real time, some 6 s long."""
LONGEST_S = 20.0
POLL_S = 0.2
BY = {"HUMAN": "person", "MACHINE": "machine", "NOTSURE": "unknown"}
_RESULT = re.compile(r"AMD-RESULT ([0-9]+) ([A-Z]+) (\S*)")
_DIALPLAN = """
[bench-greeting]
exten => _X!,1,Answer()
 same => n,Playback({folder}/${{EXTEN}})
 same => n,Wait({longest})

[bench-amd]
exten => _X!,1,AMD()
 same => n,Log(WARNING,AMD-RESULT ${{EXTEN}} ${{AMDSTATUS}} ${{AMDCAUSE}})
 same => n,Hangup()
"""


def judge_by_amd(sounds: Mapping[int, Samples], tell: Callable[[str], None]) -> dict[int, tuple[str, str]]:
    """Return (person, machine or unknown; AMDCAUSE) of each sound. Uses the shipped amd.conf."""
    folder = Path(tempfile.mkdtemp(prefix="voicebot-amd-"))
    state = folder / "run"
    try:
        for number, sound in sounds.items():
            (folder / f"{number}.ulaw").write_bytes(g711.encode(np.ascontiguousarray(sound)).tobytes())
        changed = folder / "asterisk"
        shutil.copytree(SHIPPED, changed)
        with (changed / "extensions.conf").open("a") as dialplan:
            dialplan.write(_DIALPLAN.format(folder=folder, longest=int(LONGEST_S)))
        program = find_program(HOME, tell)
        with instances.locked(state):
            running = instances.start(program, changed, state, _free_ports())
        try:
            return _judge(running, state, folder, list(sounds), tell)
        finally:
            with instances.locked(state):
                instances.stop(state)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _free_ports() -> Ports:
    chooser = Chooser()
    try:
        first, last = chooser.choose_rtp()
        return Ports(chooser.choose("tcp"), chooser.choose("tcp"), chooser.choose("udp"), first, last)
    finally:
        chooser.release()


def _judge(
    running: instances.Instance, state: Path, folder: Path, numbers: list[int], tell: Callable[[str], None]
) -> dict[int, tuple[str, str]]:
    outgoing = state / "spool" / "outgoing"
    log = Path(running.log)
    for index, number in enumerate(numbers):
        aside = folder / f"{number}.call"
        aside.write_text(
            f"Channel: Local/{number}@bench-greeting/n\n"
            f"Context: bench-amd\nExtension: {number}\nPriority: 1\n"
        )
        aside.rename(outgoing / aside.name)
        if index % A_SECOND == A_SECOND - 1:
            time.sleep(1)
        if index % 100 == 99:
            tell(f"AMD(): {index + 1} of {len(numbers)}")
    deadline = time.monotonic() + LONGEST_S
    while time.monotonic() < deadline:
        found = {
            int(number): (BY.get(status, "unknown"), cause)
            for number, status, cause in _RESULT.findall(log.read_text(errors="replace"))
        }
        if len(found) == len(numbers):
            break
        time.sleep(POLL_S)
    return found
