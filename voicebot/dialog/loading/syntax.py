"""What keeps a file from being YAML at all, in an author's words: what stands there, and how it is written.

A parser tells where it lost the thread. That is often a line or more below the mistake, and in its own terms.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from ruamel.yaml.error import MarkedYAMLError, StreamMark

from voicebot.errors import Problem

QUOTE = "put a text that holds `: `, `#`, `{` at its start, or quotes, into quotes; indent with spaces"

_LONGEST_SHOWN = 60
_LINE = re.compile(r"(?P<indent> *)(?:- )*(?P<key>[\w.-]+):(?: +(?P<value>\S.*?))? *")
"""A line such as `say: Hello.`"""
_WORD = re.compile(r" *(?:- )*[\w.-]+ *")


class _Told(NamedTuple):
    """What is wrong, the remedy, and where (from 0); without a place where the parser stopped."""

    what: str
    remedy: str
    line: int | None = None
    column: int = 0


def explained(error: MarkedYAMLError, text: str, source: str) -> Problem:
    """Return what is wrong with `text`, and where, as far as `error` lets one guess; else what it says."""
    mark = error.problem_mark or error.context_mark
    what = " ".join(str(part) for part in (error.context, error.problem) if part)
    if mark is None:
        return Problem(f"not valid YAML: {what}"[:300], QUOTE, source, None, None, "yaml")
    if "\\t" in what:
        place = mark.line + 1, mark.column + 1
        return Problem("a tab stands where spaces must", "indent with spaces", source, *place, "tab")
    told = _guess(error, what, mark, text.splitlines())
    if told is None:
        told = _Told(f"not valid YAML: {what}"[:300], QUOTE)
    line, column = (mark.line, mark.column) if told.line is None else (told.line, told.column)
    return Problem(told.what, told.remedy, source, line + 1, column + 1, "yaml")


def _guess(error: MarkedYAMLError, what: str, mark: StreamMark, lines: list[str]) -> _Told | None:
    begin = error.context_mark
    here = lines[mark.line] if mark.line < len(lines) else ""
    if begin is not None and "quoted scalar" in what and "end of stream" in what:
        return _Told("the quote that begins here is not closed", "close it", begin.line, begin.column)
    if begin is not None and "flow" in what and (mark.line > begin.line or "stream end" in what):
        bracket = "{" if "mapping" in what else "["
        closing = "}" if bracket == "{" else "]"
        remedy = f"write `{closing}` at its end"
        return _Told(f"the `{bracket}` that begins here is not closed", remedy, begin.line, begin.column)
    if begin is not None and "flow" in what:
        return _Told("a comma is missing before this", "write one, or put the text into quotes")
    if begin is not None and "simple key" in what:
        return _no_key(lines[begin.line] if begin.line < len(lines) else "", begin)
    if "mapping values" in what:
        return _two_colons(here, mark, lines)
    if "cannot start any token" in what:
        return _Told(f"a text that begins with `{here[mark.column]}` must be in quotes", _quoted(here))
    if "sequence entries" in what:
        return _Told(
            "a list begins on a line of its own",
            f"write it one line further down; {_quoted(here)} for a text that begins with a dash",
        )
    if "<block end>" in what:
        return _torn(here, mark, lines)
    return None


def _no_key(line: str, begin: StreamMark) -> _Told:
    word = line[begin.column :].strip()
    key, colon, value = word.partition(":")
    if colon and re.fullmatch(r"[\w.-]+", key) and value:
        what = f"a space is missing after `{key}:`"
        return _Told(what, f"write `{_short(f'{key}: {value}')}`", begin.line, begin.column)
    what = f"`{_short(word)}` is neither a key with its colon nor part of the text above"
    remedy = "write `key: value`; a text that goes on is indented deeper than its key"
    return _Told(what, remedy, begin.line, begin.column)


def _two_colons(here: str, mark: StreamMark, lines: list[str]) -> _Told:
    if _WORD.fullmatch(here[: mark.column]) and (above := _above(mark.line, lines)) is not None:
        indent, usual = _indent(here), _indent(above)
        if indent > usual:
            return _Told(
                f"is indented by {indent} spaces, the line above by {usual}",
                f"begin it with {usual} spaces; or end the line above with its colon",
                mark.line,
                indent,
            )
    return _Told("a text that holds a colon and a space must be in quotes", _quoted(here))


def _torn(here: str, mark: StreamMark, lines: list[str]) -> _Told | None:
    """A block ends where none can: by its indent, or by what stands after a quote or a brace."""
    if (opened := _open_quote(mark.line, lines)) is not None:
        return _Told("the quote that begins here is not closed", "close it at the end of the text", *opened)
    above = _above(mark.line, lines)
    if here[: mark.column].strip():
        found = _LINE.fullmatch(here)
        value = found["value"] if found and found["value"] else ""
        if value.startswith(("{", "[", "*", "&", "!")):
            return _Told(f"a text that begins with `{value[0]}` must be in quotes", _quoted(here))
        if value.startswith(("'", '"')):
            return _Told("the text goes on after its closing quote", _quoted(here))
        return None
    if here.lstrip().startswith("- ") and above is not None:
        return _Told("a list's `-` stands among keys", "write `name:` without the dash, as its neighbours")
    if above is not None and _indent(here) != _indent(above):
        indent, usual = _indent(here), _indent(above)
        what = f"is indented by {indent} spaces, the line above by {usual}"
        return _Told(what, f"begin it with {usual} spaces, or as many as its neighbours")
    return None


def _open_quote(line: int, lines: list[str]) -> tuple[int, int] | None:
    """Find a text above that begins with a quote which it does not close: the next quote did."""
    for at in range(line - 1, max(-1, line - 40), -1):
        found = _LINE.fullmatch(lines[at])
        value = found["value"] if found else None
        if found and value and value[0] in "'\"" and value.count(value[0]) % 2:
            return at, found.start("value")
    return None


def _above(line: int, lines: list[str]) -> str | None:
    """Return the last line before that says something."""
    told = (text for text in reversed(lines[:line]) if text.strip() and not text.lstrip().startswith("#"))
    return next(told, None)


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip(" "))


def _quoted(line: str) -> str:
    """Return the remedy: the line with its text in quotes."""
    found = _LINE.fullmatch(line)
    value = found["value"] if found else None
    if not found or not value:
        return "put the text into quotes"
    if value[0] in "'\"" and value.count(value[0]) % 2 and value[0] == value[-1]:
        value = value[1:-1]  # an apostrophe within quotes that are apostrophes
    text = f'"{value}"' if '"' not in value else "'{}'".format(value.replace("'", "''"))
    shown = f"{found['key']}: {text}"
    return f"write `{shown}`" if len(shown) <= _LONGEST_SHOWN * 2 else "put the whole text into quotes"


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}..."
