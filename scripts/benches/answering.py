"""Who answered: how often our detector is right, how soon, what it costs; beside Asterisk's AMD() on the same
greetings.

tests/data/greetings holds what is heard, in three parts: `train`, on which the figures of AnswerRules were
chosen, `held`, with other voices and texts, and `fresh`, in further languages. Each scene comes over seven
lines: clean, with noise 20 and 10 dB below the speech, loud, faint, with 3 % of frames lost, and as from a
mobile.
Usage: scripts/bench answering [--json] [--no-asterisk] [--part train|held|fresh]
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))

from _amd import judge_by_amd
from _answered import SURE, Confusion, by_of, confusion, cost_us, figures, hear
from _greetings import CONDITIONS, PARTS, Samples, Scene, on_the_line, played, scenes

COST_TARGET_US = 15.0
COSTED = 12
"""Scenes whose frames are timed, of every condition."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--no-asterisk", action="store_true", help="without AMD()")
    parser.add_argument("--part", choices=PARTS, help="only this part")
    options = parser.parse_args()
    found: dict[str, Any] = {"sure": SURE, "parts": {}}
    parts = [options.part] if options.part else list(PARTS)
    sounds: dict[int, tuple[Scene, str, Samples]] = {}
    for scene in scenes():
        if scene.part in parts:
            clean = played(scene)
            for condition in CONDITIONS:
                sounds[len(sounds) + 1] = (scene, condition, on_the_line(clean, condition, scene.name))
    amd = {}
    if not options.no_asterisk:
        amd = judge_by_amd({number: sound for number, (_, _, sound) in sounds.items()}, _tell)
    for part in parts:
        mine = {number: one for number, one in sounds.items() if one[0].part == part}
        by_sound = [hear(scene, on, sound, words=False) for scene, on, sound in mine.values()]
        by_words = [hear(scene, on, sound, words=True) for scene, on, sound in mine.values()]
        told: dict[str, Any] = {"by_sound": figures(by_sound), "with_words": figures(by_words)}
        told["by_condition"] = {
            on: {"last": confusion([(h.scene.then, by_of(h.last)) for h in by_sound if h.condition == on])}
            for on in CONDITIONS
        }
        if amd:
            told["amd"] = {
                "first": _by_amd(mine.items(), amd),
                "causes": _causes(mine, amd),
                "unanswered": len(mine) - len(mine.keys() & amd.keys()),
            }
            for on, one in told["by_condition"].items():
                one["amd"] = _by_amd([item for item in mine.items() if item[1][1] == on], amd)
        found["parts"][part] = told
    timed = [sound for scene, _, sound in sounds.values() if scene.kind in ("person", "machine")]
    found["us_a_frame"] = round(cost_us(timed[:: max(1, len(timed) // (COSTED * len(CONDITIONS)))]), 2)
    found["us_a_frame_target"] = COST_TARGET_US
    if options.json:
        print(json.dumps(found, indent=2))
    else:
        _show(found)
    return 0 if found["us_a_frame"] <= COST_TARGET_US else 1


def _causes(mine: Iterable[int], amd: Mapping[int, tuple[str, str]]) -> dict[str, int]:
    """Count AMDCAUSE without its figures, such as MAXWORDS-3-2."""
    return dict(Counter(amd[number][1].partition("-")[0] for number in mine if number in amd))


def _by_amd(
    some: Iterable[tuple[int, tuple[Scene, str, Samples]]], amd: Mapping[int, tuple[str, str]]
) -> Confusion:
    return confusion([(scene.by, amd.get(number, ("unknown", ""))[0]) for number, (scene, _, _) in some])


def _tell(text: str) -> None:
    print(f"· {text}", file=sys.stderr, flush=True)


def _show(found: dict[str, Any]) -> None:
    for part, told in found["parts"].items():
        print(f"\n{part}: who it is | judged person, machine, unknown")
        rows = [("sound, first", told["by_sound"]["first"]), ("sound, last", told["by_sound"]["last"]),
                ("with words, last", told["with_words"]["last"])]  # fmt: skip
        if "amd" in told:
            rows.append(("AMD()", told["amd"]["first"]))
        for name, table in rows:
            _show_table(name, table)
        for name in ("by_sound", "with_words"):
            one = told[name]
            wait, beeps = one["first_ms_after_voice"], one["beeps"]
            print(
                f"  {name}: persons hung up on {one['persons_hung_up']} of {one['persons']}, machines "
                f"{one['machines_hung_up']} of {one['machines']}; first judgement of a person "
                f"{wait['median']:.0f} ms after their first sound (p90 {wait['p90']}); beeps found "
                f"{beeps['found']}, missed {beeps['missed']}, false {beeps['false']}"
            )
        for condition, one in told["by_condition"].items():
            shares = [f"{name} {_right(table)}" for name, table in one.items()]
            print(f"  {condition:12} right of persons, of machines: {'; '.join(shares)}")
    print(f"\none frame: {found['us_a_frame']} µs (to reach: {found['us_a_frame_target']})")


def _right(table: Confusion) -> str:
    return " ".join(f"{row[true]}/{sum(row.values())}" for true, row in table.items())


def _show_table(name: str, table: Confusion) -> None:
    for true, row in table.items():
        share = row[true] / max(1, sum(row.values()))
        counts = f"{row['person']:4} {row['machine']:4} {row['unknown']:4}"
        print(f"  {name:17} {true:8} {counts}   {share:.0%} right")


if __name__ == "__main__":
    sys.exit(main())
