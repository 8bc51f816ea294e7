"""Category: simulator and integration. Callers wait in queues of our own, and talk to agents."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from tests.contract.gateway import nothing_left
from tests.contract.pbx import Caller, Pbx
from tests.contract.phones import Phones, QueueBot, longest_silence, until_heard
from tests.contract.talk import DATA
from tests.simulator.pbx import SimulatedPbx
from voicebot.errors import CallEnded, UserError
from voicebot.softphone.call import SoftphoneCall
from voicebot.softphone.callees import Manner

WORDS = DATA / "caller" / "another-day.wav"
SOON_S = 5.0


async def test_an_agent_hears_the_whisper_accepts_and_both_talk(pbx: Pbx, tmp_path: Path) -> None:
    async with Phones(pbx, anna=Manner(ring_s=0.5)) as phones, QueueBot(pbx, tmp_path, phones, "anna") as bot:
        caller = await pbx.dial("600")
        began = time.monotonic()
        await caller.bot_speaks(SOON_S, since=0.0)
        await caller.press("3")
        anna = await phones.taken("anna")
        await anna.bot_speaks(SOON_S, since=0.0)  # the whisper
        await anna.press("1")
        await bot.agent_is("anna", "talking")
        joined = time.monotonic()
        await until_heard(anna, caller)
        await until_heard(caller, anna)
        await caller.pause(1.0)  # who goes at once has not had the call
        assert len(await pbx.left_over()) == 6
        await anna.hang_up()
        await asyncio.wait_for(caller.ended, SOON_S)
        record = await bot.record()
        await nothing_left(pbx)
    stay = record.people[0]
    assert longest_silence(caller, began + 1.0, joined) < 1.0
    assert [(each.agent, each.outcome) for each in stay.offers] == [("anna", "accepted")]
    assert (stay.queue, stay.agent, stay.outcome) == ("support", "anna", "answered")
    assert stay.talked_ms > 1000
    assert record.outcome == "transferred"


async def into_queue(pbx: Pbx, key: str = "3") -> Caller:
    """Return a caller who has just been put into the queue."""
    caller = await pbx.dial("600")
    await caller.bot_speaks(SOON_S, since=0.0)
    await caller.press(key)
    return caller


async def accepting(phones: Phones, name: str) -> SoftphoneCall:
    """Let an agent hear the beginning of the whisper, and accept."""
    call = await phones.taken(name)
    await call.bot_speaks(SOON_S, since=0.0)
    await call.press("1")
    return call


async def keyed(call: SoftphoneCall, keys: str) -> None:
    """Press keys of which the last may end the call before it is released."""
    with suppress(CallEnded):
        await call.press(keys)


async def test_who_refuses_is_not_asked_again_and_the_next_one_is(pbx: Pbx, tmp_path: Path) -> None:
    manners = {
        "anna": Manner(refuse=486),
        "bert": Manner(ring_s=0.1),
        "cleo": Manner(ring_s=0.1),
        "dora": Manner(ring_s=0.1),
    }
    async with (
        Phones(pbx, **manners) as phones,
        QueueBot(pbx, tmp_path, phones, "anna", "bert", "cleo", "dora") as bot,
    ):
        caller = await into_queue(pbx)
        began = time.monotonic()
        bert = await phones.taken("bert")
        await bert.bot_speaks(SOON_S, since=0.0)
        await keyed(bert, "5")  # no
        cleo = await phones.taken("cleo")
        await cleo.bot_speaks(SOON_S, since=0.0)
        await cleo.hang_up()  # while the whisper is said
        await accepting(phones, "dora")
        await bot.agent_is("dora", "talking")
        joined = time.monotonic()
        states = {each.name: (each.state, each.reason) for each in bot.house.agents()}
        await caller.hang_up()
        record = await bot.record()
        await nothing_left(pbx)
    assert longest_silence(caller, began + 1.0, joined) < 1.0
    assert [(each.agent, each.outcome) for each in record.people[0].offers] == [
        ("anna", "busy"),
        ("bert", "declined"),
        ("cleo", "hung_up"),
        ("dora", "accepted"),
    ]
    assert states == {
        "anna": ("away", "it is busy"),
        "bert": ("ready", ""),
        "cleo": ("ready", ""),
        "dora": ("talking", ""),
    }
    assert record.ended_by == "caller"
    assert record.people[0].outcome == "answered"


async def test_a_caller_who_hangs_up_stops_the_agents_telephone(pbx: Pbx, tmp_path: Path) -> None:
    async with (
        Phones(pbx, anna=Manner(ring_s=None)) as phones,
        QueueBot(pbx, tmp_path, phones, "anna") as bot,
    ):
        caller = await into_queue(pbx)
        await phones.rung("anna")
        await bot.agent_is("anna", "ringing")
        await caller.hang_up()
        await bot.agent_is("anna", "ready", timeout=1.0)
        await nothing_left(pbx)
        record = await bot.record()
    assert [each.outcome for each in record.people[0].offers] == ["withdrawn"]
    assert record.people[0].outcome == "abandoned"
    assert bot.house.queues()[0].abandoned == 1


async def test_whom_nobody_takes_hears_so_and_the_agent_who_lets_it_ring_is_free_again(
    pbx: Pbx, tmp_path: Path
) -> None:
    async with (
        Phones(pbx, anna=Manner(ring_s=None)) as phones,
        QueueBot(pbx, tmp_path, phones, "anna", queue={"ring_s": 5}) as bot,
    ):
        caller = await into_queue(pbx)
        began = time.monotonic()
        await bot.agent_is("anna", "ringing")
        await bot.agent_is("anna", "ready", timeout=10)
        await bot.house.drop(bot.house.queues()[0].waiting[0].call_id)
        await asyncio.wait_for(caller.ended, 15)
        record = await bot.record()
        await nothing_left(pbx)
        state = bot.house.agents()[0].state
    assert caller.ended_at is not None
    assert longest_silence(caller, began + 1.0, caller.ended_at) < 1.0
    assert [each.outcome for each in record.people[0].offers] == ["no_answer"]
    assert record.people[0].outcome == "dropped"
    assert state == "ready"


async def test_a_caller_of_high_priority_overtakes_and_supervisors_move_others(
    pbx: Pbx, tmp_path: Path
) -> None:
    async with (
        Phones(pbx, anna=Manner(ring_s=0.1)) as phones,
        QueueBot(pbx, tmp_path, phones, agents={"anna": {"signed_in": False}}) as bot,
    ):
        first = await into_queue(pbx)
        await bot.waiting(1)
        second = await into_queue(pbx)
        await bot.waiting(2)
        urgent = await into_queue(pbx, "1")
        await bot.waiting(3)
        waiting = bot.house.queues()[0].waiting
        assert [each.priority for each in waiting] == [9, 0, 0]
        await bot.house.move(waiting[2].call_id, 1)
        assert [each.call_id for each in bot.house.queues()[0].waiting] == [
            waiting[2].call_id,
            waiting[0].call_id,
            waiting[1].call_id,
        ]
        await bot.house.sign_in("anna")
        call = await accepting(phones, "anna")
        await bot.agent_is("anna", "talking")
        assert bot.house.agents()[0].call_id == waiting[2].call_id
        for caller in (first, second, urgent):
            await caller.hang_up()
        await asyncio.wait_for(call.ended, SOON_S)
        await bot.records(3)
        await nothing_left(pbx)


@pytest.mark.parametrize("lost", ["bridge", "media"])
async def test_what_is_lost_while_two_talk_is_made_anew(pbx: Pbx, tmp_path: Path, lost: str) -> None:
    async with (
        Phones(pbx, anna=Manner(ring_s=0.1)) as phones,
        QueueBot(pbx, tmp_path, phones, "anna") as bot,
    ):
        caller = await into_queue(pbx)
        anna = await accepting(phones, "anna")
        await bot.agent_is("anna", "talking")
        await until_heard(anna, caller)
        leg = bot.gateway.calls[0].stage.leg
        if lost == "bridge":
            await pbx.delete_bridge(leg.bridge_id)
        else:
            await pbx.hang_up_channel(leg.media_id)
        await until_heard(anna, caller)
        await until_heard(caller, anna)
        await anna.hang_up()
        await asyncio.wait_for(caller.ended, SOON_S)
        record = await bot.record()
        await nothing_left(pbx)
    assert record.people[0].outcome == "answered"


async def test_who_waits_is_given_on_by_a_supervisor(pbx: Pbx, tmp_path: Path) -> None:
    async with (
        Phones(pbx, anna=Manner(ring_s=0.1)) as phones,
        QueueBot(
            pbx,
            tmp_path,
            phones,
            agents={"anna": {"queues": ["other"]}},
            queues={"other": {"wrap_up_s": 0, "whisper": False}},
        ) as bot,
    ):
        caller = await into_queue(pbx)
        await bot.waiting(1)
        began = time.monotonic()
        call_id = bot.house.queues()[0].waiting[0].call_id
        with pytest.raises(UserError, match="no queue `none`"):
            await bot.house.transfer(call_id, "queue:none")
        await bot.house.transfer(call_id, "queue:other", by="panel")
        await bot.agent_is("anna", "talking")  # without a whisper who answers has the call
        joined = time.monotonic()
        assert longest_silence(caller, began, joined) < 1.0
        await bot.house.transfer(call_id, "742", by="panel")
        record = await bot.record()
        await bot.agent_is("anna", "ready")
    assert [(each.queue, each.outcome) for each in record.people] == [
        ("support", "transferred"),
        ("other", "answered"),
    ]
    assert [(each.to, each.by) for each in record.people[1].transfers] == [("742", "panel")]
    assert record.ended_by == "handover"


async def test_a_blind_transfer_by_keys_goes_on_in_the_dialplan(pbx: Pbx, tmp_path: Path) -> None:
    async with (
        Phones(pbx, anna=Manner(ring_s=0.1)) as phones,
        QueueBot(pbx, tmp_path, phones, "anna") as bot,
    ):
        await into_queue(pbx)
        anna = await accepting(phones, "anna")
        await bot.agent_is("anna", "talking")
        await keyed(anna, "*1742#")
        await asyncio.wait_for(anna.ended, SOON_S)
        record = await bot.record()
        await bot.agent_is("anna", "ready")
    assert [(each.kind, each.to, each.outcome) for each in record.people[0].transfers] == [
        ("blind", "742", "completed")
    ]
    assert record.ended_by == "handover"


@pytest.mark.parametrize("way", ["complete", "hang_up", "cancel"])
async def test_an_attended_transfer(pbx: Pbx, tmp_path: Path, way: str) -> None:
    manners = {"anna": Manner(ring_s=0.1), "bert": Manner(ring_s=0.5)}
    async with (
        Phones(pbx, **manners) as phones,
        QueueBot(pbx, tmp_path, phones, "anna", agents={"bert": {"queues": []}}) as bot,
    ):
        caller = await into_queue(pbx)
        anna = await accepting(phones, "anna")
        await bot.agent_is("anna", "talking")
        began = time.monotonic()
        call_id = bot.house.agents()[0].call_id
        await bot.house.transfer(call_id, "agent:bert", "attended", by="panel")
        await bot.agent_is("bert", "ringing")
        bert = await phones.taken("bert")
        await bot.agent_is("bert", "talking")  # is offered no other caller meanwhile
        await until_heard(anna, bert)  # the caller hears music
        if way == "complete":
            await keyed(anna, "*3")
            await asyncio.wait_for(anna.ended, SOON_S)
        elif way == "hang_up":
            await anna.hang_up()
        else:
            await anna.press("*4")
            await asyncio.wait_for(bert.ended, SOON_S)
        stays = bert if way != "cancel" else anna
        await bot.agent_is("anna" if way != "cancel" else "bert", "ready")
        await bot.agent_is(stays.number, "talking")
        speaking = time.monotonic()
        await stays.say(WORDS)
        assert longest_silence(caller, began, speaking) < 1.0
        assert (caller.bot_speech.last_audible() or 0.0) > speaking + 0.3
        said = time.monotonic()
        await caller.say(WORDS)
        assert (stays.bot_speech.last_audible() or 0.0) > said + 0.3
        await stays.hang_up()
        await asyncio.wait_for(caller.ended, SOON_S)
        record = await bot.record()
        await bot.agent_is(stays.number, "ready")
        await nothing_left(pbx)
    transfer = record.people[0].transfers[0]
    assert (transfer.kind, transfer.to, transfer.by) == ("attended", "agent:bert", "panel")
    assert transfer.outcome == ("cancelled" if way == "cancel" else "completed")


async def test_a_caller_hangs_up_keeps_the_place_and_is_called_back(pbx: Pbx, tmp_path: Path) -> None:
    number = "+12025550142"
    manners = {"anna": Manner(ring_s=0.1), number: Manner(ring_s=0.3)}
    async with Phones(pbx, **manners) as phones:
        trunk = phones.channel("{number}")
        async with QueueBot(
            pbx,
            tmp_path,
            phones,
            agents={"anna": {"signed_in": False}},
            queue={"call_back": True, "call_back_trunk": "out"},
            trunks={"out": {"dial": trunk}},
            may_dial=lambda number: None if number.startswith("+") else "not allowed",
        ) as bot:
            caller = await pbx.dial("600", caller=number)
            await caller.bot_speaks(SOON_S, since=0.0)
            await caller.press("3")
            await bot.waiting(1)
            await caller.press("2")
            await caller.press("#")
            await asyncio.wait_for(caller.ended, 10)
            view = bot.house.queues()[0].waiting
            assert [(each.call_back, each.position) for each in view] == [(True, 1)]
            await bot.house.sign_in("anna")
            anna = await accepting(phones, "anna")
            called = await phones.taken(number)
            await until_heard(anna, called)
            await called.hang_up()
            await asyncio.wait_for(anna.ended, SOON_S)
            await bot.waiting(0)
            await nothing_left(pbx)
            async with asyncio.timeout(SOON_S):
                while (await bot.record()).people[0].call_back.outcome != "answered":  # noqa: ASYNC110
                    await asyncio.sleep(0.02)
            record = await bot.record()
    stay = record.people[0]
    assert stay.outcome == "call_back"
    assert stay.call_back is not None
    assert (stay.call_back.number, stay.call_back.attempts) == (number, ["answered"])


async def test_a_promise_outlives_the_gateway_as_do_agents(
    pbx: Pbx, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("voicebot.switchboard.queues.callbacks.AFTER_START_S", 0.2)
    number = "+12025550142"
    manners = {"anna": Manner(ring_s=0.1), number: Manner(ring_s=0.3)}
    async with Phones(pbx, **manners) as phones:
        settings: dict[str, Any] = {
            "queue": {"call_back": True, "call_back_trunk": "out"},
            "trunks": {"out": {"dial": phones.channel("{number}")}},
            "may_dial": lambda number: None,
        }
        async with QueueBot(pbx, tmp_path, phones, "anna", "bert", **settings) as bot:
            await bot.house.pause("anna", "lunch")
            await bot.house.sign_out("bert")
            caller = await pbx.dial("600", caller=number)
            await caller.bot_speaks(SOON_S, since=0.0)
            await caller.press("3")
            await bot.waiting(1)
            await caller.press("2")
            await caller.press("#")
            await asyncio.wait_for(caller.ended, 10)
        async with QueueBot(pbx, tmp_path, phones, "anna", "bert", **settings) as bot:
            states = [(each.state, each.reason) for each in bot.house.agents()]
            assert states == [("paused", "lunch"), ("signed_out", "")]
            waiting = bot.house.queues()[0].waiting
            assert [(each.call_back, each.summary) for each in waiting] == [(True, "It is about a drill.")]
            assert waiting[0].waited_ms > 1000
            await bot.house.unpause("anna")
            anna = await accepting(phones, "anna")
            called = await phones.taken(number)
            await until_heard(anna, called)
            await anna.hang_up()
            await asyncio.wait_for(called.ended, SOON_S)
            await bot.waiting(0)
        record = await bot.record()
        await nothing_left(pbx)
    assert record.people[0].call_back is not None
    assert record.people[0].call_back.outcome == "answered"
    assert '"call_backs": []' in (tmp_path / "call_backs.json").read_text()


async def test_who_is_gone_in_the_moment_of_the_join_has_not_had_the_call(pbx: Pbx, tmp_path: Path) -> None:
    async with (
        Phones(pbx, anna=Manner(ring_s=0.1), bert=Manner(ring_s=0.1)) as phones,
        QueueBot(pbx, tmp_path, phones, "anna", "bert") as bot,
    ):
        caller = await into_queue(pbx)
        began = time.monotonic()
        anna = await accepting(phones, "anna")
        await anna.hang_up()
        await accepting(phones, "bert")
        await bot.agent_is("bert", "talking")
        joined = time.monotonic()
        await caller.hang_up()
        record = await bot.record()
        await nothing_left(pbx)
    assert [(each.agent, each.outcome) for each in record.people[0].offers] == [
        ("anna", "lost"),
        ("bert", "accepted"),
    ]
    assert longest_silence(caller, began + 1.0, joined) < 1.0
    assert bot.house.queues()[0].answered == 1


async def test_who_waits_while_the_gateway_stops_is_told_by_the_dialplan(pbx: Pbx, tmp_path: Path) -> None:
    async with (
        Phones(pbx, anna=Manner(ring_s=None)) as phones,
        QueueBot(pbx, tmp_path, phones, "anna", limits={"drain_s": 0}) as bot,
    ):
        caller = await into_queue(pbx)
        await bot.agent_is("anna", "ringing")
        bot.gateway.stop()
        await bot.stopped()
        stopped = time.monotonic()
        record = await bot.record()
        if isinstance(pbx, SimulatedPbx):
            assert [each[1:3] for each in pbx.handed_over] == [("voicebot-unavailable", "s")]
            await caller.hang_up()
        else:
            await caller.bot_speaks(SOON_S, since=stopped)  # the dialplan's apology
            await asyncio.wait_for(caller.ended, 10.0)
        await nothing_left(pbx)
    assert (record.ended_by, record.people[0].outcome) == ("shutdown", "ended")


async def test_three_wait_while_asterisk_dies(pbx: Pbx, tmp_path: Path) -> None:
    async with (
        Phones(pbx, anna=Manner(ring_s=None)) as phones,
        QueueBot(pbx, tmp_path, phones, "anna", limits={"drain_s": 1}) as bot,
    ):
        for _ in range(3):
            await into_queue(pbx)
        await bot.waiting(3)
        await pbx.crash()
        records = await bot.records(3)
        assert {record.ended_by for record in records} == {"asterisk_lost"}
        await bot.waiting(0)
        await pbx.start()
        async with asyncio.timeout(15):
            while not bot.gateway.ready:  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        phones.manners["anna"] = Manner(ring_s=0.1)
        await bot.house.unpause("anna")
        caller = await into_queue(pbx)
        await accepting(phones, "anna")
        await bot.agent_is("anna", "talking")
        await caller.hang_up()
        await bot.records(4)
        await nothing_left(pbx)
