"""A caller in a conference, from the hand-over of their dialog to the end: `People.serve` for conferences."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Protocol

from voicebot.ari import requests
from voicebot.ari.events import Event
from voicebot.call.people import Presenter
from voicebot.call.record import CallRecord, ConferenceRecord
from voicebot.call.services import Services, voice_of
from voicebot.conference.commands import Refusal, Removal
from voicebot.conference.participant import Participant
from voicebot.conference.room import Refused
from voicebot.config import ConferenceConfig, Config, Route
from voicebot.dialog.turns import Handover
from voicebot.errors import UserError
from voicebot.media.port import HeardFrame
from voicebot.pbx.persevering import finish, tolerant
from voicebot.switchboard.conferences.room import LiveRoom, Seat
from voicebot.switchboard.conferences.texts import Word, spoken_language, words
from voicebot.switchboard.conferences.voice import Voice


def route_of(config: Config) -> Route:
    """Return who speaks in a room that nobody has called: the first route."""
    return next(iter(config.routes), Route(number="0", dialog=""))


def name_of(handover: Handover, record: CallRecord) -> str:
    """Return what a participant is called: what the dialog hands over as `name`, or the telephone's word."""
    handed = dict(handover.context)
    return handed.get("name") or handed.get("first_name") or record.person.name


class Teller:
    """Speaks to one caller alone, by the media leg of their own call."""

    def __init__(self, presenter: Presenter, language: str) -> None:
        stage = presenter.stage
        self._presenter = presenter
        self._language = spoken_language(language)
        route = presenter.route
        self._voice = Voice(
            stage.port.playout,
            stage.port.sample_rate,
            stage.services.tts,
            stage.services.library,
            lambda language: voice_of(stage.services.config, route, language),
            stage.prompts,
        )

    async def tell(self, what: Refusal | Removal | Word) -> None:
        self._presenter.attend(self._voice)
        await self._voice.say(words(what, self._language), self._language)
        self._presenter.attend(None)


class Keys:
    """Takes a participant's keys. What is heard on their own leg is nothing: they are in the room."""

    def __init__(self, room: LiveRoom, id_: str) -> None:
        self._room, self._id = room, id_

    def press(self, digit: str) -> None:
        self._room.press(self._id, digit)

    def heard(self, frame: HeardFrame) -> None:
        """Silence: the caller's channel is in another bridge."""

    def prompt_started(self, prompt_id: int, at: float) -> None:
        """Nothing is said on this leg."""

    def prompt_finished(self, prompt_id: int, at: float) -> None:
        """Nothing is said on this leg."""


class House(Protocol):
    """The conferences, as one caller's stay sees them."""

    def configured(self, name: str) -> ConferenceConfig: ...

    def live(self, name: str) -> LiveRoom | None: ...

    def open(self, name: str, services: Services, route: Route, language: str) -> LiveRoom: ...

    def notice(self, room: LiveRoom, participant: str, event: Event) -> None: ...


async def serve(house: House, presenter: Presenter, handover: Handover) -> None:
    """Let a caller take part until they go, are sent away, or the conference ends; then tell them why.

    Cancelled when the caller hangs up.
    """
    stage = presenter.stage
    name, record = handover.destination, stage.scribe.record
    language = handover.language or stage.live.language
    teller = Teller(presenter, language)
    live, config = house.live(name), house.configured(name)
    who = Participant(
        stage.call_id,
        name=name_of(handover, record),
        number=record.person.number,
        host=handover.host,
    )
    if live is not None and (why := live.room.refusal(who.host)) not in (None, "over"):
        await teller.tell(why)
        return
    recorded = config.record if live is None else live.room.recording
    if recorded:
        await teller.tell("recorded")
    if config.wait_for_host and not who.host and (live is None or live.room.waiting):
        await teller.tell("waits")
    try:
        room = house.open(name, stage.services, presenter.route, language)
        seat = room.sit(replace(who, unaware=not recorded, since_at=time.time()), stage.leg.channel_id)
    except Refused as refused:
        await teller.tell(refused.why)
        return
    except UserError as error:
        stage.scribe.fault(f"conference {name}: {error}")
        await teller.tell("failed")
        return
    stage.live.state("conference", person="", queue=name)
    try:
        left = await _stay(presenter, room, seat, lambda event: house.notice(room, seat.id, event))
        await _come_back(presenter)
        await teller.tell(left)
    except asyncio.CancelledError:
        if stage.leg.ended is None:  # somebody takes the caller over, and looks for them on their own leg
            await finish(_come_back(presenter))
        raise
    finally:
        if room.room.over:
            await finish(room.closed.wait())


async def _stay(presenter: Presenter, room: LiveRoom, seat: Seat, notice: Callable[[Event], None]) -> Removal:
    """Be in the room; return why it is over. Leaves it on every path."""
    stage = presenter.stage
    began, clock = stage.clock(), stage.clock
    who = room.room.of(seat.id)
    entry = ConferenceRecord(room=room.name, joined_at=datetime.now(UTC), host=who.host)
    stage.scribe.record.conferences.append(entry)
    presenter.attend(Keys(room, seat.id))
    stage.leg.watch, stage.leg.away = notice, True
    try:
        entered = await seat.entered
        why = await seat.over
        entry.left = why if entered else "failed"
        return why
    finally:
        stage.leg.watch, stage.leg.away = None, False
        presenter.attend(None)
        entry.ms = round((clock() - began) * 1000)
        entry.muted = seat.hushed
        room.leave(seat.id)


async def _come_back(presenter: Presenter) -> None:
    """Bring the caller back to our own leg, to be heard there and to hear us."""
    stage = presenter.stage
    ari, leg = stage.services.ari, stage.leg
    await tolerant(ari, requests.add_channels(leg.bridge_id, leg.channel_id))
    await tolerant(ari, requests.mute(leg.channel_id, False))
    await tolerant(ari, requests.detect_talking(leg.channel_id, False))
