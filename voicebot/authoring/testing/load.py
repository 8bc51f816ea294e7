"""From files and folders to test conversations with their lines; all mistakes are told at once."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from voicebot.authoring.testing import yaml as testing_yaml
from voicebot.authoring.testing.format import Common, Head, Item, Stub, TestConversation
from voicebot.dialog.checking.suggest import near
from voicebot.dialog.loading.files import read_text
from voicebot.dialog.loading.loader import in_order
from voicebot.errors import Problem, UserError, said_plainly

TESTS_SCHEMA = Path(__file__).with_name("schema.json")
"""The copy of the schema that editors read."""
LONGEST_SHOWN = 100
"""Characters of what is wrong, in a problem."""
SUFFIXES = (".test.yaml", ".test.yml")


@dataclass(frozen=True, slots=True)
class Lines:
    """Where a conversation stands in its file: itself, each line of its talk, each of its other keys."""

    conversation: int
    talk: tuple[int, ...]
    keys: dict[str, int]

    def of(self, key: str) -> int:
        return self.keys.get(key, self.conversation)


@dataclass(frozen=True, slots=True)
class Case:
    """One conversation to be tried: with what is true of every one of its file put in."""

    file: str
    dialog: Path
    spec: TestConversation
    lines: Lines

    @property
    def name(self) -> str:
        return self.spec.conversation


def find_tests(paths: Iterable[Path]) -> list[Path]:
    """Return the test files that are meant: themselves, those beside a dialog, those in a folder.

    Raises UserError where there is none.
    """
    found: list[Path] = []
    problems = []
    for path in paths:
        if path.is_dir():
            here = sorted(each for suffix in SUFFIXES for each in path.rglob(f"*{suffix}"))
        elif path.name.endswith(SUFFIXES):
            here = [path]
        else:
            here = [each for suffix in SUFFIXES if (each := path.with_name(f"{path.stem}{suffix}")).exists()]
        if not here and not path.exists():
            problems.append(Problem("there is no such dialog", "is the path right?", str(path)))
        elif not here:
            wanted = "*.test.yaml" if path.is_dir() else f"{path.stem}.test.yaml"
            problems.append(Problem("has no tests", f"write {wanted}; see docs/dialog-tests.md", str(path)))
        found += here
    if problems:
        raise UserError(problems)
    return list(dict.fromkeys(found))


def load_cases(path: Path) -> list[Case]:
    """Read a test file. Raises UserError with all problems."""
    return parse_cases(read_text(str(path), "file"), path)


def parse_cases(text: str, path: Path) -> list[Case]:
    """Read the text of a test file; `path` names it and tells where its dialog is."""
    read = testing_yaml.read(text, str(path))
    head = Head()
    specs: list[tuple[TestConversation, testing_yaml.Path]] = []
    problems: list[Problem] = []
    entries = list(_entries(read))
    for place, entry in entries:
        model = TestConversation if isinstance(entry, dict) and "conversation" in entry else Head
        try:
            made = model.model_validate(entry)
        except ValidationError as error:
            problems += _problems(error, read, place, str(path))
            continue
        if isinstance(made, Head):
            head = head.model_copy(update={name: getattr(made, name) for name in made.model_fields_set})
        else:
            specs.append((made, place))
    if not entries or not (specs or problems):
        remedy = "begin with `- conversation: what happens in it`; see docs/dialog-tests.md"
        problems.append(Problem("holds no conversation", remedy, str(path), 1, 1))
    if problems:
        raise UserError(in_order(problems))
    dialog = _dialog_of(path, head)
    return [Case(str(path), dialog, _with(head.every, spec), _lines(read, place)) for spec, place in specs]


def _entries(read: testing_yaml.Read) -> Iterable[tuple[testing_yaml.Path, Any]]:
    for number, document in enumerate(read.documents):
        if isinstance(document, list):
            yield from (((number, at), entry) for at, entry in enumerate(document))
        elif document is not None:
            yield (number,), document


def _dialog_of(path: Path, head: Head) -> Path:
    if head.dialog is not None:
        return path.parent / head.dialog
    suffix = next((each for each in SUFFIXES if path.name.endswith(each)), "")
    return path.with_name(path.name.removesuffix(suffix) + ".yaml")


def _with(every: Common, spec: TestConversation) -> TestConversation:
    update: dict[str, Any] = {
        name: getattr(every, name)
        for name in ("now", "language", "seed")
        if name not in spec.model_fields_set
    }
    for name in ("given", "call", "environment"):
        update[name] = {**getattr(every, name), **getattr(spec, name)}
    update["stubs"] = (*spec.stubs, *every.stubs)
    return spec.model_copy(update=update)


def _lines(read: testing_yaml.Read, place: testing_yaml.Path) -> Lines:
    talk: list[int] = []
    while (path := (*place, "talk", len(talk))) in read.values:
        talk.append(read.values[path][0])
    keys = {
        str(path[-1]): line
        for path, (line, _) in read.keys.items()
        if path[:-1] in (place, (*place, "slots"))
    }
    return Lines(read.position(place)[0], tuple(talk), keys)


def _problems(
    error: ValidationError, read: testing_yaml.Read, place: testing_yaml.Path, source: str
) -> list[Problem]:
    found: dict[tuple[int, int, str], Problem] = {}
    for fault in error.errors():
        path, owner = _path(fault["loc"], read.documents, place)
        line, column = read.position(path, key=fault["type"] in ("extra_forbidden", "missing"))
        what, remedy = _told(fault, owner)
        found.setdefault((line, column, what), Problem(what, remedy, source, line, column, fault["type"]))
    return list(found.values())


def _path(
    location: tuple[int | str, ...], documents: Any, place: testing_yaml.Path
) -> tuple[testing_yaml.Path, str]:
    """Follow a validator's location through the data, past its own names; tell which key is around it."""
    data: Any = documents
    for part in place:
        data = data[part]
    path = list(place)
    for part in location:
        children: Any = (
            data if isinstance(data, dict) else dict(enumerate(data)) if isinstance(data, list) else {}
        )
        if part in children:
            path.append(part)
            data = children[part]
    return tuple(path), next((str(part) for part in reversed(path) if isinstance(part, str)), "")


def _told(fault: ErrorDetails, name: str) -> tuple[str, str]:
    given, limits = str(fault["input"])[:LONGEST_SHOWN], fault.get("ctx", {})
    match fault["type"]:
        case "extra_forbidden":
            known = _known(fault["loc"])
            wrong = str(fault["loc"][-1])
            return f"`{wrong}` is not known here", near(wrong, known) or f"known are {', '.join(known)}"
        case "missing":
            return f"`{fault['loc'][-1]}` is missing", "see docs/dialog-tests.md"
        case "literal_error":
            wanted = str(limits.get("expected", "")).replace("'", "")
            return f"`{given}` is not possible here", f"possible are {wanted}"
        case "string_pattern_mismatch":
            remedy = (
                "write digits, *, # and A to D" if name == "keys" else "use small letters, digits, - and _"
            )
            return f"`{given}` cannot be written so", remedy
        case "string_type":
            return f"`{name}` must be a text", "write one"
        case "model_type" | "model_attributes_type" | "dict_type":
            return f"`{name or 'an entry'}` must hold keys and values", "see docs/dialog-tests.md"
        case "datetime_parsing" | "datetime_from_date_parsing" | "datetime_type":
            return f"`{given}` is no date and time", "write it as 2027-03-01T10:00"
    message = said_plainly(fault)
    return (f"{name}: {message}" if name else message), ""


def _known(location: tuple[int | str, ...]) -> list[str]:
    model: Any = TestConversation if "conversation" in location[:1] or "talk" in location else Head
    if len(location) == 1:
        model = TestConversation
    elif "every" in location:
        model = Common
    elif "stubs" in location:
        model = Stub
    elif "talk" in location:
        model = Item
        for part in location[2:-1]:
            field = Item.model_fields.get(str(part))
            inner = next((t for t in _models(field.annotation)), None) if field else None
            model = inner or model
    return [info.alias or name for name, info in model.model_fields.items()]


def _models(annotation: Any) -> list[Any]:
    if hasattr(annotation, "model_fields"):
        return [annotation]
    return [model for part in getattr(annotation, "__args__", ()) for model in _models(part)]


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of test files, for editors."""
    entry = TestConversation | Head
    schema = TypeAdapter(list[entry] | TestConversation | Head).json_schema(by_alias=True)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **schema,
        "title": "Test conversations of a dialog of voicebot",
    }


def schema_of_tests() -> str:
    """Return the schema as the text of `schema.json` beside this file."""
    return json.dumps(json_schema(), indent=1, ensure_ascii=False) + "\n"
