"""Findings for people (a table) and for programs (JSON)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict

from rich.table import Table
from rich.text import Text

from voicebot.doctor.finding import Finding, Status

SIGNS = {
    Status.OK: ("ok", "green"),
    Status.WARNING: ("warning", "yellow"),
    Status.FAULT: ("fault", "red bold"),
}


def table_of(findings: Sequence[Finding]) -> Table:
    """Return a row a finding, the remedy beneath it."""
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for finding in findings:
        word, style = SIGNS[finding.status]
        what = Text(finding.what)
        if finding.remedy and finding.status is not Status.OK:
            what.append(f"\n→ {finding.remedy}", style="cyan")
        table.add_row(Text(word, style=style), Text(finding.check), what)
    return table


def summary(findings: Sequence[Finding]) -> str:
    """Return the sum in a sentence."""
    faults = sum(finding.status is Status.FAULT for finding in findings)
    warnings = sum(finding.status is Status.WARNING for finding in findings)
    if not faults and not warnings:
        return "All is well."
    parts = [
        f"{n} {word}{'s' if n > 1 else ''}" for n, word in ((faults, "fault"), (warnings, "warning")) if n
    ]
    return f"{' and '.join(parts)}{'.' if faults else '; calls will work.'}"


def to_json(findings: Sequence[Finding]) -> str:
    """Return a JSON array of objects with check, status, what and remedy."""
    return json.dumps([asdict(finding) for finding in findings], indent=2, ensure_ascii=False)


def exit_status(findings: Sequence[Finding]) -> int:
    """2 if there is a fault, else 0."""
    return 2 if any(finding.status is Status.FAULT for finding in findings) else 0
