"""What the validator of the models finds, in an author's words: what is wrong, where, and the remedy."""

from __future__ import annotations

import re
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from voicebot.dialog.checking.suggest import near
from voicebot.dialog.loading.shapes import known_keys, wanted
from voicebot.dialog.loading.yamlfile import MOST_PROBLEMS, Path, YamlFile
from voicebot.errors import Problem, said_plainly

CODE = "form"
_FIRST_STEP = "such as `hi: {say: Hello., end: done}`"
_SAID = "write what callers say as a list"
EXAMPLES = {
    "steps": f"begin with one step, {_FIRST_STEP}",
    "slots": "such as `attending: yes_no`",
    "needs": "such as `first_name: text`",
    "values": "such as `tries: {type: number, start: 0}`",
    "always": "such as `agent: {goto: person}`",
    "include": "such as `date: lib/date_time.yaml`",
    "translations": "such as `ko-KR: hello.ko.yaml`",
    "languages": "write [ko-KR]",
    "goals": "write [confirmed, moved]",
    "returns": "write [name, number]",
    "limits": "such as `limits: {failures: 3}`",
    "choices": "name each one, with what callers say for it: `sales: [sales, buy something]`",
    "goto": "name a step, or steps with their conditions: `goto: {confirmed: attending, person: else}`",
    "set": "give each value its expression: `set: {tries: tries + 1}`",
    "fetch": 'such as `fetch: {get: "{env.SHOP}/orders/{order}", keep: {status: order.status}}`',
    "hook": "such as `hook: free_tables`, or {name: free_tables, with: {day: day}}",
    "call": "such as `call: survey`, or {dialog: survey, keep: {score: score}}",
    "record": "write `record: true`, or {longest: 2m}",
    "llm": "such as `llm: {about: You answer guests of a hotel., turns: 6}`",
    "transfer": "such as `transfer: reception`, or {queue: sales, with: [name]}",
    "query": 'such as `query: {day: "{day}"}`',
    "headers": 'such as `headers: {X-Key: "{env.KEY}"}`',
    "form": 'such as `form: {day: "{day}"}`',
    "keep": "such as `keep: {status: order.status}`",
    "with": "such as `with: {day: day}`; of a transfer `with: [day]`",
    "skills": "write [billing, german]",
    "priority": "a number, 0 (least) to 10, or an expression: `5 if vip else 0`",
    "tools": "such as `tools: {book: The guest wants a table.}`",
    "between": "write [1, 10], [tomorrow, +30 days] or ['09:00', '17:30']",
    "length": "write 4, or [3, 6]",
    "accept": "write [404]",
    "fill": "name a slot, or several: [day, time]",
    "all": "write [{wav: hello.wav}, and welcome.]",
    "hear": f"{_SAID}: [sales, buy something]",
    "examples": f"{_SAID}: [I want to buy a bicycle]",
    "called": f"{_SAID}: [the day, the date]",
    "say": "write a text, or {text: Hello., silence: 500ms}",
    "timeout": "write a time: 800ms, 5s or 2m",
}
"""Remedies by the key that holds what is wrong: how it is written."""
_RANGES = {
    "length": "`length` is a number of digits, or the fewest and the most",
    "between": "`between` is the least and the greatest number, day or time",
}
_PATTERNS = {
    "wav": "a .wav file in the folder of the dialog, or below it",
    "key": "one key: 0 to 9, *, # or A to D",
    "language": "a language tag such as en-US or ko-KR",
    "languages": "a language tag such as en-US or ko-KR",
    "translations": "a language tag such as ko-KR, and a file beside the dialog such as hello.ko.yaml",
    "include": "a file beside the dialog, or below it, such as lib/name.yaml",
    "choices_from": "a text file beside the dialog, such as streets.txt",
    "to": "an extension of the dialplan, such as reception or 2001",
    "queue": "a queue of the dialplan, such as sales",
    "conference": "small letters, digits, - and _, as in [conferences.weekly] of voicebot.toml",
    "currency": "three capital letters of ISO 4217, such as USD",
    "region": "two capital letters of ISO 3166, such as US",
    "keep": "where the value stands in the reply: order.status, or items.0.name",
    "headers": "letters, digits and -, such as Content-Type",
    "name": "letters, digits, _, . and -, as the hook is registered",
}
_RULES = {
    "must be a time": "write 800ms, 1.5s or 2m",
    "must lie between 0": "write a shorter time",
    "`choices` belongs": "write `choices: {small: [small], large: [large, big]}` for a choice only",
    "`between` of a number": "write [1, 10]",
    "`between` is [least": "turn them round",
    "`length` must": "write 4, or [3, 6]",
    "needs exactly one of": 'write `get: "{env.SHOP}/orders"`, or another one',
    "has both": "take one away",
    "needs either": "write `to: reception` for an extension, `queue: sales`, or `conference: weekly`",
    "`host` belongs": "write `{conference: weekly, host: true}`, or take it away",
    "`all` holds": "put the text into the list: `all: [Hello., {wav: chime.wav}]`",
    "says nothing": "write `{text: Hello.}`",
    "belongs to": "take it away, or choose that type",
    "belong to": "take them away, or choose that type",
}
"""Remedies of the models' own rules, by the beginning or a part of what they say."""


_MEANT = {
    **dict.fromkeys(("next", "then", "go", "go_to", "jump", "transition", "target"), "goto"),
    **dict.fromkeys(("hangup", "hang_up", "exit", "disconnect", "finish", "outcome"), "end"),
    **dict.fromkeys(("prompt", "speak", "play", "message"), "say"),
    **dict.fromkeys(("question", "gather"), "ask"),
    **dict.fromkeys(("collect", "slot"), "fill"),
    **dict.fromkeys(("options", "answers", "menu", "grammar"), "choices"),
    **dict.fromkeys(("phrases", "synonyms", "words", "utterances"), "hear"),
    **dict.fromkeys(("when", "cond", "condition"), "if"),
    **dict.fromkeys(("http", "request", "webhook", "http_request", "data"), "fetch"),
    **dict.fromkeys(("dial", "forward", "handoff", "bridge"), "transfer"),
    **dict.fromkeys(("subdialog", "sub_dialog", "run"), "call"),
    **dict.fromkeys(("dtmf", "digit"), "key"),
    **dict.fromkeys(("function", "action", "python"), "hook"),
    **dict.fromkeys(("variables", "vars"), "values"),
    **dict.fromkeys(("imports", "includes"), "include"),
    **dict.fromkeys(("parameters", "params", "inputs", "args", "arguments"), "with"),
    **dict.fromkeys(("error", "fallback", "catch", "on_error"), "failed"),
    **dict.fromkeys(("barge_in", "interruptible"), "bargein"),
    **dict.fromkeys(("string", "str", "free"), "text"),
    **dict.fromkeys(("int", "integer", "float", "decimal"), "number"),
    **dict.fromkeys(("bool", "boolean", "yesno", "confirmation"), "yes_no"),
    **dict.fromkeys(("enum", "choices", "option"), "choice"),
    **dict.fromkeys(("amount", "currency"), "money"),
    **dict.fromkeys(("yes", "true"), "always"),
    **dict.fromkeys(("no", "false"), "never"),
}
"""What other tools call it -> what it is called here."""


_KEY = re.compile(r"[a-z][a-z0-9_]*")
_COMMA = "within { } a comma ends a text: put a text with a comma into quotes"


def problems_of(error: ValidationError, yaml: YamlFile, source: str) -> list[Problem]:
    """Return every fault of a dialog's form; several about one thing are told once."""
    found: dict[tuple[int | None, int | None], Problem] = {}
    for fault in error.errors(include_url=False):
        path, at_key = place_of(fault["loc"], yaml.data)
        holder = next((part for part in reversed(path) if isinstance(part, str)), "")
        if holder in _RANGES and fault["type"] != "value_error":
            path = path[: len(path) - path[::-1].index(holder)]
            what, remedy = _RANGES[holder], EXAMPLES[holder]
        else:
            what, remedy = _told(fault, path, at_key)
        at_key = at_key or fault["type"] in ("extra_forbidden", "missing")
        problem = yaml.problem(path, what, remedy, source, CODE, key=at_key)
        first = found.setdefault((problem.line, problem.column), problem)
        if first.what != what and len(found) < MOST_PROBLEMS and not _alternative(fault):
            found[(problem.line, -len(found))] = problem
    return list(found.values())


def _alternative(fault: ErrorDetails) -> bool:
    """Whether the fault is of one reading of several (a text, or a mapping): the first one is told."""
    return any(isinstance(part, str) and ("[" in part or part in _BRANCHES) for part in fault["loc"])


_BRANCHES = frozenset(("int", "str", "float", "bool", "none"))


def _told(fault: ErrorDetails, path: Path, at_key: bool) -> tuple[str, str]:
    """Return what is wrong, and the remedy."""
    given, limits = fault["input"], fault.get("ctx", {})
    name = next((str(part) for part in reversed(path) if isinstance(part, str)), "")
    example = _example(path)
    match fault["type"]:
        case "extra_forbidden":
            known = known_keys(path[:-1])
            meant = _MEANT.get(name.lower().replace("-", "_"), "")
            if meant in known:
                return f"`{_short(name)}` is not known here", f"did you mean `{meant}`?"
            if given is None and not _KEY.fullmatch(name):
                return f"`{_short(name)}` stands alone here", _COMMA
            remedy = near(name, known) or f"known are {', '.join(known)}"
            return f"`{_short(name)}` is not known here", remedy
        case "missing":
            return _missing(str(fault["loc"][-1]))
        case "literal_error":
            allowed = str(limits.get("expected", "")).replace("'", "").replace(" or ", ", ").split(", ")
            meant = _MEANT.get(str(given).lower(), "") if isinstance(given, str) else ""
            remedy = near(str(given), allowed) if isinstance(given, str) else ""
            remedy = f"did you mean `{meant}`?" if meant in allowed else remedy
            return f"`{_short(given)}` is not possible here", remedy or f"possible are {', '.join(allowed)}"
        case "string_pattern_mismatch":
            usual = "use small letters, digits, - and _; begin with a letter"
            holders = [str(part) for part in path if isinstance(part, str)]
            remedy = usual if at_key else _PATTERNS.get(holders[-1] if holders else "", "")
            if not remedy and len(holders) > 1:
                remedy = _PATTERNS.get(holders[-2], usual)
            return f"`{_short(given)}` cannot be written so", remedy or usual
        case "model_type" | "model_attributes_type" | "dict_type":
            return _no_mapping(given, path)
        case "string_type":
            return f"a text is wanted here, not {_shape(given)}", (
                "write one, or take it away"
                if given is None
                else 'put it into quotes; a text that begins with { needs them: "{name}, hello"'
            )
        case "string_too_short":
            return f"`{name}` is empty", "write it, or take it away"
        case "string_too_long":
            return f"`{_short(name)}` is longer than {limits['max_length']} characters", "make it shorter"
        case "too_short":
            return f"`{name}` is empty", example or "write one, or take it away"
        case "too_long":
            return f"`{name}` holds more than {limits['max_length']}", "take some away"
        case "tuple_type" | "list_type":
            text = f"write [{_short(given)}]" if isinstance(given, str) else example or "write [one, two]"
            return f"`{name}` must be a list, not {_shape(given)}", text
        case "greater_than_equal":
            return f"`{name}` is too small", f"at least {limits['ge']}"
        case "less_than_equal":
            return f"`{name}` is too large", f"at most {limits['le']}"
        case "int_type" | "int_parsing" | "int_from_float" | "int_parsing_size":
            return f"`{name}` must be a whole number", "such as 3"
        case "bool_type" | "bool_parsing":
            return f"`{name}` is neither true nor false", "write true or false"
    message = said_plainly(fault)
    remedy = next((remedy for rule, remedy in _RULES.items() if rule in message), "")
    return (f"`{name}` {message}" if name else message), remedy or example or "see docs/dialogs.md"


def _missing(name: str) -> tuple[str, str]:
    remedies = {
        "dialog": "begin with the dialog's name: `dialog: reminder`",
        "type": "such as `type: digits`",
    }
    return f"`{name}` is missing", remedies.get(name) or EXAMPLES.get(name) or f"write `{name}: ...`"


def _example(path: Path) -> str:
    """How the innermost thing that has an example is written."""
    for part in reversed(path[-2:]):
        if isinstance(part, str) and part in EXAMPLES:
            return EXAMPLES[part]
    return ""


def _no_mapping(given: Any, path: Path) -> tuple[str, str]:
    if not path:
        return "is no mapping", f"known keys are {', '.join(known_keys(path))}"
    what = f"`{path[-1]}` must hold keys and values, not {_shape(given)}"
    if isinstance(given, str) and len(path) > 1 and path[-2] == "choices":
        return what, f"write what callers say as a list: [{_short(given)}]"
    if isinstance(path[-1], str) and path[-1] in EXAMPLES and not (len(path) > 1 and path[-2] in _NAMED):
        return what, EXAMPLES[path[-1]]
    if known := known_keys(path):
        return what, f"known keys are {', '.join(known)}"
    return what, wanted(path) or _example(path) or "write `key: value` under it"


_NAMED = frozenset(("steps", "slots", "needs", "values", "always", "choices"))
"""Mappings whose keys are the author's own names."""


def _shape(value: Any) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, dict):
        return "keys and values"
    return "a list" if isinstance(value, list) else "a text"


def _short(value: object) -> str:
    text = str(value)
    return text if len(text) <= 60 else f"{text[:60]}..."


def place_of(location: tuple[int | str, ...], data: Any) -> tuple[Path, bool]:
    """Follow a validator's location through the data, past its own names for branches and keys."""
    path: list[str | int] = []
    at_key = False
    for part in location:
        if part == "[key]":
            at_key = True
            continue
        children: Any = data if isinstance(data, dict) else {}
        if isinstance(data, list):
            children = dict(enumerate(data))
        if part in children:
            path.append(part)
            data = children[part]
    return tuple(path), at_key
