"""Telephone numbers: read as people write them, kept in E.164, refused where nobody may be called.

Validity and kinds come from `phonenumbers`, the tables of libphonenumber.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumber, PhoneNumberType

from voicebot.errors import VoicebotError

INVALID = "invalid_number"
PREMIUM = "premium"
"""The names of the rules that a number can break by itself."""

LONGEST_TEXT = 64
"""Characters of a number as it is written; a longer text is none."""

_WRITTEN = re.compile(r"(?:tel:)?\(?\+?[0-9 ()./\u00a0\u2010-\u2015-]+", re.IGNORECASE)
_SPREADSHEET = re.compile(r"\+?[0-9]{7,15}\.0")  # a number cell, written out
_SCIENTIFIC = re.compile(r"[0-9](?:[.,][0-9]+)?E\+?[0-9]{1,2}", re.IGNORECASE)
_EXTENSION = re.compile(r"[0-9)]\s*(?:;?\s*ext\w*|x|#)[.=:\s]*[0-9]+", re.IGNORECASE)

_KINDS = {
    PhoneNumberType.FIXED_LINE: "fixed",
    PhoneNumberType.MOBILE: "mobile",
    PhoneNumberType.FIXED_LINE_OR_MOBILE: "fixed_or_mobile",
    PhoneNumberType.TOLL_FREE: "toll_free",
    PhoneNumberType.VOIP: "voip",
    PhoneNumberType.UAN: "company",
}
_REFUSED = {
    PhoneNumberType.PREMIUM_RATE: "a premium-rate number",
    PhoneNumberType.SHARED_COST: "a shared-cost number",
    PhoneNumberType.PERSONAL_NUMBER: "a personal number, which is charged like a premium one",
    PhoneNumberType.PAGER: "a pager",
    PhoneNumberType.VOICEMAIL: "a voicemail box",
}
_WORLDWIDE = "001"
"""What libphonenumber calls the region of numbers that belong to no country."""

_EXCHANGE_976 = re.compile(r"\+1[2-9][0-9]{2}976[0-9]{4}")  # premium since before area code 900
_LONGEST_SHORT = 6
"""Digits of the longest emergency numbers and short codes."""


class WrongNumber(VoicebotError):
    """Nobody is called at this number. `rule` is the rule that refuses it, the message says why."""

    def __init__(self, rule: str, why: str) -> None:
        self.rule = rule
        super().__init__(why)


@dataclass(frozen=True, slots=True)
class Dialable:
    """A number that may be called, as far as the number itself tells.

    number: E.164, such as +12025550142
    region: ISO 3166 country
    kind:   fixed, mobile, fixed_or_mobile, toll_free, voip, company
    """

    number: str
    region: str
    kind: str


def normalise(text: str, region: str = "") -> Dialable:
    """Read a number as people write it; `region` (ISO 3166) says whose it is where it has no `+`.

    Raises WrongNumber, which says in one sentence what is wrong.
    """
    text = text.strip().removeprefix("'")  # what spreadsheets put before a text that looks like a number
    if _SPREADSHEET.fullmatch(text):
        text = text[:-2]
    if len(text) > LONGEST_TEXT or not _WRITTEN.fullmatch(text):
        raise WrongNumber(INVALID, _unreadable(text))
    digits = re.sub("[^0-9]", "", text)
    region = region.upper()
    international = "+" in text
    if region and not international and region not in phonenumbers.SUPPORTED_REGIONS:
        raise WrongNumber(INVALID, f"`{region}` is no country of ISO 3166, so `{text}` has no country code")
    if region and len(digits) <= _LONGEST_SHORT and phonenumbers.is_emergency_number(digits, region):
        raise WrongNumber(PREMIUM, f"`{text}` is an emergency number")
    try:
        number = phonenumbers.parse(text, region or None)
    except NumberParseException as error:
        raise WrongNumber(INVALID, _unparsed(text, digits, region, error)) from None
    return _judged(number, text)


@lru_cache(maxsize=65_536)
def callable_number(number: str) -> Dialable:
    """Check a number in E.164. Raises WrongNumber. Remembers the last ones that it was asked for."""
    try:
        return _judged(phonenumbers.parse(number), number)
    except NumberParseException:
        raise WrongNumber(INVALID, f"`{number}` has no country code that exists") from None


def _judged(number: PhoneNumber, text: str) -> Dialable:
    if number.extension:
        raise WrongNumber(INVALID, f"`{text}` has an extension, which cannot be dialled")
    kind = phonenumbers.number_type(number)
    written = f"+{number.country_code}{'0' * _leading_zeros(number)}{number.national_number}"
    region = phonenumbers.region_code_for_number(number) or ""
    if kind == PhoneNumberType.UNKNOWN:
        hint = "; a number of another country is written with +" if text.startswith("00") else ""
        raise WrongNumber(INVALID, _invalid(number, written, text) + hint)
    if kind in _REFUSED:
        raise WrongNumber(PREMIUM, f"{written} is {_REFUSED[kind]}")
    if region == _WORLDWIDE:
        raise WrongNumber(PREMIUM, f"{written} is a satellite or worldwide service number")
    if _EXCHANGE_976.fullmatch(written):
        raise WrongNumber(PREMIUM, f"{written} is a premium-rate number (976)")
    return Dialable(written, region, _KINDS.get(kind, "fixed"))


def _leading_zeros(number: PhoneNumber) -> int:
    if not number.italian_leading_zero:
        return 0
    return 1 if number.number_of_leading_zeros is None else number.number_of_leading_zeros


def _unreadable(text: str) -> str:
    """Return why a text cannot be a number at all."""
    if not text:
        return "there is no number"
    if len(text) > LONGEST_TEXT:
        return f"`{text[:20]}...` is too long for a number"
    if _SCIENTIFIC.fullmatch(text):
        return f"`{text}` was rewritten by a spreadsheet: format the column as text, and export it again"
    if _EXTENSION.search(text):
        return f"`{text}` has an extension, which cannot be dialled"
    for character in text:
        if not _WRITTEN.fullmatch(character) and character != "+":
            shown = character if character.isprintable() else f"U+{ord(character):04X}"
            return f"`{printable(text)}` has `{shown}`, which does not belong into a number"
    return f"`{printable(text)}` is not written like a number"


def printable(text: str) -> str:
    """Return the text without what a terminal or a log would obey."""
    return "".join(character if character.isprintable() else "\ufffd" for character in text)


def _unparsed(text: str, digits: str, region: str, error: NumberParseException) -> str:
    if error.error_type == NumberParseException.INVALID_COUNTRY_CODE:
        if region or text.startswith("+"):
            return f"`{text}` has no country code that exists"
        return f"`{text}` has no country code, and the row has no country: write it as +..."
    if error.error_type == NumberParseException.TOO_LONG:
        return f"`{text}` has {len(digits)} digits, which is too many"
    return f"`{text}` has {len(digits)} digits, which is too few"


def _invalid(number: PhoneNumber, written: str, text: str) -> str:
    reason = phonenumbers.is_possible_number_with_reason(number)
    regions = phonenumbers.region_codes_for_country_code(number.country_code or 0)
    country = regions[0] if regions and regions[0] != _WORLDWIDE else f"+{number.country_code}"
    national = str(number.national_number)
    if len(national) <= _LONGEST_SHORT and any(
        phonenumbers.is_emergency_number(national, region) for region in regions
    ):
        return f"`{text}` is an emergency number with a country code"
    if reason in (
        phonenumbers.ValidationResult.TOO_SHORT,
        phonenumbers.ValidationResult.IS_POSSIBLE_LOCAL_ONLY,
    ):
        return f"{written} is too short for a number of {country}"
    if reason == phonenumbers.ValidationResult.TOO_LONG:
        return f"{written} is too long for a number of {country}"
    if reason == phonenumbers.ValidationResult.INVALID_LENGTH:
        return f"{written} has not as many digits as a number of {country}"
    return f"{written} is no number that exists in {country}"
