"""Korean days and times: the patterns in which they are said, with or without blanks and particles."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache

from voicebot.dialog.language.dates import weekday_names
from voicebot.dialog.language.lexicon import mapped
from voicebot.dialog.understanding.korean_numbers import korean_value
from voicebot.dialog.understanding.line import Line
from voicebot.dialog.understanding.when_parts import Clock, Day, Delta, Meridiem, Part, Piece, Wrong


def _numbered(text: str) -> dict[str, int]:
    return {word: int(number) for word, number in mapped(text).items()}


_WEEKDAYS = {name: number for number, name in enumerate(weekday_names("ko").values())}
_NAMED = _numbered(
    "오늘: 0, 금일: 0, 내일: 1, 명일: 1, 모레: 2, 내일모레: 2, 내일 모레: 2, 글피: 3, "
    "어제: -1, 그제: -2, 그저께: -2"
)
_DAYS = _numbered(
    "하루: 1, 이틀: 2, 사흘: 3, 나흘: 4, 닷새: 5, 엿새: 6, 이레: 7, 여드레: 8, 아흐레: 9, 열흘: 10, 보름: 15"
)
_PARTS: dict[str, Meridiem] = {
    "오전": "am", "아침": "am", "새벽": "am", "오후": "pm", "낮": "pm", "저녁": "pm", "밤": "night",
}  # fmt: skip
_HOLIDAYS = {"크리스마스이브": (12, 24), "크리스마스": (12, 25), "성탄절": (12, 25)}

_SINO = (
    r"(?:\d{1,8}|(?:[일이삼사오육륙유칠팔구영공십백천]|시(?= ?월))"
    r"(?: ?[일이삼사오육륙칠팔구영공십백천]){0,9})"
)
_NATIVE = r"(?:열 ?하나|열 ?한|열 ?두|열 ?둘|하나|한|두|둘|세|셋|네|넷|다섯|여섯|일곱|여덟|아홉|열)"
_NATIVE_VALUES = _numbered(
    "한: 1, 하나: 1, 두: 2, 둘: 2, 세: 3, 셋: 3, 네: 4, 넷: 4, 다섯: 5, 여섯: 6, 일곱: 7, 여덟: 8, 아홉: 9, "
    "열: 10, 열한: 11, 열하나: 11, 열두: 12, 열둘: 12"
)
_WEEK = r"(?P<rel>다다음|다음다음|다음|이번|지난|저번|오는|돌아오는)"
_WEEKS = {"이번": 0, "다음": 1, "다다음": 2, "다음다음": 2, "지난": -1, "저번": -1}
_AFTER = r"(?P<way>뒤|후|이따|있다가|전)"


def _any(words: Iterable[str]) -> str:
    return "(?:" + "|".join(sorted(words, key=len, reverse=True)) + ")"


def _number(text: str) -> int:
    text = text.replace(" ", "")
    if text in ("유", "시"):
        return 6 if text == "유" else 10
    if text.isdigit():
        return int(text[:9])
    if text in _NATIVE_VALUES:
        return _NATIVE_VALUES[text]
    value = korean_value(text)
    return -1 if value is None else int(value)


Build = Callable[[re.Match[str]], Piece | None]


def _date(m: re.Match[str]) -> Day:
    return Day(_number(m["y"]) if m["y"] else None, _number(m["m"]), _number(m["d"]))


def _weekday(m: re.Match[str]) -> Day:
    weekday, rel = _WEEKDAYS[m["wd"]], m["rel"]
    if rel in _WEEKS and (m["week"] or rel != "이번"):
        return Day(weekday=weekday, week=_WEEKS[rel])
    return Day(weekday=weekday, which="this" if rel == "이번" else "")


def _of_month(m: re.Match[str]) -> Day:
    ahead = _WEEKS.get(m["rel"], 0)
    if m["last"]:
        return Day(months_ahead=ahead, last=True)
    return Day(day=1 if m["first"] else _number(m["d"]), months_ahead=ahead)


def _last_of(m: re.Match[str]) -> Day:
    return Day(month=_number(m["m"]), last=True)


def _in_days(m: re.Match[str]) -> Day | None:
    sign = -1 if m["way"] == "전" else 1
    groups = m.groupdict()
    if groups.get("word"):
        return Day(days=0, plus_days=sign * _DAYS[groups["word"]])
    count = _number(m["n"])
    unit = m["unit"]
    if count < 0:
        return None
    if unit in ("일", "주", "주일", "주간"):
        return Day(days=0, plus_days=sign * count * (1 if unit == "일" else 7))
    return Day(days=0, plus_months=sign * count * (12 if unit == "년" else 1))


def _clock(m: re.Match[str]) -> Clock | Wrong | None:
    hour = _number(m["h"])
    minute = 30 if m["half"] else _number(m["m"]) if m["m"] else 0
    if hour > 24 or minute > 59:
        return Wrong("clock")
    meridiem: Meridiem = _PARTS[m["part"]] if m["part"] else ""
    if m["part"] == "낮" and hour in (10, 11):
        meridiem = "am"
    if m["before"] and minute:
        hour, minute = hour - 1 if hour > 1 else 12, 60 - minute
    return Clock(hour, minute, meridiem)


def _colon(m: re.Match[str]) -> Clock | None:
    hour, minute = int(m["h"]), int(m["m"])
    if hour > 24 or minute > 59:
        return None
    return Clock(hour, minute, _PARTS[m["part"]] if m["part"] else "", exact=len(m["h"]) == 2 and hour < 10)


def _delta(m: re.Match[str]) -> Delta | None:
    hours = _number(m["h"]) if m["h"] else 0
    minutes = 30 if m["half"] else _number(m["m"]) if m["m"] else 0
    return Delta(60 * hours + minutes) if hours + minutes > 0 and min(hours, minutes) >= 0 else None


_PART = _any(_PARTS)
_RAW: tuple[tuple[str, Build], ...] = (
    (rf"(?:(?P<y>{_SINO}) ?년 ?)?(?P<m>{_SINO}) ?월 ?(?P<d>{_SINO}) ?일", _date),
    (r"(?P<y>\d{4}) (?P<m>\d\d) (?P<d>\d\d)", _date),
    (rf"{_WEEK} ?달 ?(?:(?P<last>말일?|마지막 ?날)|(?P<first>초하루|초|첫날)|(?P<d>{_SINO}) ?일)", _of_month),
    (rf"(?P<m>{_SINO}) ?월 ?(?:말일|말|마지막 ?날)", _last_of),
    (rf"(?:{_WEEK} ?(?P<week>주 ?)?)?(?P<wd>{_any(_WEEKDAYS)})", _weekday),
    (rf"(?P<named>{_any(_NAMED)})", lambda m: Day(days=_NAMED[m["named"]])),
    (rf"(?P<h>{_any(_HOLIDAYS)})", lambda m: Day(None, *_HOLIDAYS[m["h"]])),
    (rf"(?P<word>{_any(_DAYS)}) ?{_AFTER}", _in_days),
    (rf"(?P<n>{_SINO}) ?(?P<unit>일|주일|주간|주|개월|년) ?{_AFTER}", _in_days),
    (rf"(?P<n>{_NATIVE}) ?(?P<unit>주|달|해) ?{_AFTER}", _in_days),
    (rf"(?P<d>{_SINO}) ?일", lambda m: Day(day=_number(m["d"]))),
    (
        rf"(?:(?P<part>{_PART})(?:에)? ?)?(?P<h>{_NATIVE}|{_SINO}) ?시(?!간)(?:에)?"
        rf"(?: ?(?P<half>반)| ?(?P<m>{_SINO}) ?분)?(?P<before> ?전)?",
        _clock,
    ),
    (rf"(?:(?P<part>{_PART}) ?)?(?P<h>\d{{1,2}})[:.](?P<m>\d\d)", _colon),
    (r"(?:낮 ?)?(?:열두 ?시 )?정오", lambda m: Clock(12, exact=True)),
    (r"자정", lambda m: Clock(0, exact=True)),
    (
        rf"(?:(?P<h>{_NATIVE}|{_SINO}) ?시간 ?)?(?:(?P<half>반)|(?P<m>{_SINO}) ?분)? ?"
        r"(?:뒤|후|이따가?|있다가)",
        _delta,
    ),
    (rf"(?P<part>{_PART})", lambda m: Part(_PARTS[m["part"]])),
)  # fmt: skip


@lru_cache(maxsize=1)
def _patterns() -> tuple[tuple[re.Pattern[str], Build], ...]:
    # A word begins where a piece begins, or right after another piece (내일오후세시).
    return tuple((re.compile(pattern), build) for pattern, build in _RAW)


def korean_pieces(line: Line) -> Iterator[tuple[int, int, int, int, Piece]]:
    """Find all that may be a day or a time: (characters from, to, tokens from, to, piece)."""
    for pattern, build in _patterns():
        for match in pattern.finditer(line.text):
            piece = build(match)
            if piece is not None:
                yield match.start(), match.end(), *line.span(match), piece
