"""What those who wait, and agents, are told: English and Korean. Other languages are told in English."""

from __future__ import annotations

from dataclasses import dataclass

from voicebot.acd.expecting import Announcement

ENGLISH = "en-US"
KOREAN = "ko-KR"


@dataclass(frozen=True, slots=True)
class Texts:
    """All of one language; `{...}` is filled in."""

    language: str
    greeting: str
    position: str
    next_one: str
    soon: str
    minute: str
    minutes: str
    offer_call_back: str
    confirm_call_back: str
    ask_number: str
    promised: str
    not_possible: str
    still_there: str
    nobody: str
    call_from: str
    unknown_caller: str
    call_back_for: str
    accept: str
    not_answered: str


_ENGLISH = Texts(
    language=ENGLISH,
    greeting="Please hold the line. Somebody will be with you.",
    position="You are number {position} in the queue.",
    next_one="You are next.",
    soon="It will not be long.",
    minute="It may take a minute.",
    minutes="It may take {minutes} minutes.",
    offer_call_back="Press {key}, and we will call you back when it is your turn.",
    confirm_call_back=(
        "We will call you back at {number}. Press pound if that is right, or key another number, and then "
        "pound. Press star to keep waiting."
    ),
    ask_number="Please key the number at which we may call you, and then pound. Press star to keep waiting.",
    promised="Thank you. You keep your place, and we will call you. Goodbye.",
    not_possible="I am sorry, we cannot call that number.",
    still_there="Please hold the line.",
    nobody="I am sorry, nobody can take your call now. Please try again later. Goodbye.",
    call_from="Call from {caller}.",
    unknown_caller="an unknown number",
    call_back_for="{caller} wants to be called back.",
    accept="Press {key} to accept.",
    not_answered="Nobody answers there.",
)
_KOREAN = Texts(
    language=KOREAN,
    greeting="잠시만 기다려 주세요. 상담원을 연결해 드리겠습니다.",
    position="고객님의 대기 순서는 {position}번입니다.",
    next_one="다음 순서입니다.",
    soon="곧 연결됩니다.",
    minute="예상 대기 시간은 일 분입니다.",
    minutes="예상 대기 시간은 {minutes}분입니다.",
    offer_call_back="순서가 되었을 때 전화를 받으시려면 {key}번을 눌러 주세요.",
    confirm_call_back=(
        "{number}번으로 전화드리겠습니다. 맞으면 우물 정자를 누르시고, 다른 번호를 원하시면 번호를 누르신 후 "
        "우물 정자를 눌러 주세요. 계속 기다리시려면 별표를 눌러 주세요."
    ),
    ask_number="전화받으실 번호를 누르신 후 우물 정자를 눌러 주세요. 계속 기다리시려면 별표를 눌러 주세요.",
    promised="감사합니다. 순서가 되면 전화드리겠습니다. 안녕히 계세요.",
    not_possible="죄송합니다. 그 번호로는 전화드릴 수 없습니다.",
    still_there="잠시만 기다려 주세요.",
    nobody="죄송합니다. 지금은 상담원이 전화를 받을 수 없습니다. 나중에 다시 걸어 주세요. 안녕히 계세요.",
    call_from="{caller} 님의 전화입니다.",
    unknown_caller="알 수 없는 번호",
    call_back_for="{caller} 님이 전화를 기다립니다.",
    accept="받으시려면 {key}번을 눌러 주세요.",
    not_answered="응답이 없습니다.",
)


def texts_of(language: str) -> Texts:
    """Return the texts for a language tag."""
    return _KOREAN if language.split("-")[0] == "ko" else _ENGLISH


def announcement_text(texts: Texts, what: Announcement, *, greeting: str, call_back_key: str) -> str:
    """Return the words of an announcement; `greeting` is the operator's own, "" for ours."""
    parts = [greeting or texts.greeting] if what.greeting else []
    if what.position is not None:
        parts.append(texts.next_one if what.position == 1 else texts.position.format(position=what.position))
    if what.minutes is not None:
        wait = texts.minutes if what.minutes > 1 else texts.minute if what.minutes else texts.soon
        parts.append(wait.format(minutes=what.minutes))
    if what.call_back:
        parts.append(texts.offer_call_back.format(key=call_back_key))
    return " ".join(parts or [texts.still_there])


def spaced(number: str) -> str:
    """Return a number as it is read aloud, digit by digit."""
    return " ".join(digit for digit in number if digit.isdigit())


def whisper_text(texts: Texts, *, caller: str, summary: str, key: str, call_back: bool) -> str:
    """Return what an agent hears before they have the call. `caller`: a name or a number."""
    named = spaced(caller) if caller.lstrip("+").isdigit() else caller
    who = texts.call_back_for if call_back else texts.call_from
    parts = [who.format(caller=named or texts.unknown_caller), summary, texts.accept.format(key=key)]
    return " ".join(part if part[-1] in ".?!" else f"{part}." for part in parts if part)
