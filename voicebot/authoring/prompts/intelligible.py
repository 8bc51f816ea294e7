"""Are prompts understood over the telephone? Our own recogniser listens, and we count the words it got wrong.

A robot's ear is worse than a caller's: a prompt that it hears well is clear, one that it mishears is worth
hearing oneself (`voicebot dialog say`).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from rapidfuzz.distance import Levenshtein
from text_to_num import alpha2digit

from voicebot.authoring.hearing.soundlike import distance
from voicebot.dialog.language.languages import lexicon_of
from voicebot.dialog.language.text import tokens_of
from voicebot.speech.spellout import NATIVE_KOREAN_BEFORE_NOUN, SINO_KOREAN, spell

MISHEARD_ABOVE = 0.2
"""A prompt of which more than this share of the words was heard otherwise is misheard."""
SAME_SOUND = 0.12
"""Distance of sounds up to which nobody hears a difference, nor misses one: "office is" and "offices"."""
SPELLED_FROM = 4
"""A run of so many figures or letters is a code: it wants pauses."""

_MONEY = re.compile(r"([$€£])\s?(\d+)(?:\.(\d\d))?")
_CURRENCIES = {
    "$": ("dollars", "cents"),
    "€": ("euros", "cents"),
    "£": ("pounds", "pence"),
}
_FULL_HOUR = re.compile(r"\b(\d{1,2})[:.]00\b")
_JOINED_DIGITS = re.compile(r"(?<=\d)[-,. ](?=\d)")
_ORDINALS = {
    "first": "1", "second": "2", "third": "3", "fourth": "4", "fifth": "5", "sixth": "6", "seventh": "7",
    "eighth": "8", "ninth": "9", "tenth": "10", "eleventh": "11", "twelfth": "12", "thirteenth": "13",
    "fourteenth": "14", "fifteenth": "15", "sixteenth": "16", "seventeenth": "17", "eighteenth": "18",
    "nineteenth": "19", "twentieth": "20", "thirtieth": "30",
}  # fmt: skip
_KEYS = str.maketrans({"#": " hash ", "*": " star "})
_SMALL = {
    "zero": "0", "one": "1", "two": "2", "three": "3", "four": "4", "five": "5", "six": "6", "seven": "7",
    "eight": "8", "nine": "9",
}  # fmt: skip
_SAME = {"oclock": "", "mister": "mr", "missus": "mrs", "doctor": "dr", "okay": "ok", "alright": "all right"}
_KOREAN_COUNTED = re.compile(r"(\d+)\s*(시|명|개|살|마리|장)")
_FIGURES = re.compile(r"\d+")


Sounds = Callable[[str, str], tuple[str, ...]]
"""Words, language -> their phonemes."""


@dataclass(frozen=True, slots=True)
class Hearing:
    """How a prompt was heard.

    rate:      word error rate, 0 all right; above 1 where more was heard than said
    suffered:  words that were said, with what was heard for each run of them ("" nothing)
    """

    said: str
    heard: str
    rate: float
    suffered: tuple[tuple[str, str], ...] = ()

    def misheard(self, above: float = MISHEARD_ABOVE) -> bool:
        return self.rate > above


def compare(said: str, heard: str, language: str, sounds: Sounds | None = None) -> Hearing:
    """Compare a prompt with what a recogniser wrote down.

    Figures count alike however they are written ("4271", "forty-two seventy-one", "four two seven one"), and
    so do words that are written in one or in two ("pick up", "pickup"). Korean is compared by syllables, as
    blanks between its words are a matter of taste.
    """
    wanted, got = comparable(said, language), comparable(heard, language)
    wrong = 0
    suffered = []
    for block in _differences(wanted, got):
        there, here = wanted[block[0] : block[1]], got[block[2] : block[3]]
        if "".join(there) == "".join(here) or _same_sound(there, here, language, sounds):
            continue
        wrong += max(len(there), len(here))
        glue = "" if _by_syllable(language) else " "
        suffered.append((glue.join(there), glue.join(here)))
    rate = wrong / len(wanted) if wanted else float(bool(got))
    return Hearing(said, heard, rate, tuple(suffered))


def _same_sound(there: tuple[str, ...], here: tuple[str, ...], language: str, sounds: Sounds | None) -> bool:
    if sounds is None or not there or not here or _by_syllable(language):
        return False
    return distance(sounds(" ".join(there), language), sounds(" ".join(here), language)) <= SAME_SOUND


def comparable(text: str, language: str) -> tuple[str, ...]:
    """Return what of a text can be heard: words, each figure for itself; Korean syllables."""
    if _by_syllable(language):
        return tuple(c for c in _spoken_korean(text) if c.isalnum())
    text = _MONEY.sub(_amount, text.translate(_KEYS))
    text = _FULL_HOUR.sub(r"\1", text)
    words = list(tokens_of(text, lexicon_of(language)))
    if language.lower().startswith("en"):
        written = alpha2digit(" ".join(_ORDINALS.get(word, word) for word in words), "en")
        words = _JOINED_DIGITS.sub(" ", written).split()
    found: list[str] = []
    for word in words:
        plain = re.fullmatch(r"(\d+(?:[.:]\d+)*)(?:st|nd|rd|th)?", word)
        if plain:
            found += [figure for figure in plain[1] if figure.isdigit()]
        else:
            word = _SMALL.get(word, _SAME.get(word, word))
            found += word.split()
    return tuple(_with_zeros(found))


def remedy(hearing: Hearing, language: str) -> str:
    """Return what an author may try."""
    if not hearing.heard.strip():
        return "nothing was heard: make the prompt longer, or play a recording (`wav`)"
    said = " ".join(word for word, _ in hearing.suffered)
    figures = sum(c.isdigit() for c in said)
    if figures >= SPELLED_FROM:
        return "say the figures one by one: {name|digits}, or {name|phone}"
    if any(word[:1].isupper() for word in _names(hearing)):
        return "a name: write it as it is said, say it with {name|spell}, or play a recording (`wav`)"
    words = comparable(hearing.said, language)
    if len(words) <= 2:
        return "too short to be understood alone: say it in a sentence, or put a pause before it"
    if len(words) > 25:
        return "long: make two sentences of it, and a pause (`silence: 300ms`) between them"
    return f'other words for "{said}", or a comma before them for a pause'


def _names(hearing: Hearing) -> list[str]:
    """Return suffering words that are written with a capital within a sentence."""
    inside = {word.lower() for word in re.findall(r"(?<=[a-z,] )([A-Z][a-z]+)", hearing.said)}
    return [word.capitalize() for said, _ in hearing.suffered for word in said.split() if word in inside]


def _differences(wanted: tuple[str, ...], got: tuple[str, ...]) -> list[tuple[int, int, int, int]]:
    """Return runs that differ, neighbours joined: from and to in `wanted`, from and to in `got`."""
    blocks: list[tuple[int, int, int, int]] = []
    for op in Levenshtein.opcodes(wanted, got):
        if op.tag == "equal":
            continue
        block = (op.src_start, op.src_end, op.dest_start, op.dest_end)
        if blocks and blocks[-1][1] == block[0] and blocks[-1][3] == block[2]:
            block = (blocks[-1][0], block[1], blocks[-1][2], block[3])
            blocks.pop()
        blocks.append(block)
    return blocks


def _with_zeros(words: list[str]) -> list[str]:
    """Read "oh" as a figure beside another one: "two oh two", "oh one"."""
    found: list[str] = []
    for at, word in enumerate(words):
        after = next((later for later in words[at + 1 :] if later != "oh"), "")
        before = found[-1] if found else ""
        figure = word == "oh" and (before.isdigit() or after.isdigit())
        found.append("0" if figure else word)
    return found


def _amount(found: re.Match[str]) -> str:
    whole, part = _CURRENCIES[found[1]]
    return f"{found[2]} {whole}" + (f" and {found[3]} {part}" if found[3] else "")


def _by_syllable(language: str) -> bool:
    return language.split("-")[0].lower() == "ko"


def _spoken_korean(text: str) -> str:
    """Write figures as they are said: hours and what is counted in native words, else Sino-Korean."""
    text = _KOREAN_COUNTED.sub(
        lambda found: f"{_korean(found[1], NATIVE_KOREAN_BEFORE_NOUN)}{found[2]}", text.lower()
    )
    return _FIGURES.sub(lambda found: _korean(found[0], SINO_KOREAN), text)


def _korean(figures: str, rules: str) -> str:
    number = int(figures[:9])
    return spell(number, "ko", SINO_KOREAN if number >= 100 else rules)
