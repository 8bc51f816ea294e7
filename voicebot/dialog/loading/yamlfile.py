"""YAML 1.2 as plain data with the line and column of every value; what a dialog file may not use is refused.

Scalars stay text (so `yes`, `no`, `on` are words and 0800 keeps its zero); the models read numbers from it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    CollectionEndEvent,
    CollectionStartEvent,
    DocumentStartEvent,
    NodeEvent,
)
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from voicebot.errors import Problem, UserError

LARGEST_BYTES = 1 << 20
DEEPEST = 50
MOST_NODES = 50_000
"""A dialog has hundreds; more is an attack on the parser."""

Path = tuple[str | int, ...]
Position = tuple[int, int]


@dataclass(frozen=True, slots=True)
class YamlFile:
    """`data` of mappings, lists, text and None; positions (line, column, from 1) of values and keys."""

    data: Any
    values: dict[Path, Position] = field(default_factory=dict)
    keys: dict[Path, Position] = field(default_factory=dict)

    def position(self, path: Path, *, key: bool = False) -> Position | None:
        """Return where the value (or key) at `path` stands, or else the nearest thing around it."""
        for length in range(len(path), -1, -1):
            places = (self.keys, self.values) if key else (self.values, self.keys)
            for place in places:
                if path[:length] in place:
                    return place[path[:length]]
        return None


def read_yaml(text: str, source: str) -> YamlFile:
    """Read one YAML document. Raises UserError with all that is wrong with its form."""
    if len(text.encode("utf-8", "replace")) > LARGEST_BYTES:
        raise UserError(Problem("larger than 1 MiB", "split the dialog", source, code="size"))
    try:
        _refuse(text, source)
        root = YAML(typ="safe", pure=True).compose(text)
    except MarkedYAMLError as error:
        raise UserError(_syntax(error, source)) from error
    except (YAMLError, ValueError) as error:
        raise UserError(Problem(f"not valid YAML: {error}", "", source, code="yaml")) from error
    if not isinstance(root, MappingNode):
        line = root.start_mark.line + 1 if root else 1
        remedy = "begin with `dialog: a-name`, then `steps:`; see docs/dialogs.md"
        raise UserError(Problem("is not a dialog", remedy, source, line, 1, "shape"))
    file = YamlFile({})
    problems: list[Problem] = []
    data = _build(root, (), file, source, problems)
    if problems:
        raise UserError(problems)
    return YamlFile(data, file.values, file.keys)


def _refuse(text: str, source: str) -> None:
    """Read the events only: depth, size, aliases and tags are judged before anything is built."""
    problems = []
    depth = nodes = documents = 0
    for event in YAML(typ="safe", pure=True).parse(text):
        line, column = event.start_mark.line + 1, event.start_mark.column + 1

        def problem(what: str, remedy: str, code: str, line: int = line, column: int = column) -> Problem:
            return Problem(what, remedy, source, line, column, code)

        if isinstance(event, NodeEvent):
            nodes += 1
            if nodes > MOST_NODES:
                raise UserError(problem(f"more than {MOST_NODES} values", "split the dialog", "size"))
            if isinstance(event, AliasEvent):
                problems.append(problem(f"`*{event.anchor}` is an alias", "write the value out", "alias"))
            elif event.anchor:
                problems.append(problem(f"`&{event.anchor}` is an anchor", "take it away", "alias"))
            tag = getattr(event, "ctag", None)
            if tag is not None and str(tag) not in ("None", "!"):
                problems.append(problem(f"`{tag}` is a tag", "take it away", "tag"))
        if isinstance(event, DocumentStartEvent):
            documents += 1
            if documents > 1:
                problems.append(problem("a second document begins", "one dialog a file", "shape"))
        if isinstance(event, CollectionStartEvent):
            depth += 1
            if depth > DEEPEST:
                raise UserError(problem(f"nested deeper than {DEEPEST} levels", "", "depth"))
        elif isinstance(event, CollectionEndEvent):
            depth -= 1
    if problems:
        raise UserError(problems)


def _syntax(error: MarkedYAMLError, source: str) -> Problem:
    mark = error.problem_mark or error.context_mark
    what = " ".join(str(part) for part in (error.context, error.problem) if part)
    line, column = (mark.line + 1, mark.column + 1) if mark else (None, None)
    remedy = "put a text that holds `: `, `#`, `{` at its start, or quotes, into quotes; indent with spaces"
    return Problem(f"not valid YAML: {what}", remedy, source, line, column, "yaml")


def _build(node: Node, path: Path, file: YamlFile, source: str, problems: list[Problem]) -> Any:
    file.values[path] = (node.start_mark.line + 1, node.start_mark.column + 1)
    if isinstance(node, ScalarNode):
        return None if str(node.tag) == "tag:yaml.org,2002:null" else node.value
    if isinstance(node, SequenceNode):
        return [_build(item, (*path, at), file, source, problems) for at, item in enumerate(node.value)]
    built: dict[str, Any] = {}
    for key_node, value_node in node.value:
        line, column = key_node.start_mark.line + 1, key_node.start_mark.column + 1
        if not isinstance(key_node, ScalarNode):
            remedy = 'quote a text that begins with a brace: "{name}, hello"'
            problems.append(Problem("a key must be a word", remedy, source, line, column, "key"))
            continue
        key = str(key_node.value)
        if key in built:
            first = file.keys[(*path, key)][0]
            what = f"`{key}` stands here twice, first in line {first}"
            problems.append(Problem(what, "keep one of them", source, line, column, "duplicate"))
            continue
        file.keys[(*path, key)] = (line, column)
        built[key] = _build(value_node, (*path, key), file, source, problems)
    return built
