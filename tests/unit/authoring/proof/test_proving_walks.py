"""Unit: nothing that random callers do in random dialogs contradicts what was proven of them."""

from __future__ import annotations

import random

import pytest

from voicebot.authoring.conversation.coverage import family
from voicebot.authoring.proof.events import happenings
from voicebot.authoring.proof.key import Keys, place_of, standing
from voicebot.authoring.proof.proving import Proof, prove
from voicebot.authoring.proof.starts import STARTS
from voicebot.dialog.loading.loader import parse_dialog
from voicebot.dialog.model.dialog import Dialog
from voicebot.dialog.running.interpreter import Interpreter
from voicebot.dialog.turns import Fetched
from voicebot.errors import UserError

pytestmark = pytest.mark.unit

DIALOGS = 8
WALKS = 25
LONGEST_WALK = 60
MOST_STATES = 300

_ASIDE = ("command:back", "command:cancel", "command:skip", "correction", "hangup")
"""What walks leave out: whoever goes back begins a way anew."""


def random_dialog(chance: random.Random) -> str:
    """Write a dialog of a few steps that lead anywhere; not every one is a dialog that can be loaded."""
    count = chance.randint(3, 7)
    names = [f"s{n}" for n in range(count)]
    lines = [
        "dialog: walked",
        "slots: {a: yes_no, b: yes_no, n: {type: number, between: [1, 9]}, "
        "c: {type: choice, choices: {red: {key: 1}, green: {key: 2}, blue: {}}}}",
        "values: {t: {type: number, start: 0}, w: text}",
    ]
    if chance.random() < 0.5:
        lines.append("always: {agent: {goto: person}}")
    lines.append("steps:")

    def somewhere() -> str:
        return chance.choice([*names, "bye"])

    conditions = (
        "a",
        "not b",
        "n > 4",
        "c == 'red'",
        "t >= 2",
        "a and b",
        "w == 'x'",
        "n == t",
        "c != unknown",
    )
    for name in names:
        lines += [f"  {name}:", f"    say: This is {name}."]
        match chance.randrange(6):
            case 0 | 1 | 2:
                slot = chance.choice("abnc")
                lines += ["    ask: What now?", f"    fill: {slot}"]
                if chance.random() < 0.3:
                    lines.append("    confirm: always")
                if chance.random() < 0.4:
                    lines.append(f"    failed: {somewhere()}")
            case 3:
                lines += [
                    "    ask: Which way?",
                    f"    choices: {{left: {{goto: {somewhere()}}}, right: {{}}}}",
                ]
            case 4:
                lines.append('    fetch: {get: "http://a.example", keep: {w: w}}')
                lines.append(f"    failed: {somewhere()}")
        if chance.random() < 0.4:
            lines.append("    set: {t: t + 1}")
        if chance.random() < 0.6:
            lines.append(f'    goto: {{{somewhere()}: "{chance.choice(conditions)}", {somewhere()}: else}}')
    lines += ["  bye: {say: Bye., end: done}", "  person: {say: One moment., transfer: person}"]
    return "\n".join(lines) + "\n"


def dialogs() -> list[Dialog]:
    chance = random.Random(4271)
    found: list[Dialog] = []
    for _ in range(DIALOGS * 20):
        try:
            found.append(parse_dialog(random_dialog(chance)))
        except UserError:
            continue
        if len(found) == DIALOGS:
            break
    return found


def test_random_walks_never_contradict_a_proof() -> None:
    chance = random.Random(1)
    walked = ended = bounded = 0
    for dialog in dialogs():
        proof = prove(dialog, most_states=MOST_STATES)
        if proof.cut:
            continue
        for _ in range(WALKS):
            outcome, exact = walk(dialog, proof, chance)
            walked += 1
            ended += outcome is not None
            bounded += exact
    assert walked > DIALOGS * WALKS / 2
    assert ended > walked / 2
    assert bounded > walked / 2


def walk(dialog: Dialog, proof: Proof, chance: random.Random) -> tuple[str | None, bool]:
    """Do random things; return how it ended, and whether its length was bound by the proof."""
    family_of = {each.version: each for each in family(dialog)}
    keys = Keys(family_of.values())
    clock: dict[str, object] = {"now": STARTS[0], "today": STARTS[0].date()}
    run = Interpreter(dialog, {}, started=STARTS[0], call={"number": "+12025550123"})
    turn = run.begin(0.0)
    bound = proof.longest.turns if proof.longest else 0
    exact = not any(finding.code == "loop" for finding in proof.findings)
    way: list[tuple[object, int]] = []
    count = 0
    for _ in range(LONGEST_WALK):
        if run.outcome is not None:
            break
        at = standing(run)
        place = place_of(keys.base(at, 0, clock))
        if not way:
            way.append((place, 0))
        possible = happenings(turn, at, family_of, STARTS[0].date())
        each = chance.choice([each for each in possible if each.sort not in _ASIDE])
        turn = run.handle(each.event, 0.0)
        kind = run.understood.kind if run.understood else ""
        if kind == "command" and run.outcome is None and not run.taken[-1].target:
            continue  # to hear it again, or help
        count += not isinstance(each.event, Fetched)
        assert not exact or count <= bound, f"{count} > {bound}\n{dialog.source}"
        if run.outcome is not None:
            break
        new = place_of(keys.base(standing(run), 0, clock))
        before = [number for number, (old, _) in enumerate(way) if old == new]
        if not before:
            way.append((new, count))
        elif before[0] < len(way) - 1 or kind == "match":  # a round: its turns are not counted
            del way[before[0] + 1 :]
            count = way[-1][1]
    assert run.outcome is None or run.outcome in proof.outcomes
    if not any(finding.code == "error" for finding in proof.findings):
        assert run.outcome != "error"
    return run.outcome, exact
