"""Numbers as words, by the spell-out rules of the Unicode CLDR (package `unicode-rbnf`)."""

from __future__ import annotations

from functools import lru_cache

from unicode_rbnf import RbnfEngine
from unicode_rbnf.engine import NoRuleForNumberError

CARDINAL = "spellout-cardinal"
"""Rule set: 42 is "forty two"."""
CARDINAL_WITH_AND = "spellout-cardinal-verbose"
"""English rule set: 142 is "one hundred and forty two"."""
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
_LARGEST = 10**15
"""From here on the rules have no words in some languages."""
_WITHOUT_MARKS = str.maketrans({"-": " ", ",": "", "\xad": ""})
_BY_PREFERENCE = {
    CARDINAL: (CARDINAL, "spellout-numbering", "spellout-cardinal-masculine", "spellout-cardinal-neuter"),
    ORDINAL: (ORDINAL, "spellout-ordinal-masculine", "spellout-ordinal-neuter"),
}
"""A language of several genders has no plain rule set; counting without a noun comes closest."""


@lru_cache(maxsize=_MOST_REMEMBERED)
def spell(number: int, language: str = "en", rules: str = CARDINAL) -> str:
    """Return `number` in lower case words with blanks between them, no hyphens.

    `language` is a primary subtag ("en", "ko"), `rules` one of its rule sets.
    """
    result = _engine(language).format_number(number, ruleset_names=[rules])
    return result.text_by_ruleset[rules].translate(_WITHOUT_MARKS)


def spell_or_figures(number: int, language: str, rules: str = CARDINAL) -> str:
    """The same, in figures where the language or its rules have no words for the number."""
    if abs(number) < _LARGEST:
        engine = _known_engine(language)
        names = engine.rulesets if engine else ()
        found = next((name for name in _BY_PREFERENCE.get(rules, (rules,)) if name in names), None)
        try:
            if found:
                return spell(number, language, found)
        except NoRuleForNumberError:
            pass  # said in figures
    return str(number)


@lru_cache(maxsize=8)
def _engine(language: str) -> RbnfEngine:
    return RbnfEngine.for_language(language)


@lru_cache(maxsize=64)
def _known_engine(language: str) -> RbnfEngine | None:
    try:
        return _engine(language)
    except (ValueError, OSError):  # a language without rules
        return None
