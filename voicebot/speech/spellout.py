"""Numbers as words, by the spell-out rules of the Unicode CLDR (package `unicode-rbnf`)."""

from __future__ import annotations

from functools import lru_cache

from unicode_rbnf import RbnfEngine

CARDINAL = "spellout-cardinal"
"""Rule set: 42 is "forty two"."""
ORDINAL = "spellout-ordinal"
"""Rule set: 42 is "forty second"."""
YEAR = "spellout-numbering-year"
"""Rule set: 1987 is "nineteen eighty seven"."""
SINO_KOREAN = "spellout-cardinal-sinokorean"
"""Korean rule set of minutes, money and digits: 3 is "삼"."""
NATIVE_KOREAN = "spellout-cardinal-native"
"""Korean rule set of counting, below 100: 3 is "셋"."""
NATIVE_KOREAN_BEFORE_NOUN = "spellout-cardinal-native-attributive"
"""The same before what is counted, hours for example: 3 is "세"."""

_MOST_REMEMBERED = 4096


@lru_cache(maxsize=_MOST_REMEMBERED)
def spell(number: int, language: str = "en", rules: str = CARDINAL) -> str:
    """Return `number` in lower case words with blanks between them, no hyphens.

    `language` is a primary subtag ("en", "ko"), `rules` one of its rule sets.
    """
    result = _engine(language).format_number(number, ruleset_names=[rules])
    return result.text_by_ruleset[rules].replace("-", " ")


@lru_cache(maxsize=8)
def _engine(language: str) -> RbnfEngine:
    return RbnfEngine.for_language(language)
