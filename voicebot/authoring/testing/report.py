"""What is told of test runs: as text like pytest's, as JSON, as JUnit XML."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any
from xml.etree import ElementTree

from voicebot.authoring.conversation.coverage import Coverage, percent
from voicebot.authoring.testing.run import Failure, Result
from voicebot.dialog.model.slots import meaning_of

_NO_XML = re.compile("[^\t\n\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
SHOWN_TALK = 8
"""Lines of the conversation that a failure shows before it."""


@dataclass(slots=True)
class Report:
    """All conversations that were held, and what of the dialogs they came to."""

    results: list[Result] = field(default_factory=list)
    coverage: list[Coverage] = field(default_factory=list)
    took_s: float = 0.0

    @property
    def failed(self) -> list[Result]:
        return [result for result in self.results if not result.passed]

    @property
    def steps_percent(self) -> float:
        return percent(sum(c.steps_covered for c in self.coverage), sum(c.steps for c in self.coverage))

    @property
    def ways_percent(self) -> float:
        return percent(sum(c.ways_covered for c in self.coverage), sum(c.ways for c in self.coverage))

    @property
    def summary(self) -> str:
        """As the last line has it: `5 passed, 1 failed, 100 % of steps, 92 % of ways`."""
        failed = len(self.failed)
        parts = [f"{len(self.results) - failed} passed"]
        parts += [f"{failed} failed"] if failed else []
        parts += [f"{self.steps_percent:g} % of steps", f"{self.ways_percent:g} % of ways"]
        spoken = [each for result in self.results for each in result.heard]
        if spoken:
            parts.append(f"{sum(each.rightly for each in spoken)} of {len(spoken)} lines heard rightly")
        return f"{', '.join(parts)} in {self.took_s:.2f} s"


def failure_lines(result: Result) -> Iterator[tuple[str, str]]:
    """Yield a failed conversation as lines: (style, text); style is `head`, `talk`, `bad`, `good` or ""."""
    yield "head", f"{result.case.file}:{result.case.lines.conversation}: {result.case.name}"
    told = 0
    for failure in result.failures:
        talk = result.talk[told : failure.at]
        told = failure.at
        if len(talk) > SHOWN_TALK:
            yield "talk", f"    ... {len(talk) - SHOWN_TALK} lines before"
        for line in talk[-SHOWN_TALK:]:
            yield "talk", f"    {line.who:<7} {line.text}"
        yield "bad", f"{result.case.file}:{failure.line}: {failure.what}"
        if failure.expected:
            yield "good", f"    expected  {failure.expected}"
        yield "bad", f"    got       {failure.got}"
        yield "", ""


def misheard_lines(result: Result) -> Iterator[str]:
    """Yield the lines of a caller that were taken in another way than they were meant."""
    for each in result.heard:
        if not each.rightly:
            yield f'    said "{each.said}", heard "{each.heard}", taken as {each.meaning or "nothing"}'


def coverage_lines(coverage: Sequence[Coverage], *, every: bool = True) -> Iterator[str]:
    """Yield a line a file, then what was not come to."""
    width = max((len(each.file) for each in coverage), default=0)
    for each in coverage:
        steps = f"steps {each.steps_covered}/{each.steps} ({each.steps_percent:g} %)"
        ways = f"ways {each.ways_covered}/{each.ways} ({each.ways_percent:g} %)"
        yield f"{each.file:<{width}}  {steps:<24} {ways}"
    if every:
        for each in coverage:
            for missed in each.uncovered:
                yield f"  {each.file}{f':{missed.line}' if missed.line else ''}: never: {missed.what}"


def as_json(report: Report) -> dict[str, Any]:
    """Return everything for other programs."""
    return {
        "passed": len(report.results) - len(report.failed),
        "failed": len(report.failed),
        "took_s": round(report.took_s, 3),
        "steps_percent": report.steps_percent,
        "ways_percent": report.ways_percent,
        "conversations": [_result_json(result) for result in report.results],
        "coverage": [asdict(each) for each in report.coverage],
    }


def _result_json(result: Result) -> dict[str, Any]:
    return {
        "file": result.case.file,
        "line": result.case.lines.conversation,
        "conversation": result.case.name,
        "passed": result.passed,
        "took_ms": round(result.took_ms, 2),
        "outcome": result.outcome,
        "slots": {name: meaning_of(value) for name, value in result.slots.items()},
        "failures": [_failure_json(failure) for failure in result.failures],
        "talk": [asdict(line) for line in result.talk],
        "heard": [asdict(each) for each in result.heard],
    }


def _failure_json(failure: Failure) -> dict[str, Any]:
    return {
        "line": failure.line,
        "what": failure.what,
        "expected": failure.expected,
        "got": failure.got,
    }


def as_junit(report: Report) -> str:
    """Return JUnit XML, as build servers read it: a suite a file."""
    root = ElementTree.Element("testsuites", name="voicebot dialog test", time=f"{report.took_s:.3f}")
    files = dict.fromkeys(result.case.file for result in report.results)
    for file in files:
        results = [result for result in report.results if result.case.file == file]
        suite = ElementTree.SubElement(
            root,
            "testsuite",
            name=_xml_text(file),
            tests=str(len(results)),
            failures=str(sum(not result.passed for result in results)),
            errors="0",
            time=f"{sum(result.took_ms for result in results) / 1000:.3f}",
        )
        for result in results:
            case = ElementTree.SubElement(
                suite,
                "testcase",
                name=_xml_text(result.case.name),
                classname=_xml_text(file.removesuffix(".test.yaml")),
                file=_xml_text(file),
                line=str(result.case.lines.conversation),
                time=f"{result.took_ms / 1000:.3f}",
            )
            if not result.passed:
                first = result.failures[0]
                message = _xml_text(f"line {first.line}: {first.what}")
                told = ElementTree.SubElement(case, "failure", message=message)
                told.text = _xml_text("\n".join(text for _, text in failure_lines(result)))
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _xml_text(text: str) -> str:
    """Leave out what XML cannot hold (XML 1.0, 2.2)."""
    return _NO_XML.sub("", text)
