"""What machines and persons say when they answer.

A recogniser mishears on the telephone, so longer phrases are found where they nearly fit. Phrases are written
as a recogniser writes them: lower case, no punctuation.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from rapidfuzz import fuzz

from voicebot.speech.answering.events import Answerer, Why

NEARLY = 86.0
"""Likeness, of 100, at which a phrase of at least LONG characters is taken as said."""
LONG = 11
LONG_SYLLABLES = 6
"""The same for phrases in Hangul, whose characters are syllables."""
SHORT_WORDS = 6
"""A person's greeting has no more words than this."""


class Said(NamedTuple):
    """sure: these words alone decide; else they are a hint"""

    by: Answerer
    why: Why
    sure: bool


_INVALID = Said(Answerer.MACHINE, Why.INVALID, True)
_ANNOUNCEMENT = Said(Answerer.MACHINE, Why.ANNOUNCEMENT, True)
_SCREENING = Said(Answerer.MACHINE, Why.SCREENING, True)
_MENU = Said(Answerer.MACHINE, Why.MENU, True)
_MACHINE = Said(Answerer.MACHINE, Why.GREETING_WORDS, True)
_PERHAPS = Said(Answerer.MACHINE, Why.GREETING_WORDS, False)
_PERSON = Said(Answerer.PERSON, Why.GREETING_WORDS, True)
_HELLO = Said(Answerer.PERSON, Why.GREETING_WORDS, False)

Phrases = tuple[tuple[Said, tuple[str, ...]], ...]

_ENGLISH: Phrases = (
    (_INVALID, (
        "not in service", "no longer in service", "has been disconnected", "number you have dialed is not",
        "number you have dialled is not", "number does not exist", "not a valid number",
        "number has not been recognised", "number has not been recognized", "check the number and",
        "number you have called is not", "number you are calling is not in use",
    )),
    (_ANNOUNCEMENT, (
        "call cannot be completed", "call can not be completed", "cannot be completed as dialed",
        "could not be completed", "all circuits are busy", "switched off", "out of the coverage area",
        "cannot be reached", "not accepting calls", "temporarily unavailable", "please try your call again",
        "please try again later", "subscriber you have dialed", "subscriber you have dialled",
    )),
    (_SCREENING, (
        "state your name", "say your name", "using a screening service", "screening service from",
        "say who is calling", "reason for calling", "reason for your call", "record your name",
        "see if this person is available", "after hearing your name",
    )),
    (_MACHINE, (
        "leave a message", "leave me a message", "leave your message", "leave us a message",
        "leave a short message", "leave a brief message", "leave a detailed message", "leave your name",
        "leave a name", "record your message", "after the tone", "after the beep", "at the tone",
        "at the sound of the tone", "you have reached the voicemail", "reached the voice mail",
        "voice mailbox", "voicemail", "voice mail", "answering machine", "mailbox is full", "this mailbox",
        "after the signal",
        "get back to you", "call you back as soon", "return your call", "can't come to the phone",
        "cannot come to the phone", "can't take your call", "cannot take your call",
        "unable to take your call", "unable to answer", "is not available to take", "not available right now",
        "not available at the moment", "away from the phone", "missed your call", "when you have finished",
        "when you are finished", "forwarded to", "our opening hours are", "our office is closed",
        "we are currently closed", "outside of business hours",
    )),
    (_MENU, (
        "press one", "press 1", "press two", "press 2", "press three", "press 3", "press zero", "press 0",
        "press the star", "press pound", "press the pound key", "press the hash key",
        "following options", "menu options have changed", "for sales press", "your call is important",
        "may be recorded", "please hold while", "stay on the line", "dial the extension",
        "enter the extension", "next available",
    )),
    (_PERSON, (
        "how may i help", "how can i help", "how may i direct", "who is this", "who's this", "who is calling",
        "who's calling", "may i ask who", "can i take a message", "can i help you", "what can i do for you",
        "yes speaking", "this is she", "this is he", "is anybody there", "is anyone there", "hello who",
        "wrong number", "what do you want", "hello can you hear me", "i can't hear you", "speak up",
    )),
    (_PERHAPS, (
        "you have reached", "you've reached", "you reached", "not available", "unavailable",
        "thank you for calling", "thanks for calling", "have a great day", "have a nice day",
    )),
    (_HELLO, ("hello", "hi", "yes", "yeah", "hey", "speaking", "good morning", "good afternoon",
              "good evening", "allo", "what", "yep", "mhm")),
)  # fmt: skip

_KOREAN: Phrases = (
    (_INVALID, ("없는 번호", "결번", "사용하지 않는 번호", "다시 확인하시고", "번호를 확인")),
    (_ANNOUNCEMENT, ("전원이 꺼져", "받을 수 없", "통화할 수 없", "연결할 수 없", "연결이 되지 않",
                     "통화량이 많아",
                     "착신이 정지", "수신이 정지", "고객의 사정", "통화 중이오니", "통화중이오니")),
    (_SCREENING, ("성함을 말씀", "이름을 말씀", "용건을 말씀", "누구신지 말씀", "통화 목적")),
    (_MACHINE, ("음성사서함", "음성 사서함", "소리샘", "삐 소리", "삐소리", "신호음", "메시지를 남겨",
                "메시지를 남기",
                "말씀을 남겨", "녹음해", "녹음이 끝나", "부재중", "자동응답", "호출번호를", "연락처를 남겨",
                "용건을 남겨", "영업시간은", "영업이 종료", "업무가 종료")),
    (_MENU, ("누르세요", "눌러", "누르십시오", "일번", "1번", "상담원 연결", "상담사 연결", "우물정자",
             "별표", "잠시만 기다려", "녹음될 수", "통화 내용이")),
    (_PERSON, ("여보세요", "누구세요", "누구십니까", "무엇을 도와", "무슨 일", "어디세요", "전화 잘못",
               "안 들려", "제가 맞", "전데요", "접니다", "말씀하세요")),
    (_PERHAPS, ("지금은 전화를", "감사합니다 고객", "이용해 주셔서")),
    (_HELLO, ("네", "예", "안녕하세요", "응", "어")),
)  # fmt: skip

LANGUAGES: dict[str, Phrases] = {"en": _ENGLISH, "ko": _KOREAN}
_WORD = re.compile(r"[^\w' ]+")


def said_by(text: str, language: str) -> Said | None:
    """Return who says such a thing; None: anybody may. `language` is a BCP 47 tag, its region without
    meaning; of languages without phrases nothing is known.
    """
    phrases = LANGUAGES.get(language.lower().replace("_", "-").split("-")[0])
    words = " ".join(_WORD.sub(" ", text.lower().replace("\u2019", "'")).split())
    if phrases is None or not words:
        return None
    for said, group in phrases:
        if said is _HELLO:
            continue
        if any(_holds(words, phrase) for phrase in group):
            return said
    count = len(words.split())
    starts = any(words == hello or words.startswith(f"{hello} ") for said, group in phrases if said is _HELLO
                 for hello in group)  # fmt: skip
    return _HELLO if starts and count <= SHORT_WORDS else None


def _holds(words: str, phrase: str) -> bool:
    long = len(phrase) >= (LONG if phrase.isascii() else LONG_SYLLABLES)
    if not long:
        return f" {phrase}" in f" {words}"
    return fuzz.partial_ratio(phrase, words) >= NEARLY if len(words) >= len(phrase) else False
