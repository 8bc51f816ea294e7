"""How words, keys and values from outside become the value of a slot."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, time
from decimal import Decimal, InvalidOperation

from voicebot.dialog.expressions.values import LARGEST
from voicebot.dialog.language.dates import ISO_WEEKDAYS
from voicebot.dialog.language.lexicon import Lexicon
from voicebot.dialog.language.text import Tokens, is_content, tokens_of, without_fillers
from voicebot.dialog.model.slots import Slot, Value
from voicebot.dialog.understanding.addresses import given_email
from voicebot.dialog.understanding.numbers import Run, checked, digit_runs
from voicebot.dialog.understanding.phones import given_phone
from voicebot.dialog.understanding.quantities import is_pronoun, is_word
from voicebot.dialog.understanding.when_bounds import in_zone
from voicebot.speech.characters import without_controls

_UNUSED_COST = 0.07
_UNUSED_COST_SHORT = 0.2
"""For each telling word beside one or two digits, which may be said for other reasons."""
_HOMOPHONES_COST = 0.1

_LONGEST_NAME_WORDS = 5
_LONGEST_TEXT = 500
_LONGEST_NUMBER = 40
"""Characters of a number from outside, and places before or after its point."""


def digits_in(tokens: Tokens, slot: Slot, lexicon: Lexicon) -> tuple[str, float, int, int] | None:
    """Find digits, best those that fit `slot`: (digits, score, start, end) of their tokens, or None."""
    kept = kept_without_fillers(tokens, lexicon)
    core = tuple([tokens[at] for at in kept])
    other: tuple[str, float, int, int] | None = None
    for homophones in (False, True):
        runs = digit_runs(core, lexicon, homophones=homophones)
        if not runs or _is_exclaimed(core, runs, lexicon):
            continue
        covered = {at for run in runs for at in range(run.start, run.end)}
        rest = sum(1 for at, t in enumerate(core) if at not in covered and is_content(t, lexicon))
        whole = Run("".join(run.digits for run in runs), runs[0].start, runs[-1].end)
        for run in (whole, *reversed(runs)):
            cost = _UNUSED_COST if len(run.digits) > 2 else _UNUSED_COST_SHORT
            score = max(0.0, 1.0 - cost * rest - (_HOMOPHONES_COST if homophones else 0))
            found = (run.digits, score, kept[run.start], kept[run.end - 1] + 1)
            if run.digits and fits_digits(run.digits, slot):
                return found
            other = other or found
    return other


def kept_without_fillers(tokens: Tokens, lexicon: Lexicon) -> Sequence[int]:
    """Return where the words stand that `without_fillers` keeps."""
    remaining = without_fillers(tokens, lexicon)
    if remaining is tokens:
        return range(len(tokens))
    kept: list[int] = []
    at = 0
    for token in remaining:
        at = tokens.index(token, at)
        kept.append(at)
        at += 1
    return kept


def _is_exclaimed(core: Tokens, runs: list[Run], lexicon: Lexicon) -> bool:
    """Whether the only digit is none: "oh well", "no one", "one moment"."""
    start, end = runs[0].start, runs[0].end
    if len(runs) > 1 or end - start > 1 or len(core) == 1:
        return False
    if lexicon.language == "ko":
        return is_word(core, start, end, lexicon)
    return core[start] in ("o", "oh") or is_pronoun(core, start, end)


def fits_digits(digits: str, slot: Slot) -> bool:
    """Whether keyed or spoken digits are an answer to `slot`."""
    low, high = slot.digits_range
    return low <= len(digits) <= high and checked(digits, slot.check)


def plain_number(value: Decimal) -> int | float:
    """Return a number as dialogs have it: whole ones are int."""
    return int(value) if value == int(value) else float(value)


def fits_number(value: float, slot: Slot) -> bool:
    """Whether a number, or an amount of money, lies within the slot's bounds."""
    return slot.between is None or float(slot.between[0]) <= value <= float(slot.between[1])


def read_open(text: str, slot: Slot, lexicon: Lexicon) -> tuple[str, float] | None:
    """Take free words: as they are for `text`, without "my name is" and capitalised for `name`."""
    text = " ".join(text.split())[:_LONGEST_TEXT]
    tokens = tokens_of(text, lexicon)
    if not any(any(c.isalnum() for c in token) for token in tokens):
        return None
    if slot.type == "text":
        return text, 1.0
    if _is_nameless(tokens, lexicon):
        return None
    changed = True
    while changed:
        changed = False
        for lead in lexicon.name_leads:
            words = tuple(lead.split())
            if len(tokens) > len(words) and tokens[: len(words)] == words:
                tokens, changed = tokens[len(words) :], True
    if len(tokens) > 1:
        trailing = {"speaking", "here", "please", "입니다", "이에요", "예요"}
        tokens = tokens[:-1] if tokens[-1] in trailing else tokens
    if len(tokens) > _LONGEST_NAME_WORDS or any(token.isdigit() for token in tokens):
        return None
    if not any(is_content(token, lexicon) for token in tokens):
        return None
    return " ".join(token.capitalize() for token in tokens), 1.0


def _is_nameless(tokens: Tokens, lexicon: Lexicon) -> bool:
    """Whether no name was told, as in "I do not know"; a single word has to stand alone for that."""
    words = without_fillers(tokens, lexicon)
    leads = {token for lead in lexicon.name_leads for token in lead.split()}
    alone = [token for token in words if token not in leads]
    for phrase in (*lexicon.unsure, *lexicon.nameless):
        sought = tuple(phrase.split())
        if len(sought) == 1 and alone == [phrase]:
            return True
        if len(sought) > 1 and any(words[at : at + len(sought)] == sought for at in range(len(words))):
            return True
    return False


_YES_NO = {"yes": True, "true": True, "1": True, "no": False, "false": False, "0": False}


def value_of_given(raw: object, kind: str, now: datetime | None = None) -> Value | None:
    """Read a value from outside (campaign row, look-up, route) as the type `kind`; None if it is none.

    Dates and times are ISO 8601. A datetime without a zone is taken to be in that of `now`, the call's clock,
    and any other is brought into it; without `now` it stays as it is. Money is a decimal such as 12.50.
    """
    if isinstance(raw, str):
        raw = without_controls(raw.strip()[:_LONGEST_TEXT])
    elif isinstance(raw, int) and abs(raw) > LARGEST:
        return None
    if kind == "yes_no":
        return raw if isinstance(raw, bool) else _YES_NO.get(str(raw).lower())
    if kind in ("number", "money"):
        return _number_given(raw, kind)
    if kind in ("date", "datetime", "time"):
        return _moment(raw, kind, now)
    if not isinstance(raw, str | int | float):
        return None
    text = str(raw)
    if kind == "digits":
        return text if text.isascii() and text.isdigit() else None
    if kind == "phone":
        return given_phone(text)
    if kind == "email":
        return given_email(text)
    if kind == "weekday":
        return text.lower() if text.lower() in ISO_WEEKDAYS else None
    return text


def _number_given(raw: object, kind: str) -> Value | None:
    text = str(raw)
    try:
        number = Decimal(text) if len(text) <= _LONGEST_NUMBER else None
    except InvalidOperation:
        return None
    if number is None or isinstance(raw, bool) or not number.is_finite():
        return None
    if number and not (number.adjusted() >= -_LONGEST_NUMBER and abs(number) <= LARGEST):
        return None
    return number if kind == "money" else plain_number(number)


def _moment(raw: object, kind: str, now: datetime | None) -> date | time | datetime | None:
    try:
        if isinstance(raw, str):
            raw = time.fromisoformat(raw) if kind == "time" else datetime.fromisoformat(raw)
    except ValueError:
        return None
    if kind == "time":
        return raw.time() if isinstance(raw, datetime) else raw if isinstance(raw, time) else None
    if not isinstance(raw, date):
        return None
    if kind == "date":
        return raw.date() if isinstance(raw, datetime) else raw
    moment = raw if isinstance(raw, datetime) else datetime.combine(raw, time())
    return moment if now is None else in_zone(moment, now)


def phrases_by_value(slot: Slot, lexicon: Lexicon) -> Mapping[str, tuple[str, ...]]:
    """Return the closed answers of `slot` as value -> phrases; empty for open ones."""
    if slot.type == "yes_no":
        return {"yes": lexicon.yes, "no": lexicon.no}
    if slot.type == "weekday":
        return lexicon.weekdays
    if slot.type == "choice":
        return {value: c.hear or (value.replace("_", " "),) for value, c in slot.choices.items()}
    return {}
