"""What calls need, whoever brings them: dialogs, speech engines, the media tick, and those who do work."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Callable, Iterable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from types import TracebackType
from typing import Protocol, Self

import structlog

from voicebot.app.dialogs import DialogStore
from voicebot.app.multilingual import LibraryByLanguage, SttByLanguage, TtsByLanguage
from voicebot.app.speech import SpeechEngines
from voicebot.call.calls_live import LiveCalls
from voicebot.call.leg import Ari
from voicebot.call.record_keeping import RecordKeeper
from voicebot.call.scribe import Observer
from voicebot.call.services import Services
from voicebot.call.speaking import PromptLibrary
from voicebot.config import Config, Route
from voicebot.dialog.checking.check import Surroundings
from voicebot.dialog.model.dialog import Dialog
from voicebot.engines.pool import WorkerPool
from voicebot.engines.vads import build_vad
from voicebot.errors import Problem, SpeechUnavailable, UserError
from voicebot.media.loop import MediaLoop
from voicebot.speech.stt import SttService
from voicebot.speech.tts import TtsService
from voicebot.work.desk import WorkDesk
from voicebot.work.hooks import known_hooks

log = structlog.get_logger(__name__)


class Speech(Protocol):
    """The speech engines of all routes; an async context manager that loads them."""

    async def __aenter__(self) -> Speech: ...

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def stt(self, name: str) -> SttService: ...

    def tts(self, name: str) -> TtsService: ...

    def library(self, tts_name: str) -> PromptLibrary: ...

    async def render_ahead(
        self, served: Iterable[tuple[Route, Dialog]], progress: Callable[[int, int], None]
    ) -> None: ...


MakeSpeech = Callable[[Config, Callable[[Route], Sequence[str]]], Speech]


@dataclass(slots=True)
class Watchers:
    """Who is told what happens in calls. observer: each turn; live: everything, for those who look on."""

    observer: Observer | None = None
    live: LiveCalls | None = None


class EngineRoom:
    """Loads everything when it is entered, prompts included, and undoes it when it is left.

    `progress(done, total)` is told of the prompts rendered; `speech` makes the engines, for tests;
    `media_failed(call_id, error)` is told when a call's media broke. Entering raises UserError with what is
    wrong and how to mend it.
    """

    def __init__(
        self,
        config: Config,
        watchers: Watchers,
        *,
        media_failed: Callable[[str, Exception], None],
        progress: Callable[[int, int], None] = lambda done, total: None,
        speech: MakeSpeech = SpeechEngines,
    ) -> None:
        self._config = config
        self._watchers = watchers
        self._media_failed = media_failed
        self._progress = progress
        self._make_speech = speech
        self._stack = AsyncExitStack()
        self._rendering: set[asyncio.Task[None]] = set()
        self._desk = WorkDesk(config)
        self._records = RecordKeeper(config.var)
        surroundings = Surroundings(hooks=known_hooks(), environment=config.dialogs.env)
        self.dialogs = DialogStore(config, surroundings, self._on_reload, self._desk.hooks)
        self.media: MediaLoop
        self.speech: Speech

    async def __aenter__(self) -> Self:
        config = self._config
        self._stack.push_async_callback(self._records.close)
        await asyncio.to_thread(self.dialogs.load)
        self._environment = environment_of(config)
        _check_address(config.media.bind)
        vad = build_vad(config.vad)
        try:
            self.speech = await self._stack.enter_async_context(self._make_speech(config, self._languages))
            await self.speech.render_ahead(
                [(route, self.dialogs.dialog_of(route)) for route in config.routes], self._progress
            )
            await self._stack.enter_async_context(self._desk)
            self.media = MediaLoop(
                config.media.bind, config.media.first_port, config.media.last_port, failed=self._media_failed
            )
            self.media.start()
            self._stack.callback(self.media.stop)
            self._vad = vad
            files = asyncio.create_task(self.dialogs.watch(), name="dialog files")
            self._stack.callback(files.cancel)
        except BaseException:
            await self._stack.aclose()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for task in self._rendering:
            task.cancel()
        await self._stack.aclose()

    def services(self, route: Route, ari: Ari) -> Services:
        """Return the process as a call on this route sees it."""
        return Services(
            config=self._config,
            ari=ari,
            media=self.media,
            stt=SttByLanguage(route, self.speech.stt),
            tts=TtsByLanguage(route, self.speech.tts),
            library=LibraryByLanguage(route, self.speech.library),
            vad=self._vad,
            work=self._desk,
            records=self._records,
            environment=self._environment,
            observer=self._watchers.observer,
            hub=self._watchers.live.hub if self._watchers.live is not None else None,
            live=self._watchers.live,
        )

    def pools(self) -> tuple[tuple[str, WorkerPool], ...]:
        """Return the workers of all engines; none where they are of another kind, as in tests."""
        return self.speech.pools() if isinstance(self.speech, SpeechEngines) else ()

    async def prepare(
        self, route: Route, names: Iterable[str] = (), languages: bool = False, version: str = ""
    ) -> None:
        """Load and check a dialog, and render its prompts, before calls of a campaign begin.

        `names` of values that each contact gives beside those of the route; `languages`: all of the dialog's;
        `version`: the one that was proven, none other will do.
        What is ready already costs nothing. Raises UserError with all that is wrong.
        """
        dialog = await self.dialogs.fresh(route, names, version)
        spoken = dialog.languages if languages else (route.language,)
        await self._render([(route.model_copy(update={"language": each}), dialog) for each in spoken])

    def _languages(self, route: Route) -> tuple[str, ...]:
        """All languages that calls of a route are held in, the one they begin in first."""
        dialog = self.dialogs.dialog_of(route)
        return tuple(dict.fromkeys((route.language or dialog.language, *dialog.languages)))

    def _on_reload(self, changed: list[tuple[Route, Dialog]]) -> None:
        """A dialog was saved: its prompts are rendered while the first calls have it already."""
        task = asyncio.create_task(self._render(changed), name="rendering")
        self._rendering.add(task)  # apart from the calls: a stop does not wait for it
        task.add_done_callback(self._rendering.discard)

    async def _render(self, changed: list[tuple[Route, Dialog]]) -> None:
        try:
            await self.speech.render_ahead(changed, lambda done, total: None)
        except (UserError, SpeechUnavailable) as error:
            log.warning("prompts not rendered ahead", error=str(error))


def _check_address(bind: str) -> None:
    """Refuse an address that no call could receive RTP on. Raises UserError."""
    try:
        with socket.socket(socket.AF_INET6 if ":" in bind else socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.bind((bind, 0))
    except OSError as error:
        what = f"media.bind: {bind} cannot be bound ({error.strerror or error})"
        raise UserError(what, "set it to an address of this machine") from error


def environment_of(config: Config) -> dict[str, str]:
    """Return the environment variables that dialogs may read. Raises UserError for those that are not set."""
    missing = [name for name in config.dialogs.env if name not in os.environ]
    if missing:
        raise UserError(
            Problem(f"dialogs.env: {name} is not set in the environment", "set it, or take it off the list")
            for name in missing
        )
    return {name: os.environ[name] for name in config.dialogs.env}
