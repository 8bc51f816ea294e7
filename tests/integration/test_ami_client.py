"""Category: integration. The AMI client and a real Asterisk: rights, limits, values, restarts."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from tests.integration.conftest import RealAsterisk
from voicebot.ami.actions import (
    CoreShowChannels,
    EventMask,
    Filter,
    Getvar,
    Hangup,
    Originate,
    Ping,
    Setvar,
    ShowDialPlan,
)
from voicebot.ami.events import DialBegin, LiveChannels, Missed, OriginateResponse
from voicebot.ami.messages import LONGEST_LINE
from voicebot.errors import PbxError, UserError
from voicebot.pbx.ami_client import AmiClient
from voicebot.pbx.link import Link

pytestmark = pytest.mark.integration

BACK_S = 5.0
"""A restarted Asterisk listens long before; the delays between our tries grow to this at the most here."""
NOBODY = "f" * 32


def looker(pbx: RealAsterisk, secret: str | None = None) -> AmiClient:
    known = pbx.settings
    secret = secret or known["ami_password"]
    return AmiClient(known["ami_host"], known["ami_port"], known["ami_user"], secret, events=False)


def dialler(pbx: RealAsterisk, on_link: Callable[[Link, str], None] = lambda link, why: None) -> AmiClient:
    known: dict[str, Any] = pbx.facts
    return AmiClient(
        known["ami_host"],
        known["ami_port"],
        known["dialler_user"],
        known["dialler_password"],
        on_link=on_link,
    )


async def test_a_list_comes_whole(pbx: RealAsterisk) -> None:
    async with looker(pbx) as ami:
        listed = (await ami.action(ShowDialPlan("voicebot-in"))).listed
        assert [step.get("Application") for step in listed] == ["NoOp", "Stasis", "Goto"]
        assert (await ami.action(Ping())).response.get("Ping") == "Pong"


async def test_a_wrong_secret_is_told_from_an_absent_server(pbx: RealAsterisk) -> None:
    with pytest.raises(UserError, match="Authentication failed"):
        await looker(pbx, "wrong").__aenter__()


async def test_who_only_looks_may_do_nothing_else(pbx: RealAsterisk) -> None:
    async with looker(pbx) as ami:
        for action in (Originate("Local/1@a", "b", "1"), Hangup("PJSIP/x-1"), Setvar("A", "1"), Filter("x")):
            with pytest.raises(PbxError, match="Permission denied"):
                await ami.action(action)


async def test_the_dialler_may_place_calls_and_look_and_do_nothing_else(pbx: RealAsterisk) -> None:
    async with dialler(pbx) as ami:
        assert (await ami.action(CoreShowChannels())).listed == ()
        await ami.action(EventMask("call,dialplan"))
        for action in (Hangup("PJSIP/x-1"), Setvar("A", "1"), Filter("x")):
            with pytest.raises(PbxError, match="Permission denied"):
                await ami.action(action)


async def test_asterisk_reads_the_longest_line_that_we_send(pbx: RealAsterisk) -> None:
    async with looker(pbx) as ami:
        longest = "x" * (LONGEST_LINE - len("Variable: "))
        assert (await ami.action(Getvar(longest))).response.get("Variable") == longest


async def test_variables_arrive_as_they_were_given(pbx: RealAsterisk) -> None:
    values = {
        "PLAIN": "PJSIP/+12025550142@trunk",
        "SIGNS": "Größe: 5; #1 'ok' <a@b> 50% (fünf) [x] {y} $z = | & ~",
        "EMPTY": "",
        "SPACES": "a  b",
    }
    async with dialler(pbx) as ami:
        with ami.subscribe() as events:
            # Both ends wait in Echo() until the test is over.
            await ami.action(
                Originate("Local/x@voicebot-handover/n", "voicebot-handover", "y", variables=values)
            )
            async with asyncio.timeout(BACK_S):
                while not isinstance(event := await anext(events), DialBegin):  # both halves are there then
                    pass
            name = event.dest.name.replace(";1", ";2")
            read = {
                variable: (await ami.action(Getvar(variable, name))).response.get("Value")
                for variable in values
            }
    pbx.cli("channel request hangup all")
    assert read == values


async def test_an_extension_that_is_not_there_is_told_by_the_response(pbx: RealAsterisk) -> None:
    async with dialler(pbx) as ami:
        with ami.subscribe() as events:
            asked = await ami.action(Originate("Local/1@no-such-context/n", "voicebot-answered", NOBODY))
            async with asyncio.timeout(BACK_S):
                while not isinstance(event := await anext(events), OriginateResponse):
                    pass
            assert (event.action_id, event.succeeded, event.exten) == (asked.action_id, False, NOBODY)


@pytest.mark.parametrize("crash", [False, True])
async def test_after_a_restart_of_asterisk_events_come_again(pbx: RealAsterisk, crash: bool) -> None:
    told: list[Link] = []
    async with dialler(pbx, lambda link, why: told.append(link)) as ami:
        with ami.subscribe() as events:
            await asyncio.to_thread(pbx.restart, crash=crash)
            async with asyncio.timeout(BACK_S):
                while not isinstance(await anext(events), Missed):
                    pass
                assert await anext(events) == LiveChannels(())
            await ami.action(Originate("Local/1@no-such-context/n", "voicebot-answered", NOBODY))
            async with asyncio.timeout(BACK_S):
                while not isinstance(await anext(events), OriginateResponse):
                    pass
    assert told == [Link.CONNECTED, Link.LOST, Link.CONNECTED, Link.CLOSED]
