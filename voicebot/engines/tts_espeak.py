"""espeak-ng as a library: 3 ms for a sentence, about a hundred languages, a robot's voice.

The library comes with the package espeakng-loader, so nothing has to be installed system-wide. It has one
voice and one callback a process, hence the lock; all of a sentence is there before streaming it could pay.
"""

from __future__ import annotations

import ctypes
import re
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from voicebot.errors import UserError
from voicebot.speech.spellout import SINO_KOREAN, spell
from voicebot.speech.tts import AudioChunk, Voice

DEFAULT_WPM = 165
"""Words a minute where nothing is configured: espeak's own 175 is hasty on a telephone."""
FASTEST_WPM, SLOWEST_WPM = 450, 80
DEFAULT_PITCH = 50

# speak_lib.h
_AUDIO_OUTPUT_SYNCHRONOUS = 2
_INITIALIZE_DONT_EXIT = 0x8000
_POSITION_CHARACTER = 1
_CHARS_UTF8 = 1
_RATE, _PITCH = 1, 3
_BUFFER_MS = 500

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9 _()/-]*(\+[A-Za-z0-9_]+)?")
_FIGURES = re.compile(r"(?<![\d.,:-])(?:\d+(?:-\d+)+|\d{1,15})(?![.,:-]?\d)")
LOCK = threading.Lock()
"""One for the process, like the library's state."""
_users: set[str] = set()
SPEAKABLE = "figures in words"
"""Part of the version: prompts that were rendered before `speakable` are rendered anew."""


_CALLBACK = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p)


class _Voice(ctypes.Structure):
    """espeak_VOICE; the fields that we do not read are not named."""

    _fields_ = (
        ("name", ctypes.c_char_p),
        ("languages", ctypes.c_char_p),
        ("identifier", ctypes.c_char_p),
        ("_rest", ctypes.c_ubyte * 24),
    )


def library_paths(user: str) -> tuple[Path, Path]:
    """Return the shared library and the data folder, for the engine named `user`.

    Raises UserError if they are missing, or if another engine has the library in this process: pyttsx3
    runs it asynchronously, and whoever shares it is told of the wrong sentence's end.
    """
    _users.add(user)
    if len(_users) > 1:
        raise UserError(
            f"{' and '.join(sorted(_users))} cannot run in one process",
            "give one of them workers = 1 or more",
        )
    try:
        import espeakng_loader

        library, data = Path(espeakng_loader.get_library_path()), Path(espeakng_loader.get_data_path())
    except (ImportError, RuntimeError) as error:
        raise UserError(
            f"espeak-ng is not installed ({error})", "run: pip install --force-reinstall espeakng-loader"
        ) from error
    return library, data


def voice_candidates(voice: Voice) -> tuple[str, ...]:
    """Return espeak's names to try for `voice`: its own name, else its language and then the primary subtag.

    Raises ValueError for what cannot be the name of a voice.
    """
    language = voice.language.lower()
    names = [voice.name] if voice.name else [language, language.split("-")[0]]
    for name in names:
        if not _NAME.fullmatch(name):
            raise ValueError(f"{name!r} is no voice of espeak-ng")
    return tuple(dict.fromkeys(names))


def words_a_minute(voice: Voice) -> int:
    """Return the rate for espeak, within what it can do."""
    return min(max(voice.rate or DEFAULT_WPM, SLOWEST_WPM), FASTEST_WPM)


def speakable(text: str, voice: Voice) -> str:
    """Return `text` as espeak-ng speaks it well, "" where there are no words.

    Korean figures become words: espeak cuts the end of 1, 7 and 8, and its "1번" is heard as "2번".
    """
    text = text.replace("\0", " ").encode(errors="replace").decode()
    if voice.language.lower().startswith("ko"):
        text = _FIGURES.sub(_in_korean, text)
    return text if text.strip() else ""


def _in_korean(found: re.Match[str]) -> str:
    """A number, or figure by figure what counts nothing: 010-1234."""
    text = found[0]
    if text.isdigit() and (text[0] != "0" or text == "0"):
        return spell(int(text), "ko", SINO_KOREAN)
    return " ".join(spell(int(each), "ko", SINO_KOREAN) if each.isdigit() else "," for each in text)


class EspeakSynthesizer:
    """libespeak-ng through ctypes. `pitch`: 0 to 99."""

    def __init__(self, pitch: int = DEFAULT_PITCH) -> None:
        library, data = library_paths("espeak")
        self._pitch = pitch
        self._variants = {path.name for path in (data / "voices" / "!v").iterdir()}
        self._lib = _declare(ctypes.CDLL(str(library)))
        self._rate_hz = self._lib.espeak_Initialize(
            _AUDIO_OUTPUT_SYNCHRONOUS, _BUFFER_MS, str(data).encode(), _INITIALIZE_DONT_EXIT
        )
        if self._rate_hz <= 0:
            raise UserError(f"espeak-ng does not start with {data}", "reinstall espeakng-loader")
        self._pcm = bytearray()
        self._callback = _CALLBACK(self._collect)  # kept: the library holds only the pointer
        self._lib.espeak_SetSynthCallback(self._callback)

    def synthesize(self, text: str, voice: Voice) -> Iterator[AudioChunk]:
        """Yield the speech of `text`, nothing if it has no words. Raises ValueError for an unknown voice."""
        encoded = speakable(text, voice).encode()
        if not encoded:
            return
        with LOCK:
            self._choose(voice)
            self._lib.espeak_SetParameter(_RATE, words_a_minute(voice), 0)
            self._lib.espeak_SetParameter(_PITCH, self._pitch, 0)
            self._pcm = bytearray()
            status = self._lib.espeak_Synth(
                encoded, len(encoded) + 1, 0, _POSITION_CHARACTER, 0, _CHARS_UTF8, None, None
            )
            samples = np.frombuffer(bytes(self._pcm), np.int16)
        if status != 0:
            raise RuntimeError(f"espeak_Synth returned {status}")
        if len(samples):
            yield AudioChunk(samples, self._rate_hz)

    def describe(self) -> dict[str, str]:
        """Return the engine's name and version, which cached prompts depend on."""
        version = self._lib.espeak_Info(None).decode()
        return {"engine": "espeak", "version": f"{version} pitch {self._pitch} {SPEAKABLE}"}

    def voices(self) -> list[str]:
        """Return the names that `Voice.name` may have; +f1, +m3, ... after one is a variant."""
        with LOCK:
            listed = self._lib.espeak_ListVoices(None)
            names: list[str] = []
            while listed[len(names)]:
                names.append(listed[len(names)].contents.identifier.decode())
        return names

    def _choose(self, voice: Voice) -> None:
        for name in voice_candidates(voice):
            _, _, variant = name.partition("+")
            if variant and variant not in self._variants:
                continue  # the library would drop the variant without a word
            if self._lib.espeak_SetVoiceByName(name.encode()) == 0:
                return
        raise ValueError(f"espeak-ng has no voice {voice.name or voice.language!r}")

    def _collect(self, wav: Any, samples: int, events: int | None) -> int:
        if wav and samples > 0:
            self._pcm += ctypes.string_at(wav, samples * 2)
        return 0


def _declare(lib: ctypes.CDLL) -> ctypes.CDLL:
    lib.espeak_Initialize.argtypes = [ctypes.c_int, ctypes.c_int, ctypes.c_char_p, ctypes.c_int]
    lib.espeak_SetSynthCallback.argtypes = [_CALLBACK]
    lib.espeak_SetSynthCallback.restype = None
    lib.espeak_SetVoiceByName.argtypes = [ctypes.c_char_p]
    lib.espeak_SetParameter.argtypes = [ctypes.c_int, ctypes.c_int, ctypes.c_int]
    lib.espeak_Synth.argtypes = [
        *(ctypes.c_char_p, ctypes.c_size_t, ctypes.c_uint, ctypes.c_int),
        *(ctypes.c_uint, ctypes.c_uint, ctypes.c_void_p, ctypes.c_void_p),
    ]
    lib.espeak_Info.argtypes = [ctypes.c_void_p]
    lib.espeak_Info.restype = ctypes.c_char_p
    lib.espeak_ListVoices.argtypes = [ctypes.c_void_p]
    lib.espeak_ListVoices.restype = ctypes.POINTER(ctypes.POINTER(_Voice))
    return lib
