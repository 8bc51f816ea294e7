"""Category: unit. What Asterisk is asked, in which order, to take two who talk; and what if it refuses."""

from __future__ import annotations

from typing import Any, cast

import pytest

from voicebot.ari.requests import Request
from voicebot.call.leg import Ended, Leg
from voicebot.errors import PbxError
from voicebot.pbx.no_asterisk import NoAsterisk
from voicebot.switchboard.left_talking import leave_talking

pytestmark = pytest.mark.unit

CALLER, PERSON = "1795295157.27", "vbp1"
ASKED = f"GET /channels/{CALLER}/variable"
SET = f"POST /channels/{CALLER}/variable"
PERSON_GOES = f"POST /channels/{PERSON}/continue"
THERE = f"GET /channels/{PERSON}"
CALLER_GOES = f"POST /channels/{CALLER}/continue"


class Asterisk(NoAsterisk):
    """Notes what it is asked; `refuses` a request. The person needs `looks` looks to arrive."""

    def __init__(self, *, knows: str = "1", refuses: str = "", looks: int = 1) -> None:
        super().__init__()
        self.asked: list[str] = []
        self._knows, self._refuses, self._looks = knows, refuses, looks

    async def request(self, request: Request) -> Any:
        self.asked.append(str(request))
        if str(request) == self._refuses:
            raise PbxError("Channel not found", 404)
        if str(request) == ASKED:
            return {"value": self._knows}
        if str(request) == THERE:
            self._looks -= 1
            app = "Stasis" if self._looks else "Wait"
            return {
                "id": PERSON,
                "name": "PJSIP/anna-1",
                "state": "Up",
                "creationtime": "2027-03-01T10:00:00.000+0000",
                "caller": {"name": "", "number": ""},
                "connected": {"name": "", "number": ""},
                "dialplan": {"context": "voicebot-talk", "exten": "wait", "priority": 1, "app_name": app},
            }
        return None


def legs(asterisk: Asterisk) -> tuple[Leg, Leg]:
    return Leg(asterisk, CALLER, cast(Any, _Port())), Leg(asterisk, PERSON, cast(Any, _Port()))


class _Port:
    host, port, codec = "127.0.0.1", 1, "ulaw"


async def test_the_caller_goes_once_the_person_is_there() -> None:
    asterisk = Asterisk(looks=3)
    caller, person = legs(asterisk)
    await leave_talking(asterisk, caller, person, or_here=False)
    assert asterisk.asked == [ASKED, SET, SET, PERSON_GOES, THERE, THERE, THERE, CALLER_GOES]
    assert caller.talks_on and person.talks_on


@pytest.mark.parametrize(
    ("change", "last", "gone"),
    [
        ({"knows": "0"}, ASKED, []),
        ({"refuses": ASKED}, ASKED, []),  # Asterisk lacks func_dialplan.so
        ({"refuses": PERSON_GOES}, PERSON_GOES, []),  # they have just hung up
        ({"refuses": THERE}, THERE, [PERSON]),  # on the way
        ({"refuses": CALLER_GOES}, CALLER_GOES, [PERSON]),
    ],
)
async def test_nobody_is_moved_any_more_once_asterisk_refuses(
    change: dict[str, str], last: str, gone: list[str]
) -> None:
    asterisk = Asterisk(**cast(Any, change))
    caller, person = legs(asterisk)
    await leave_talking(asterisk, caller, person, or_here=False)
    assert asterisk.asked[-1] == last
    assert [each.channel_id for each in (caller, person) if each.talks_on] == gone


@pytest.mark.parametrize(("refuses", "stay"), [(ASKED, True), (THERE, False)])
async def test_when_it_is_high_time_they_stay_in_the_bridge_if_both_are_in_it_yet(
    refuses: str, stay: bool
) -> None:
    asterisk = Asterisk(refuses=refuses)
    caller, person = legs(asterisk)
    await leave_talking(asterisk, caller, person, or_here=True)
    assert caller.talks_on is stay


async def test_who_has_hung_up_does_not_talk_on() -> None:
    asterisk = Asterisk(refuses=ASKED)
    caller, person = legs(asterisk)
    caller.ended = Ended("caller", 16)
    await leave_talking(asterisk, caller, person, or_here=True)
    assert not (caller.talks_on or person.talks_on) and caller.ended == Ended("caller", 16)
