"""Category: simulator. The ARI client's connection: how it starts, breaks, comes back, and who is told."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator

import pytest

from tests.contract.gateway import SOON_S, Gateway, nothing_left
from tests.simulator.pbx import SimulatedPbx
from voicebot.ari import requests
from voicebot.ari.events import Event
from voicebot.ari.ids import Kind
from voicebot.call import leg as leg_module
from voicebot.call.leg import Digit
from voicebot.errors import CallEnded, PbxError, UserError
from voicebot.pbx import ari_http
from voicebot.pbx.ari_client import AriClient
from voicebot.pbx.link import Link

pytestmark = pytest.mark.simulator

RECONNECT_S = 2.0


@pytest.fixture
async def pbx() -> AsyncIterator[SimulatedPbx]:
    async with SimulatedPbx() as simulated:
        yield simulated


@pytest.fixture
async def gateway(pbx: SimulatedPbx) -> AsyncIterator[Gateway]:
    gateway = Gateway(pbx.settings)
    async with gateway.ari:
        yield gateway


# --- at start -------------------------------------------------------------------------------------------


def tasks_of_clients() -> list[asyncio.Task[object]]:
    return [task for task in asyncio.all_tasks() if "AriClient" in repr(task.get_coro())]


async def start_of(settings: dict[str, str]) -> UserError:
    with pytest.raises(UserError) as refused:
        async with Gateway(settings).ari:
            pass
    assert len(refused.value.problems) == 1
    assert refused.value.problems[0].remedy
    assert not tasks_of_clients()
    return refused.value


async def test_a_wrong_password_is_one_clear_line(pbx: SimulatedPbx) -> None:
    error = await start_of(pbx.settings | {"ari_password": "guess"})
    assert "refuses the ARI user 'voicebot'" in str(error)


async def test_asterisk_down_at_start_is_one_clear_line() -> None:
    with socket.socket() as unheard:
        unheard.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unheard.getsockname()[1]}"
        error = await start_of({"ari_url": url, "ari_user": "u", "ari_password": "p", "app": "a"})
    assert f"cannot be reached at {url}" in str(error)


async def test_a_server_without_ari_is_one_clear_line(pbx: SimulatedPbx) -> None:
    pbx.faults.refuse["GET /asterisk"] = 404
    assert "has no ARI" in str(await start_of(pbx.settings))


async def test_a_user_who_may_only_read_is_one_clear_line(pbx: SimulatedPbx) -> None:
    pbx.faults.refuse["PUT"] = 403
    assert "may only read" in str(await start_of(pbx.settings))


async def test_a_name_whose_gateway_is_gone_is_free(pbx: SimulatedPbx) -> None:
    """Asterisk goes on listing it when its websocket closed in mid-call."""
    async with Gateway(pbx.settings).ari:
        pbx.place("600")
    assert "voicebot" in pbx.world.apps
    async with Gateway(pbx.settings).ari as ari:
        assert ari.link is Link.CONNECTED


async def test_leaving_ends_every_task(pbx: SimulatedPbx) -> None:
    async with Gateway(pbx.settings).ari as ari:
        assert ari.link is Link.CONNECTED
        assert tasks_of_clients()
    assert not tasks_of_clients()
    assert ari.link is Link.CLOSED


# --- requests -------------------------------------------------------------------------------------------


async def test_a_refusal_carries_status_and_asterisks_words(gateway: Gateway) -> None:
    with pytest.raises(PbxError, match="Channel not found") as refused:
        await gateway.ari.request(requests.answer("nobody"))
    assert refused.value.status == 404


async def test_a_request_without_an_answer_times_out(
    pbx: SimulatedPbx, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ari_http, "REQUEST_TIMEOUT_S", 0.2)
    gateway = Gateway(pbx.settings)
    async with gateway.ari:
        released = pbx.faults.hold["GET /bridges"] = asyncio.Event()
        with pytest.raises(PbxError, match="time-out") as late:
            await gateway.ari.request(requests.get_bridges())
        assert late.value.status is None
        released.set()


async def test_no_more_connections_than_asterisk_takes(pbx: SimulatedPbx, gateway: Gateway) -> None:
    """Its backlog is 10; a hundred requests at once share the pool."""
    pbx.faults.delay_s = 0.005
    pool = gateway.ari._http._session.connector
    assert pool is not None
    sending = asyncio.gather(*(gateway.ari.request(requests.get_channels()) for _ in range(100)))
    most = 0
    while not sending.done():
        most = max(most, len(pool._acquired))  # type: ignore[attr-defined]
        await asyncio.sleep(0)
    assert await sending == [[]] * 100
    assert 2 <= most <= ari_http.CONNECTIONS


# --- events ---------------------------------------------------------------------------------------------


async def test_a_handler_that_fails_does_not_stop_the_events(pbx: SimulatedPbx) -> None:
    seen: asyncio.Queue[Event] = asyncio.Queue()

    def fail(event: Event) -> None:
        seen.put_nowait(event)
        raise ZeroDivisionError

    settings = pbx.settings
    async with AriClient(
        settings["ari_url"], settings["ari_user"], settings["ari_password"], "voicebot", on_unclaimed=fail
    ):
        for number in ("600", "601"):
            pbx.place(number)
            assert (await asyncio.wait_for(seen.get(), SOON_S)).type == "StasisStart"


async def test_a_slow_call_does_not_hold_up_the_others(pbx: SimulatedPbx, gateway: Gateway) -> None:
    """One call reads nothing while 900 of its events come; the other's key arrives at once, and in order."""
    slow, quick = pbx.place("600"), pbx.place("601")
    (slow_leg, _), (quick_leg, _) = await gateway.leg(), await gateway.leg()
    async with slow_leg, quick_leg:
        await quick.answered(SOON_S)
        channel = pbx.world.channel(slow_leg.channel_id)
        for number in range(900):
            pbx.world.key(channel, str(number % 10), number)
        await quick.press("5")
        assert await asyncio.wait_for(anext(quick_leg.events()), SOON_S) == Digit("5", 100)
        keys = [await anext(slow_leg.events()) for _ in range(900)]
        assert [key.duration_ms for key in keys if isinstance(key, Digit)] == list(range(900))
    assert slow.ended.done()


async def test_a_media_channel_that_comes_too_late_is_hung_up(pbx: SimulatedPbx, gateway: Gateway) -> None:
    id_ = gateway.ari.new_id(Kind.MEDIA)
    await gateway.ari.request(
        requests.external_media(app="voicebot", channel_id=id_, host="127.0.0.1", port=4000, format="ulaw")
    )
    await nothing_left(pbx)


# --- the websocket breaks -------------------------------------------------------------------------------


async def test_a_lost_websocket_comes_back_and_calls_go_on(pbx: SimulatedPbx, gateway: Gateway) -> None:
    caller = pbx.place("600")
    leg, port = await gateway.leg()
    async with leg:
        await caller.answered(SOON_S)
        lost_at = asyncio.get_running_loop().time()
        await pbx.drop_events()
        await gateway.until(Link.LOST, SOON_S)
        await gateway.until(Link.CONNECTED, RECONNECT_S)
        assert asyncio.get_running_loop().time() - lost_at < 1
        await caller.press("7")
        assert isinstance(await asyncio.wait_for(anext(leg.events()), SOON_S), Digit)
        assert not port.closed
    await nothing_left(pbx)


async def test_a_caller_who_hung_up_while_we_were_away_is_noticed(
    pbx: SimulatedPbx, gateway: Gateway
) -> None:
    caller = pbx.place("600")
    leg, _ = await gateway.leg()
    with pytest.raises(CallEnded, match="hung_up"):
        async with leg:
            await caller.answered(SOON_S)
            pbx.faults.refuse["GET /events"] = 503
            await pbx.drop_events()
            await gateway.until(Link.LOST, SOON_S)
            await caller.hang_up()
            pbx.faults.refuse.clear()
            async with asyncio.timeout(RECONNECT_S):
                await anext(leg.events())
    await nothing_left(pbx)


async def test_callers_who_came_while_we_were_away_got_the_fallback(
    pbx: SimulatedPbx, gateway: Gateway
) -> None:
    pbx.faults.refuse["GET /events"] = 503
    await pbx.drop_events()
    await gateway.until(Link.LOST, SOON_S)
    assert (await asyncio.wait_for(pbx.place("600").ended, SOON_S)).cause == 41


async def test_a_restart_faster_than_a_retry_is_noticed(pbx: SimulatedPbx, gateway: Gateway) -> None:
    pbx.place("600")
    leg, _ = await gateway.leg()
    with pytest.raises(CallEnded, match="asterisk_lost"):
        async with leg:
            await pbx.crash()
            await pbx.start()
            async with asyncio.timeout(RECONNECT_S):
                await anext(leg.events())
    await nothing_left(pbx)


async def test_a_websocket_that_went_silent_is_opened_anew(
    pbx: SimulatedPbx, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ari_http, "HEARTBEAT_S", 0.2)
    pbx.mute_next_websocket()
    gateway = Gateway(pbx.settings)
    async with gateway.ari:
        await gateway.until(Link.LOST, SOON_S)
        await gateway.until(Link.CONNECTED, RECONNECT_S)


async def test_an_undo_that_asterisk_does_not_answer_is_given_up(
    pbx: SimulatedPbx, gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leg_module, "UNDO_TIMEOUT_S", 0.2)
    pbx.place("600")
    leg, port = await gateway.leg()
    async with asyncio.timeout(SOON_S):
        async with leg:
            released = pbx.faults.hold["DELETE"] = asyncio.Event()
    assert port.closed
    released.set()
    pbx.faults.hold.clear()
    # What could not be removed is found again as soon as the connection is taken up anew.
    await pbx.drop_events()
    await gateway.until(Link.LOST, SOON_S)
    await gateway.until(Link.CONNECTED, RECONNECT_S)
    await nothing_left(pbx)


async def test_a_call_cancelled_again_while_it_is_undone_is_undone_all_the_same(
    pbx: SimulatedPbx, gateway: Gateway
) -> None:
    pbx.place("600")
    leg, port = await gateway.leg()
    up, released = asyncio.Event(), asyncio.Event()

    async def call() -> None:
        async with leg:
            pbx.faults.hold["DELETE"] = released
            up.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(call())
    await asyncio.wait_for(up.wait(), SOON_S)
    for _ in range(5):
        task.cancel()
        await asyncio.wait({task}, timeout=0.02)
        assert not task.done()
    released.set()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(task, SOON_S)
    assert port.closed
    await nothing_left(pbx)


async def test_two_hundred_legs_leave_nothing(pbx: SimulatedPbx, gateway: Gateway) -> None:
    async def call() -> None:
        leg, port = await gateway.leg()
        async with leg:
            pass
        assert port.closed

    for _ in range(4):
        callers = [pbx.place("600") for _ in range(50)]
        await asyncio.gather(*(call() for _ in range(50)))
        await asyncio.gather(*(asyncio.wait_for(caller.ended, SOON_S) for caller in callers))
    await nothing_left(pbx)
    assert gateway.ari._router.held() == frozenset()
    assert not gateway.ari._seen
    application = await gateway.ari.request(requests.get_application("voicebot"))
    assert application["channel_ids"] == application["bridge_ids"] == []
