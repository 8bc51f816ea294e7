"""Category: unit. The sign beside Health: the worst of all parts, what callers feel, one look for all."""

from __future__ import annotations

import pytest

from voicebot.call.calls_live import LiveCalls
from voicebot.call.live import Hub
from voicebot.config import Config
from voicebot.web.house import Condition, House, Part
from voicebot.web.sign import MOST_TOLD, SHARED_S, Sign, Signs, sign_of

pytestmark = pytest.mark.unit

WELL = Condition(True)


@pytest.mark.parametrize(
    ("part", "state", "callers"),
    [
        (Part("disk", "ok"), "ok", ""),
        (Part("disk", "degraded", "only 12 MB are free"), "degraded", ""),
        (Part("store", "down", "no answer"), "down", ""),
        (Part("stt.english", "degraded", "1 of 2 workers"), "degraded", ""),
        (Part("stt.english", "down", "0 of 2 workers"), "down", "stt.english: 0 of 2 workers"),
    ],
)
def test_it_tells_the_worst_and_what_callers_feel(part: Part, state: str, callers: str) -> None:
    sign = sign_of(WELL, [Part("ami", "ok"), part])
    assert (sign.state, sign.callers) == (state, callers)
    assert sign.why == ((f"{part.name}: {part.why}",) if part.state != "ok" else ())


def test_a_trunk_is_missed_when_no_other_is_left() -> None:
    lost = Part("trunk.backup", "degraded", "Rejected")
    assert sign_of(WELL, [Part("trunk.carrier", "ok"), lost]).callers == ""
    assert sign_of(WELL, [lost]).callers == "trunk.backup: Rejected"


def test_what_takes_no_calls_is_down_and_the_worst_comes_first() -> None:
    ill = [Part(f"dialog.{n}", "degraded", "refused") for n in range(MOST_TOLD)]
    away = Condition(False, "it is not connected to Asterisk")
    sign = sign_of(away, [*ill, Part("asterisk", "down", "no connection")])
    assert (sign.state, sign.why[0], len(sign.why)) == ("down", "asterisk: no connection", MOST_TOLD)
    assert sign.callers == "new calls are not taken: it is not connected to Asterisk"
    assert sign_of(WELL, [], stopping=True).callers == "new calls are not taken: it was told to stop"


def test_the_house_is_looked_at_once_for_all_who_ask_together() -> None:
    now, looks = [0.0], list[float]()

    def look() -> Condition:
        looks.append(now[0])
        return WELL

    hub = Hub(lambda: 0.0)
    house = House(Config(), hub, LiveCalls(hub), condition=look)
    signs = Signs(house, lambda: now[0])
    for _ in range(50):
        assert signs.now() == Sign("down", ("store: it is being opened",))
    now[0] = SHARED_S
    signs.now()
    assert looks == [0.0, SHARED_S]
