"""Text as it is written to words as they are said: "At 10.30, Dr. Baker" is "at ten thirty doctor baker".

Recognisers that were trained on written text (Whisper) write numbers, times and titles in figures and short
forms; a dialog's phrases are words. English only; other languages keep their figures.
"""

from __future__ import annotations

import re

from babel.dates import get_month_names

from voicebot.speech.spellout import ORDINAL, YEAR, spell

_SHORT = {"dr": "doctor", "mr": "mister", "mrs": "missus", "%": "percent", "&": "and", "ok": "okay"}
_MONTHS = frozenset(name.lower() for name in get_month_names("wide", locale="en").values())
_TOKEN = re.compile(
    r"\d+[:.]\d\d(?!\d)|\d+(?:,\d{3})+|\d+\.\d(?!\d)|\d+(?:st|nd|rd|th)|\d+|[^\W\d_]+(?:'[^\W\d_]+)*|[%&]"
)
_NUMBER = "|".join(dict.fromkeys([r"\d", "o'clock", *(spell(n).split()[-1] for n in range(100))]))
_MERIDIEM = re.compile(rf"\b([ap])\.\s?m\b\.?|\b(p)\s?m\b|(?<!\S)((?:\S*\d|{_NUMBER})\s+a)\s?m\b(?!\s+i\b)")
"""Where "am" has neither points nor a figure before it, it is the verb."""
_MONEY = re.compile(r"([$£€])\s?(\d[\d,]*)(?:\.(\d\d))?(?!\d)")
_CURRENCIES = {"$": ("dollars", "cents"), "£": ("pounds", "pence"), "€": ("euros", "cents")}
_ADDRESS = re.compile(r"\S+@\S+[^\W_]")
_SIGNS = {"@": " at ", ".": " dot ", "-": " dash ", "_": " underscore "}
_SLASH = re.compile(r"(?<=\d)/(?=\d)")


def spoken_words(text: str, language: str = "en-US") -> str:
    """Return `text` in lower case words without punctuation, numbers written out as they are said."""
    text = text.lower().replace("\u2019", "'")
    if not language.lower().startswith("en"):
        return " ".join(re.findall(r"\d+|[^\W\d_]+(?:'[^\W\d_]+)*", text))
    if not text.isascii() or not text.replace(" ", "").isalpha():
        text = _MONEY.sub(_amount, _SLASH.sub(" slash ", _ADDRESS.sub(_address, text)))
    text = re.sub(r"(?<=\d)(?=[ap]\.?m\b)", " ", text)
    text = _MERIDIEM.sub(lambda found: f"{found[1] or found[2] or found[3]} m", text)
    words: list[str] = []
    for token in _TOKEN.findall(text):
        words += _said(token, words)
    return " ".join(words)


def _address(found: re.Match[str]) -> str:
    """Write an e-mail address as it is dictated."""
    return "".join(_SIGNS.get(sign, sign) for sign in found[0])


def _amount(found: re.Match[str]) -> str:
    """Write "$12.50" as "12 dollars and 50 cents"."""
    whole, part = _CURRENCIES[found[1]]
    unit = whole.removesuffix("s") if found[2] == "1" else whole
    return f"{found[2]} {unit}" + (f" and {int(found[3])} {part}" if found[3] and int(found[3]) else "")


def _said(token: str, before: list[str]) -> list[str]:
    """Choose how a figure is read: a time, an ordinal, a year, a code or a number."""
    if not token[0].isdigit():
        return [_SHORT.get(token, token)]
    if token[-1].isalpha():
        return spell(int(token[:-2]), rules=ORDINAL).split()
    if ":" in token or "." in token:
        hour, minute = re.split("[:.]", token)
        if len(minute) == 1:
            return [*spell(int(hour)).split(), "point", *_digits(minute)]
        if len(hour) > 2:
            return [*_digits(hour), *_digits(minute)]
        return [*spell(int(hour)).split(), *_minutes(minute)]
    digits = token.replace(",", "")
    if len(digits) == 4 and "," not in token and _is_year(int(digits), before):
        return spell(int(digits), rules=YEAR).split()
    if (len(digits) > 2 and "," not in token and digits.rstrip("0") == digits) or digits[0] == "0":
        return _digits(digits)  # a code or a number dictated digit by digit
    return spell(int(digits)).split() if len(digits) <= 6 else _digits(digits)


def _is_year(number: int, before: list[str]) -> bool:
    """1987 after a month or a day of one is a year; alone it may be any code."""
    return 1900 <= number < 2100 and bool(_MONTHS.intersection(before[-4:]))


def _minutes(minute: str) -> list[str]:
    if minute == "00":
        return ["o'clock"]
    return [*(["oh"] if minute[0] == "0" else []), *spell(int(minute)).split()]


def _digits(digits: str) -> list[str]:
    return [spell(int(digit)) for digit in digits]
