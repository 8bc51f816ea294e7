"""From the text of a file of look-ups to what runs; all mistakes are told at once, with their places."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from sqlalchemy import make_url
from sqlalchemy import text as sql_text
from sqlalchemy.exc import ArgumentError, NoSuchModuleError

from voicebot.agi.command import Refused
from voicebot.agi.permissions import check_settable
from voicebot.dialog.checking.suggest import near, near_or_all
from voicebot.dialog.loading.faults import place_of
from voicebot.dialog.loading.files import read_text
from voicebot.dialog.loading.yamlfile import MOST_PROBLEMS, YamlFile, read_yaml
from voicebot.dialog.loading.yamlfile import Path as Place
from voicebot.errors import Problem, UserError, said_plainly
from voicebot.fastagi.lookups.model import Database, Lookup, LookupFile, Request
from voicebot.fastagi.lookups.parameters import FIELDS, environment_name, is_known, places

SCHEMA = Path(__file__).with_name("schema.json")
"""The schema for editors, which files name in their first line; written by `scripts/references`."""
BEGIN = "begin with `lookups:`; see docs/agi.md"
CODE = "lookup"
_NOISE = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|--[^\n]*|/\*.*?\*/", re.DOTALL)
"""What stands in a statement and is none of its words: texts, names in quotes, comments."""
_SELECT = re.compile(r"\s*(select|with|values)\b", re.IGNORECASE)
_WRITES = re.compile(
    r"\b(insert|update|delete|merge|into|drop|alter|create|truncate|grant|revoke)\b", re.IGNORECASE
)
_QUOTED_PARAMETER = re.compile(r"'[^']*(?<!:):[a-z_][a-z0-9_]*[^']*'")
_KEYS: dict[str, type[Any]] = {"databases": Database, "lookups": Lookup, "fetch": Request}


def load_lookups(path: Path, environment: Mapping[str, str] | None = None) -> LookupFile:
    """Read a file of look-ups. Raises UserError with every mistake in it, each with line and column.

    environment: of the process, which holds passwords and keys. No database is asked.
    """
    return parse_lookups(read_text(str(path), "file of look-ups"), str(path), environment)


def parse_lookups(
    text: str, source: str = "lookups.yaml", environment: Mapping[str, str] | None = None
) -> LookupFile:
    """Read look-ups from text; `source` names it in messages. Raises UserError with every mistake."""
    environment = os.environ if environment is None else environment
    yaml = read_yaml(text, source, what="file of look-ups", remedy=BEGIN)
    try:
        file = LookupFile.model_validate(yaml.data)
    except ValidationError as error:
        raise UserError(_sorted(_problems_of(error, yaml, source))) from error
    problems = [
        yaml.problem(place, what, remedy, source, CODE) for place, what, remedy in _doubts(file, environment)
    ]
    if problems:
        raise UserError(_sorted(problems))
    return file


def _sorted(problems: list[Problem]) -> list[Problem]:
    return sorted(problems, key=lambda problem: (problem.line or 0, problem.column or 0))


def _doubts(file: LookupFile, environment: Mapping[str, str]) -> Iterator[tuple[Place, str, str]]:
    """Yield what no field can say of itself: (place, what is wrong, remedy)."""
    for name, database in file.databases.items():
        yield from _database_doubts(("databases", name), database, environment)
    for name, lookup in file.lookups.items():
        here: Place = ("lookups", name)
        if bool(lookup.query) == (lookup.fetch is not None):
            yield here, f"`{name}` needs a `query` or a `fetch`, one of them", "such as `query: SELECT ...`"
        if lookup.query:
            yield from _query_doubts(here, lookup, file)
        if lookup.fetch is not None:
            yield from _fetch_doubts((*here, "fetch"), lookup, lookup.fetch, environment)
        for key in ("set", "otherwise"):
            for variable in getattr(lookup, key):
                try:
                    check_settable(variable)
                except Refused:
                    remedy = "letters, digits and _, such as VOICEBOT_VIP"
                    yield (*here, key, variable), f"`{variable}` is no variable that may be set", remedy
        for variable in lookup.otherwise:
            if variable not in lookup.set:
                remedy = near_or_all(variable, lookup.set)
                yield (*here, "otherwise", variable), f"`{variable}` is not in `set`", remedy


def _database_doubts(
    here: Place, database: Database, environment: Mapping[str, str]
) -> Iterator[tuple[Place, str, str]]:
    try:
        url = make_url(database.url)
        url.get_dialect()  # the driver itself is looked for when look-ups are run
    except NoSuchModuleError:
        known = "such as sqlite, postgresql+asyncpg, mysql+asyncmy"
        yield here, f"SQLAlchemy knows no `{url.drivername}`", known
        return
    except ArgumentError:
        yield here, "the url is no database", "write sqlite:///FILE or postgresql://user@host/database"
        return
    except ImportError as error:
        yield here, f"the driver of `{url.drivername}` is missing: {error.name}", "install it"
        return
    if url.password:
        yield (
            here,
            "a password stands in the url",
            "name an environment variable: `password_env: CRM_PASSWORD`",
        )
    if database.password_env and database.password_env not in environment:
        yield (*here, "password_env"), f"{database.password_env} is not set in the environment", "set it"
    if database.password_env and database.password_file:
        yield (*here, "password_file"), "two places for one password", "take one away"


def _query_doubts(here: Place, lookup: Lookup, file: LookupFile) -> Iterator[tuple[Place, str, str]]:
    at: Place = (*here, "query")
    if not file.databases:
        yield at, "there is no database", "add `databases: {crm: postgresql://reader@host/crm}`"
    elif lookup.database and lookup.database not in file.databases:
        remedy = near_or_all(lookup.database, file.databases)
        yield (*here, "database"), f"there is no database `{lookup.database}`", remedy
    elif not lookup.database and len(file.databases) > 1:
        yield at, "which database is asked?", f"write `database: {next(iter(file.databases))}`"
    if _QUOTED_PARAMETER.search(lookup.query):
        yield at, "a value stands in quotes", "write :caller without them: the database puts it in safely"
    words = _NOISE.sub(" ", lookup.query)
    if ";" in words.rstrip().rstrip(";"):
        yield at, "more than one statement", "one SELECT a look-up"
    elif not _SELECT.match(words) or (found := _WRITES.search(words)):
        word = f": `{found[1].upper()}`" if _SELECT.match(words) and found else ""
        yield at, f"this does more than read{word}", "write one SELECT"
    for name in sql_text(words).compile().params:
        if not is_known(name, lookup.needs):
            yield at, f"nobody knows `:{name}`", _remedy(name, lookup)


def _remedy(name: str, lookup: Lookup) -> str:
    return near(name, [*FIELDS, *lookup.needs]) or f"add `needs: [{name}]`, if the URL has it: ?{name}=..."


def _fetch_doubts(
    here: Place, lookup: Lookup, request: Request, environment: Mapping[str, str]
) -> Iterator[tuple[Place, str, str]]:
    if bool(request.get) == bool(request.post):
        yield (
            here,
            "`fetch` needs `get` or `post`, one of them",
            'such as `get: "https://crm.example/{caller}"`',
        )
        return
    key = "get" if request.get else "post"
    address = request.get or request.post
    found = re.match(r"https?://([^/?#]*)", address)
    if found is None and not address.startswith("{env."):
        yield (*here, key), "the address does not begin with https:// or http://", "write it out"
    elif found is not None and any(not environment_name(place) for place in places(found[1])):
        yield (*here, key), "a call decides which machine is asked", "let only the path hold {caller}"
    if request.body and not request.post:
        yield (*here, "body"), "`get` sends no body", "write `post`, or `query`"
    texts: list[tuple[Place, str]] = [((*here, key), address)]
    for part in ("query", "headers", "body"):
        texts += [((*here, part, name), value) for name, value in getattr(request, part).items()]
    for at, text in texts:
        for name in places(text):
            secret = environment_name(name)
            if secret and secret not in environment:
                yield at, f"{secret} is not set in the environment", "set it"
            elif not secret and not is_known(name, lookup.needs):
                yield at, f"nobody knows `{{{name}}}`", _remedy(name, lookup)


def _problems_of(error: ValidationError, yaml: YamlFile, source: str) -> list[Problem]:
    """Return every fault of the file's form, in an operator's words."""
    problems = []
    for fault in error.errors(include_url=False)[:MOST_PROBLEMS]:
        path, at_key = place_of(fault["loc"], yaml.data)
        name = next((str(part) for part in reversed(path) if isinstance(part, str)), "")
        kind, message = fault["type"], said_plainly(fault)
        if kind == "extra_forbidden":
            what, remedy = f"`{name}` is not known here", near_or_all(name, _keys(path[:-1]))
        elif kind == "missing":
            what, remedy = f"`{fault['loc'][-1]}` is missing", f"write `{fault['loc'][-1]}: ...`"
        elif kind in ("dict_type", "model_type", "model_attributes_type"):
            what, remedy = f"`{name}` must hold keys and values", f"known are {', '.join(_keys(path))}"
        elif kind == "string_pattern_mismatch":
            what, remedy = f"`{str(fault['input'])[:60]}` is no name", "small letters, digits, _ and -"
        elif kind == "string_type":
            what, remedy = f"`{name}` must be a text", "put it in quotes"
        else:
            what, remedy = (f"`{name}`: {message}" if name else message), "see docs/agi.md"
        at_key = at_key or kind in ("extra_forbidden", "missing")
        problems.append(yaml.problem(path, what, remedy, source, "form", key=at_key))
    return problems


def _keys(path: Place) -> list[str]:
    """Return the keys that may stand under `path`; none where operators name them."""
    if not path:
        return list(LookupFile.model_fields)
    if path[-1] == "fetch":
        return list(Request.model_fields)
    model = _KEYS.get(str(path[0])) if len(path) == 2 else None
    return list(model.model_fields) if model else []


def lookups_schema() -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of files of look-ups, for editors."""
    schema = LookupFile.model_json_schema(by_alias=True)
    databases = schema["properties"]["databases"]
    for inner in databases["patternProperties"].values():
        inner["anyOf"] = [{"type": "string"}, {"$ref": inner.pop("$ref")}]
    needs = schema["$defs"]["Lookup"]["properties"]["needs"]
    needs["anyOf"] = [{"type": "string"}, {"type": "array", "items": needs.pop("items")}]
    needs.pop("type")
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema"}
    return {**head, **_for_editors(schema), "title": "Look-ups of voicebot"}


def _for_editors(value: Any) -> Any:
    """A file's scalars are texts to us, but an editor reads numbers and truths there: `VOICEBOT_VIP: no`."""
    if isinstance(value, list):
        return [_for_editors(each) for each in value]
    if not isinstance(value, dict):
        return value
    found = {key: _for_editors(each) for key, each in value.items()}
    if found.get("type") == "string" and found.get("maxLength") == 4000:
        found["type"] = ["string", "number", "boolean", "null"]
    return found


def schema_text() -> str:
    """Return the schema as it is kept beside this file."""
    return json.dumps(lookups_schema(), indent=1, ensure_ascii=False) + "\n"
