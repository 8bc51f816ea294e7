"""One conference that lives: its state machine, its bridge, and the hands that do what the machine wants.

All changes come in without waiting (`sit`, `leave`, `press`, ...). What Asterisk has to do is done in order
by the room's own task, and what is said by another one, so that a long announcement never delays a mute.
"""

from __future__ import annotations

import asyncio
import contextvars
import os
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any

import structlog

from voicebot.ari import requests
from voicebot.ari.events import (
    ChannelTalkingFinished,
    ChannelTalkingStarted,
    Event,
    Vanished,
)
from voicebot.audio.frames import Samples
from voicebot.call.privacy import Privacy
from voicebot.call.record import folder_for
from voicebot.call.recording import Recording
from voicebot.call.services import Services, voice_of
from voicebot.conference.commands import (
    Announce,
    Close,
    Command,
    Hint,
    Hush,
    Music,
    Record,
    Removal,
    Remove,
    Tell,
)
from voicebot.conference.participant import Participant, Rules
from voicebot.conference.room import NotThere, Room
from voicebot.config import ConferenceConfig, Route
from voicebot.errors import PbxError, UserError
from voicebot.pbx.persevering import finish, tolerant
from voicebot.switchboard.conferences import sounds as sounds
from voicebot.switchboard.conferences.media import RoomMedia
from voicebot.switchboard.conferences.texts import spoken_language, words
from voicebot.switchboard.conferences.voice import Voice

MEDIA_LOSSES = 2
"""How often a room's media channel is made anew; one more loss ends the conference."""
HUSH_AGAIN_S = 0.5
"""Until Asterisk is asked once more to let nobody hear somebody, or all, where it did not."""
MOST_ANNOUNCEMENTS = 5
"""Waiting to be heard; more are left out, for nobody wants to hear a minute of tones."""
HINTS: dict[Hint, str] = {
    "muted": "voicebot/muted",
    "unmuted": "voicebot/unmuted",
    "hand_up": "voicebot/unmuted",
    "hand_down": "voicebot/muted",
    "locked": "voicebot/muted",
    "unlocked": "voicebot/unmuted",
    "not_allowed": "voicebot/refused",
}
"""Sounds of Asterisk's, played to one participant alone."""
BOT = "bot"
"""Id of the bot among the participants."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Enter:
    """Let a seat's channel into the bridge."""

    seat: Seat


@dataclass(eq=False, slots=True)
class Seat:
    """A participant's place. channel_id: "" for the bot, who speaks by the room's own leg.

    hushed:  nobody hears them
    entered: whether the channel came into the bridge
    over:    done when the participant has to go; not set when they went by themselves
    """

    id: str
    channel_id: str
    hushed: bool = False
    entered: asyncio.Future[bool] = field(default_factory=lambda: asyncio.get_running_loop().create_future())
    over: asyncio.Future[Removal] = field(default_factory=lambda: asyncio.get_running_loop().create_future())

    def end(self, why: Removal) -> None:
        if not self.over.done():
            self.over.set_result(why)

    def settle(self, inside: bool) -> None:
        if not self.entered.done():
            self.entered.set_result(inside)


def rules_of(config: ConferenceConfig) -> Rules:
    return Rules(
        most=config.most,
        muted=config.muted,
        wait_for_host=config.wait_for_host,
        ends_with_host=config.ends_with_host,
        announce=config.announce,
        record=config.record,
    )


class LiveRoom:
    """A conference from its first participant to its last; then `closed` is set, and nothing is left of it.

    services, route: by which it speaks; changed: told whenever it may look different
    """

    def __init__(
        self,
        name: str,
        config: ConferenceConfig,
        services: Services,
        route: Route,
        language: str,
        changed: Callable[[LiveRoom], None],
    ) -> None:
        """Raises UserError where no port is free."""
        self.name = name
        self.config = config
        self.services = services
        self.route = route
        self.language = spoken_language(language)
        self.room = Room(rules_of(config))
        self.token = os.urandom(4).hex()
        self.began_at = datetime.now(UTC)
        self.recordings: list[str] = []
        self.closed = asyncio.Event()
        self.media = RoomMedia(f"conference-{name}-{self.token}", name, config.video, services)
        self.prompts = count(1)
        self.bot_speaks: Callable[[], bool] = lambda: False
        self.voice = Voice(
            self.media.port.playout,
            self.media.port.sample_rate,
            services.tts,
            services.library,
            lambda language: voice_of(services.config, route, language),
            self.prompts,
            may_speak=lambda: not self.bot_speaks(),
        )
        self.media.ears.append(self.voice)
        self._ari = services.ari
        self._changed = changed
        self._clock = asyncio.get_running_loop().time
        self._seats: dict[str, Seat] = {}
        self._todo: asyncio.Queue[Command | _Enter] = asyncio.Queue()
        self._said: asyncio.Queue[Announce | str] = asyncio.Queue()
        self._recording: Recording | None = None
        self._music: Samples | None = None
        self._losses = 0
        # In a context of its own: what it logs is about no single call.
        self._task = asyncio.create_task(
            self._run(), name=f"conference {name}", context=contextvars.Context()
        )

    # --- who is in --------------------------------------------------------------------------------------

    def sit(self, who: Participant, channel_id: str = "") -> Seat:
        """Let somebody in. Raises `Refused`. Their channel enters the bridge a little later."""
        commands = self.room.join(who)
        seat = self._seats[who.id] = Seat(who.id, channel_id)
        if channel_id:
            self._todo.put_nowait(_Enter(seat))
        else:
            seat.settle(True)
        self.do(commands)
        return seat

    def seat(self, id_: str) -> Seat:
        """Return a participant's place. Raises NotThere."""
        try:
            return self._seats[id_]
        except KeyError:
            raise NotThere(id_) from None

    def leave(self, id_: str) -> None:
        """Somebody is gone. Nothing happens where they were not there."""
        seat = self._seats.pop(id_, None)
        if seat is not None:
            seat.settle(False)
        self.do(self.room.leave(id_))

    def press(self, id_: str, digit: str) -> None:
        if commands := self.room.press(id_, digit, self._clock()):
            self.do(commands)

    def notice(self, id_: str, event: Event) -> bool:
        """Take an event of a participant's channel; True where it tells who talks, and that is news."""
        if isinstance(event, ChannelTalkingStarted | ChannelTalkingFinished):
            return self.room.talks(id_, isinstance(event, ChannelTalkingStarted))
        return False

    def say(self, text: str) -> None:
        """Let all hear these words, after what is being said. Raises UserError where too much waits."""
        if self._said.qsize() >= MOST_ANNOUNCEMENTS:
            raise UserError("several announcements wait to be heard already", "wait until they were heard")
        self._said.put_nowait(text)

    def do(self, commands: tuple[Command, ...]) -> None:
        """Have it done. Who has to go is told at once, all else follows in order."""
        for command in commands:
            if isinstance(command, Remove):
                seat = self._seats.pop(command.participant, None)
                if seat is not None:
                    seat.end(command.why)
                continue
            if isinstance(command, Hush) and (seat := self._seats.get(command.participant)) is not None:
                seat.hushed = command.on
            self._todo.put_nowait(command)
        self._changed(self)

    async def close(self) -> None:
        """End it, whoever is there, and wait until nothing is left of it."""
        self.do(self.room.end())
        await self.closed.wait()

    # --- the room's own tasks ---------------------------------------------------------------------------

    async def _run(self) -> None:
        tasks: list[asyncio.Task[None]] = []
        longest = asyncio.get_running_loop().call_later(
            self.config.longest_s, lambda: self.do(self.room.end())
        )
        try:
            try:
                await self.media.build()
            except PbxError as error:
                log.error("conference not opened", conference=self.name, error=str(error))
                self.do(self.room.end("lost"))
            else:
                await self._load_music()
                beside = (self._follow, self._speak_up)
                tasks += [asyncio.create_task(self._guarded(each)) for each in beside]
            while not isinstance(command := await self._todo.get(), Close):
                await self._perform(command)
        except Exception:  # a mistake of ours ends this conference, and no call
            log.exception("conference failed", conference=self.name)
            self.do(self.room.end("lost"))
        finally:
            longest.cancel()
            for task in tasks:
                task.cancel()
            for seat in self._unsettled():
                seat.settle(False)
                seat.end("lost")
            try:
                await finish(self._undo())
            finally:
                self.closed.set()
                self._changed(self)

    async def _guarded(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        try:
            await work()
        except Exception:  # a mistake of ours ends this conference, and no call
            log.exception("conference failed", conference=self.name)
            self.do(self.room.end("lost"))

    def _unsettled(self) -> list[Seat]:
        """Return who still waits to come in, or is in."""
        waiting = [self._todo.get_nowait() for _ in range(self._todo.qsize())]
        return [*(each.seat for each in waiting if isinstance(each, _Enter)), *self._seats.values()]

    async def _undo(self) -> None:
        await self._stop_recording()
        await self.media.undo()
        log.info("conference ended", conference=self.name)

    async def _perform(self, command: Command | _Enter) -> None:
        match command:
            case _Enter(seat):
                await self._enter(seat)
            case Hush(id_):
                if (seat_ := self._seats.get(id_)) is not None and not await self._hush(seat_):
                    asyncio.get_running_loop().call_later(HUSH_AGAIN_S, self._todo.put_nowait, command)
            case Tell(id_, hint):
                if (seat_ := self._seats.get(id_)) is not None and seat_.channel_id:
                    await tolerant(self._ari, requests.play(seat_.channel_id, HINTS[hint]))
            case Announce():
                if self._said.qsize() < MOST_ANNOUNCEMENTS:
                    self._said.put_nowait(command)
            case Music(on):
                self.voice.play_music(self._music if on else None)
            case Record(on):
                await (self._start_recording() if on else self._stop_recording())

    async def _hush(self, seat: Seat) -> bool:
        """Have Asterisk let nobody hear them, or all, as it is wanted by now; False where it does not."""
        return not seat.channel_id or await tolerant(self._ari, requests.mute(seat.channel_id, seat.hushed))

    async def _enter(self, seat: Seat) -> None:
        if self._seats.get(seat.id) is not seat or self.room.over:
            seat.settle(False)
            return
        if seat.hushed:  # not a word of theirs is heard
            await self._hush(seat)
        try:
            await self._ari.request(requests.add_channels(self.media.bridge_id, seat.channel_id))
        except PbxError as error:
            log.warning("participant not joined", conference=self.name, error=str(error))
            self.leave(seat.id)
            seat.end("lost")
            return
        seat.settle(True)
        await tolerant(self._ari, requests.detect_talking(seat.channel_id, True))
        if self.config.video:
            self.room.shows(seat.id, await self._has_picture(seat.channel_id))
            self._changed(self)

    async def _has_picture(self, channel_id: str) -> bool:
        try:
            reply = await self._ari.request(requests.video_formats(channel_id))
        except PbxError:  # gone meanwhile, or an Asterisk without func_channel
            return False
        return "nothing" not in str(reply.get("value", "nothing")) if isinstance(reply, dict) else False

    async def _follow(self) -> None:
        """Notice that Asterisk, the bridge or our leg in it is gone."""
        async for event in self.media.inbox:
            lost = self.media.lost(event)
            if not lost:
                continue
            self._losses += 1
            log.warning("conference lost a part", conference=self.name, part=lost, by=event.type)
            try:
                gone = isinstance(event, Vanished) and event.reason != "hung_up"
                if lost == "bridge" or gone or self._losses > MEDIA_LOSSES:
                    raise PbxError(f"its {lost} is gone")
                await self.media.rebuild()
            except PbxError as error:
                log.error("conference broken", conference=self.name, error=str(error))
                self.do(self.room.end("lost"))
                return

    async def _speak_up(self) -> None:
        while True:
            said = await self._said.get()
            if isinstance(said, str):
                await self.voice.say(said, self.language)
                continue
            notes = {
                "comes": sounds.COMES,
                "goes": sounds.GOES,
                "recorded": sounds.RECORDED,
                "not_recorded": sounds.NOT_RECORDED,
            }[said.what]
            await self.voice.sound(sounds.tones(notes, self.media.port.sample_rate))
            if said.what in ("recorded", "not_recorded") or said.name:
                await self.voice.say(words(said.what, self.language, said.name), self.language)

    async def _load_music(self) -> None:
        rate = self.media.port.sample_rate
        self._music = sounds.melody(rate)
        if self.config.music:
            try:
                path = Path(self.config.music)
                self._music = await asyncio.to_thread(self.services.library.load, path, rate)
            except UserError as error:
                log.warning("music of a conference not usable", conference=self.name, error=str(error))

    # --- recording --------------------------------------------------------------------------------------

    async def _start_recording(self) -> None:
        await self._stop_recording()
        config = self.services.config
        name = f"conference-{self.name}-{self.token}-{len(self.recordings) + 1}.wav"
        recording = self._recording = Recording(
            folder_for(config.var, self.began_at) / name,
            self.media.port.sample_rate,
            privacy=Privacy(),
            reserve_bytes=config.limits.reserve_mb * 1_000_000,
            on_fault=lambda what: log.error("conference not recorded", conference=self.name, why=what),
        )
        self.recordings.append(name)
        self.media.port.add_tap(recording.take)

    async def _stop_recording(self) -> None:
        recording, self._recording = self._recording, None
        if recording is not None:
            self.media.port.remove_tap(recording.take)
            await recording.close()
