"""E-mail addresses in the words of callers: "john dot smith at gmail dot com", spelled or said."""

from __future__ import annotations

import re
from collections.abc import Mapping

from voicebot.dialog.understanding.line import Found, Line, Reading
from voicebot.dialog.understanding.spelling import PILOTS, Sign, signs_in

_UNUSED_COST = 0.06

_ADDRESS = re.compile(
    r"(?=.{3,254}$)(?=[^@]{1,64}@)[a-z0-9!#$%&'*+/=?^_{|}~-]+(?:\.[a-z0-9!#$%&'*+/=?^_{|}~-]+)*"
    r"@(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z](?:[a-z0-9-]{0,61}[a-z0-9])"
)
"""A local part of RFC 5322's plain form, and a domain of RFC 1035 with at least two labels."""

_AT = frozenset(("at", "골뱅이", "앳"))
_DOT = frozenset(("dot", "point", "period", "점", "닷", "쩜"))
_SIGNS = {
    "underscore": "_",
    "dash": "-",
    "hyphen": "-",
    "minus": "-",
    "plus": "+",
    "언더바": "_",
    "밑줄": "_",
    "하이픈": "-",
    "대시": "-",
}
_KNOWN = {
    "gmail": "gmail.com", "googlemail": "googlemail.com", "hotmail": "hotmail.com", "yahoo": "yahoo.com",
    "outlook": "outlook.com", "icloud": "icloud.com", "aol": "aol.com", "naver": "naver.com",
    "hanmail": "hanmail.net", "daum": "daum.net", "kakao": "kakao.com",
}  # fmt: skip
"""Domains that everybody knows, and so says without their end."""
_KOREAN = {
    "네이버": "naver",
    "다음": "daum",
    "한메일": "hanmail",
    "지메일": "gmail",
    "카카오": "kakao",
    "컴": "com",
    "넷": "net",
    "닷컴": "com",
}
Signs = Mapping[int, Sign]
"""What is spelled, by the token at which it begins."""

_LEADS = frozenset(("is", "address", "email", "mail", "이메일은", "메일은", "주소는", "제"))
_SILENT = frozenset(
    (
        "all",
        "lower",
        "lowercase",
        "case",
        "small",
        "letters",
        "yes",
        "yeah",
        "sure",
        "it",
        "um",
        "uh",
        "well",
        "okay",
        "ok",
        "so",
        "the",
        "my",
        "that",
        "would",
        "be",
    )
)


def read_email(line: Line) -> Found:
    """Find the address, in small letters; invalid "form" where something of it is missing or wrong."""
    tokens = line.tokens
    signs = {sign.start: sign for sign in signs_in(tokens, line.lexicon)}
    for at in reversed([n for n, token in enumerate(tokens) if token in _AT]):
        domain, end, dotted = _domain(line, at + 1, signs)
        if not domain or not (dotted or domain in _KNOWN):
            continue
        domain = domain if dotted else _KNOWN[domain]
        local, start = _local(line, at, signs)
        address = f"{local}@{domain}".lower()
        invalid = "" if _ADDRESS.fullmatch(address) else "form"
        end = min(end, len(line.tokens))
        used = [(0, start), (start, end)]  # what leads to an address says nothing of its own
        score = max(0.0, 1.0 - _UNUSED_COST * line.unused(used))
        reading = Reading(address, score, start, end, invalid)
        return Found(reading, (reading,))
    return Found()


def given_email(text: str) -> str | None:
    """Return an address from outside, or None where its form is wrong."""
    return text if _ADDRESS.fullmatch(text.lower()) else None


def _domain(line: Line, at: int, signs: Signs) -> tuple[str, int, bool]:
    """Read labels up to the end of the domain; return it, the token after it, and whether it has a dot."""
    tokens = line.tokens
    labels: list[str] = [""]
    first = at
    while at < len(tokens):
        token = tokens[at]
        if token in _DOT or token == "닷컴":
            if not labels[-1]:
                break
            labels.append("com" if token == "닷컴" else "")
            at += 1
            if token == "닷컴":
                break
            continue
        if len(labels) > 1 and labels[-1]:  # a label after a dot is one word, or letters one by one
            letters = len(token) == 1 and len(labels[-1]) < 3 and at > first and len(tokens[at - 1]) == 1
            if not letters:
                break
        text, end = _text(line, at, signs, len(tokens))
        labels[-1] += text
        at = end
        if (
            len(labels) == 1
            and labels[0] in _KNOWN
            and (at >= len(tokens) or tokens[at] not in _DOT | {"닷컴"})
        ):
            break
    if len(labels) > 1 and not labels[-1]:
        labels, at = labels[:-1], at - 1
    return ".".join(labels), at, len(labels) > 1


def _local(line: Line, at: int, signs: Signs) -> tuple[str, int]:
    tokens = line.tokens
    start = max((n + 1 for n in range(at) if tokens[n] in _LEADS), default=0)
    while start < at and (tokens[start] in _SILENT or tokens[start] in line.lexicon.fillers):
        start += 1
    text, here = "", start
    while here < at:
        if tokens[here] in _DOT:
            text, here = text + ".", here + 1
            continue
        more, here = _text(line, here, signs, at)
        text += more
    return text, start


def _text(line: Line, at: int, signs: Signs, end: int) -> tuple[str, int]:
    """Read one token, or the letters and figures that several of them spell, up to `end`."""
    token = line.tokens[at]
    if token in _SIGNS:
        return _SIGNS[token], at + 1
    if token in _KOREAN:
        return _KOREAN[token], at + 1
    sign = signs.get(at)
    if sign is not None and sign.end <= end and not (sign.word and _alone(line, sign)):
        return sign.text, sign.end
    return ("" if token in line.lexicon.fillers else token), at + 1


def _alone(line: Line, sign: Sign) -> bool:
    """Whether no other letter stands beside it, so that it is a name: Mike, not m."""
    beside = line.tokens[max(0, sign.start - 1) : sign.start] + line.tokens[sign.end : sign.end + 1]
    return not any(len(token) == 1 or token in PILOTS for token in beside)
