"""From file, environment and flags to a `Config`; every mistake is told, with its line where it has one."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Collection, Iterator, Mapping
from itertools import count
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from rapidfuzz import process as closest

from voicebot.config.dialling import TrunkConfig
from voicebot.config.dialogs import Route
from voicebot.config.patterns import SAID
from voicebot.config.people import AgentConfig, ConferenceConfig, QueueConfig
from voicebot.config.section import Section
from voicebot.config.sections import Config
from voicebot.config.speech import SttConfig, TtsConfig
from voicebot.errors import Problem, UserError, all_there, said_plainly

ENVIRONMENT_PREFIX = "VOICEBOT_"
DEFAULT_FILE = "voicebot.toml"
SECRETS = (
    ("asterisk", "ari_password"),
    ("asterisk", "ami_password"),
    ("llm", "key"),
    ("store", "password"),
    ("supervision", "ami_password"),
)
"""Each may stand in a file of its own, which `<name>_file` names."""
TABLES: dict[str, type[Section]] = {
    "stt": SttConfig,
    "tts": TtsConfig,
    "routes": Route,
    "trunks": TrunkConfig,
    "queues": QueueConfig,
    "agents": AgentConfig,
    "conferences": ConferenceConfig,
}
"""Tables of which there may be many, by their first name."""


FIRST_NUMBER = 600
"""From here on, dialogs that are named on the command line are given numbers."""

OF_ASTERISK = ("asterisk", "supervision")
"""Tables whose secrets are for Asterisk: commands that do not talk to it work without them."""


def load_config(
    path: Path | None = None,
    environment: Mapping[str, str] | None = None,
    flags: Mapping[str, Any] | None = None,
    *,
    dialogs: Collection[Path] = (),
    secrets: bool = True,
    without: Collection[str] = (),
) -> Config:
    """Read the configuration from `path` (or ./voicebot.toml if it exists), the environment, and flags.

    `flags` uses dotted keys: {"asterisk.ari_url": ...}. `dialogs`, relative to the working folder, get routes
    at free numbers unless they have some. Without `secrets` the `*_file`s are not read, for
    commands that do not talk to Asterisk; `without` names tables whose secrets are not needed. Raises
    UserError with every problem found.
    """
    environment = os.environ if environment is None else environment
    explicit = path is not None
    path = path or Path(environment.get(f"{ENVIRONMENT_PREFIX}CONFIG", DEFAULT_FILE))
    text = ""
    data: dict[str, Any] = {}
    if path.is_file():
        try:
            text = path.read_text(encoding="utf-8")
            data = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            found = re.search(r"line (\d+), column (\d+)", str(error))
            line, column = (int(found[1]), int(found[2])) if found else (None, None)
            what = "not valid TOML: " + re.sub(r" \(at line \d+, column \d+\)", "", str(error))
            raise UserError(Problem(what, "see toml.io", str(path), line, column)) from error
        except UnicodeDecodeError as error:
            raise UserError(Problem("is not UTF-8 text", "save the file as UTF-8", str(path))) from error
        except OSError as error:
            raise UserError(Problem(f"cannot be read: {error.strerror}", "", str(path))) from error
    elif explicit:
        raise UserError(
            Problem("no such configuration file", "docs/configuration.md shows a small one", str(path))
        )
    outside: dict[str, str] = {}  # dotted names of settings from elsewhere: where they come from
    for name, value in environment.items():
        if dotted := _setting_of(name):
            _put(data, dotted, value)
            outside[dotted] = name
    for dotted, value in (flags or {}).items():
        if value is not None:
            _put(data, dotted, value)
            outside[dotted] = "--" + dotted.split(".")[-1].replace("_", "-")
    data["base"] = path.parent.resolve()
    _add_routes(data, dialogs)
    problems = _read_secrets(data, environment, text, str(path), without) if secrets else []
    problems += _unknown_engines(data, text, str(path))
    problems += _unknown_people(data, text, str(path))
    try:
        config = Config.model_validate(data)
    except ValidationError as error:
        problems += _problems(error, text, str(path), outside)
        raise UserError(sorted(problems, key=lambda problem: problem.line or 0)) from error
    if problems:
        raise UserError(problems)
    return config


def _add_routes(data: dict[str, Any], dialogs: Collection[Path]) -> None:
    """Give numbers to `dialogs` that have none."""
    routes = data.setdefault("routes", [])
    if not isinstance(routes, list):  # a mistake of the file, of which Config knows
        return
    there = [route for route in routes if isinstance(route, dict)]
    served = {(data["base"] / str(route.get("dialog"))).resolve() for route in there}
    taken = {str(route.get("number")) for route in there}
    free = (number for number in map(str, count(FIRST_NUMBER)) if number not in taken)
    for dialog in dict.fromkeys(path.resolve() for path in dialogs):
        if dialog not in served:
            routes.append({"number": next(free), "dialog": str(dialog)})


def _unknown_engines(data: dict[str, Any], text: str, source: str) -> list[Problem]:
    """Find routes that name a recogniser or a voice that is not there; of other mistakes knows Config."""
    problems: list[Problem] = []
    routes = data.get("routes")
    for index, route in enumerate(routes if isinstance(routes, list) else ()):
        for keys, name in _named_engines(route, ["routes", str(index)]):
            kind = keys[-1]
            there = data.get(kind, {"english": None})
            if isinstance(name, str) and isinstance(there, dict) and name not in there:
                what = f"{'.'.join(keys)}: there is no [{kind}.{name}]"
                remedy = all_there(there) if there else f"add [{kind}.{name}]"
                problems.append(Problem(what, remedy, source, _line_of(keys, text)))
    return problems


def _unknown_people(data: dict[str, Any], text: str, source: str) -> list[Problem]:
    """Find agents of queues that are not there, and queues that call back by trunks that are not."""

    def tables(name: str) -> dict[str, Any]:
        found = data.get(name)
        return found if isinstance(found, dict) else {}

    named = [
        (["agents", name, "queues"], queue, "queues")
        for name, agent in tables("agents").items()
        if isinstance(agent, dict) and isinstance(agent.get("queues"), list)
        for queue in agent["queues"]
    ]
    named += [
        (["queues", name, "call_back_trunk"], queue["call_back_trunk"], "trunks")
        for name, queue in tables("queues").items()
        if isinstance(queue, dict) and queue.get("call_back_trunk")
    ]
    return [
        Problem(
            f"{'.'.join(keys)}: there is no [{kind}.{wanted}]",
            all_there(tables(kind)) if tables(kind) else f"add [{kind}.{wanted}]",
            source,
            _line_of(keys, text),
        )
        for keys, wanted, kind in named
        if isinstance(wanted, str) and wanted not in tables(kind)
    ]


def _named_engines(route: Any, keys: list[str]) -> Iterator[tuple[list[str], Any]]:
    """Yield every recogniser and voice that a route names, with the keys of the place."""
    if not isinstance(route, dict):
        return
    for kind in ("stt", "tts"):
        yield [*keys, kind], route.get(kind, "english")
    languages = route.get("languages")
    for tag, each in languages.items() if isinstance(languages, dict) else ():
        for kind in ("stt", "tts"):
            if isinstance(each, dict) and each.get(kind):
                yield [*keys, "languages", tag, kind], each[kind]


def _read_secrets(
    data: dict[str, Any], environment: Mapping[str, str], text: str, source: str, without: Collection[str]
) -> list[Problem]:
    """Put what the `*_file`s and `key_env` hold in the place of the secrets that are not given.

    Returns what went wrong.
    """
    problems: list[Problem] = []
    for table, name in SECRETS:
        section = data.get(table)
        if table in without or not isinstance(section, dict) or section.get(name):
            continue
        if variable := section.get(f"{name}_env"):
            if value := environment.get(str(variable), ""):
                section[name] = value
                continue
            what = f"{table}.{name}_env: {variable} is not set in the environment"
            problems.append(Problem(what, "set it", source, _line_of([table, f"{name}_env"], text)))
        if not (file := section.get(f"{name}_file")):
            continue
        path = data["base"] / str(file)
        try:
            section[name] = path.read_text().strip()
        except (OSError, UnicodeDecodeError) as error:
            why = error.strerror if isinstance(error, OSError) else "it is no text"
            what = f"{table}.{name}_file: {path} cannot be read ({why})"
            remedy = "write the secret there"
            if table in ("asterisk", "supervision"):
                remedy = "write the password there, or run scripts/asterisk up, which does"
            problems.append(Problem(what, remedy, source, _line_of([table, f"{name}_file"], text)))
    return problems


def _setting_of(variable: str) -> str:
    """`VOICEBOT_ASTERISK__ARI_URL` means `asterisk.ari_url`; other names without `__` are no settings: ""."""
    dotted = variable.removeprefix(ENVIRONMENT_PREFIX).lower().replace("__", ".")
    ours = variable.startswith(ENVIRONMENT_PREFIX) and (
        "." in dotted or dotted in ("log_level", "log_format")
    )
    return dotted if ours else ""


def _put(data: dict[str, Any], dotted: str, value: Any) -> None:
    *parents, last = dotted.split(".")
    for parent in parents:
        data = data.setdefault(parent, {})
        if not isinstance(data, dict):
            raise UserError(
                Problem(
                    f"{dotted}: `{parent}` is no table",
                    "unset it, or correct the file",
                    "environment or flag",
                )
            )
    data[last] = value


def _problems(error: ValidationError, text: str, source: str, outside: Mapping[str, str]) -> list[Problem]:
    problems = []
    for fault in error.errors():
        keys = [str(part) for part in fault["loc"] if part != "[key]"]  # a name that cannot be one
        dotted = ".".join(keys)
        message, remedy = _in_words(fault), ""
        if fault["type"] == "extra_forbidden":
            near = closest.extractOne(keys[-1], _settings_beside(keys), score_cutoff=60)
            remedy = f"did you mean `{near[0]}`?" if near else "see docs/configuration.md"
        inner = next((name for name in outside if name == dotted or name.startswith(f"{dotted}.")), "")
        place, line = (outside[inner], None) if inner else (source, _line_of(keys, text))
        problems.append(Problem(f"{dotted}: {message}" if dotted else message, remedy, place, line))
    return problems


def _in_words(fault: Mapping[str, Any]) -> str:
    """Say pydantic's message in terms of TOML."""
    words = {
        "extra_forbidden": "unknown setting",
        "string_type": "must be a text: put it in quotes",
        "tuple_type": "must be an array of tables: [[routes]]",
        "dict_type": "must be a table",
        "model_type": "must be a table",
    }
    pattern = SAID.get(fault.get("ctx", {}).get("pattern", ""))
    return pattern or words.get(fault["type"]) or said_plainly(fault)


def _settings_beside(keys: list[str]) -> list[str]:
    model: Any = Config
    for key in keys[:-1]:
        field = getattr(model, "model_fields", {}).get(key)
        if field is None:
            model = TABLES.get(keys[0], Config)
            break
        model = field.annotation
    return list(getattr(model, "model_fields", Route.model_fields))


def _line_of(keys: list[str], text: str) -> int | None:
    """Find the line of a setting in TOML text: the n-th `[[table]]`, or `[a.b]`, then `key =`."""
    table: list[str] = []
    counts: dict[str, int] = {}
    here: list[str] = []
    best: tuple[int, int | None] = (0, None)  # how much of `keys` the line stands for
    for number, line in enumerate(text.splitlines(), 1):
        if match := re.match(r"\s*\[\[([^\]]+)\]\]", line):
            name = match[1].strip()
            table = [*name.split("."), str(counts.get(name, 0))]
            counts[name] = counts.get(name, 0) + 1
            here = table
        elif match := re.match(r"\s*\[([^\]]+)\]", line):
            here = match[1].strip().split(".")
        elif match := re.match(r'\s*"?([A-Za-z0-9_.-]+)"?\s*=', line):
            here = [*here[: len(here)], *match[1].split(".")]
        if here == keys:
            return number
        if len(here) > best[0] and keys[: len(here)] == here:
            best = (len(here), number)
        if match and "=" in line and not line.lstrip().startswith("["):
            here = here[: -len(match[1].split("."))]
    return best[1]
