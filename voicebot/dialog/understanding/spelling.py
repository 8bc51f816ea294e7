"""Names and codes spelled out: letters, "b as in boy", the alphabet of pilots, "double l", digits between."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from voicebot.dialog.language.lexicon import Lexicon, listed, mapped
from voicebot.dialog.understanding.line import Found, Line, Reading
from voicebot.dialog.understanding.numbers import Run, digit_runs

_UNUSED_COST = 0.12
_SHORTEST = 2
"""Letters and digits that are taken for something spelled; a single one may be an article."""
_SHORTEST_FIGURES = 3
"""The same of digits alone."""

_NATO = listed(
    """
    alpha, bravo, charlie, delta, echo, foxtrot, golf, hotel, india, juliet, kilo, lima, mike, november,
    oscar, papa, quebec, romeo, sierra, tango, uniform, victor, whiskey, xray, yankee, zulu
    """
)
PILOTS = {word: word[0] for word in _NATO} | {"alfa": "a", "juliett": "j", "whisky": "w"}

_SOUNDS = mapped(
    """
    bee: b, cee: c, see: c, sea: c, dee: d, eff: f, ef: f, gee: g, aitch: h, haitch: h, eye: i, jay: j,
    kay: k, el: l, ell: l, em: m, en: n, pee: p, pea: p, cue: q, queue: q, ar: r, are: r, ess: s, es: s,
    tee: t, tea: t, you: u, yu: u, vee: v, ex: x, why: y, wye: y, zee: z, zed: z
    """
)
"""Letters as a recogniser may write them."""
_UNMISTAKABLE = frozenset(("zee", "zed", "aitch", "haitch"))

_KOREAN = mapped(
    """
    에이: a, 비: b, 씨: c, 시: c, 디: d, 이: e, 에프: f, 지: g, 에이치: h, 아이: i, 제이: j, 케이: k, 엘: l,
    엠: m, 엔: n, 오: o, 피: p, 큐: q, 알: r, 아르: r, 에스: s, 티: t, 유: u, 브이: v, 더블유: w, 엑스: x,
    와이: y, 제트: z, 지트: z
    """
)
_KOREAN_DIGITS_FIRST = frozenset(("이", "오", "유"))
"""Letters whose names are numbers as well: beside a number they are numbers."""

_SIGNS = mapped("dash: -, hyphen: -, minus: -, apostrophe: ', underscore: _, slash: /, 하이픈: -, 대시: -")
_MERIDIEMS = ("am", "pm")
"""Two letters that became one word: "l i a m"."""
_UPPER = frozenset(("capital", "upper", "uppercase", "대문자"))
_LOWER = frozenset(("lower", "lowercase", "small", "소문자"))
_JOINTS = frozenset(("and", "then", "um", "uh", "er", "erm", "hmm", "comma", "next", "그리고", "음", "어"))
"""What may stand between the letters of one word."""
_LONGEST_GAP = 2
"""Words."""
_EXPLAINS = (("as", "in"), ("like", "in"), ("is", "for"), ("for",), ("like",), ("as",), ("in",))


@dataclass(frozen=True, slots=True)
class Sign:
    """One or several characters, and the tokens [start, end) that spelled them.

    case: "upper" or "lower" where it was said
    weak: it may be a word without meaning
    word: it may be a name as well (Mike, Oscar)
    """

    text: str
    start: int
    end: int
    case: str = ""
    weak: bool = False
    word: bool = False


def signs_in(tokens: Sequence[str], lexicon: Lexicon) -> list[Sign]:
    """Find the characters that are spelled in `tokens`."""
    numbers = {run.start: run for run in digit_runs(tokens, lexicon)}
    signs: list[Sign] = []
    case = ""
    at, case_from = 0, -1
    while at < len(tokens):
        token = tokens[at]
        if token in _UPPER or token in _LOWER:
            case, case_from = ("upper" if token in _UPPER else "lower"), at
            at += 2 if tokens[at + 1 : at + 2] == ("case",) else 1
            continue
        sign = _sign(tokens, at, numbers, signs, lexicon)
        if sign is None:
            at += 1
        else:
            start = case_from if case else sign.start
            signs.append(replace(sign, start=start, case=case))
            at = sign.end
        case = ""
    return signs


def _sign(
    tokens: Sequence[str], at: int, numbers: dict[int, Run], signs: list[Sign], lexicon: Lexicon
) -> Sign | None:
    token = tokens[at]
    following = tuple(tokens[at + 1 : at + 3])
    times = lexicon.multipliers.get(token, 0)
    if token == "double" and following[:1] and following[0] in ("u", "you", "yu"):
        return _explained(tokens, "w", at, at + 2)
    if times and following[:1]:
        letter = _letter(following[0], signs, tokens, at + 1)
        digit = lexicon.digits.get(following[0]) or (following[0] if following[0].isdigit() else None)
        after_digit = bool(signs) and signs[-1].end == at and signs[-1].text[-1:].isdigit()
        run = numbers.get(at)
        if run is not None and run.end > at + 2:  # "double o seven"
            return Sign(run.digits, at, run.end)
        if digit and len(digit) == 1 and (letter is None or after_digit):
            return Sign(digit * times, at, at + 2)
        if letter:
            return Sign(letter * times, at, at + 2)
    if token in ("o", "oh"):
        beside = (signs and signs[-1].end == at and signs[-1].text.isdigit()) or (
            at + 1 in numbers and not (signs and signs[-1].end == at)
        )
        if not beside:
            run = numbers.get(at)
            if run is not None and run.end > at + 1:  # the figures after it stay a run
                numbers[at + 1] = Run(run.digits[1:], at + 1, run.end)
            return replace(_explained(tokens, "o", at, at + 1), weak=token == "oh")
        return Sign("0", at, at + 1, weak=token == "oh")
    run = numbers.get(at)
    if run is not None and not (token in _KOREAN_DIGITS_FIRST and _spells_beside(tokens, at)):
        end = run.end
        return Sign(run.digits, at, end)
    if token in _SIGNS and signs and signs[-1].end == at:
        return Sign(_SIGNS[token], at, at + 1)
    if token in _MERIDIEMS and (_in_a_word(signs, at) or (at == 0 and _begins_a_word(following, lexicon))):
        return Sign(token, at, at + 1)
    if token == "x" and following[:1] == ("ray",):
        return Sign("x", at, at + 2)
    if token in PILOTS:
        return Sign(PILOTS[token], at, at + 1, word=True)
    letter = _letter(token, signs, tokens, at)
    if letter:
        return _explained(tokens, letter, at, at + 1)
    if any(c.isdigit() for c in token) and token.isascii() and token.isalnum():
        return Sign(token, at, at + 1)
    return None


def _in_a_word(signs: Sequence[Sign], at: int) -> bool:
    """Whether letters stand before `at`, and not only the one of "I am"."""
    if not signs or signs[-1].end != at or not signs[-1].text.isalpha():
        return False
    return signs[-1].text != "i" or (len(signs) > 1 and signs[-2].end == signs[-1].start)


def _begins_a_word(following: Sequence[str], lexicon: Lexicon) -> bool:
    """Whether nothing, a letter or a digit comes next."""
    return not following or len(following[0]) == 1 or following[0] in lexicon.digits


def _letter(token: str, signs: Sequence[Sign], tokens: Sequence[str], at: int) -> str | None:
    if len(token) == 1 and token.isalpha() and token.isascii():
        return token
    if token in _UNMISTAKABLE:
        return _SOUNDS[token]
    if token in _KOREAN:
        return _KOREAN[token]
    if token in _SOUNDS:
        beside = bool(signs) and signs[-1].end == at
        following = tokens[at + 1] if at + 1 < len(tokens) else ""
        if beside or (len(following) == 1 and following.isalpha() and following not in "ai"):
            return _SOUNDS[token]
        if tuple(tokens[at + 1 : at + 3]) == ("as", "in"):
            return _SOUNDS[token]
    return None


def _spells_beside(tokens: Sequence[str], at: int) -> bool:
    beside = (tokens[near] for near in (at - 1, at + 1) if 0 <= near < len(tokens))
    return any(token in _KOREAN and token not in _KOREAN_DIGITS_FIRST for token in beside)


def _explained(tokens: Sequence[str], letter: str, start: int, end: int) -> Sign:
    """Take "as in boy" with the b; after "for" and "in" only a word that begins with the letter."""
    for words in _EXPLAINS:
        after = end + len(words)
        if tuple(tokens[end:after]) == words and after < len(tokens):
            word = tokens[after]
            if (word.startswith(letter) and len(word) > 1) or words in (("as", "in"), ("like", "in")):
                return Sign(letter, start, after + 1)
    return Sign(letter, start, end)


def text_of(signs: Sequence[Sign]) -> str:
    """Return what was spelled: in capitals, or small with the capitals that were named."""
    if any(sign.case for sign in signs):
        return "".join(sign.text.upper() if sign.case == "upper" else sign.text.lower() for sign in signs)
    return "".join(sign.text for sign in signs).upper()


def read_spelled(line: Line, length: tuple[int, int]) -> Found:
    """Find what is spelled; invalid "length" where it has not as many characters as `length` wants."""
    groups: list[list[Sign]] = []
    for sign in signs_in(line.tokens, line.lexicon):
        gap = groups and range(groups[-1][-1].end, sign.start)
        if groups and len(gap or ()) <= _LONGEST_GAP and all(line.tokens[at] in _JOINTS for at in gap or ()):
            groups[-1].append(sign)
        else:
            groups.append([sign])
    readings = []
    for group in groups:
        reading = _reading(line, group, length)
        if reading is not None:
            readings.append(reading)
    if not readings:
        return Found()
    best = max(readings, key=lambda r: (not r.invalid, len(str(r.value)), r.start))
    return Found(best, tuple(readings))


def _reading(line: Line, group: list[Sign], length: tuple[int, int]) -> Reading | None:
    text = text_of(group)
    low, high = length
    if len(text) < min(_SHORTEST, low) or (len(text) < _SHORTEST and len(line.tokens) > 1):
        return None
    if all(sign.weak for sign in group) or (text.isdigit() and len(text) < _SHORTEST_FIGURES):
        return None
    start, end = group[0].start, group[-1].end
    # Whoever says the name and then spells it has said it twice.
    spans = [(start, end), *((at, at + 1) for at, t in enumerate(line.tokens) if t == text.lower())]
    score = max(0.0, 1.0 - _UNUSED_COST * line.unused(spans))
    return Reading(text, score, start, end, "" if low <= len(text) <= high else "length")
