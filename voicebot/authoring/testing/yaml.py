"""YAML of test conversations: several documents or a list, with the line of every value.

Like dialogs they have no aliases or tags, and a text stays as it is written (0042 keeps its zeros, a date is
no object). Each text also knows what YAML takes it for, since a service's reply is JSON.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.constructor import SafeConstructor
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import AliasEvent, CollectionEndEvent, CollectionStartEvent, NodeEvent
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from voicebot.dialog.loading.yamlfile import LARGEST_BYTES, MOST_PROBLEMS, unprintable
from voicebot.errors import Problem, UserError

MOST_NODES = 50_000
DEEPEST = 40
LONGEST_NUMBER = 100
"""Characters; what is longer stays a text."""

Path = tuple[str | int, ...]
Position = tuple[int, int]


class Scalar(str):
    """A text as it is written. `value` is what YAML 1.2 takes it for: true, 3, null, or the text."""

    value: Any
    __slots__ = ("value",)


@dataclass(slots=True)
class Read:
    """The documents' data, and the place (line, column, from 1) of every value and key."""

    documents: list[Any] = field(default_factory=list)
    values: dict[Path, Position] = field(default_factory=dict)
    keys: dict[Path, Position] = field(default_factory=dict)

    def position(self, path: Path, *, key: bool = False) -> Position:
        """Return where the value (or key) at `path` stands, or else the nearest thing around it."""
        places = (self.keys, self.values) if key else (self.values, self.keys)
        for length in range(len(path), -1, -1):
            for place in places:
                if path[:length] in place:
                    return place[path[:length]]
        return 1, 1


def read(text: str, source: str) -> Read:
    """Read all documents of a file; paths begin with the number of the document.

    Raises UserError with all that is wrong with its form.
    """
    if len(text.encode("utf-8", "replace")) > LARGEST_BYTES:
        raise UserError(Problem("larger than 1 MiB", "split the file", source, code="size"))
    if problem := unprintable(text, source):
        raise UserError(problem)
    try:
        _refuse(text, source)
        roots = list(YAML(typ="safe", pure=True).compose_all(text))
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        what = " ".join(str(part) for part in (error.context, error.problem) if part)
        line, column = (mark.line + 1, mark.column + 1) if mark else (None, None)
        remedy = "put a text that holds `: ` or `#`, or begins with `{`, into quotes; indent with spaces"
        problem = Problem(f"not valid YAML: {what}", remedy, source, line, column, "yaml")
        raise UserError(problem) from error
    except (YAMLError, ValueError, RecursionError) as error:
        raise UserError(Problem(f"not valid YAML: {error}", "", source, code="yaml")) from error
    found, problems = Read(), list[Problem]()
    for number, root in enumerate(roots):
        found.documents.append(_build(root, (number,), found, source, problems) if root else None)
    if problems:
        raise UserError(problems)
    return found


def plain(value: Any) -> Any:
    """Return data as JSON has it."""
    if isinstance(value, Scalar):
        return value.value
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    return [plain(item) for item in value] if isinstance(value, list | tuple) else value


def _refuse(text: str, source: str) -> None:
    nodes, depth, problems = 0, 0, list[Problem]()
    for event in YAML(typ="safe", pure=True).parse(text):
        line, column = event.start_mark.line + 1, event.start_mark.column + 1
        depth -= isinstance(event, CollectionEndEvent)
        if not isinstance(event, NodeEvent):
            continue
        nodes += 1
        depth += isinstance(event, CollectionStartEvent)
        if depth > DEEPEST:  # before the parser goes deeper: each level costs it more than the one before
            what = f"nested deeper than {DEEPEST} levels"
            raise UserError([*problems, Problem(what, "write it flatter", source, line, column, "depth")])
        if nodes > MOST_NODES:
            what = f"more than {MOST_NODES} values"
            raise UserError(Problem(what, "split the file", source, line, column, "size"))
        tag = getattr(event, "ctag", None)
        if isinstance(event, AliasEvent) or event.anchor:
            what = f"`{event.anchor}` is an alias or an anchor"
            problems.append(Problem(what, "write the value out", source, line, column, "alias"))
        elif tag is not None and str(tag) not in ("None", "!"):
            problems.append(Problem(f"`{tag}` is a tag", "take it away", source, line, column, "tag"))
        if len(problems) >= MOST_PROBLEMS:
            break
    if problems:
        raise UserError(problems)


_TYPED = (
    "tag:yaml.org,2002:null",
    "tag:yaml.org,2002:bool",
    "tag:yaml.org,2002:int",
    "tag:yaml.org,2002:float",
)
_CONSTRUCTOR = SafeConstructor(loader=YAML(typ="safe", pure=True))


def _build(node: Node, path: Path, found: Read, source: str, problems: list[Problem]) -> Any:
    found.values[path] = (node.start_mark.line + 1, node.start_mark.column + 1)
    if isinstance(node, ScalarNode):
        return _scalar(node)
    if isinstance(node, SequenceNode):
        return [_build(item, (*path, at), found, source, problems) for at, item in enumerate(node.value)]
    assert isinstance(node, MappingNode)
    built: dict[str, Any] = {}
    for key_node, value_node in node.value:
        line, column = key_node.start_mark.line + 1, key_node.start_mark.column + 1
        if not isinstance(key_node, ScalarNode):
            problems.append(
                Problem("a key must be a word", "put it into quotes", source, line, column, "key")
            )
            continue
        key = str(key_node.value)
        if key in built:
            what = f"`{key}` stands here twice, first in line {found.keys[(*path, key)][0]}"
            problems.append(Problem(what, "keep one of them", source, line, column, "duplicate"))
            continue
        found.keys[(*path, key)] = (line, column)
        built[key] = _build(value_node, (*path, key), found, source, problems)
    return built


def _scalar(node: ScalarNode) -> Scalar | None:
    tag = str(node.tag)
    if tag == "tag:yaml.org,2002:null":
        return None
    text = Scalar(node.value)
    text.value = str(node.value)
    if tag in _TYPED and node.style is None and len(node.value) <= LONGEST_NUMBER:
        value = _CONSTRUCTOR.construct_object(node)
        if not isinstance(value, float) or math.isfinite(value):  # JSON has no other numbers
            text.value = value
    return text
