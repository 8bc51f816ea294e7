"""YAML 1.2 as plain data with the line and column of every value; what a dialog file may not use is refused.

Scalars stay text (so `yes`, `no`, `on` are words and 0800 keeps its zero); the models read numbers from it.
The file is read once, event by event: size, depth, aliases and tags are judged before anything grows.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    CollectionEndEvent,
    DocumentStartEvent,
    Event,
    MappingStartEvent,
    NodeEvent,
    ScalarEvent,
    SequenceStartEvent,
    StreamEndEvent,
)

from voicebot.dialog.loading.syntax import QUOTE, explained
from voicebot.dialog.model.base import Plain
from voicebot.errors import Problem, UserError

LARGEST_BYTES = 1 << 20
DEEPEST = 50
MOST_NODES = 50_000
"""A dialog has hundreds; more is an attack on the parser."""
MOST_PROBLEMS = 100
"""Told of one file; who has more mends these first."""
BEGIN = "begin with `dialog: a-name`, then `steps:`; see docs/dialogs.md"

Path = tuple[str | int, ...]
Position = tuple[int, int]

_UNPRINTABLE = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_IN_QUOTES = "a text that begins so must be in quotes"
_NULLS = frozenset(("", "~", "null", "Null", "NULL"))


@dataclass(frozen=True, slots=True)
class YamlFile:
    """`data` of mappings, lists, text and None; positions (line, column, from 1) of values and keys.

    `cut` are the texts after which a comment begins as if it were their next word.
    """

    data: Any
    values: dict[Path, Position] = field(default_factory=dict)
    keys: dict[Path, Position] = field(default_factory=dict)
    cut: tuple[Path, ...] = ()

    def position(self, path: Path, *, key: bool = False) -> Position | None:
        """Return where the value (or key) at `path` stands, or else the nearest thing around it.

        What a short form leaves out (`say: Hello.` is the first of a list) is passed over.
        """
        here: Path = ()
        value = self.data
        for part in path:
            if (*here, part) in self.values:
                here = (*here, part)
                value = value[part]
        key = key and (here == path or not isinstance(value, str))
        places = (self.keys, self.values) if key else (self.values, self.keys)
        return next((place[here] for place in places if here in place), None)

    def problem(
        self, path: Path, what: str, remedy: str, source: str, code: str, *, key: bool = False
    ) -> Problem:
        """Return a problem with what stands at `path`."""
        line, column = self.position(path, key=key) or (None, None)
        return Problem(what, remedy, source, line, column, code)


def read_yaml(text: str, source: str, *, what: str = "dialog", remedy: str = BEGIN) -> YamlFile:
    """Read one YAML document, which must be a mapping; `what` names it and `remedy` tells how it begins.

    Raises UserError with all that is wrong with its form.
    """
    if len(text) > LARGEST_BYTES or len(text.encode("utf-8", "replace")) > LARGEST_BYTES:
        raise UserError(Problem("larger than 1 MiB", f"split the {what}", source, code="size"))
    if problem := unprintable(text, source):
        raise UserError(problem)
    reader = _Reader(source, what, text.splitlines())
    try:
        data = reader.document(YAML(typ="safe", pure=True).parse(text))
    except MarkedYAMLError as error:
        raise UserError([*reader.problems, explained(error, text, source)]) from error
    except (YAMLError, ValueError, OverflowError) as error:
        message = f"not valid YAML: {error}".splitlines()[0]
        raise UserError([*reader.problems, Problem(message, QUOTE, source, code="yaml")]) from error
    if not isinstance(data, dict) and not reader.problems:
        line, column = reader.values.get((), (1, 1))
        raise UserError(Problem(f"is not a {what}", remedy, source, line, column, "shape"))
    if reader.problems:
        raise UserError(reader.problems)
    return YamlFile(data, reader.values, reader.keys, tuple(reader.cut))


class _Reader:
    """Builds data from events and notes what is refused."""

    def __init__(self, source: str, what: str, lines: list[str]) -> None:
        self.problems: list[Problem] = []
        self.cut: list[Path] = []
        self._lines = lines
        self.values: dict[Path, Position] = {}
        self.keys: dict[Path, Position] = {}
        self._source, self._what = source, what
        self._nodes = 0

    def document(self, events: Iterator[Event]) -> Any:
        """Return the data of the only document; None where there is none."""
        data: Any = None
        documents = 0
        for event in events:
            if isinstance(event, DocumentStartEvent):
                documents += 1
                if documents > 1:
                    self._note(event, "a second document begins", f"one {self._what} a file", "shape")
                    break
                if event.version or event.tags:
                    self._note(event, "a directive stands here", "take the line with % away", "tag")
            elif isinstance(event, NodeEvent):
                data = self._node(event, events, (), 0)
            elif isinstance(event, StreamEndEvent):
                break
        return data

    def _node(self, event: Event, events: Iterator[Event], path: Path, depth: int) -> Any:
        self._judge(event, depth)
        self.values[path] = _position(event)
        if isinstance(event, MappingStartEvent):
            return self._mapping(events, path, depth)
        if isinstance(event, SequenceStartEvent):
            items: list[Any] = []
            while not isinstance(inner := next(events), CollectionEndEvent):
                items.append(self._node(inner, events, (*path, len(items)), depth + 1))
            return items
        if isinstance(event, ScalarEvent):
            if event.style:
                if event.style == '"' and (found := _UNPRINTABLE.search(event.value)):
                    what = f"an escape stands for U+{ord(found[0]):04X}, which cannot be in a text"
                    self._note(event, what, "take it away", "encoding")
                return str(event.value)
            if event.value[-1:].isalnum() and self._goes_on(event):
                self.cut.append(path)
            return None if event.value in _NULLS else Plain(event.value)
        return None  # an alias, which was noted

    def _goes_on(self, event: Event) -> bool:
        """Whether a `#` stands one space after a text, where comments stand further off."""
        end = event.end_mark
        return bool(end.line < len(self._lines) and self._lines[end.line].startswith(" #", end.column))

    def _mapping(self, events: Iterator[Event], path: Path, depth: int) -> dict[str, Any]:
        built: dict[str, Any] = {}
        while not isinstance(at := next(events), CollectionEndEvent):
            known = len(self.problems)
            name = self._node(at, events, (*path, "?"), depth + 1)
            key = str(at.value) if isinstance(at, ScalarEvent) else ""
            if len(self.problems) == known:
                self._judge_key(at, key, name, path, built)
            refused = len(self.problems) > known
            if not refused:
                self.keys[(*path, key)] = _position(at)
            value = self._node(next(events), events, (*path, "?" if refused else key), depth + 1)
            if not refused:
                built[key] = value
        return built

    def _judge_key(self, event: Event, key: str, name: Any, path: Path, built: dict[str, Any]) -> None:
        if not isinstance(event, ScalarEvent):
            remedy = 'quote a text that begins with a brace: "{name}, hello"'
            self._note(event, "a key must be a word", remedy, "key")
        elif name is None or not key.strip():
            self._note(event, "a key is missing before the colon", "write one, or quote the text", "key")
        elif key == "<<" and not event.style:
            self._note(event, "`<<` is a merge key", "write the keys out", "alias")
        elif key in built:
            first = self.keys[(*path, key)][0]
            what = f"`{_short(key)}` stands here twice, first in line {first}"
            self._note(event, what, "keep one of them", "duplicate")

    def _judge(self, event: Event, depth: int) -> None:
        self._nodes += 1
        if self._nodes > MOST_NODES:
            self._stop(event, f"more than {MOST_NODES} values", f"split the {self._what}", "size")
        if depth > DEEPEST:
            self._stop(event, f"nested deeper than {DEEPEST} levels", "write it flatter", "depth")
        if isinstance(event, AliasEvent):
            remedy = f"write the value out; {_IN_QUOTES}"
            self._note(event, f"`*{_short(event.anchor)}` is an alias", remedy, "alias")
        elif anchor := getattr(event, "anchor", None):
            self._note(event, f"`&{_short(anchor)}` is an anchor", f"take it away; {_IN_QUOTES}", "alias")
        tag = getattr(event, "ctag", None)
        if tag is not None and str(tag) not in ("None", "!"):
            self._note(event, f"`{_short(str(tag))}` is a tag", f"take it away; {_IN_QUOTES}", "tag")

    def _note(self, event: Event, what: str, remedy: str, code: str) -> None:
        self.problems.append(Problem(what, remedy, self._source, *_position(event), code))
        if len(self.problems) >= MOST_PROBLEMS:
            raise UserError(self.problems)

    def _stop(self, event: Event, what: str, remedy: str, code: str) -> None:
        self._note(event, what, remedy, code)
        raise UserError(self.problems)


def _position(event: Event) -> Position:
    return event.start_mark.line + 1, event.start_mark.column + 1


def _short(word: str) -> str:
    return word if len(word) <= 40 else f"{word[:40]}..."


def unprintable(text: str, source: str) -> Problem | None:
    """Return what is wrong with the first character that no text file holds: NUL, half of a pair, ..."""
    found = _UNPRINTABLE.search(text)
    if found is None:
        return None
    at = found.start()
    line, column = text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at)
    what = f"the character U+{ord(text[at]):04X} cannot be in a text file"
    return Problem(what, "take it away, and save the file as UTF-8", source, line, column, "encoding")
