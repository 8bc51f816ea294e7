"""`voicebot dialog test`: conversations that a dialog must hold."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from voicebot.authoring.conversation.coverage import covered, family
from voicebot.authoring.testing.load import Case, find_tests, load_cases, schema_of_tests
from voicebot.authoring.testing.report import (
    Report,
    as_json,
    as_junit,
    coverage_lines,
    failure_lines,
    misheard_lines,
)
from voicebot.authoring.testing.run import Result, run_case
from voicebot.cli.harmless import harmless
from voicebot.cli.options import ConfigFile, Json
from voicebot.dialog.loading.files import load_dialog
from voicebot.dialog.model.dialog import Dialog
from voicebot.errors import Problem, SpeechUnavailable, UserError

EXIT_FAILED = 1
_COLOURS = {"head": "white", "talk": "bright_black", "bad": "red", "good": "green"}


def test(
    files: Annotated[
        list[Path] | None, typer.Argument(help="Dialogs, their *.test.yaml, or folders of them.")
    ] = None,
    conversation: Annotated[
        list[str] | None,
        typer.Option("--conversation", help="Hold only the conversation of this name; repeatable."),
    ] = None,
    like: Annotated[
        str, typer.Option("-k", help="Hold only conversations whose name (or file) contains this.")
    ] = "",
    verbose: Annotated[
        bool, typer.Option("-v", "--verbose", help="Tell every conversation by name.")
    ] = False,
    stop: Annotated[bool, typer.Option("-x", "--stop", help="Stop at the first failure.")] = False,
    fail_under: Annotated[
        float, typer.Option("--cover-fail-under", min=0, max=100, help="Least share of ways, in percent.")
    ] = 0.0,
    audio: Annotated[
        bool, typer.Option("--audio", help="Speak and recognise every line, over a telephone line.")
    ] = False,
    impair: Annotated[
        str, typer.Option("--impair", help="The line: clean, mobile or bad.", metavar="clean|mobile|bad")
    ] = "clean",
    voice: Annotated[
        str, typer.Option("--voice", help="Engine or [tts.NAME] that speaks for callers, with --audio.")
    ] = "",
    seed: Annotated[int, typer.Option("--seed", help="Of the line's noise and losses, with --audio.")] = 0,
    config: ConfigFile = None,
    junit: Annotated[Path | None, typer.Option("--junit", help="Write JUnit XML to this file.")] = None,
    schema: Annotated[
        bool, typer.Option("--schema", help="Print the JSON Schema of test files, for editors; hold nothing.")
    ] = False,
    as_json_: Json = False,
) -> None:
    """Hold the conversations that stand in NAME.test.yaml beside NAME.yaml, and tell what went wrong.

    Exit status 1 when a conversation failed or too little was covered, 2 when a file cannot be used.
    """
    if schema:
        typer.echo(schema_of_tests(), nl=False)
        return
    if not files:
        raise UserError("no tests are named", "name dialogs, their *.test.yaml, or folders of them")
    cases = [case for case in _load(files) if _wanted(case, conversation or [], like)]
    if not cases:
        raise UserError("no conversation is called so", "see their names with -v")
    dialogs = _dialogs(cases)
    quiet = as_json_
    report = Report()
    began = time.perf_counter()
    pairs = [(case, dialogs[case.dialog]) for case in cases]
    held = _by_sound(pairs, config, impair, voice, seed) if audio else _by_text(pairs)
    for result in held:
        report.results.append(result)
        if not quiet:
            _tell(result, verbose)
        if stop and not result.passed:
            break
    report.took_s = time.perf_counter() - began
    report.coverage = covered(
        _all_of(dialogs),
        (way for result in report.results for way in result.ways),
        (step for result in report.results for step in result.visited),
    )
    if junit is not None:
        _write(junit, as_junit(report))
    too_little = bool(fail_under) and report.ways_percent < fail_under
    if as_json_:
        typer.echo(json.dumps(as_json(report), ensure_ascii=False))
    else:
        _print(report, verbose, f"fewer than {fail_under:g} % of ways" if too_little else "")
    if report.failed or too_little:
        raise typer.Exit(EXIT_FAILED)


def _load(paths: list[Path]) -> list[Case]:
    cases: list[Case] = []
    problems: list[Problem] = []
    for path in find_tests(paths):
        try:
            cases += load_cases(path)
        except UserError as error:
            problems += error.problems
    if problems:
        raise UserError(problems)
    return cases


def _wanted(case: Case, names: list[str], like: str) -> bool:
    if names and case.name not in names:
        return False
    return like.casefold() in f"{case.file} {case.name}".casefold()


def _dialogs(cases: list[Case]) -> dict[Path, Dialog]:
    found: dict[Path, Dialog] = {}
    problems: list[Problem] = []
    for path in dict.fromkeys(case.dialog for case in cases):
        try:
            found[path] = load_dialog(path)
        except UserError as error:
            problems += error.problems
    if problems:
        raise UserError(problems)
    return found


def _all_of(dialogs: dict[Path, Dialog]) -> list[Dialog]:
    return list({each.version: each for dialog in dialogs.values() for each in family(dialog)}.values())


def _by_text(pairs: list[tuple[Case, Dialog]]) -> Iterator[Result]:
    return (run_case(case, dialog) for case, dialog in pairs)


def _by_sound(
    pairs: list[tuple[Case, Dialog]], config: Path | None, impair: str, voice: str, seed: int
) -> Iterator[Result]:
    """Hold conversations by sound; engines are loaded here only, and stopped however it ends."""
    import asyncio
    import logging

    import structlog

    from voicebot.authoring.audio.line import PRESETS
    from voicebot.authoring.audio.run import run_by_sound
    from voicebot.config import load_config

    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    if impair not in PRESETS:
        raise UserError(f"--impair {impair}: there is no such line", f"there are {', '.join(PRESETS)}")
    held = run_by_sound(pairs, load_config(config, secrets=False), PRESETS[impair], voice=voice, seed=seed)
    with asyncio.Runner() as runner:
        try:
            while (result := runner.run(anext(held, None))) is not None:
                yield result
        except SpeechUnavailable as error:
            raise UserError(str(error), "`voicebot doctor` checks the engines") from error
        finally:
            runner.run(held.aclose())


def _tell(result: Result, verbose: bool) -> None:
    if verbose:
        word = typer.style("passed", fg="green") if result.passed else typer.style("FAILED", fg="red")
        typer.echo(f"{harmless(f'{result.case.file}: {result.case.name}')}  {word}  {result.took_ms:.1f} ms")
    else:
        typer.echo("." if result.passed else typer.style("F", fg="red"), nl=False)


def _print(report: Report, verbose: bool, complaint: str) -> None:
    if not verbose:
        typer.echo()
    for result in report.failed:
        typer.echo()
        for style, text in failure_lines(result):
            shown = harmless(text)
            typer.echo(typer.style(shown, fg=_COLOURS.get(style), bold=style == "head") if style else shown)
    for result in report.results:
        if lines := list(misheard_lines(result)):
            head = f"{result.case.file}:{result.case.lines.conversation}: {result.case.name}: misheard"
            typer.echo(harmless(head))
            for line in lines:
                typer.echo(typer.style(harmless(line), fg="yellow"))
    for line in coverage_lines(report.coverage):
        typer.echo(harmless(line))
    bad = bool(report.failed) or bool(complaint)
    summary = f"{report.summary}; {complaint}" if complaint else report.summary
    typer.echo(typer.style(summary, fg="red" if bad else "green", bold=True))


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UserError(Problem(f"cannot be written: {error.strerror or error}", "", str(path))) from error
