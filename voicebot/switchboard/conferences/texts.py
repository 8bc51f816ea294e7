"""What conferences say, by language; a language without words of its own hears English."""

from __future__ import annotations

from typing import Literal

from voicebot.conference.commands import Refusal, Removal

Word = Literal["recorded", "not_recorded", "waits", "comes", "goes", "failed"]

_ENGLISH: dict[Refusal | Removal | Word, str] = {
    "full": "This conference is full. Goodbye.",
    "locked": "This conference is locked. Nobody can join it now. Goodbye.",
    "over": "This conference has ended. Goodbye.",
    "kicked": "You have been removed from the conference. Goodbye.",
    "ended": "The conference has ended. Goodbye.",
    "no_host": "The host has left, and the conference has ended. Goodbye.",
    "lost": "I am sorry, the conference was interrupted. Please call again.",
    "failed": "I am sorry, I cannot connect you with the conference now. Please call again.",
    "recorded": "This conference is recorded.",
    "not_recorded": "The recording has ended.",
    "waits": "The conference begins when the host arrives.",
    "comes": "{name} joins.",
    "goes": "{name} leaves.",
}
_KOREAN: dict[Refusal | Removal | Word, str] = {
    "full": "회의실이 가득 찼습니다. 안녕히 계세요.",
    "locked": "회의실이 잠겨 있어 지금은 참여할 수 없습니다. 안녕히 계세요.",
    "over": "회의가 끝났습니다. 안녕히 계세요.",
    "kicked": "회의에서 나가게 되었습니다. 안녕히 계세요.",
    "ended": "회의가 끝났습니다. 안녕히 계세요.",
    "no_host": "진행자가 나가서 회의가 끝났습니다. 안녕히 계세요.",
    "lost": "죄송합니다. 회의가 중단되었습니다. 다시 전화해 주세요.",
    "failed": "죄송합니다. 지금은 회의에 연결할 수 없습니다. 다시 전화해 주세요.",
    "recorded": "이 회의는 녹음됩니다.",
    "not_recorded": "녹음이 끝났습니다.",
    "waits": "진행자가 오면 회의가 시작됩니다.",
    "comes": "{name} 님이 들어왔습니다.",
    "goes": "{name} 님이 나갔습니다.",
}
_LANGUAGES = {"en": _ENGLISH, "ko": _KOREAN}


def words(what: Refusal | Removal | Word, language: str, name: str = "") -> str:
    """Return a sentence; `language` is a tag such as en-US, `name` who comes or goes."""
    texts = _LANGUAGES.get(language.split("-")[0].lower(), _ENGLISH)
    return texts[what].replace("{name}", name)


def spoken_language(language: str) -> str:
    """Return the language that `words` answers in."""
    return language if language.split("-")[0].lower() in _LANGUAGES else "en-US"
