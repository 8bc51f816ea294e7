"""Category: simulator and integration. Conferences: who hears whom, what hosts and others do, their end."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.contract.gateway import Gateway as DyingGateway
from tests.contract.gateway import nothing_left
from tests.contract.pbx import Caller, Pbx
from tests.contract.phones import Phones
from tests.contract.talk import DATA, Bot
from voicebot.app.gateway import Gateway
from voicebot.ari import requests
from voicebot.ari.ids import Kind
from voicebot.audio.g711 import decode, encode
from voicebot.audio.wav import read_wav
from voicebot.call.live import Hub, News
from voicebot.call.record import folder_for
from voicebot.config import Route
from voicebot.dialog.loading.files import load_dialog
from voicebot.dialog.model.dialog import Dialog
from voicebot.errors import UserError
from voicebot.pbx.link import Link
from voicebot.softphone.callees import Manner
from voicebot.switchboard.conferences.conferences import Conferences, ConferenceTaker
from voicebot.switchboard.conferences.views import ParticipantView, RoomView

DIALOG = DATA / "dialogs" / "conference.yaml"
SOON_S = 4.0
RATE = 8000
HZ = {"anna": 610, "ben": 900, "cleo": 1250}
"""Each participant's own tone. The melody and our tones have others."""
QUIET_MS = 500
HEARD_DB = 20.0
"""A tone that is there stands so far above its neighbourhood."""


def tone_of(who: str, seconds: float = 0.8) -> bytes:
    time_ = np.arange(int(seconds * RATE)) / RATE
    return encode((9000 * np.sin(2 * math.pi * HZ[who] * time_)).astype(np.int16)).tobytes()


def hears(listener: Caller, who: str, since: float, until: float) -> bool:
    """Whether the tone of `who` reached the listener between two moments of the monotonic clock."""
    payload = b"".join(frame.payload for frame in listener.received if since <= frame.at <= until)
    samples = decode(np.frombuffer(payload, np.uint8)).astype(float)
    if len(samples) < RATE // 5:
        return False
    power = np.abs(np.fft.rfft(samples * np.hanning(len(samples)))) / len(samples)
    at = HZ[who] * len(samples) // RATE
    return bool(20 * math.log10(power[at - 2 : at + 3].max() + 1e-9) > HEARD_DB)


class Meeting:
    """A gateway with one conference, `weekly`, and the participants' chairs."""

    def __init__(self, pbx: Pbx, folder: Path, **room: Any) -> None:
        self.pbx = pbx
        self.hub = Hub(time.time)
        self.bot = Bot(
            pbx,
            folder,
            people=self._people,
            route={"dialog": str(DIALOG), **room.pop("route", {})},
            limits={"drain_s": 0, **room.pop("limits", {})},
            **room.pop("gateway", {}),
            conferences={"weekly": {"announce": "no", **room}},
        )

    def _people(self, gateway: Gateway) -> ConferenceTaker:
        async def dialog_of(name: str) -> tuple[Route, Dialog]:
            route = self.bot.config.routes[0].model_copy(update={"dialog": str(DATA / "dialogs" / name)})
            return route, load_dialog(Path(route.dialog))

        self.conferences = Conferences(self.bot.config, gateway.services, self.hub, dialog_of=dialog_of)
        return ConferenceTaker(self.conferences)

    async def comes(self, key: str, number: str) -> Caller:
        """Dial, choose guest (1) or host (2)."""
        caller = await self.pbx.dial("600", caller=number)
        await caller.bot_speaks(SOON_S, since=0.0)
        await caller.press(key)
        return caller

    async def joins(self, number: str, *, host: bool = False) -> Caller:
        """Dial and be in the room."""
        caller = await self.comes("2" if host else "1", number)
        await self.until(lambda room: any(each.number == number for each in room.participants))
        live = self.conferences.live("weekly")
        assert live is not None
        assert await asyncio.shield(live.seat(self.of(number).id).entered)
        return caller

    @property
    def room(self) -> RoomView:
        return self.conferences.rooms()[0]

    def of(self, number: str) -> ParticipantView:
        return next(each for each in self.room.participants if each.number == number)

    async def until(self, holds: Callable[[RoomView], bool], timeout: float = SOON_S) -> RoomView:
        with self.hub.watch() as watch:
            try:
                async with asyncio.timeout(timeout):
                    while not holds(self.room):
                        await watch.wait()
                        watch.take()
            except TimeoutError:
                pytest.fail(f"it never came to that: {self.room}")
        return self.room


@asynccontextmanager
async def meeting(pbx: Pbx, folder: Path, **room: Any) -> AsyncIterator[Meeting]:
    of = Meeting(pbx, folder, **room)
    async with of.bot:
        yield of


async def speaks(who: str, caller: Caller) -> tuple[float, float]:
    """Speak one's tone; return between when it was certainly on the line everywhere."""
    saying = await caller.say(tone_of(who))
    await caller.pause(0.2)
    assert saying.began_at is not None and saying.ended_at is not None
    return saying.began_at + 0.2, saying.ended_at


async def eventually(holds: Callable[[], bool], timeout: float = SOON_S) -> None:
    async with asyncio.timeout(timeout):
        while not holds():  # noqa: ASYNC110 - nobody is told
            await asyncio.sleep(0.02)


async def over(caller: Caller) -> None:
    await asyncio.wait_for(asyncio.shield(caller.ended), 10)


async def test_three_speak_in_turn_and_each_hears_the_others_and_not_itself(pbx: Pbx, tmp_path: Path) -> None:
    async with meeting(pbx, tmp_path, record=True) as of:
        people = {name: await of.joins(name) for name in HZ}
        await people["cleo"].pause(0.3)
        for name, caller in people.items():
            span = await speaks(name, caller)
            heard = {other for other, line in people.items() if hears(line, name, *span)}
            assert heard == set(HZ) - {name}
        assert of.room.recording
        for caller in people.values():
            await caller.hang_up()
        records = await of.bot.records(3)
        await nothing_left(pbx)
        assert {entry.room for record in records for entry in record.conferences} == {"weekly"}
        (recording,) = folder_for(tmp_path, records[0].started_at).glob("conference-weekly-*.wav")
        samples = read_wav(recording).samples.astype(float)
        power = np.abs(np.fft.rfft(samples)) / len(samples)
        for name in HZ:
            at = HZ[name] * len(samples) // RATE
            assert power[at - 40 : at + 40].max() > 20 * np.median(power), name


async def test_who_is_muted_is_not_heard_and_who_is_kicked_is_gone_and_a_locked_room_refuses(
    pbx: Pbx, tmp_path: Path
) -> None:
    async with meeting(pbx, tmp_path) as of:
        anna = await of.joins("anna", host=True)
        ben = await of.joins("ben")
        await of.conferences.mute("weekly", of.of("ben").id)
        assert of.of("ben").muted
        await ben.pause(0.3)
        assert not hears(anna, "ben", *await speaks("ben", ben))
        await of.conferences.unmute("weekly", of.of("ben").id)
        await ben.pause(0.3)
        assert hears(anna, "ben", *await speaks("ben", ben))

        await of.conferences.lock("weekly")
        cleo = await of.comes("1", "cleo")
        await over(cleo)
        said = cleo.bot_speech.segments
        assert said[-1].end - said[0].start > 1.0  # a stopped question, and that the room is locked
        assert len(of.room.participants) == 2

        kicked_at = time.monotonic()
        await of.conferences.kick("weekly", of.of("ben").id)
        await ben.bot_speaks(SOON_S, since=kicked_at)
        await over(ben)
        assert [each.number for each in of.room.participants] == ["anna"]
        with pytest.raises(UserError, match="is not in the conference"):
            await of.conferences.mute("weekly", "ben")
        await anna.hang_up()
        records = {record.caller.number: record for record in await of.bot.records(3)}
        assert [entry.left for entry in records["ben"].conferences] == ["kicked"]
        assert records["cleo"].conferences == []
        assert records["anna"].conferences[0].host
        await nothing_left(pbx)


async def test_an_announcement_is_heard_by_all_and_who_talks_is_told(pbx: Pbx, tmp_path: Path) -> None:
    async with meeting(pbx, tmp_path) as of:
        anna, ben = await of.joins("anna", host=True), await of.joins("ben")
        await anna.bot_quiet(QUIET_MS, SOON_S)
        await ben.bot_quiet(QUIET_MS, SOON_S)
        at = time.monotonic()
        await of.conferences.announce("weekly", "The meeting ends in five minutes.")
        await asyncio.gather(anna.bot_speaks(SOON_S, since=at), ben.bot_speaks(SOON_S, since=at))
        await ben.bot_quiet(QUIET_MS, SOON_S)
        with of.hub.watch() as watch:
            await ben.say(tone_of("ben"))
            async with asyncio.timeout(SOON_S):
                async for news in watch:
                    if isinstance(news, News) and news.kind == "talking":
                        break
        assert isinstance(news, News)
        assert news.data == {"participant": of.of("ben").id, "talking": True}
        with pytest.raises(UserError, match="1 to 500 characters"):
            await of.conferences.announce("weekly", " ")


async def test_who_is_alone_hears_music_until_another_comes(pbx: Pbx, tmp_path: Path) -> None:
    async with meeting(pbx, tmp_path) as of:
        anna = await of.joins("anna")
        await anna.pause(1.5)
        assert anna.bot_speech.speaking(time.monotonic())
        await of.joins("ben")
        await anna.bot_quiet(QUIET_MS, SOON_S)
        assert of.of("anna").talking is False


async def test_guests_wait_unheard_for_a_host_who_ends_it_by_key(pbx: Pbx, tmp_path: Path) -> None:
    async with meeting(pbx, tmp_path, wait_for_host=True, ends_with_host=True, muted="guests") as of:
        ben, cleo = await of.joins("ben"), await of.joins("cleo")
        assert of.room.waiting
        await ben.pause(1.2)
        assert ben.bot_speech.speaking(time.monotonic())  # music
        assert not hears(cleo, "ben", *await speaks("ben", ben))
        anna = await of.joins("anna", host=True)
        await ben.bot_quiet(QUIET_MS, SOON_S)
        assert hears(ben, "anna", *await speaks("anna", anna))
        assert not hears(anna, "ben", *await speaks("ben", ben))
        await ben.press("*5")
        await of.until(lambda _: of.of("ben").hand)
        await anna.press("*8")  # lets everybody speak again
        await of.until(lambda room: room.muted_rule == "nobody")
        await ben.pause(0.2)
        assert hears(anna, "ben", *await speaks("ben", ben))
        await cleo.press("*6")
        await of.until(lambda _: of.of("cleo").muted)
        await ben.press("*9")  # is no host
        await anna.press("*9")
        await asyncio.gather(over(anna), over(ben), over(cleo))
        records = await of.bot.records(3)
        assert {entry.left for record in records for entry in record.conferences} == {"ended"}
        await nothing_left(pbx)
        assert of.room.since_at is None


async def test_asterisk_dies_with_three_in_a_room_and_nothing_of_it_stays(pbx: Pbx, tmp_path: Path) -> None:
    async with meeting(pbx, tmp_path, record=True) as of:
        for name in HZ:
            await of.joins(name)
        await pbx.crash()
        records = await of.bot.records(3)
        assert {record.ended_by for record in records} == {"asterisk_lost"}
        await of.until(lambda room: room.since_at is None)
        await pbx.start()
        await eventually(lambda: of.bot.gateway.ready, 15)
        anna = await of.joins("anna")
        assert [each.number for each in of.room.participants] == ["anna"]
        await anna.hang_up()
        await of.bot.records(4)
        await nothing_left(pbx)


async def test_a_gateway_that_stops_takes_its_conference_down(pbx: Pbx, tmp_path: Path) -> None:
    async with meeting(pbx, tmp_path) as of:
        people = [await of.joins(name) for name in HZ]
        of.bot.gateway.stop()
        await asyncio.gather(*map(over, people))
        await of.bot.stopped()
        await nothing_left(pbx)
        assert {record.ended_by for record in await of.bot.records(3)} == {"shutdown"}


async def test_a_room_whose_bridge_is_deleted_ends_and_callers_are_told(pbx: Pbx, tmp_path: Path) -> None:
    async with meeting(pbx, tmp_path) as of:
        ben, cleo = await of.joins("ben"), await of.joins("cleo")
        live = of.conferences.live("weekly")
        assert live is not None
        await ben.bot_quiet(QUIET_MS, SOON_S)
        at = time.monotonic()
        await pbx.delete_bridge(live.media.bridge_id)
        await ben.bot_speaks(SOON_S, since=at)
        await asyncio.gather(over(ben), over(cleo))
        records = await of.bot.records(2)
        assert {entry.left for record in records for entry in record.conferences} == {"lost"}
        await nothing_left(pbx)


async def test_a_caller_whose_own_bridge_is_deleted_stays_in_the_room(pbx: Pbx, tmp_path: Path) -> None:
    async with meeting(pbx, tmp_path) as of:
        ben, cleo = await of.joins("ben"), await of.joins("cleo")
        leg = next(each for each in of.bot.gateway.calls if each.id == of.of("ben").id).stage.leg
        before = leg.bridge_id
        await pbx.delete_bridge(before)
        await eventually(lambda: leg.bridge_id != before)
        await ben.pause(0.5)
        assert hears(cleo, "ben", *await speaks("ben", ben))
        at = time.monotonic()
        await of.conferences.end("weekly")
        await ben.bot_speaks(SOON_S, since=at)  # told on the new bridge
        await asyncio.gather(over(ben), over(cleo))
        await of.bot.records(2)
        await nothing_left(pbx)


async def test_a_room_whose_media_channel_is_hung_up_goes_on(pbx: Pbx, tmp_path: Path) -> None:
    async with meeting(pbx, tmp_path) as of:
        ben, cleo = await of.joins("ben"), await of.joins("cleo")
        live = of.conferences.live("weekly")
        assert live is not None
        before = live.media.media_id
        await pbx.hang_up_channel(before)
        await eventually(lambda: live.media.media_id != before)
        await ben.bot_quiet(QUIET_MS, SOON_S)
        assert hears(cleo, "ben", *await speaks("ben", ben))
        await cleo.bot_quiet(QUIET_MS, SOON_S)
        at = time.monotonic()
        await of.conferences.announce("weekly", "Here we are again.")
        await cleo.bot_speaks(SOON_S, since=at)


async def test_an_invited_telephone_takes_part_and_may_be_sent_away(pbx: Pbx, tmp_path: Path) -> None:
    phones = Phones(pbx, dora=Manner(ring_s=0.1), emil=Manner(refuse=486))
    async with phones:
        agents = {name: {"channel": phones.channel(name), "name": name.title()} for name in ("dora", "emil")}
        async with meeting(pbx, tmp_path, gateway={"agents": agents}) as of:
            with pytest.raises(UserError, match="may not be invited"):
                await of.conferences.invite("weekly", "PJSIP/somebody", "anna")
            ben = await of.joins("ben")
            with of.hub.watch("not_reached") as watch:
                await of.conferences.invite("weekly", "emil", "anna")
                await asyncio.wait_for(watch.wait(), SOON_S)
                (news,) = watch.take()
            assert isinstance(news, News)
            assert (news.id, news.data["by"], news.data["what"]) == ("weekly", "anna", "it is busy")
            await of.conferences.invite("weekly", "dora", "anna")
            dora = await phones.taken("dora")
            await of.until(lambda room: len(room.participants) == 2 and not room.invitations)
            assert of.room.participants[1].name == "Dora"
            await ben.bot_quiet(QUIET_MS, SOON_S)
            assert hears(dora, "ben", *await speaks("ben", ben))
            await dora.press("*6")
            await of.until(lambda room: room.participants[1].muted)
            await of.conferences.kick("weekly", of.room.participants[1].id)
            await over(dora)
            await ben.hang_up()
            await of.bot.record()
            await nothing_left(pbx)


async def test_a_room_of_invited_telephones_alone_is_closed_with_the_gateway(
    pbx: Pbx, tmp_path: Path
) -> None:
    async with Phones(pbx, dora=Manner(ring_s=0.1)) as phones:
        agents = {"dora": {"channel": phones.channel("dora")}}
        async with meeting(pbx, tmp_path, limits={"drain_s": 1}, gateway={"agents": agents}) as of:
            await of.conferences.invite("weekly", "dora", "anna")
            dora = await phones.taken("dora")
            await of.until(lambda room: len(room.participants) == 1)
            of.bot.gateway.look_after(of.conferences.close, of.conferences.quiet)
            began = time.monotonic()
            of.bot.gateway.stop()
            await over(dora)
            await of.bot.stopped()
            assert time.monotonic() - began > 0.5  # it was waited for them as for calls
            await nothing_left(pbx)


async def test_the_bot_listens_to_all_and_answers_what_its_dialog_expects(pbx: Pbx, tmp_path: Path) -> None:
    async with meeting(pbx, tmp_path) as of:
        with pytest.raises(UserError, match="nobody is in the conference"):
            await of.conferences.add_bot("weekly", "notes.yaml")
        anna, ben = await of.joins("anna", host=True), await of.joins("ben")
        await anna.bot_quiet(QUIET_MS, SOON_S)
        at = time.monotonic()
        await of.conferences.add_bot("weekly", "notes.yaml")
        with pytest.raises(UserError, match="a bot in weekly already"):
            await of.conferences.add_bot("weekly", "notes.yaml")
        assert [each.bot for each in of.room.participants] == [False, False, True]
        assert of.room.dialog == "notes"
        with pytest.raises(UserError, match="cannot be muted"):
            await of.conferences.mute("weekly", "bot")
        await anna.bot_speaks(SOON_S, since=at)
        await anna.bot_quiet(QUIET_MS, SOON_S)
        of.bot.will_hear("we had a good month all in all", "take a note")
        at = time.monotonic()
        await ben.say(DATA / "caller" / "another-day.wav")  # said to the others
        await anna.pause(1.0)
        assert ben.bot_speech.first_audible(at) is None  # he does not hear himself, and the bot keeps quiet
        await anna.bot_quiet(QUIET_MS, SOON_S)
        at = time.monotonic()
        await ben.say(DATA / "caller" / "yes.wav")
        await ben.bot_speaks(SOON_S, since=at)
        await ben.bot_quiet(QUIET_MS, SOON_S)
        at = time.monotonic()
        await of.conferences.announce("weekly", "Five more minutes.")
        await ben.bot_speaks(SOON_S, since=at)
        await of.conferences.remove_bot("weekly")
        assert len(of.room.participants) == 2
        await anna.hang_up()
        await ben.hang_up()
        records = await of.bot.records(3)
        (notes,) = [record for record in records if record.dialog.name == "notes"]
        assert notes.slots["notes"] == 1
        await nothing_left(pbx)


async def test_a_caller_who_is_taken_over_out_of_a_conference_is_on_their_own_leg_again(
    pbx: Pbx, tmp_path: Path
) -> None:
    async with meeting(pbx, tmp_path) as of:
        ben, cleo = await of.joins("ben"), await of.joins("cleo")
        await ben.bot_quiet(QUIET_MS, SOON_S)
        call = next(each for each in of.bot.gateway.calls if each.id == of.of("ben").id)
        call.handle.take_over("a supervisor")
        await of.until(lambda room: len(room.participants) == 1)
        await eventually(lambda: call.stage.leg.watch is None)
        await ben.pause(0.3)
        at = time.monotonic()
        number = next(call.stage.prompts)
        call.stage.port.playout.add(number, decode(np.frombuffer(tone_of("anna"), np.uint8)))
        call.stage.port.playout.close(number)
        await ben.pause(0.9)
        assert hears(ben, "anna", at + 0.2, at + 0.8)
        assert not hears(cleo, "anna", at + 0.2, at + 0.8)
        await ben.hang_up()
        await cleo.hang_up()
        await of.bot.records(2)
        await nothing_left(pbx)


async def test_a_conference_whose_gateway_died_goes_on_and_who_was_muted_is_heard(pbx: Pbx) -> None:
    dying = DyingGateway(pbx.settings)
    ari = await dying.ari.__aenter__()
    bridge = ari.new_id(Kind.BRIDGE)
    await ari.request(requests.create_bridge(bridge))
    people = {}
    for name in HZ:
        people[name] = pbx.place("600", name)
        leg, port = await dying.leg()
        await leg.__aenter__()
        await ari.request(requests.add_channels(bridge, leg.channel_id))
        await ari.request(requests.mute(leg.channel_id, True))
        port.close()
    await ari.__aexit__(None, None, None)
    following = DyingGateway(pbx.settings)
    async with following.ari:
        await following.until(Link.CONNECTED, SOON_S)
        await nothing_left(pbx, but=4)  # the three and their bridge
        assert hears(people["anna"], "cleo", *await speaks("cleo", people["cleo"]))
        await people["ben"].hang_up()
        assert hears(people["cleo"], "anna", *await speaks("anna", people["anna"]))
        await people["anna"].hang_up()
        await over(people["cleo"])
        await nothing_left(pbx)
