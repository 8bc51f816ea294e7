"""Category: simulator. The AMI client: how it starts, breaks, comes back, and what it says is lost."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from tests.simulator.pbx.ami import HOST, SimulatedAmi
from voicebot.ami import session as session_module
from voicebot.ami.actions import CoreShowChannels, Originate, Ping
from voicebot.ami.events import (
    Channel,
    CoreShowChannel,
    Listed,
    LiveChannels,
    Missed,
    Newchannel,
    UnknownEvent,
)
from voicebot.ami.pbx_actions import BridgeList
from voicebot.errors import PbxError, UserError
from voicebot.pbx import ami_client as client_module
from voicebot.pbx.ami_client import FIRST_RETRY_S, AmiClient, AmiUnsure
from voicebot.pbx.link import Link, retry_delays

pytestmark = pytest.mark.simulator

SOON_S = 5.0
CALL = Originate("Local/1@a/n", "b", "1")


@pytest.fixture
async def ami() -> AsyncIterator[SimulatedAmi]:
    async with SimulatedAmi() as simulated:
        yield simulated


def client(ami: SimulatedAmi, **changes: Any) -> AmiClient:
    return AmiClient(
        HOST, ami.port, changes.pop("user", ami.user), changes.pop("secret", ami.secret), **changes
    )


def newchannel(number: int) -> tuple[str, list[tuple[str, str]]]:
    return "Newchannel", [("Channel", f"A/{number}"), ("Uniqueid", str(number))]


class Links:
    """What on_link was told, to wait for."""

    def __init__(self) -> None:
        self.told: list[tuple[Link, str]] = []
        self._changed = asyncio.Event()

    def __call__(self, link: Link, why: str) -> None:
        self.told.append((link, why))
        self._changed.set()

    async def wait_for(self, wanted: Callable[[list[Link]], bool]) -> None:
        async with asyncio.timeout(SOON_S):
            while not wanted([link for link, _ in self.told]):
                self._changed.clear()
                await self._changed.wait()


# --- at start -------------------------------------------------------------------------------------------


async def test_actions_are_answered_and_events_come(ami: SimulatedAmi) -> None:
    async with client(ami) as ours:
        with ours.subscribe() as events:
            assert (await ours.action(Ping())).response.get("Ping") == "Pong"
            ami.tell(*newchannel(1))
            ami.tell("AlarmClear", [("Channel", "1")])
            assert await anext(events) == Newchannel(Channel("A/1", "1"))
            assert isinstance(await anext(events), UnknownEvent)
    assert ami.asked[-1].get("Action") == "Logoff"
    assert ami.secret not in str(ami.asked)


async def test_a_refused_login_is_one_clear_line(ami: SimulatedAmi) -> None:
    with pytest.raises(UserError, match=r"refuses the manager user 'voicebot-dialler'.*ami_password"):
        await client(ami, secret="guess").__aenter__()


async def test_nobody_there_is_told() -> None:
    with socket.socket() as unheard:
        unheard.bind((HOST, 0))
        port = unheard.getsockname()[1]
        with pytest.raises(PbxError, match=f"cannot be reached at {HOST}:{port}: Connection refused"):
            await AmiClient(HOST, port, "u", "s").__aenter__()


@pytest.mark.parametrize("greeting", [b"SSH-2.0-OpenSSH_9.7\r\n", None])
async def test_what_is_no_ami_is_told(
    ami: SimulatedAmi, greeting: bytes | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session_module, "GREETING_TIMEOUT_S", 0.05)
    ami.faults.greeting = greeting
    with pytest.raises(PbxError, match="there is no AMI"):
        await client(ami).__aenter__()


async def test_a_patient_client_starts_without_asterisk_and_finds_it_later() -> None:
    ami, links = SimulatedAmi(), Links()
    await ami.start()
    await ami.stop()
    async with client(ami, patient=True, on_link=links, chance=lambda: 1.0) as ours:
        with pytest.raises(PbxError, match="no connection"):
            await ours.action(Ping())
        async with ami:
            await links.wait_for(lambda told: told[-1:] == [Link.CONNECTED])
            await ours.action(Ping())


async def test_who_comes_later_may_ask_what_lives(ami: SimulatedAmi) -> None:
    ami.channels = [[("Channel", "A/2"), ("Uniqueid", "2")]]
    async with client(ami) as ours:
        with ours.subscribe(live=True) as events:
            assert await anext(events) == LiveChannels((CoreShowChannel(Channel("A/2", "2")),))


# --- it breaks ------------------------------------------------------------------------------------------


async def test_a_lost_connection_comes_back_and_what_was_missed_is_told(ami: SimulatedAmi) -> None:
    links = Links()
    ami.channels = [[("Channel", "A/2"), ("Uniqueid", "2"), ("Application", "AppDial")]]
    async with client(ami, on_link=links) as ours:
        with ours.subscribe() as events:
            ami.tell(*newchannel(1))
            assert isinstance(await anext(events), Newchannel)
            begun = asyncio.get_running_loop().time()
            ami.drop()
            async with asyncio.timeout(SOON_S):
                assert await anext(events) == Missed("the connection was lost")
                live = LiveChannels((CoreShowChannel(Channel("A/2", "2"), "AppDial"),))
                assert await anext(events) == live
            assert asyncio.get_running_loop().time() - begun < 1.0
            ami.tell(*newchannel(3))
            assert isinstance(await anext(events), Newchannel)
    assert [link for link, _ in links.told] == [Link.CONNECTED, Link.LOST, Link.CONNECTED, Link.CLOSED]


async def test_an_action_cut_off_in_its_answer_may_have_been_done(ami: SimulatedAmi) -> None:
    ami.faults.cut = {"Originate"}
    async with client(ami) as ours:
        with pytest.raises(AmiUnsure, match="nobody knows"):
            await ours.action(CALL)


async def test_an_action_without_answer_may_have_been_done(ami: SimulatedAmi) -> None:
    ami.faults.mute = {"Originate"}
    async with client(ami) as ours:
        with pytest.raises(AmiUnsure, match="does not answer Originate"):
            await ours.action(CALL, timeout_s=0.02)
        await ours.action(Ping())


async def test_a_refused_action_was_not_done(ami: SimulatedAmi) -> None:
    ami.faults.refuse = {"Originate": "Permission denied"}
    async with client(ami) as ours:
        with pytest.raises(PbxError, match="refuses Originate: Permission denied") as refused:
            await ours.action(CALL)
        assert not isinstance(refused.value, AmiUnsure)


async def test_a_silent_server_is_given_up(ami: SimulatedAmi, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session_module, "PING_AFTER_S", 0.05)
    monkeypatch.setattr(session_module, "ANSWER_TIMEOUT_S", 0.1)
    links = Links()
    async with client(ami, on_link=links):
        ami.faults.silent = True
        await links.wait_for(lambda told: Link.LOST in told)
    assert "does not answer Ping" in links.told[1][1]


async def test_a_message_that_never_ends_costs_the_connection_not_the_client(ami: SimulatedAmi) -> None:
    links = Links()
    async with client(ami, on_link=links) as ours:
        ami.send(b"Event: Flood\r\nValue: " + b"x" * (1 << 21))
        await links.wait_for(lambda told: told.count(Link.CONNECTED) == 2)
        await ours.action(Ping())


async def test_a_password_changed_meanwhile_is_tried_again(ami: SimulatedAmi) -> None:
    links = Links()
    async with client(ami, on_link=links, chance=lambda: 1.0) as ours:
        ami.faults.refuse = {"Login": "Authentication failed"}
        ami.drop()
        await links.wait_for(lambda told: told[-1:] == [Link.LOST])
        await ami.refused.wait()
        ami.faults.refuse = {}
        await links.wait_for(lambda told: told[-1:] == [Link.CONNECTED])
        await ours.action(CoreShowChannels())


async def test_delays_double_up_to_a_limit() -> None:
    delays = retry_delays(FIRST_RETRY_S, lambda: 0.0)
    assert [next(delays) for _ in range(7)] == [0.5, 1.0, 2.0, 4.0, 8.0, 10.0, 10.0]
    assert next(retry_delays(FIRST_RETRY_S, lambda: 1.0)) == 0.25


# --- too much -------------------------------------------------------------------------------------------


async def test_who_reads_too_slowly_is_told_how_much_is_lost(ami: SimulatedAmi) -> None:
    async with client(ami, queue_events=10) as ours:
        with ours.subscribe() as slow, ours.subscribe() as other:
            for number in range(25):
                ami.tell(*newchannel(number))
            await ours.action(Ping())  # its answer comes behind all events
            first = [await anext(slow) for _ in range(10)]
            assert [event.channel.unique_id for event in first if isinstance(event, Newchannel)] == [
                str(number) for number in range(10)
            ]
            assert await anext(slow) == Missed("they came faster than they were read", 15)
            assert await anext(slow) == LiveChannels(())
            other.close()
            ami.tell(*newchannel(99))
            assert await anext(slow) == Newchannel(Channel("A/99", "99"))


async def test_closing_ends_the_readers_and_leaves_no_task(ami: SimulatedAmi) -> None:
    before = asyncio.all_tasks()
    async with client(ami) as ours:
        events = ours.subscribe()
    assert [event async for event in events] == []
    assert not {task for task in asyncio.all_tasks() - before if "ami" in task.get_name()}


# --- lists ----------------------------------------------------------------------------------------------


async def test_all_lists_come_in_their_place_and_a_refused_one_says_so(ami: SimulatedAmi) -> None:
    async with client(ami, lists=(BridgeList(),)) as ours:
        with ours.subscribe(live=True) as events:
            assert await anext(events) == LiveChannels(())
            refused = await anext(events)
            assert isinstance(refused, Listed)
            assert (refused.action, refused.events) == ("BridgeList", ())
            assert "Invalid/unknown command" in refused.refused


async def test_a_list_that_is_asked_for_while_it_is_made_is_made_again(ami: SimulatedAmi) -> None:
    """The one under way may be older than what was just lost."""
    async with client(ami) as ours:
        with ours.subscribe() as events:
            for _ in range(5):
                ours.refresh()
            assert await anext(events) == LiveChannels(())
            assert await anext(events) == LiveChannels(())
            ami.tell(*newchannel(1))
            assert isinstance(await anext(events), Newchannel)
    assert [each.get("Action") for each in ami.asked].count("CoreShowChannels") == 2


async def test_events_may_keep_all_their_headers(ami: SimulatedAmi) -> None:
    async with client(ami, typed=False) as ours:
        with ours.subscribe() as events:
            ami.tell(*newchannel(1))
            event = await anext(events)
    assert isinstance(event, UnknownEvent)
    assert event.message.headers[1:] == (("Channel", "A/1"), ("Uniqueid", "1"))


async def test_a_flood_of_events_is_taken_in_small_pieces(
    ami: SimulatedAmi, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is read at once keeps everything else waiting."""
    sizes: list[int] = []
    received = client_module._Connection.data_received

    def spy(self: Any, data: bytes) -> None:
        sizes.append(len(data))
        received(self, data)

    monkeypatch.setattr(client_module._Connection, "data_received", spy)
    async with client(ami) as ours:
        with ours.subscribe() as events:
            for number in range(3000):
                ami.tell(*newchannel(number))
            async with asyncio.timeout(10):
                while sum(sizes) < 100_000:
                    await anext(events)
    assert max(sizes) <= client_module.READ_BYTES
