"""What the validator finds in a campaign file, in an operator's words: what, where, and the remedy."""

from __future__ import annotations

from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from voicebot.campaign.campaign import Campaign
from voicebot.dialog.checking.suggest import near
from voicebot.dialog.loading.faults import place_of
from voicebot.dialog.loading.yamlfile import MOST_PROBLEMS, Path, YamlFile
from voicebot.errors import Problem, said_plainly

CODE = "form"
LONGEST_SHOWN = 60
"""Characters of a wrong value, in a problem."""
EXAMPLES = {
    "campaign": "small letters, digits, - and _: `campaign: reminder-march`",
    "dialog": "such as `dialog: reminder.yaml`",
    "caller": 'such as `caller: {number: "+12025550100", business: Green Clinic}`',
    "trunk": "such as `trunk: main`, a [trunks.main] of voicebot.toml",
    "profile": "one of us, uk, eu: whose law binds",
    "business": "such as `business: Green Clinic`, as the dialog's first words tell it",
    "number": "with + and country: +12025550100",
    "call_back": "with + and country: +12025550100",
    "columns": "such as `columns: {number: phone, given: {first_name: name}}`",
    "given": "such as `given: {first_name: name}`",
    "alternatives": "such as `alternatives: [mobile, office]`",
    "windows": "such as `windows: [{days: [mon, tue], from: '09:00', to: '17:30'}]`",
    "days": "such as [mon, tue, wed, thu, fri]",
    "from": "such as '09:00'",
    "to": "such as '17:30'",
    "not_on": "such as [2027-12-25]",
    "starts": "such as 2027-03-01T09:00+00:00",
    "ends": "such as 2027-03-31T18:00+00:00",
    "pacing": "such as `pacing: {calls_per_second: 2, concurrent: 20}`",
    "retries": "such as `retries: {busy: {after: 10m, at_most: 2}}`",
    "after": "such as 90s, 10m, 2h or 1d",
    "limits": "such as `limits: {attempts: 3, per_day: 1}`",
    "answering": "such as `answering: {machine: hang_up}`",
    "ai_notice": "such as [automated assistant]",
    "prefixes": "such as [+1202, +1571]",
    "do_not_call": "such as [national]",
    "region": "two capital letters of ISO 3166: US",
}
"""Remedies by the key that holds what is wrong: how it is written."""
MEANT = {
    "name": "campaign",
    "caller_id": "caller",
    "callerid": "caller",
    "hours": "windows",
    "window": "windows",
    "calling_hours": "windows",
    "script": "dialog",
    "speed": "pacing",
    "rate": "calls_per_second",
    "cps": "calls_per_second",
    "channels": "concurrent",
    "max_attempts": "attempts",
    "delay": "after",
    "times": "at_most",
    "dnc": "do_not_call",
    "variables": "given",
    "vars": "given",
    "needs": "given",
    "phone": "number",
    "holidays": "not_on",
    "timezone": "zone",
    "start": "starts",
    "end": "ends",
    "ring": "ring_s",
    "amd": "answering",
    "method": "way",
    "no-answer": "no_answer",
    "noanswer": "no_answer",
}
"""What other tools call it -> what it is called here."""


def problems_of(error: ValidationError, yaml: YamlFile, source: str) -> list[Problem]:
    """Return every fault of a campaign file's form, one for each place."""
    found: dict[tuple[int | None, int | None, str], Problem] = {}
    for fault in error.errors(include_url=False)[:MOST_PROBLEMS]:
        path, at_key = place_of(fault["loc"], yaml.data)
        if fault["type"] == "too_short" and len(fault["input"]) >= fault.get("ctx", {})["min_length"]:
            continue  # it counts only those without mistakes
        what, remedy = _told(fault, path, at_key)
        at_key = at_key or fault["type"] in ("extra_forbidden", "missing")
        problem = yaml.problem(path, what, remedy, source, CODE, key=at_key)
        found.setdefault((problem.line, problem.column, what), problem)
    return list(found.values())


def _told(fault: ErrorDetails, path: Path, at_key: bool) -> tuple[str, str]:
    """Return what is wrong, and the remedy."""
    given, limits = fault["input"], fault.get("ctx", {})
    name = next((part for part in reversed(path) if isinstance(part, str)), "")
    example = EXAMPLES.get(name, "")
    match fault["type"]:
        case "extra_forbidden":
            return f"`{_short(name)}` is not known here", _known(name, _keys_at(path[:-1]))
        case "missing":
            missing = str(fault["loc"][-1])
            return f"`{missing}` is missing", EXAMPLES.get(missing, f"write `{missing}: ...`")
        case "literal_error" | "enum":
            expected = str(limits.get("expected", "")).replace("'", "").replace(" or ", ", ").split(", ")
            word = name if at_key else given
            return f"`{_short(word)}` is not possible here", _known(str(word), expected, "possible are")
        case "string_pattern_mismatch":
            return f"`{_short(given)}` cannot be `{name}`", example or "see docs/campaign-files.md"
        case "model_type" | "dict_type" | "model_attributes_type":
            remedy = example or f"known keys are {', '.join(_keys_at(path))}"
            return f"`{name}` must hold keys and values, not {_shape(given)}", remedy
        case "tuple_type" | "list_type":
            remedy = f"write [{_short(given)}]" if isinstance(given, str) else example or "write [one, two]"
            return f"`{name}` must be a list, not {_shape(given)}", remedy
        case "string_type":
            return f"`{name}` must be a text, not {_shape(given)}", example or "write one, or take it away"
        case "too_short" | "string_too_short":
            return f"`{name}` is too short", example or "write one, or take it away"
        case "string_too_long":
            return f"`{name}` is longer than {limits['max_length']} characters", "make it shorter"
        case "greater_than_equal" | "greater_than":
            least = limits.get("ge", limits.get("gt"))
            return (
                f"`{name}: {_short(given)}` is too small",
                f"{'at least' if 'ge' in limits else 'above'} {least}",
            )
        case "less_than_equal":
            return f"`{name}: {_short(given)}` is too large", f"at most {limits['le']}"
        case "int_type" | "int_parsing" | "int_from_float":
            return f"`{name}` must be a whole number", "such as 3"
        case "float_type" | "float_parsing":
            return f"`{name}` must be a number", "such as 2.5"
        case "bool_type" | "bool_parsing":
            return f"`{name}` is neither true nor false", "write true or false"
        case "time_parsing" | "time_type" | "time_delta_parsing" | "time_delta_type":
            return f"`{_short(given)}` is no time", example or "such as '09:00'"
        case kind if kind.startswith(("date_", "datetime_")):
            return f"`{_short(given)}` is no date", example or "such as 2027-03-01"
    message = said_plainly(fault)
    remedy = "" if "such as" in message else example or "see docs/campaign-files.md"
    return f"`{name}` {message}" if name else message, remedy


def _known(word: str, known: list[str], say: str = "known are") -> str:
    meant = MEANT.get(word.lower(), "")
    if meant in known:
        return f"did you mean `{meant}`?"
    return near(word, known) or f"{say} {', '.join(known)}"


def _keys_at(path: Path) -> list[str]:
    """Return the keys that may stand under `path`; none where operators name them."""
    here: Any = Campaign
    for part in path:
        here = _inside(here, part)
    if not (isinstance(here, type) and issubclass(here, BaseModel)):
        return []
    return [info.alias or name for name, info in here.model_fields.items()]


def _inside(annotation: Any, part: str | int) -> Any:
    """Return what may stand under `part`."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin in (Annotated, Union, UnionType):
        return _inside(arguments[0], part)
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        fields = annotation.model_fields.items()
        return next((info.annotation for name, info in fields if (info.alias or name) == part), None)
    if origin is dict:
        return arguments[1]
    return arguments[0] if origin in (tuple, list) else None


def _shape(value: Any) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, dict):
        return "keys and values"
    return "a list" if isinstance(value, list) else f"`{_short(value)}`"


def _short(value: object) -> str:
    text = str(value)
    return text if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]}..."
