"""Words that an answer of some type is made of: for recognisers that are told what they may hear."""

from __future__ import annotations

from functools import lru_cache

from babel.dates import get_month_names

from voicebot.dialog.language.dates import locale_of
from voicebot.dialog.language.languages import lexicon_of
from voicebot.dialog.model.slots import SlotKind
from voicebot.speech.spellout import ORDINAL, spell

NUMERIC = frozenset(("digits", "number", "money", "date", "time", "datetime", "phone"))
"""Types whose answers are made of number words."""

_LARGE = NUMERIC - {"digits", "phone"}
_DATES = frozenset(("date", "datetime"))
_TIMES = frozenset(("time", "datetime"))


@lru_cache(maxsize=64)
def words_of(kind: SlotKind, language: str) -> tuple[str, ...]:
    """Return the words that answers of this type mix; () for types with phrases, or with any words."""
    if kind not in NUMERIC:
        return ()
    lexicon = lexicon_of(language)
    words = [*lexicon.digits, *lexicon.multipliers]
    if kind in _LARGE:
        words += [*lexicon.tens, *lexicon.scales]
    if kind in _DATES:
        words += [phrase for phrases in lexicon.weekdays.values() for phrase in phrases]
        words += [name.lower() for name in get_month_names("wide", locale=locale_of(language)).values()]
        if lexicon.language == "en":
            words += [spell(day, "en", ORDINAL) for day in range(1, 32)]
        words += lexicon.date_words
    if kind in _TIMES:
        words += lexicon.time_words
    if kind == "money":
        words += lexicon.money_words
    if kind == "phone":
        words += lexicon.phone_words
    return tuple(dict.fromkeys(words))
