"""Category: simulator and integration. A leg joins a caller and our media, and leaves nothing behind."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import aiohttp
import pytest

from tests.contract.gateway import SOON_S, Gateway, nothing_left
from tests.contract.media import TONE
from tests.contract.pbx import Caller, Pbx
from voicebot.ari import requests
from voicebot.ari.ids import is_ours
from voicebot.call.leg import Digit, MediaReplaced
from voicebot.errors import CallEnded, PbxError, UserError
from voicebot.pbx.link import Link

SPEECH = TONE * 50  # 1 s
LOST_S = 5.0


@pytest.fixture
async def gateway(pbx: Pbx) -> AsyncIterator[Gateway]:
    gateway = Gateway(pbx.settings)
    async with gateway.ari:
        yield gateway


async def hang_up_after(caller: Caller, seconds: float) -> None:
    await asyncio.sleep(seconds)
    await caller.hang_up()


@asynccontextmanager
async def robber(pbx: Pbx) -> AsyncIterator[None]:
    """Another program listens to the events of our application."""
    settings = pbx.settings
    credentials = f"{settings['ari_user']}:{settings['ari_password']}".encode()
    headers = {"Authorization": "Basic " + base64.b64encode(credentials).decode()}
    url = f"{settings['ari_url']}/ari/events"
    params = {"app": settings["app"]}
    async with aiohttp.ClientSession() as http, http.ws_connect(url, params=params, headers=headers):
        yield


@asynccontextmanager
async def cut_short(seconds: float) -> AsyncIterator[None]:
    """Cancel the block after so long, as a time-out or a shutdown would."""
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError:
        return


async def test_both_hear_each_other(pbx: Pbx, gateway: Gateway) -> None:
    caller = pbx.place("600")
    leg, port = await gateway.leg()
    async with leg:
        await caller.answered(SOON_S)
        await caller.bot_speaks(SOON_S, since=0.0)
        async with asyncio.TaskGroup() as group:
            group.create_task(port.hears_speech())
            group.create_task(caller.say(SPEECH))
    assert port.closed
    ended = await asyncio.wait_for(caller.ended, SOON_S)
    assert ended.by == "them"
    await nothing_left(pbx)


async def test_the_caller_hangs_up(pbx: Pbx, gateway: Gateway) -> None:
    caller = pbx.place("600")
    leg, port = await gateway.leg()
    with pytest.raises(CallEnded) as over:
        async with leg:
            await caller.answered(SOON_S)
            await caller.hang_up()
            async with asyncio.timeout(SOON_S):
                async for _ in leg.events():
                    pass
    assert (over.value.reason, over.value.cause) == ("caller", 16)
    assert leg.ended is not None and leg.ended.cause_txt == "Normal Clearing"
    assert port.closed
    await nothing_left(pbx)


async def test_the_bot_hangs_up_with_a_cause(pbx: Pbx, gateway: Gateway) -> None:
    caller = pbx.place("600")
    leg, _ = await gateway.leg()
    with pytest.raises(CallEnded) as over:
        async with leg:
            await caller.answered(SOON_S)
            await leg.hang_up(17)
            async with asyncio.timeout(SOON_S):
                async for _ in leg.events():
                    pass
    assert (over.value.reason, over.value.cause) == ("bot", 17)
    assert (await asyncio.wait_for(caller.ended, SOON_S)).by == "them"
    await nothing_left(pbx)


async def test_an_operator_hangs_up_the_caller(pbx: Pbx, gateway: Gateway) -> None:
    caller = pbx.place("600")
    leg, _ = await gateway.leg()
    with pytest.raises(CallEnded, match="pbx"):
        async with leg:
            await caller.answered(SOON_S)
            await pbx.hang_up_channel(leg.channel_id)
            async with asyncio.timeout(SOON_S):
                async for _ in leg.events():
                    pass
    await nothing_left(pbx)


async def test_every_key_is_told_once(pbx: Pbx, gateway: Gateway) -> None:
    caller = pbx.place("600")
    leg, _ = await gateway.leg()
    keys = []
    async with leg:
        await caller.answered(SOON_S)
        pressing = asyncio.create_task(caller.press("1155#*0"))
        async with asyncio.timeout(5):
            async for event in leg.events():
                assert isinstance(event, Digit)
                keys.append(event.digit)
                assert 40 <= event.duration_ms <= 300
                if event.digit == "0":
                    break
        await pressing
    assert "".join(keys) == "1155#*0"


@pytest.mark.parametrize("what", ["media", "bridge"])
async def test_lost_media_are_made_anew_but_not_again_at_once(pbx: Pbx, gateway: Gateway, what: str) -> None:
    caller = pbx.place("600")
    leg, port = await gateway.leg()

    async def lose() -> None:
        await (pbx.hang_up_channel(leg.media_id) if what == "media" else pbx.delete_bridge(leg.bridge_id))

    with pytest.raises(CallEnded, match="media_lost"):
        async with leg:
            await caller.answered(SOON_S)
            events = leg.events()
            await lose()
            assert await asyncio.wait_for(anext(events), SOON_S) == MediaReplaced()
            async with asyncio.TaskGroup() as group:
                group.create_task(port.hears_speech())
                group.create_task(caller.say(SPEECH))
                group.create_task(caller.bot_speaks(SOON_S, since=0.0))
            await lose()
            await asyncio.wait_for(anext(events), SOON_S)
    await nothing_left(pbx)


async def test_media_that_are_lost_again_much_later_are_made_anew_again(
    pbx: Pbx, gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("voicebot.call.leg.REBUILD_REST_S", 0.0)
    caller = pbx.place("600")
    leg, _ = await gateway.leg()
    async with leg:
        await caller.answered(SOON_S)
        events = leg.events()
        for _ in range(2):
            await pbx.delete_bridge(leg.bridge_id)
            assert await asyncio.wait_for(anext(events), SOON_S) == MediaReplaced()
    await nothing_left(pbx)


@pytest.mark.parametrize("what", ["media", "bridge"])
async def test_media_that_stand_apart_are_made_anew_apart(pbx: Pbx, gateway: Gateway, what: str) -> None:
    caller = pbx.place("600")
    leg, _ = await gateway.leg()
    async with leg:
        await caller.answered(SOON_S)
        await gateway.ari.request(requests.remove_channels(leg.bridge_id, leg.media_id))
        leg.media_apart = True
        lost = leg.media_id
        await (pbx.hang_up_channel(lost) if what == "media" else pbx.delete_bridge(leg.bridge_id))
        assert await asyncio.wait_for(anext(leg.events()), SOON_S) == MediaReplaced()
        bridges = await gateway.ari.request(requests.get_bridges())
        assert {each["id"]: each["channels"] for each in bridges}[leg.bridge_id] == [leg.channel_id]
        assert (leg.media_id != lost) == (what == "media")
    await nothing_left(pbx)


async def test_a_caller_handed_over_stays_on_the_line(pbx: Pbx, gateway: Gateway) -> None:
    caller = pbx.place("600")
    leg, port = await gateway.leg()
    async with leg:
        await caller.answered(SOON_S)
        await leg.hand_over("voicebot-handover", "reception", {"VOICEBOT_STEP": "person"})
    assert leg.ended is not None and leg.ended.reason == "handed_over"
    assert port.closed
    assert not caller.ended.done()
    await nothing_left(pbx, but=1)
    await caller.hang_up()
    await nothing_left(pbx)


async def test_bad_places_and_names_leave_the_call_alone(pbx: Pbx, gateway: Gateway) -> None:
    pbx.place("600")
    leg, _ = await gateway.leg()
    async with leg:
        with pytest.raises(ValueError, match="context"):
            await leg.hand_over("voicebot in\r\n", "reception")
        with pytest.raises(ValueError, match="channel variable"):
            await leg.hand_over("voicebot-handover", "reception", {"FILE(/tmp/x)": "1"})
        assert leg.ended is None
    await nothing_left(pbx)


async def test_an_error_in_the_call_undoes_the_leg(pbx: Pbx, gateway: Gateway) -> None:
    caller = pbx.place("600")
    leg, port = await gateway.leg()
    with pytest.raises(ZeroDivisionError):
        async with leg:
            raise ZeroDivisionError
    assert port.closed
    await asyncio.wait_for(caller.ended, SOON_S)
    await nothing_left(pbx)


async def test_a_leg_cancelled_at_any_moment_leaves_nothing(pbx: Pbx, gateway: Gateway) -> None:
    for ms in (0, 0.5, 1, 1.5, 2, 2.5, 3, 4, 6, 9):
        caller = pbx.place("600")
        leg, port = await gateway.leg()
        async with cut_short(ms / 1000), leg:
            await asyncio.Event().wait()
        assert port.closed
        await asyncio.wait_for(caller.ended, SOON_S)
        await nothing_left(pbx)


async def test_a_caller_who_hangs_up_while_the_leg_is_built(pbx: Pbx, gateway: Gateway) -> None:
    for ms in (0, 0.5, 1, 1.5, 2, 3, 5):
        caller = pbx.place("600")
        leg, port = await gateway.leg()
        hanging_up = asyncio.create_task(hang_up_after(caller, ms / 1000))
        with pytest.raises(CallEnded, match="caller"):
            async with leg:
                async with asyncio.timeout(SOON_S):
                    async for _ in leg.events():
                        pass
        await hanging_up
        assert port.closed
        await nothing_left(pbx)


async def test_asterisk_dies(pbx: Pbx, gateway: Gateway) -> None:
    """Every call is told within 5 s, and the gateway takes calls again once Asterisk is back."""
    async with AsyncExitStack() as legs:
        watchers = []
        for _ in range(3):
            pbx.place("600")
            leg, _ = await gateway.leg()
            await legs.enter_async_context(leg)
            watchers.append(asyncio.create_task(anext(leg.events())))
        await pbx.crash()
        async with asyncio.timeout(LOST_S):
            outcomes = await asyncio.gather(*watchers, return_exceptions=True)
    assert [outcome.reason for outcome in outcomes if isinstance(outcome, CallEnded)] == ["asterisk_lost"] * 3
    await pbx.start()
    await gateway.until(Link.CONNECTED, timeout=12)
    caller = pbx.place("600")
    leg, _ = await gateway.leg()
    async with leg:
        await caller.answered(SOON_S)
    await nothing_left(pbx)


async def test_a_gateway_that_died_is_tidied_up_after(pbx: Pbx) -> None:
    """Its callers go on in the dialplan, its media channels and bridges are removed."""
    dead = Gateway(pbx.settings)
    async with dead.ari:
        caller = pbx.place("600")
        leg, port = await dead.leg()
        await leg.__aenter__()
    port.close()
    assert len(await pbx.left_over()) == 3
    next_ = Gateway(pbx.settings)
    async with next_.ari:
        async with asyncio.timeout(SOON_S):
            while any(is_ours(id_, next_.ari.app) for id_ in await pbx.left_over()):  # noqa: ASYNC110
                await asyncio.sleep(0.01)  # what was hung up is gone a moment later
        ended = await asyncio.wait_for(caller.ended, 15)
    assert ended.by == "them"


async def test_a_second_gateway_of_the_same_name_is_refused(pbx: Pbx, gateway: Gateway) -> None:
    """Whether calls are on or not; the first one goes on undisturbed."""
    caller = pbx.place("600")
    leg, _ = await gateway.leg()
    async with leg:
        await caller.answered(SOON_S)
        with pytest.raises(UserError, match="is taken by another gateway"):
            async with Gateway(pbx.settings).ari:
                pytest.fail("two gateways have one name")
        await caller.press("1")
        assert isinstance(await asyncio.wait_for(anext(leg.events()), SOON_S), Digit)
    with pytest.raises(UserError, match="is taken by another gateway"):
        async with Gateway(pbx.settings).ari:
            pytest.fail("two gateways have one name")
    assert gateway.links == [Link.CONNECTED]


async def test_a_gateway_whose_name_is_taken_from_it_says_so_and_ends(pbx: Pbx, gateway: Gateway) -> None:
    """Another program may not ask. Its calls end, the operator is told, and there is no tug of war."""
    pbx.place("600")
    leg, _ = await gateway.leg()
    with pytest.raises(CallEnded, match="app_taken"):
        async with leg, robber(pbx), asyncio.timeout(SOON_S):
            async for _ in leg.events():
                pass
    assert gateway.links[-1] is Link.FAILED
    with pytest.raises(UserError, match="is taken by another gateway"):
        await asyncio.wait_for(gateway.ari.wait_closed(), SOON_S)


@pytest.mark.simulator
@pytest.mark.parametrize("refused", ["POST /channels/externalMedia", "POST /bridges"])
async def test_a_leg_that_cannot_be_built_gives_the_caller_back(refused: str) -> None:
    """Simulator only: a real Asterisk does not fail on demand."""
    from tests.simulator.pbx import SimulatedPbx

    async with SimulatedPbx() as pbx:
        gateway = Gateway(pbx.settings)
        async with gateway.ari:
            pbx.faults.refuse[refused] = 500
            caller = pbx.place("600")
            leg, port = await gateway.leg()
            with pytest.raises(PbxError, match="refused by the test"):
                await leg.__aenter__()
            assert port.closed
            assert (await asyncio.wait_for(caller.ended, SOON_S)).cause == 41
            await nothing_left(pbx)
