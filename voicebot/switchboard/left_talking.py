"""Two persons talk, and the gateway stops: they are left to Asterisk, and talk on.

The person goes to `wait` in [voicebot-talk] of the dialplan, and the caller at once to `talk`, which joins
the two and hangs up the one whom the other leaves. Neither misses more than a packet or two of sound. Where
the dialplan lacks that place they can stay in our bridge, which needs no gateway either: the next one looks
after it (`pbx/left_alone.py`).
"""

from __future__ import annotations

import asyncio

import structlog

from voicebot.ari import requests
from voicebot.ari.events import parse_channel
from voicebot.call.handover import AFTERWARDS, TALK_CONTEXT, TALK_EXTENSION, WAIT_EXTENSION, WITH
from voicebot.call.leg import Ari, Leg
from voicebot.errors import PbxError
from voicebot.pbx.persevering import finish

ON_THE_WAY = ("", "Stasis")
"""What a channel runs that does not yet wait in the dialplan."""
ARRIVE_S = 3.0
"""So long it may take until they are there; it takes about 1 ms."""
LOOK_AGAIN_S = 0.002

log = structlog.get_logger(__name__)


async def leave_talking(ari: Ari, caller: Leg, person: Leg, *, afterwards: str = "", or_here: bool) -> None:
    """Leave two who talk in the caller's bridge to the dialplan, if it can take them.

    afterwards: extension of [voicebot-handover] at which the caller goes on when the person has hung up
    or_here:    where it cannot, and both are there yet, leave them in the caller's bridge

    Both legs say `talks_on` then, and undoing them disturbs nobody. Done to its end even if cancelled.
    """
    await finish(_leave(ari, caller, person, afterwards, or_here))


async def _leave(ari: Ari, caller: Leg, person: Leg, afterwards: str, or_here: bool) -> None:
    try:
        there = await ari.request(requests.dialplan_has(caller.channel_id, TALK_CONTEXT, TALK_EXTENSION))
        if there.get("value") != "1":
            raise PbxError(f"there is no [{TALK_CONTEXT}] in the dialplan")
        for name, value in ((WITH, person.channel_id), (AFTERWARDS, afterwards)):
            await ari.request(requests.set_variable(caller.channel_id, name, value))
        # From here on each of them hears nothing, for the time of three requests or four.
        await ari.request(_place(person, WAIT_EXTENSION))
        person.left_talking()
        await _until_waiting(ari, person)
        await ari.request(_place(caller, TALK_EXTENSION))
        caller.left_talking()
    except PbxError as error:  # one of them has just hung up, for instance
        log.warning("persons not left to the dialplan", caller=caller.channel_id, why=str(error))
        if or_here and caller.ended is None and person.ended is None:
            caller.left_talking(in_bridge=True)
            person.left_talking()


async def _until_waiting(ari: Ari, person: Leg) -> None:
    """Who is fetched on the way there may be hung up. Raises PbxError where they are gone, or do not come."""
    try:
        async with asyncio.timeout(ARRIVE_S):
            while True:
                place = parse_channel(await ari.request(requests.get_channel(person.channel_id))).dialplan
                if place.context == TALK_CONTEXT and place.app_name not in ON_THE_WAY:
                    return
                await asyncio.sleep(LOOK_AGAIN_S)
    except TimeoutError as error:
        raise PbxError("they did not come to the dialplan in time") from error


def _place(leg: Leg, extension: str) -> requests.Request:
    return requests.continue_in_dialplan(leg.channel_id, TALK_CONTEXT, extension, 1)
