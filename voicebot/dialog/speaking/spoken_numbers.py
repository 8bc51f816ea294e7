"""Numbers, money, telephone numbers and addresses as people say them."""

from __future__ import annotations

import re
from decimal import ROUND_HALF_UP, Context, Decimal, InvalidOperation
from functools import lru_cache

from babel.core import get_global
from babel.numbers import format_currency, format_decimal, get_currency_precision, get_territory_currencies

from voicebot.dialog.language.dates import locale_of
from voicebot.speech.spellout import (
    CARDINAL,
    CARDINAL_WITH_AND,
    NATIVE_KOREAN_BEFORE_NOUN,
    ORDINAL,
    SINO_KOREAN,
    spell_or_figures,
)

_LARGEST = Decimal(10) ** 18
_MOST_PLACES = 6
_ROUNDING = Context(prec=40, rounding=ROUND_HALF_UP, traps=[])
_AMOUNT = re.compile(r"([A-Z]{3})? ?([+-]?\d{1,18}(?:\.\d{1,10})?) ?([A-Z]{3})?", re.ASCII)
_WITHOUT_AND = frozenset((None, "US", "CA"))
_KOREAN_ORDINAL = "spellout-ordinal-native-count"
_MOST_COUNTED_NATIVELY = 99

_CURRENCIES: dict[str, dict[str, tuple[str, str, str, str]]] = {
    "en": {
        **dict.fromkeys(
            ("USD", "CAD", "AUD", "NZD", "SGD", "HKD"), ("dollar", "dollars", "cent", "cents")
        ),
        "EUR": ("euro", "euros", "cent", "cents"),
        "GBP": ("pound", "pounds", "penny", "pence"),
        "CHF": ("franc", "francs", "centime", "centimes"),
        "INR": ("rupee", "rupees", "paisa", "paise"),
        "KRW": ("won", "won", "", ""),
        "JPY": ("yen", "yen", "", ""),
    },
    "ko": {
        "KRW": ("원", "원", "", ""),
        "USD": ("달러", "달러", "센트", "센트"),
        "EUR": ("유로", "유로", "센트", "센트"),
        "GBP": ("파운드", "파운드", "펜스", "펜스"),
        "JPY": ("엔", "엔", "", ""),
        "CNY": ("위안", "위안", "", ""),
    },
}  # fmt: skip
"""What money is called in speech; on paper the CLDR calls it "US dollars" and knows no cents."""

_POINTS = {"en": (" ", "point"), "ko": ("", "점")}
"""What stands between the figures of a fraction, and its point. The rules of other languages lack them."""
_MINUS = {"en": "minus", "ko": "마이너스"}

_FIGURES = {
    "en": ("oh", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"),
    "ko": tuple("공일이삼사오육칠팔구"),
}
_ABROAD = {"en": "plus ", "ko": "국가번호 "}
_EXTENSION = {"en": "extension ", "ko": "내선 "}
_LONGEST_GROUP = 5
_SIGNS = {
    "en": {".": "dot", "@": "at", "_": "underscore", "-": "dash", "+": "plus"},
    "ko": {".": "점", "@": "골뱅이", "_": "밑줄", "-": "하이픈", "+": "플러스"},
}


def amount_of(value: object) -> tuple[Decimal, str] | None:
    """Read a number, or a text such as `12.50` or `12.50 USD`: amount and currency ("" for none)."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float | Decimal):
        text, currency = str(value), ""
    else:
        found = _AMOUNT.fullmatch(str(value).strip())
        if found is None:
            return None
        text, currency = found[2], found[1] or found[3] or ""
    try:
        amount = Decimal(text)
    except InvalidOperation:
        return None
    if not amount.is_finite() or abs(amount) >= _LARGEST:
        return None
    return amount, currency


def say_number(value: object, language: str) -> str:
    """Say "one hundred twenty three", "one hundred and twenty three" (British), "백이십삼"."""
    read = amount_of(value)
    return str(value) if read is None else _words(read[0], language)


def say_count(value: object, language: str) -> str:
    """Say a number before what is counted: "two", and in Korean "두", as in 두 장."""
    read = amount_of(value)
    if read is None:
        return str(value)
    number = read[0]
    if (
        locale_of(language).language == "ko"
        and number == int(number)
        and 0 < number <= _MOST_COUNTED_NATIVELY
    ):
        return spell_or_figures(int(number), "ko", NATIVE_KOREAN_BEFORE_NOUN)
    return _words(number, language)


def say_ordinal(value: object, language: str) -> str:
    """Say "twenty first", "스물한 번째"."""
    read = amount_of(value)
    if read is None or read[0] != int(read[0]):
        return str(value)
    spoken = locale_of(language).language
    return spell_or_figures(int(read[0]), spoken, _KOREAN_ORDINAL if spoken == "ko" else ORDINAL)


def _words(number: Decimal, language: str) -> str:
    locale = locale_of(language)
    rules = {"ko": SINO_KOREAN, "en": CARDINAL if locale.territory in _WITHOUT_AND else CARDINAL_WITH_AND}
    number = number.quantize(Decimal(1).scaleb(-_MOST_PLACES), context=_ROUNDING)
    rule = rules.get(locale.language, CARDINAL)
    if locale.language not in _POINTS:
        if number == number.to_integral_value():
            return spell_or_figures(int(number), locale.language, rule)
        return str(format_decimal(number, locale=locale))
    figures, _, places = f"{abs(number):f}".partition(".")
    places = places.rstrip("0")
    said = spell_or_figures(int(figures), locale.language, rule)
    if places:
        blank, word = _POINTS[locale.language]
        said += blank + blank.join((word, *(spell_or_figures(int(f), locale.language, rule) for f in places)))
    return f"{_MINUS[locale.language]} {said}" if number < 0 else said


def say_money(value: object, language: str, currency: str = "") -> str:
    """Say "twelve dollars and fifty cents", "만 오천 원". `currency` is a code of ISO 4217.

    A code within the value counts first; without any, it is the currency of the language's country.
    """
    read = amount_of(value)
    if read is None:
        return str(value)
    locale = locale_of(language)
    amount, code = read
    code = code or currency.upper() or _currency_of(language)
    amount = amount.quantize(Decimal(1).scaleb(-get_currency_precision(code)), context=_ROUNDING)
    names = _CURRENCIES.get(locale.language, {}).get(code)
    if names is None:
        with_cents = amount != amount.to_integral_value()
        return str(
            format_currency(amount, code, locale=locale, format_type="name", currency_digits=with_cents)
        )
    unit, units, part, parts = names
    whole, fraction = divmod(abs(amount), 1)
    cents = int(fraction * 100)
    said = []
    if whole or not cents:
        said.append(f"{_words(whole, language)} {unit if whole == 1 else units}")
    if cents and parts:
        said.append(f"{_words(Decimal(cents), language)} {part if cents == 1 else parts}")
    sign = f"{_MINUS[locale.language]} " if amount < 0 else ""
    return sign + (" " if locale.language == "ko" else " and ").join(said)


@lru_cache(maxsize=64)
def _territory_of(language: str) -> str:
    locale = locale_of(language)
    likely = str(get_global("likely_subtags").get(locale.language, "")).rpartition("_")[2]
    return str(locale.territory or likely or "US")


@lru_cache(maxsize=64)
def _currency_of(language: str) -> str:
    return next(iter(get_territory_currencies(_territory_of(language))), "USD")


@lru_cache(maxsize=1024)
def say_phone(number: str, language: str, region: str = "") -> str:
    """Say a telephone number in its groups: "two oh two, five five five, oh one oh oh", "공일공, ...".

    `region` (ISO 3166) is where it is said, else the language's country: numbers of its own are said
    without the country's code. What is no telephone number is said digit by digit.
    """
    # Not before the first number: its metadata take a while to read.
    import phonenumbers
    from phonenumbers import PhoneNumberFormat

    region = region.upper() or _territory_of(language)
    text, abroad, extension = number, number.strip().startswith("+"), ""
    try:
        parsed = phonenumbers.parse(number, region)
    except phonenumbers.NumberParseException:
        parsed = None
    if parsed is not None and phonenumbers.is_possible_number(parsed):  # else its groups are the author's
        abroad = parsed.country_code != phonenumbers.country_code_for_region(region)
        extension, parsed.extension = parsed.extension or "", None
        form = PhoneNumberFormat.INTERNATIONAL if abroad else PhoneNumberFormat.NATIONAL
        text = phonenumbers.format_number(parsed, form)
    spoken = locale_of(language).language
    groups = [piece for group in re.findall(r"\d+", text) for piece in _pieces(group)]
    said = ", ".join(_say_figures(group, spoken) for group in groups)
    if not said:
        return number
    if abroad:
        said = _ABROAD.get(spoken, "+") + said
    if extension:
        said += f", {_EXTENSION.get(spoken, '')}{_say_figures(extension, spoken)}"
    return said


def _pieces(group: str) -> list[str]:
    """Cut a group that nobody could remember: 5550100 is 555, 0100."""
    if len(group) <= _LONGEST_GROUP:
        return [group]
    cuts = [group[at : at + 3] for at in range(0, len(group), 3)]
    if len(cuts[-1]) == 1:
        last = cuts.pop()
        cuts[-1] += last
    return cuts


def _say_figures(figures: str, spoken: str) -> str:
    words = _FIGURES.get(spoken)
    said = [words[int(figure)] if words else figure for figure in figures if figure.isdigit()]
    return ("" if spoken == "ko" else " ").join(said)


def say_email(address: str, language: str) -> str:
    """Say "john dot smith at gmail dot com"."""
    signs = _SIGNS.get(locale_of(language).language, {})
    return " ".join(signs.get(piece, piece) for piece in re.findall(r"[^\W_]+|[^\s]", address))
