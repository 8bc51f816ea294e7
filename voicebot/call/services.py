"""What a call needs of the process around it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from voicebot.call.calls_live import LiveCalls
from voicebot.call.leg import Ari
from voicebot.call.live import Hub
from voicebot.call.record_keeping import RecordKeeper
from voicebot.call.scribe import Observer
from voicebot.call.speaking import PromptLibrary
from voicebot.call.working import Workers
from voicebot.config import Config, Route
from voicebot.media.loop import MediaLoop
from voicebot.speech.stt import SttService
from voicebot.speech.tts import TtsService, Voice
from voicebot.speech.vad import Vad


@dataclass(frozen=True, slots=True)
class Services:
    """The process, as one call sees it; recogniser, voice and recorded prompts are those of its route.

    hub:  takes news of any kind, for those who watch
    live: is told what happens in the call, for those who watch or listen; None: nobody does
    """

    config: Config
    ari: Ari
    media: MediaLoop
    stt: SttService
    tts: TtsService
    library: PromptLibrary
    vad: Callable[[], Vad]
    work: Workers
    records: RecordKeeper
    environment: Mapping[str, str]
    observer: Observer | None = None
    hub: Hub | None = None
    live: LiveCalls | None = None


def voice_of(config: Config, route: Route, language: str) -> Voice:
    """Return who speaks `language` on a route."""
    speech = route.speech(language)
    tts = config.tts[speech.tts]
    return Voice(language, speech.voice or tts.voice, tts.rate)
