"""`voicebot dialog prove`: what holds in every call, or the shortest one in which it does not."""

from __future__ import annotations

import gc
import json
import time
from collections.abc import Iterator
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Annotated, Any

import typer

from voicebot.authoring.picture.load import step_lines
from voicebot.authoring.proof.proving import Finding, Proof
from voicebot.authoring.proof.proving import prove as prove_dialog
from voicebot.cli.dialog.files import dialogs_in
from voicebot.cli.dialog.given import given_of
from voicebot.cli.harmless import harmless
from voicebot.cli.options import Json
from voicebot.dialog.loading.files import load_dialog
from voicebot.errors import UserError

EXIT_DISPROVEN = 1
EXIT_UNFINISHED = 3
BUDGET_S = 20.0
LONGEST_TOLD = 60
"""Lines of a counter-example that are told in full; of longer ones both ends."""
SHOWN_AT_ENDS = 14


def prove(
    files: Annotated[list[Path], typer.Argument(help="Dialog files, or folders of them.")],
    given: Annotated[
        list[str] | None, typer.Option("--given", help="A value that it needs, as name=value; repeatable.")
    ] = None,
    turns: Annotated[
        int | None, typer.Option("--turns", min=1, help="Longest call in turns; else the dialog's limit.")
    ] = None,
    seconds: Annotated[
        float | None, typer.Option("--seconds", min=1, help="Longest call; else the dialog's limit.")
    ] = None,
    budget: Annotated[
        float, typer.Option("--budget", min=0.1, help="Seconds to spend on one dialog.")
    ] = BUDGET_S,
    language: Annotated[
        str | None, typer.Option("--language", help="One of the dialog's languages; else its own.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Try everything that can happen in a dialog; tell what goes wrong, as a conversation to paste as a test.

    Proven of every call: it ends in time and with words, never by an error; nobody is caught in a loop; no
    value is said before it is known; `agent` and `opt_out` are understood wherever the bot listens; every
    goal can be reached. Exit status 0: proven; 1: a counter-example; 3: not finished within the budget.
    """
    gc.disable()  # thousands of states, all of them kept: a collection takes time and finds nothing
    values = given_of(given)
    proofs: list[tuple[Path, Proof, float]] = []
    for file in dialogs_in(files):
        dialog = load_dialog(file)
        own = {name: value for name, value in values.items() if name in dialog.file.needs}
        began = time.perf_counter()
        proof = prove_dialog(
            dialog,
            own,
            most_turns=turns,
            most_seconds=seconds,
            language=language,
            stop=lambda began=began: time.perf_counter() - began > budget,  # type: ignore[misc]
        )
        took = time.perf_counter() - began
        proofs.append((file, proof, took))
        if not as_json:
            for line in _told(file, proof, took):
                typer.echo(line)
    if as_json:
        typer.echo(json.dumps([_as_json(*each) for each in proofs], ensure_ascii=False))
    if any(proof.mistakes for _, proof, _ in proofs):
        raise typer.Exit(EXIT_DISPROVEN)
    if any(proof.cut for _, proof, _ in proofs):
        raise typer.Exit(EXIT_UNFINISHED)


def _told(file: Path, proof: Proof, took: float) -> Iterator[str]:
    if proof.proven:
        verdict = typer.style("proven", fg="green", bold=True)
    elif proof.mistakes:
        verdict = typer.style("disproven", fg="red", bold=True)
    else:
        verdict = typer.style("not finished", fg="yellow", bold=True)
    yield f"{harmless(str(file))}: {verdict}"
    if proof.cut:
        yield f"  not proven: cut {proof.cut}; what is told here was found by then"
    figures = f"  {proof.states} states, {proof.turns} turns tried, {proof.steps_met} of {proof.steps} steps"
    if proof.longest is not None:
        most = "" if proof.longest.exact else "at most "
        figures += f"; longest call {most}{proof.longest.turns} turns, {proof.longest.seconds:.0f} s"
    yield f"{figures}; {took:.2f} s"
    for finding in proof.findings:
        colour = "yellow" if finding.warning else "red"
        head = typer.style("warning" if finding.warning else "mistake", fg=colour)
        yield ""
        yield f"  {head} " + harmless(
            f"{_where(finding)}: {finding.what} — {finding.remedy} [{finding.code}]"
        )
        if finding.conversation is not None and not finding.warning:
            name = f"{finding.code} in {finding.step}"
            lines = finding.conversation.yaml(name).splitlines()
            if len(lines) > LONGEST_TOLD:
                left_out = f"    # ... {len(lines) - 2 * SHOWN_AT_ENDS} lines more, which --json has"
                lines = [*lines[:SHOWN_AT_ENDS], left_out, *lines[-SHOWN_AT_ENDS:]]
            yield from ("    " + harmless(line) for line in lines)


def _line(finding: Finding) -> int | None:
    return _lines(finding.source).get(finding.step)


@cache
def _lines(source: str) -> dict[str, int]:
    try:
        return step_lines(Path(source))
    except UserError:
        return {}


def _where(finding: Finding) -> str:
    line = _line(finding)
    return f"{finding.source}:{line} `{finding.step}`" if line else f"{finding.dialog} `{finding.step}`"


def _as_json(file: Path, proof: Proof, took: float) -> dict[str, Any]:
    return {
        "file": str(file),
        "proven": proof.proven,
        "cut": proof.cut,
        "states": proof.states,
        "turns": proof.turns,
        "ways": proof.ways,
        "steps": proof.steps,
        "steps_met": proof.steps_met,
        "longest": {
            "turns": proof.longest.turns,
            "seconds": round(proof.longest.seconds, 1),
            "exact": proof.longest.exact,
        }
        if proof.longest
        else None,
        "outcomes": sorted(proof.outcomes),
        "rounds": [list(steps) for steps in proof.rounds],
        "findings": [_finding_json(finding) for finding in proof.findings],
        "took_s": round(took, 3),
    }


def _finding_json(finding: Finding) -> dict[str, Any]:
    found = asdict(finding)
    found["line"] = _line(finding)
    if finding.conversation is not None:
        found["conversation"]["yaml"] = finding.conversation.yaml(f"{finding.code} in {finding.step}")
    return found
