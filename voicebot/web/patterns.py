"""How texts in requests must look, and how that is told to who has written one otherwise."""

from __future__ import annotations

from voicebot.config import patterns
from voicebot.config.patterns import CHANNEL, NAME

NUMBER = r"^\+?[0-9*#]{1,32}$"
TARGET = r"^((queue|conference|agent):[a-z0-9_-]{1,64}|[A-Za-z0-9_+*#-]{1,64})$"
WHOM = rf"({CHANNEL})|({NAME})|({NUMBER})"
LEG = r"^[A-Za-z0-9/_.@:;+\-]+$"
WORDS = r"^[^\x00-\x08\x0b-\x1f\x7f]*\S[^\x00-\x08\x0b-\x1f\x7f]*$"
LINE = r"^[^\x00-\x1f\x7f]*$"

SAID = patterns.SAID | {
    NUMBER: "must be a number: digits, * and #, perhaps with + before them",
    TARGET: "must be queue:NAME, conference:NAME, agent:NAME or an extension",
    WHOM: "must be a name, a telephone such as PJSIP/anna, or a number",
    LEG: "must be a channel of Asterisk's: PJSIP/carrier-0000002a",
    WORDS: "must hold words, and no control characters",
    LINE: "must be one line without control characters",
}
