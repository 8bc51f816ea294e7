"""How phrases are pronounced: phonemes in IPA, from espeak-ng's rules for a hundred languages.

For tools that look at dialogs. Not for the process that holds calls: the library has one state a process,
which an engine for speech may be using there (`library_paths` refuses pyttsx3 beside it).
"""

from __future__ import annotations

import ctypes
import unicodedata
from functools import lru_cache

from voicebot.engines.tts_espeak import LOCK, library_paths, voice_candidates
from voicebot.errors import UserError
from voicebot.speech.tts import Voice

# speak_lib.h
_AUDIO_OUTPUT_SYNCHRONOUS = 2
_INITIALIZE_DONT_EXIT = 0x8000
_CHARS_UTF8 = 1
_IPA = 0x02
_SEPARATOR = "_"
_MODE = _IPA | ord(_SEPARATOR) << 8

LONGEST_CHARACTERS = 200
"""Of one phrase; the rest is not looked at."""
_LEFT_OUT = frozenset("ˈˌː‍͡ʲʰ̩̃̈ ˑ")
"""Stress, length, ties and the like: what two phrases may differ in and still sound alike."""


class EspeakPhonemes:
    """The pronouncing part of libespeak-ng. Call it with a phrase and its language (`en-US`).

    Raises UserError if the library is missing or has no voice for a language.
    """

    def __init__(self) -> None:
        library, data = library_paths("espeak")
        self._lib = _declare(ctypes.CDLL(str(library)))
        with LOCK:
            started = self._lib.espeak_Initialize(
                _AUDIO_OUTPUT_SYNCHRONOUS, 0, str(data).encode(), _INITIALIZE_DONT_EXIT
            )
        if started <= 0:
            raise UserError(f"espeak-ng does not start with {data}", "reinstall espeakng-loader")
        self._language = ""

    def __call__(self, phrase: str, language: str) -> tuple[str, ...]:
        """Return the phonemes of `phrase`, one IPA symbol each, with " " between words.

        A diphthong is its two vowels. Stress and length are left out. Nothing for what has no words.
        """
        encoded = phrase[:LONGEST_CHARACTERS].replace("\0", " ").encode(errors="replace")
        spoken = []
        with LOCK:
            self._choose(language)
            rest = ctypes.c_void_p(ctypes.cast(ctypes.c_char_p(encoded), ctypes.c_void_p).value)
            while rest.value:
                clause = self._lib.espeak_TextToPhonemes(ctypes.byref(rest), _CHARS_UTF8, _MODE)
                spoken.append(clause.decode(errors="replace") if clause else "")
        return _symbols(" ".join(spoken))

    def _choose(self, language: str) -> None:
        if language == self._language:
            return
        for name in voice_candidates(Voice(language=language)):
            if self._lib.espeak_SetVoiceByName(name.encode()) == 0:
                self._language = language
                return
        raise UserError(f"espeak-ng cannot pronounce {language!r}", "check `language`")


def _symbols(spoken: str) -> tuple[str, ...]:
    words = []
    for word in spoken.split():
        symbols = [
            c for c in unicodedata.normalize("NFD", word.replace(_SEPARATOR, "")) if c not in _LEFT_OUT
        ]
        if symbols:
            words.append(symbols)
    return tuple(symbol for at, word in enumerate(words) for symbol in ([" "] if at else []) + word)


def _declare(lib: ctypes.CDLL) -> ctypes.CDLL:
    lib.espeak_Initialize.argtypes = [ctypes.c_int, ctypes.c_int, ctypes.c_char_p, ctypes.c_int]
    lib.espeak_SetVoiceByName.argtypes = [ctypes.c_char_p]
    lib.espeak_TextToPhonemes.argtypes = [ctypes.POINTER(ctypes.c_void_p), ctypes.c_int, ctypes.c_int]
    lib.espeak_TextToPhonemes.restype = ctypes.c_char_p
    return lib


@lru_cache(maxsize=1)
def pronounce() -> EspeakPhonemes:
    """Return the one of this process; the library is loaded with the first call."""
    return EspeakPhonemes()
