"""Category: integration. The watch over a real Asterisk: what it sees is so; click-to-dial; what is stuck."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.contract.phones import Phones, QueueBot
from tests.contract.real import RealPbx
from tests.contract.talk import DIALOG, Bot
from tests.contract.test_conferences import meeting
from tests.contract.test_queues import accepting, into_queue, keyed
from tests.integration.conftest import RealAsterisk
from voicebot.ami.actions import Hangup, Originate, Setvar
from voicebot.ami.pbx_actions import AnyAction
from voicebot.ari.ids import ENTROPY_BYTES, Kind, is_ours, make_id
from voicebot.call.live import Hub, News
from voicebot.config import Config
from voicebot.errors import PbxError, UserError
from voicebot.pbx.ami_client import AmiClient
from voicebot.softphone.callees import Callees, Manner
from voicebot.supervision.watchdog import Limits
from voicebot.switchboard.watch.pbx_watch import PbxWatch

pytestmark = pytest.mark.integration

SOON_S = 8.0
MOST_EVENTS = 20
MOST_EACH_MORE = 13
"""Of another telephone that is rung for a call, and of each caller in a conference."""
RELOAD = "module reload res_pjsip.so"
DIALPLAN = """
[test]
exten => echo,1,Answer()
 same => n,Echo()
exten => recorded,1,Answer()
 same => n,MixMonitor(test.wav)
 same => n,Echo()
exten => outside,1,Answer()
 same => n,Wait(60)
"""
NOBODY: frozenset[str] = frozenset()
PATIENT = Limits()


@asynccontextmanager
async def telephone(pbx: RealAsterisk) -> AsyncIterator[Callees]:
    """The telephone `person` rings, and answers whatever number it is called as."""
    etc = pbx.state / "etc"
    pjsip, extensions = (etc / "pjsip.conf").read_text(), (etc / "extensions.conf").read_text()
    async with Callees({}, otherwise=Manner(ring_s=0.2)) as people:
        contact = f"max_contacts = 1\ncontact = sip:person@127.0.0.1:{people.port}"
        (etc / "pjsip.conf").write_text(pjsip.replace("max_contacts = 1", contact))
        (etc / "extensions.conf").write_text(extensions + DIALPLAN)
        pbx.cli(RELOAD)
        pbx.cli("dialplan reload")
        try:
            yield people
        finally:
            pbx.cli("channel request hangup all")
            (etc / "pjsip.conf").write_text(pjsip)
            (etc / "extensions.conf").write_text(extensions)


def config(pbx: RealAsterisk, **supervision: Any) -> Config:
    known = pbx.facts
    return Config.model_validate(
        {
            "asterisk": pbx.settings,
            "dialling": {"prefixes": ["+1"], "caller": "+12025550100"},
            "supervision": {
                "ami_user": known["panel_user"],
                "ami_password": known["panel_password"],
                "phones": {"anna": "PJSIP/person"},
                "dial_numbers": ["600"],
                **supervision,
            },
        }
    )


def watching(
    pbx: RealAsterisk,
    hub: Hub | None = None,
    held: Callable[[], frozenset[str]] = lambda: NOBODY,
    limits: Limits = PATIENT,
    **supervision: Any,
) -> PbxWatch:
    return PbxWatch(config(pbx, **supervision), hub or Hub(time.time), held, limits=limits, look_s=0.1)


async def until(true: Callable[[], object], what: str, within_s: float = SOON_S) -> None:
    began = time.monotonic()
    while not true():
        assert time.monotonic() - began < within_s, f"after {within_s} s not: {what}"
        await asyncio.sleep(0.02)


def asterisks_own(pbx: RealAsterisk) -> dict[str, str]:
    """Names and states of its channels, as it says on its command line."""
    lines = [line.split("!") for line in pbx.cli("core show channels concise").splitlines() if "!" in line]
    return {line[0]: line[4] for line in lines}


async def agrees(watch: PbxWatch, pbx: RealAsterisk, count: int) -> None:
    """Wait until the watch shows `count` channels, and those are what Asterisk has."""
    await until(lambda: len(watch.state().channels) == count, f"{count} channels")
    theirs = await asyncio.to_thread(asterisks_own, pbx)
    await until(lambda: {each.name: each.state for each in watch.state().channels} == theirs, str(theirs))


async def test_the_state_is_asterisks_own_while_calls_come_and_go(pbx: RealAsterisk) -> None:
    async with telephone(pbx), RealPbx(pbx) as phones, watching(pbx) as watch:
        await agrees(watch, pbx, 0)
        first = await phones.dial("97")  # nobody takes it: a sentence
        await agrees(watch, pbx, 1)
        second = await phones.dial("98")
        await agrees(watch, pbx, 2)
        assert watch.presence("PJSIP/caller") == "inuse"
        await first.hang_up()
        await agrees(watch, pbx, 1)
        await second.hang_up()
        await agrees(watch, pbx, 0)
        state = watch.state()
        assert state.version.startswith("22.") or state.version
        assert 0 <= time.time() - state.started_at < 3600
        await until(lambda: watch.presence("PJSIP/person") == "not_inuse", "the telephone is registered")
        assert [queue.name for queue in watch.state().queues] == ["reception"]
        assert watch.state().hidden == ("contacts",)


@pytest.mark.parametrize("crash", [False, True])
async def test_a_restart_leaves_no_ghosts(pbx: RealAsterisk, crash: bool) -> None:
    async with RealPbx(pbx) as phones, watching(pbx) as watch:
        await phones.dial("97")
        await agrees(watch, pbx, 1)
        before = watch.state().started_at
        await asyncio.to_thread(pbx.stop, crash=crash)
        await until(lambda: not watch.state().connected, "the loss is seen")
        assert watch.presence("PJSIP/person") == "unknown"
        await asyncio.to_thread(pbx.start)
        await until(lambda: watch.state().connected, "the watch is back")
        await agrees(watch, pbx, 0)
        await phones.dial("98")
        await agrees(watch, pbx, 1)
        assert watch.state().started_at >= before


async def test_what_happens_behind_our_back_is_learnt(pbx: RealAsterisk) -> None:
    """The connection is cut, a call ends and another begins before it is there again."""
    async with RealPbx(pbx) as phones:
        old = await phones.dial("97")
        async with watching(pbx) as watch:
            await agrees(watch, pbx, 1)
            before = watch.state().since_at
            session = next(
                line.split()[4]
                for line in pbx.cli("manager show connected").splitlines()
                if "voicebot-panel" in line
            )
            pbx.cli(f"manager kick session {session}")
            await until(lambda: not watch.state().connected, "cut")
            await old.hang_up()
            new = await phones.dial("98")
            assert not watch.state().connected
            await until(lambda: watch.state().connected, "back")
            assert watch.state().since_at > before
            await agrees(watch, pbx, 1)
            assert {each.exten for each in watch.state().channels} == {"s"}  # the fallback, where it speaks
            await new.hang_up()
            await agrees(watch, pbx, 0)


async def test_click_to_dial_rings_the_telephone_and_then_the_number(pbx: RealAsterisk) -> None:
    hub = Hub(time.time)
    async with telephone(pbx) as people:
        with hub.watch() as news:
            async with watching(pbx, hub) as watch:
                await until(lambda: watch.presence("PJSIP/person") == "not_inuse", "registered")
                id_ = await watch.dial("PJSIP/person", "+12025550142", by="anna")
                # The number rings at the same softphone, as everything does in this dialplan.
                await until(lambda: len(people.calls) == 2, "both legs are answered")
                assert people.dialled == ["person", "12025550142"]
                await agrees(watch, pbx, 2)
                legs = watch.state().channels
                assert id_ in {each.id for each in legs}
                assert {each.linked_id for each in legs} == {id_}
                await until(lambda: len({each.bridge_id for each in watch.state().channels}) == 1, "talk")
                await watch.hang_up(id_, by="anna")
                await agrees(watch, pbx, 0)
            told = [each for each in news.take() if isinstance(each, News) and each.kind == "dialled"]
            assert [(each.data["answered"], each.data["number"]) for each in told] == [(True, "+12025550142")]


async def test_who_clicks_for_a_telephone_that_cannot_be_rung_is_told_at_once(pbx: RealAsterisk) -> None:
    async with watching(pbx, phones={"old": "SIP/old"}) as watch:
        await until(lambda: watch.state().connected, "connected")
        with pytest.raises(UserError, match=r"not reached: SIP/old — is it registered"):
            await watch.dial("SIP/old", "600", by="anna")


async def test_click_to_dial_does_only_what_it_may(pbx: RealAsterisk) -> None:
    async with telephone(pbx) as people, watching(pbx) as watch:
        await until(lambda: watch.presence("PJSIP/person") == "not_inuse", "registered")
        for number in ("+4930123456", "+19005550142", "601", "600,1,System(id)", "600\r\nX: y", "a", ""):
            with pytest.raises(UserError, match="may not be dialled"):
                await watch.dial("PJSIP/person", number, by="anna")
        with pytest.raises(UserError, match="is no telephone"):
            await watch.dial("PJSIP/caller", "600", by="anna")
        assert people.dialled == []


async def test_the_panels_user_may_no_more_than_it_must(pbx: RealAsterisk) -> None:
    known = pbx.facts
    async with AmiClient(
        known["ami_host"], known["ami_port"], known["panel_user"], known["panel_password"]
    ) as ami:
        for action in (
            AnyAction("Command", (("Command", "core show version"),)),
            AnyAction("GetConfig", (("Filename", "manager.conf"),)),
            AnyAction("UpdateConfig", (("SrcFilename", "manager.conf"), ("DstFilename", "manager.conf"))),
            AnyAction("ModuleLoad", (("LoadType", "reload"),)),
            AnyAction("Filter", (("Operation", "Add"), ("Filter", "x"))),
            AnyAction("MixMonitor", (("Channel", "PJSIP/a-1"), ("Command", "id"))),
            AnyAction(
                "Originate", (("Channel", "Local/echo@test"), ("Application", "System"), ("Data", "id"))
            ),
        ):
            with pytest.raises(PbxError, match=r"Permission denied|Access Forbidden"):
                await ami.action(action)


async def test_a_stuck_channel_is_found_and_a_lost_leg_ended(pbx: RealAsterisk) -> None:
    lost, held = (make_id(Kind.PERSON, pbx.app, bytes([n]) * ENTROPY_BYTES) for n in (1, 2))
    known, hub = pbx.facts, Hub(time.time)
    limits = Limits(stuck_after_s=1.5, unowned_after_s=0.5)
    async with (
        telephone(pbx),
        watching(pbx, hub, lambda: frozenset({held}), limits) as watch,
        AmiClient(known["ami_host"], known["ami_port"], known["panel_user"], known["panel_password"]) as ami,
    ):
        await until(lambda: watch.state().connected, "connected")
        with hub.watch() as news:
            for id_ in (lost, held):
                await ami.action(Originate("PJSIP/person", "test", "echo", ids=(id_, f"{id_}x")))
            await until(lambda: len(watch.state().channels) == 2, "both legs")
            await until(lambda: len(watch.state().channels) == 1, "the lost one is hung up")
            assert [each.id for each in watch.state().channels] == [held]
            await until(lambda: [each.code for each in watch.state().warnings] == ["old"], "it is stuck")
            (stuck,) = watch.state().warnings
            assert (stuck.id, stuck.code) == (held, "old")
            assert stuck.age_ms >= 1500
            kinds = [each.kind for each in news.take() if isinstance(each, News)]
        assert "hung_up" in kinds
        assert "warnings" in kinds
        assert kinds.count("changed") <= 20


async def test_told_only_lost_legs_are_left_alone(pbx: RealAsterisk) -> None:
    lost = make_id(Kind.PERSON, pbx.app, bytes([3]) * ENTROPY_BYTES)
    known = pbx.facts
    async with (
        telephone(pbx),
        watching(pbx, limits=Limits(unowned_after_s=0.3), hang_up_unowned=False) as watch,
        AmiClient(known["ami_host"], known["ami_port"], known["panel_user"], known["panel_password"]) as ami,
    ):
        await ami.action(Originate("PJSIP/person", "test", "echo", ids=(lost, f"{lost}x")))
        await until(lambda: [each.code for each in watch.state().warnings] == ["unowned"], "a warning")
        await asyncio.sleep(0.3)
        assert [each.id for each in watch.state().channels] == [lost]


async def test_a_recording_is_paused_resumed_and_stopped(pbx: RealAsterisk) -> None:
    known = pbx.facts
    async with (
        telephone(pbx),
        watching(pbx) as watch,
        AmiClient(known["ami_host"], known["ami_port"], known["panel_user"], known["panel_password"]) as ami,
    ):
        await until(lambda: watch.state().connected, "connected")
        await ami.action(Originate("PJSIP/person", "test", "recorded"))

        def recording() -> list[str]:
            return [each.recording for each in watch.state().channels]

        await until(lambda: recording() == ["on"], "the dialplan records")
        name = watch.state().channels[0].name
        for action, expected in (("pause", "paused"), ("resume", "on"), ("stop", "off")):
            await watch.monitor(name, action, by="anna")  # type: ignore[arg-type]
            await until(lambda expected=expected: recording() == [expected], action)
        with pytest.raises(UserError, match=r"write = system"):
            await watch.monitor(name, "start", by="anna")


async def test_a_member_of_a_queue_is_paused(pbx: RealAsterisk) -> None:
    async with watching(pbx) as watch:
        await until(lambda: watch.state().queues, "the queue")
        await watch.queue_pause("reception", "PJSIP/person", True, "lunch", by="anna")
        await until(lambda: watch.state().queues[0].members[0].paused, "paused")
        assert watch.state().queues[0].members[0].reason == "lunch"
        await watch.queue_pause("reception", "PJSIP/person", False)
        await until(lambda: not watch.state().queues[0].members[0].paused, "takes calls")
        with pytest.raises(UserError, match="Interface not found"):
            await watch.queue_pause("nowhere", "PJSIP/person", True)


@pytest.mark.parametrize("way", ["bot", "person", "queue"])
async def test_a_call_has_few_events(pbx: RealAsterisk, tmp_path: Path, way: str) -> None:
    """A call to the bot; one that the bot hands over; one that waits in a queue until somebody answers."""
    dialog = tmp_path / "dialog.yaml"
    text = DIALOG.read_text()
    if way == "queue":
        text = text.replace("{to: reception, with: [number]}", "{queue: reception, with: [number]}")
    dialog.write_text(text)
    async with (
        telephone(pbx) as people,
        RealPbx(pbx) as phones,
        Bot(phones, tmp_path / "var", route={"dialog": str(dialog)}),
        watching(pbx) as watch,
    ):
        await until(lambda: watch.state().connected, "connected")
        await agrees(watch, pbx, 0)
        await until(lambda: watch.presence("PJSIP/person") == "not_inuse", "registered")
        before = watch.state().events
        caller = await phones.dial("600")
        await caller.bot_speaks(SOON_S, since=0.0)
        await until(lambda: len(watch.state().channels) == 2, "caller and media")
        assert sorted(each.ours for each in watch.state().channels) == ["", "media"]
        await caller.press("1" if way == "bot" else "3")
        if way == "bot":
            await asyncio.wait_for(caller.ended, SOON_S)
        else:
            await until(lambda: people.calls, "somebody answers")
            await until(lambda: watch.presence("PJSIP/person") == "inuse", "they talk")
            await agrees(watch, pbx, 2)
            await caller.hang_up()
        await agrees(watch, pbx, 0)
        await until(lambda: not watch.state().bridges, "no bridge is left")
        count = watch.state().events - before
        print(f"\n{way}: {count} events")
        assert count <= MOST_EVENTS


async def in_bridges(phones: RealPbx) -> list[set[str]]:
    """Return which channels are together in a bridge, as Asterisk says; media of ours are left out."""
    bridges = await phones._rest("GET", "/bridges")
    return sorted_sets(each["channels"] for each in bridges)


def sorted_sets(groups: Iterable[Iterable[str]]) -> list[set[str]]:
    persons = ({id_ for id_ in group if not is_ours(id_, "voicebot", Kind.MEDIA)} for group in groups)
    return sorted((group for group in persons if group), key=sorted)


@pytest.mark.parametrize("way", ["answered", "blind", "attended"])
async def test_a_call_to_persons_of_ours_has_few_events_and_who_is_with_whom_is_known(
    pbx: RealAsterisk, tmp_path: Path, way: Any
) -> None:
    """An agent of our own queue answers, and gives the caller to another one."""
    async with (
        telephone(pbx),
        RealPbx(pbx) as line,
        Phones(line, anna=Manner(ring_s=0.2), bert=Manner(ring_s=0.2)) as phones,
        QueueBot(line, tmp_path, phones, "anna", agents={"bert": {"queues": []}}) as bot,
        watching(pbx) as watch,
    ):

        async def known() -> None:
            true = await in_bridges(line)
            await until(lambda: sorted_sets(b.channels for b in watch.state().bridges) == true, "the same")

        await until(lambda: watch.state().connected, "connected")
        await agrees(watch, pbx, 0)
        before = watch.state().events
        caller = await into_queue(line)
        anna = await accepting(phones, "anna")
        await bot.agent_is("anna", "talking")
        await known()
        if way != "answered":
            await bot.house.transfer(bot.house.agents()[0].call_id, "agent:bert", way, by="panel")
            if way == "blind":
                await accepting(phones, "bert")
            else:
                await phones.taken("bert")
                await bot.agent_is("bert", "talking")
                await known()
                await keyed(anna, "*3")
            await asyncio.wait_for(anna.ended, SOON_S)
            await bot.agent_is("bert", "talking")
            await known()
        await caller.hang_up()
        await agrees(watch, pbx, 0)
        await until(lambda: not watch.state().bridges, "no bridge is left")
        count = watch.state().events - before
        print(f"\n{way}: {count} events")
        assert count <= MOST_EVENTS + (MOST_EACH_MORE if way != "answered" else 0)


async def test_a_conference_has_few_events_a_caller(pbx: RealAsterisk, tmp_path: Path) -> None:
    async with (
        telephone(pbx),
        RealPbx(pbx) as line,
        meeting(line, tmp_path) as room,
        watching(pbx) as watch,
    ):
        await until(lambda: watch.state().connected, "connected")
        await agrees(watch, pbx, 0)
        before = watch.state().events
        both = [await room.joins(name) for name in ("anna", "ben")]
        for each in both:
            await each.hang_up()
        await agrees(watch, pbx, 0)
        await until(lambda: not watch.state().bridges, "no bridge is left")
        count = watch.state().events - before
        print(f"\nconference of two: {count} events")
        assert count <= MOST_EACH_MORE * len(both)


async def test_a_number_that_the_dialplan_would_misread_goes_nowhere(pbx: RealAsterisk) -> None:
    """The second fence: the context itself lets no other sign through."""
    known = pbx.facts
    async with (
        telephone(pbx) as people,
        AmiClient(known["ami_host"], known["ami_port"], known["panel_user"], known["panel_password"]) as ami,
    ):
        for action in (Hangup("/.*/"), Setvar("FILE(/x)", "1")):
            with pytest.raises(ValueError):
                await ami.action(action)
        exten = (("Channel", "Local/outside@test/n"), ("Context", "voicebot-click"), ("Priority", "1"))
        await ami.action(AnyAction("Originate", (*exten, ("Exten", "1&PJSIP/x"), ("Async", "true"))))
        await until(lambda: pbx.channels() == 0, "it ends")
        assert people.dialled == []
