"""Whether what came is what a test wants: words by text or pattern, values as written, JSON in part."""

from __future__ import annotations

import json
import re
from datetime import date, datetime, time
from decimal import Decimal, InvalidOperation
from urllib.parse import parse_qsl, urlsplit

from voicebot.authoring.testing.format import PATTERN, Not
from voicebot.dialog.model.slots import meaning_of
from voicebot.dialog.turns import Fetch


def says(wanted: str, text: str) -> bool:
    """Whether `wanted` is contained in `text`: a pattern `/.../` (`/.../i`), or whatever its case."""
    if found := PATTERN.fullmatch(wanted):
        return re.search(found[1], text, re.IGNORECASE if found[2] else 0) is not None
    return _folded(wanted) in _folded(text)


def missing_words(wanted: tuple[str | Not, ...], text: str) -> list[str]:
    """Return what of `wanted` does not hold for `text`, in words."""
    missing = []
    for each in wanted:
        if isinstance(each, Not):
            missing += [f"not {shown(word)}" for word in each.not_ if says(word, text)]
        elif not says(each, text):
            missing.append(shown(each))
    return missing


def shown(wanted: str) -> str:
    return wanted if PATTERN.fullmatch(wanted) else f'"{wanted}"'


def _folded(text: str) -> str:
    return " ".join(text.casefold().split())


def same_value(wanted: str | None, value: object) -> bool:
    """Whether a value is what is written for it: `yes`, 4271, 2027-03-05T12:00; None is unknown.

    A time without a zone is meant in the zone of the value.
    """
    if wanted is None or value is None:
        return wanted is None and value is None
    if isinstance(value, bool):
        return wanted in (("yes", "true") if value else ("no", "false"))
    if wanted == meaning_of(value) or wanted == str(value):
        return True
    try:
        return _read_alike(wanted, value) == value
    except (ValueError, InvalidOperation, TypeError):
        return False


def _read_alike(wanted: str, value: object) -> object:
    if isinstance(value, datetime):
        moment = datetime.fromisoformat(wanted)
        return moment if moment.tzinfo else moment.replace(tzinfo=value.tzinfo)
    if isinstance(value, date):
        return date.fromisoformat(wanted)
    if isinstance(value, time):
        return time.fromisoformat(wanted)
    if isinstance(value, int | float | Decimal):
        return Decimal(wanted) if not isinstance(value, float) else float(wanted)
    return None


def within(wanted: object, given: object) -> bool:
    """Whether JSON `given` holds all that `wanted` does; a number and its text are the same."""
    if isinstance(wanted, dict):
        return isinstance(given, dict) and all(
            name in given and within(value, given[name]) for name, value in wanted.items()
        )
    if isinstance(wanted, list):
        return (
            isinstance(given, list)
            and len(wanted) == len(given)
            and all(within(*pair) for pair in zip(wanted, given, strict=True))
        )
    return wanted == given or (wanted is not None and given is not None and str(wanted) == str(given))


def sent_by(work: Fetch) -> object:
    """Return what a request sends: its JSON, its form, or the parameters of its address."""
    if work.body is None:
        return dict(parse_qsl(urlsplit(work.url).query, keep_blank_values=True))
    text = work.body.decode("utf-8", "replace")
    if "form" in work.content_type:
        return dict(parse_qsl(text, keep_blank_values=True))
    try:
        return json.loads(text)
    except ValueError:
        return text


def asked(method: str | None, address: str, work: Fetch) -> bool:
    """Whether a request is the one that a test speaks of."""
    if method is not None and method != work.method.lower():
        return False
    return not address or says(address, work.url)
