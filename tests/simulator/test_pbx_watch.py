"""Category: simulator. The watch over Asterisk: hostile events, refusals, lost connections, no Asterisk."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable

import pytest

from tests.simulator.pbx.ami import HOST, SimulatedAmi
from voicebot.call.live import Hub, News
from voicebot.config import Config
from voicebot.errors import UserError
from voicebot.supervision.tracker import PbxTracker
from voicebot.switchboard.watch import pbx_watch as watch_module
from voicebot.switchboard.watch.pbx_watch import PbxWatch
from voicebot.web.metrics import Metrics

pytestmark = pytest.mark.simulator

SOON_S = 5.0
NOBODY: frozenset[str] = frozenset()


@pytest.fixture
async def ami() -> AsyncIterator[SimulatedAmi]:
    async with SimulatedAmi() as simulated:
        yield simulated


def watching(ami: SimulatedAmi, hub: Hub | None = None) -> PbxWatch:
    config = Config.model_validate(
        {
            "asterisk": {"ami_host": HOST, "ami_port": ami.port},
            "supervision": {
                "ami_user": ami.user,
                "ami_password": ami.secret,
                "phones": {"anna": "PJSIP/anna"},
                "dial_numbers": ["_6XX"],
            },
        }
    )
    return PbxWatch(config, hub or Hub(time.time), lambda: NOBODY)


async def until(true: Callable[[], object]) -> None:
    async with asyncio.timeout(SOON_S):
        while not true():  # noqa: ASYNC110 - the state tells nobody
            await asyncio.sleep(0.01)


def leg(number: int, state: str = "Up") -> list[tuple[str, str]]:
    return [("Channel", f"PJSIP/a-{number}"), ("Uniqueid", str(number)), ("ChannelStateDesc", state)]


async def test_without_a_user_nothing_is_watched_and_all_is_refused() -> None:
    async with PbxWatch(Config(), Hub(time.time), lambda: NOBODY) as watch:
        assert (watch.state().configured, watch.state().connected) == (False, False)
        with pytest.raises(UserError, match="no supervision by AMI") as told:
            await watch.hang_up("PJSIP/a-1", by="anna")
        assert "ami_user" in told.value.problems[0].remedy


async def test_it_opens_without_asterisk_and_finds_it_later(ami: SimulatedAmi) -> None:
    await ami.stop()
    ami.channels = [leg(1)]
    async with watching(ami) as watch:
        assert not watch.state().connected
        assert "cannot be reached" in watch.state().trouble
        with pytest.raises(UserError, match="cannot be asked"):
            await watch.dial("PJSIP/anna", "600", by="anna")
        await ami.start()
        await until(lambda: [each.id for each in watch.state().channels] == ["1"])
        assert watch.state().trouble == ""


async def test_what_ended_while_the_connection_was_lost_is_gone(ami: SimulatedAmi) -> None:
    ami.channels = [leg(1), leg(2)]
    hub = Hub(time.time)
    async with watching(ami, hub) as watch:
        await until(lambda: len(watch.state().channels) == 2)
        with hub.watch() as news:
            ami.channels = [leg(2), leg(3)]
            ami.drop()
            await until(lambda: [each.id for each in watch.state().channels] == ["2", "3"])
            changed: list[News] = []
            await until(
                lambda: (
                    changed.extend(_changes(news.take()))
                    or any("channels_gone" in each.data for each in changed)
                )
            )
        assert changed[-1].data["channels_gone"] == ["1"]
        assert "3" in {each["id"] for news in changed for each in news.data.get("channels", [])}


async def test_changes_are_put_together_only_for_who_wants_them(
    ami: SimulatedAmi, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The panel's figures and its list of calls watch all day: they take nothing of Asterisk's."""
    monkeypatch.setattr(watch_module, "PUBLISH_S", 0.01)
    wanted: list[bool] = []
    take = PbxTracker.take_changes
    monkeypatch.setattr(
        PbxTracker, "take_changes", lambda tracker, want=True: wanted.append(want) or take(tracker, want)
    )
    hub, figures = Hub(time.time), Metrics()
    following = asyncio.create_task(figures.follow(hub))
    with hub.watch(topics=("call", "queue")):
        async with watching(ami, hub) as watch:
            await until(lambda: watch.state().connected and len(wanted) > 2)
            assert not any(wanted)
            with hub.watch(topics=("pbx",)):
                await until(lambda: wanted[-1])
    following.cancel()


def _changes(news: tuple[object, ...]) -> list[News]:
    return [each for each in news if isinstance(each, News) and each.kind == "changed"]


async def test_hostile_events_harm_nothing(ami: SimulatedAmi) -> None:
    long = "x" * 900
    async with watching(ami) as watch:
        await until(lambda: watch.state().connected)
        for event, headers in (
            ("Newchannel", []),
            ("Newchannel", [("Channel", ""), ("Uniqueid", "")]),
            ("Newchannel", [("Channel", long), ("Uniqueid", long), ("ChannelStateDesc", long)]),
            ("BridgeEnter", leg(1)),
            ("BridgeEnter", [*leg(1), ("BridgeUniqueid", "b"), ("BridgeNumChannels", "many")]),
            ("BridgeLeave", [*leg(9), ("BridgeUniqueid", "nowhere")]),
            ("BridgeMerge", [("ToBridgeUniqueid", "a"), ("FromBridgeUniqueid", "b")]),
            ("QueueCallerJoin", [*leg(2), ("Queue", "q"), ("Position", "-5")]),
            ("QueueCallerLeave", [*leg(3), ("Queue", "q")]),
            ("Registry", [("Domain", "d"), ("Username", "u"), ("Status", "s")]),
            ("MixMonitorMute", [*leg(4), ("State", "maybe")]),
            ("Hangup", [*leg(5), ("Cause", "999999999999999999999")]),
            ("OriginateResponse", [("ActionID", "click-1"), ("Response", "Success")]),
        ):
            ami.tell(event, headers)
        ami.send(b"no header at all\r\n\r\n: : :\r\n\r\n\xff\xfe\r\n\r\n")
        ami.tell("Newchannel", leg(7))
        await until(lambda: "7" in {each.id for each in watch.state().channels})
        watch.state().as_dict()
        assert watch.state().connected


async def test_a_flood_is_told_in_few_pieces(ami: SimulatedAmi) -> None:
    hub = Hub(time.time)
    async with watching(ami, hub) as watch:
        await until(lambda: watch.state().connected)
        with hub.watch() as news:
            began = time.monotonic()
            for number in range(3000):
                ami.tell("Newchannel", leg(number))
                ami.tell("Hangup", leg(number))
            ami.tell("Newchannel", leg(9999))
            await until(lambda: "9999" in {each.id for each in watch.state().channels})
            await asyncio.sleep(2 * watch_module.PUBLISH_S)
            took = time.monotonic() - began
            pieces = [each for each in news.take() if isinstance(each, News)]
        assert len(pieces) <= took / watch_module.PUBLISH_S + 1
        assert len(watch.state().channels) == 1


async def test_a_refusal_has_a_remedy(ami: SimulatedAmi) -> None:
    ami.channels = [leg(1)]
    ami.faults.refuse = {"Hangup": "Permission denied", "Originate": "Extension does not exist."}
    async with watching(ami) as watch:
        await until(lambda: watch.state().channels)
        with pytest.raises(UserError, match="Permission denied") as told:
            await watch.hang_up("1", by="anna")
        assert "write = call" in told.value.problems[0].remedy
        with pytest.raises(UserError, match="does not exist"):
            await watch.dial("PJSIP/anna", "600", by="anna")
        with pytest.raises(UserError, match="no channel"):
            await watch.hang_up("PJSIP/.*", by="anna")
        for value in ("sales,support", "a\r\nAction: Command"):
            with pytest.raises(UserError, match="misread"):
                await watch.queue_pause(value, "PJSIP/anna", True)


async def test_click_to_dial_sends_what_the_dialplan_expects(ami: SimulatedAmi) -> None:
    hub = Hub(time.time)
    async with watching(ami, hub) as watch:
        await until(lambda: watch.state().connected)
        with hub.watch() as news:
            id_ = await watch.dial("PJSIP/anna", "600", by="anna")
            asked = next(each for each in ami.asked if each.get("Action") == "Originate")
            ami.tell("OriginateResponse", [("ActionID", id_), ("Response", "Failure"), ("Reason", "3")])
            told: list[News] = []
            await until(
                lambda: (
                    told.extend(
                        each for each in news.take() if isinstance(each, News) and each.kind == "dialled"
                    )
                    or told
                )
            )
    assert {name: asked.get(name) for name in ("Channel", "Context", "Exten", "ChannelId")} == {
        "Channel": "PJSIP/anna",
        "Context": "voicebot-click",
        "Exten": "600",
        "ChannelId": id_,
    }
    assert not asked.get("Application")
    assert (told[0].data["answered"], told[0].data["by"]) == (False, "anna")
