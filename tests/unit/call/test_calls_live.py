"""Unit: the calls that live now, as others see them: how things stand, what changes, and their sound."""

from __future__ import annotations

import asyncio
import json
from datetime import date
from typing import Any

import pytest

from voicebot.call.calls_live import LiveCalls
from voicebot.call.lines import MOST_LINES
from voicebot.call.listening import MOST_FRAMES, Ear
from voicebot.call.live import Hub, Lagged, News, Watch
from voicebot.call.privacy import Privacy
from voicebot.call.record import BotTurnRecord, CallerTurnRecord, CallRecord, InterventionRecord
from voicebot.call.scribe import Scribe
from voicebot.errors import UserError

pytestmark = pytest.mark.unit

LOUD = b"\x11\x22" * 160
SILENT = bytes(320)


def record(id: str = "a1") -> CallRecord:
    return CallRecord.model_validate(
        {
            "id": id,
            "started_at": "2027-03-01T12:00:00Z",
            "caller": {"number": "+12025550100", "name": "Sara"},
            "called": {"number": "600"},
            "dialog": {"name": "booking", "file": "booking.yaml", "version": "v", "language": "en-US"},
        }
    )


class Mind:
    def __init__(self) -> None:
        self.step, self.language = "greet", "en-US"
        self.slots: dict[str, object] = {}


class Port:
    """A media port, as far as those who listen need one."""

    sample_rate, open = 8000, True

    def __init__(self) -> None:
        self.taps: list[Any] = []
        self.add_tap, self.remove_tap = self.taps.append, self.taps.remove

    def tick(self, caller: bytes = LOUD, bot: bytes = LOUD) -> None:
        for tap in tuple(self.taps):
            tap(caller, bot)


@pytest.fixture
def live() -> LiveCalls:
    return LiveCalls(Hub(lambda: 7.0))


def told(watch: Watch) -> list[tuple[str, dict[str, Any]]]:
    return [(news.kind, news.data) for news in watch.take() if isinstance(news, News)]


def test_who_looks_sees_how_things_stand_though_nobody_watched(live: LiveCalls) -> None:
    feed, mind = live.begin(record(), route="_6XX"), Mind()
    feed.follow(mind)
    mind.step, mind.slots = "day", {"day": date(2027, 3, 2)}
    feed.moved()
    feed.record.turns.append(BotTurnRecord(step="greet", text="Hello.", heard="Hello.", latency_ms=700))
    feed.turn(feed.record.turns[-1])
    feed.floor("caller")
    feed.words("next tues", 1.0)
    call = live.call("a1")
    assert call is not None and live.calls() == (call,)
    assert (call.caller, call.caller_name) == ("+12025550100", "Sara")
    assert (call.called, call.route) == ("600", "_6XX")
    assert (call.step, call.slots, call.floor, call.partial) == (
        "day",
        {"day": "2027-03-02"},
        "caller",
        "next tues",
    )
    assert (call.state, call.latency_ms, call.recording, call.started_at) == (
        "talking",
        700,
        "off",
        1803902400.0,
    )
    assert call.turns[0]["text"] == "Hello."
    assert json.loads(json.dumps(call.as_dict()))["turns"][0]["who"] == "bot"
    assert "turns" not in call.as_dict(turns=False)


def test_every_change_is_told_once_and_in_order(live: LiveCalls) -> None:
    with live.hub.watch() as watch:
        feed, mind = live.begin(record()), Mind()
        feed.follow(mind)
        feed.moved()
        feed.moved()
        for floor in ("bot", "bot", "nobody"):
            feed.floor(floor)
        feed.saying("Hello.")
        feed.words("yes", 6.9)
        feed.words("yes", 6.95)
        mind.step, mind.slots = "bye", {"ok": True}
        feed.moved()
        feed.record.turns.append(CallerTurnRecord(kind="speech", text="yes"))
        feed.turn(feed.record.turns[-1])
        assert feed.view().partial == "", "they are words of a turn now"
        feed.state("waiting", queue="billing", summary="wants a refund")
        feed.state("with_person", person="Anna")
        feed.recording("paused")
        feed.supervisors(["Max"])
        feed.record.outcome, feed.record.ended_by = "done", "bot"
        feed.end()
        feed.end()
    news = told(watch)
    assert [kind for kind, _ in news] == [
        "began", "step", "floor", "floor", "saying", "words", "step", "slots", "turn", "state", "state",
        "recording", "supervisors", "ended",
    ]  # fmt: skip
    data = [each for _, each in news]
    assert data[0]["call"]["id"] == "a1"
    assert data[5] == {"text": "yes", "had_at": 6.9}
    assert data[8]["index"] == 0 and data[8]["turn"]["text"] == "yes"
    assert data[10] == {
        "state": "with_person", "person": "Anna", "queue": "billing", "summary": "wants a refund",
    }  # fmt: skip
    assert data[-1] == {"outcome": "done", "goal": False, "ended_by": "bot", "record": "a1"}
    assert live.calls() == ()


def test_who_comes_while_nobody_watched_is_told_that_the_dialog_goes_back(live: LiveCalls) -> None:
    feed, mind = live.begin(record()), Mind()
    feed.follow(mind)
    with live.hub.watch():
        mind.step, mind.slots = "day", {}
        feed.moved()
    mind.step, mind.slots = "confirm", {"day": "monday"}
    feed.moved()
    with live.hub.watch() as watch:
        seen = feed.view()
        assert (seen.step, seen.slots) == ("confirm", {"day": "monday"})
        mind.step, mind.slots = "day", {}
        feed.moved()
    assert told(watch) == [("step", {"step": "day"}), ("slots", {"slots": {}})]


def test_who_comes_later_sees_the_lines_between_the_turns(live: LiveCalls) -> None:
    began_at = record().started_at.timestamp()
    live = LiveCalls(Hub(lambda: began_at + 9.5))
    feed, mind = live.begin(record()), Mind()
    feed.follow(mind)
    feed.intervention(InterventionRecord(at_ms=4000, by="otto", what="jump", detail="day"))
    mind.language = "ko-KR"
    with live.hub.watch("language", "fault") as watch:
        feed.moved()
        feed.moved()
        feed.fault("the synthesis took 4.1 s")
        news = told(watch)
    call = live.call("a1")
    assert call is not None
    assert call.lines == (
        {"index": 0, "kind": "intervention", "at_ms": 4000, "by": "otto", "what": "jump", "detail": "day"},
        {"index": 1, "kind": "language", "at_ms": 9500, "language": "ko-KR"},
        {"index": 2, "kind": "fault", "at_ms": 9500, "text": "the synthesis took 4.1 s"},
    )
    assert [data for _, data in news] == [*call.lines[1:]]
    assert "lines" not in call.as_dict(turns=False)


def test_of_lines_the_latest_are_kept(live: LiveCalls) -> None:
    feed = live.begin(record())
    for number in range(MOST_LINES + 5):
        feed.fault(f"{number}")
    lines = feed.view().lines
    assert (len(lines), lines[0]["index"], lines[-1]["text"]) == (MOST_LINES, 5, "104")


def test_words_of_a_sensitive_step_stay_where_they_are(live: LiveCalls) -> None:
    feed = live.begin(record(), privacy=(privacy := Privacy()))
    with live.hub.watch() as watch:
        feed.words("my number", 1.0)
        privacy.secret = True
        feed.words("four two seven one", 2.0)
        assert feed.view().partial == "my number"
        feed.words("", 0.0)
    assert [data.get("text") for _, data in told(watch)] == ["my number", ""]


def test_what_was_learnt_stays_when_the_dialog_has_ended(live: LiveCalls) -> None:
    feed, mind = live.begin(record()), Mind()
    feed.follow(mind)
    mind.step, mind.slots, mind.language = "person", {"topic": "waste"}, "ko-KR"
    feed.follow(None)
    view = feed.view()
    assert (view.step, view.slots, view.language) == ("person", {"topic": "waste"}, "ko-KR")


def test_a_watcher_who_never_reads_costs_no_memory_and_is_told_to_look_again() -> None:
    live = LiveCalls(Hub(lambda: 7.0, most=100))
    with live.hub.watch() as lazy:
        feed = live.begin(record())
        for number in range(1050):
            feed.words(str(number), 1.0)
        waiting = lazy.take()
    assert len(waiting) <= 100
    assert isinstance(waiting[0], Lagged)


async def test_both_sides_are_heard_until_the_call_ends(live: LiveCalls) -> None:
    feed, port = live.begin(record()), Port()
    with pytest.raises(UserError, match="cannot be heard"):
        live.listen("a1")
    feed.attach(port)  # type: ignore[arg-type]
    with live.listen("a1") as ear, live.listen("a1") as other:
        port.tick(LOUD, SILENT)
        port.tick(SILENT, LOUD)
        other.close()
        assert len(port.taps) == 1
        feed.detach()
        port.tick()
        assert [frames async for frames in ear] == [(LOUD, SILENT), (SILENT, LOUD)]
        assert len([frames async for frames in other]) == 2
    assert port.taps == []
    with pytest.raises(UserError, match="no live call"):
        live.listen("b2")


async def test_an_ear_hears_silence_of_both_sides_while_anything_sensitive_is_on_the_line() -> None:
    privacy = Privacy()
    ear = Ear(8000, privacy, lambda ear: None)
    ear.take(LOUD, LOUD)
    privacy.secret = True
    ear.take(LOUD, LOUD)
    privacy.secret = False
    ear.take(LOUD, LOUD)
    assert [frames == (LOUD, LOUD) for frames in await ear.some()] == [True, False, True]


async def test_who_does_not_listen_in_time_loses_the_oldest() -> None:
    ear = Ear(8000, Privacy(), lambda ear: None)
    for number in range(MOST_FRAMES + 30):
        ear.take(number.to_bytes(2, "little") * 160, SILENT)
    frames = await ear.some()
    assert len(frames) == MOST_FRAMES and ear.dropped == 30
    assert int.from_bytes(frames[0][0][:2], "little") == 30
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await ear.some()


def test_nobody_watches_nothing_is_made(live: LiveCalls, monkeypatch: pytest.MonkeyPatch) -> None:
    class Busy(Mind):
        slots = property(lambda self: pytest.fail("work for nobody"))  # type: ignore[assignment]

        def __init__(self) -> None:
            self.step, self.language = "day", "en-US"

    feed = live.begin(record())
    feed.follow(Busy())
    monkeypatch.setattr("voicebot.call.live.News", lambda *_: pytest.fail("news for nobody"))
    feed.moved()
    feed.floor("bot")
    feed.words("yes", 1.0)
    feed.record.turns.append(CallerTurnRecord(kind="speech", text="yes"))
    feed.turn(feed.record.turns[-1])


def test_who_only_counts_does_not_make_anybody_read_along(live: LiveCalls) -> None:
    feed = live.begin(record())
    with live.hub.watch("turn", "ended") as counting:
        assert not feed.read
        feed.words("yes", 1.0)
        feed.end()
        with live.hub.watch():
            assert feed.read
    assert [kind for kind, _ in told(counting)] == ["ended"]


def test_words_that_were_noise_are_taken_back(live: LiveCalls) -> None:
    feed = live.begin(record())
    feed.words("uh", 1.0)
    Scribe(feed.record, 0.0, live=feed).noise()
    assert feed.view().partial == ""
