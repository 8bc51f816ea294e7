"""unit: what is done about who answered. The event loop runs; its clock is the test's."""

from __future__ import annotations

import asyncio

import pytest

from voicebot.call import answering as module
from voicebot.call.answering import AnswerWatch
from voicebot.campaign.attempt import AnsweredBy
from voicebot.campaign.campaign import Answering
from voicebot.media.port import HeardFrame
from voicebot.speech.answering.events import Answerer, AnswerEvent, Beep, Judged, Why

pytestmark = pytest.mark.unit


class Detector:
    """Judges as the test says, at the next frame."""

    def __init__(self) -> None:
        self.by, self.confidence, self.why = Answerer.UNKNOWN, 0.5, Why.SILENCE
        self.coming: list[AnswerEvent] = []
        self.broken = False

    def will_judge(self, by: Answerer, confidence: float, why: Why = Why.LONG_GREETING) -> None:
        self.coming.append(Judged(by, confidence, why, 0))

    def heard(self, *_: object) -> tuple[AnswerEvent, ...]:
        if self.broken:
            raise ZeroDivisionError
        events, self.coming = tuple(self.coming), []
        for event in events:
            if isinstance(event, Judged):
                self.by, self.confidence, self.why = event.by, event.confidence, event.why
        return events

    def recognised(self, text: str, language: str, at_ms: int) -> tuple[AnswerEvent, ...]:
        return self.heard()


class Ears:
    """A watch with a detector and a clock of the test's."""

    def __init__(self, detector: str = "both", amd: str = "") -> None:
        self.now = 100.0
        settings = Answering.model_validate({"detector": detector})
        self.watch = AnswerWatch(
            settings, answered_at=100.0, sample_rate=8000, amd_status=amd, clock=lambda: self.now
        )
        self.detector = Detector()
        if self.watch._detector is not None:
            self.watch._detector = self.detector  # type: ignore[assignment]

    def hear(self, seconds: float, speech: bool = False) -> None:
        for _ in range(round(seconds * 50)):
            self.now += 0.02
            self.watch.heard(HeardFrame(bytes(320), speech, -30.0, False, self.now))

    async def cleared(self, task: asyncio.Task[str]) -> str | None:
        for _ in range(5):
            await asyncio.sleep(0)
        return task.result() if task.done() else None


async def _turn() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_a_machine_must_be_sure_before_anything_is_done() -> None:
    ears = Ears("voicebot")
    waiting = asyncio.create_task(ears.watch.machine())
    ears.detector.will_judge(Answerer.MACHINE, 0.7)
    ears.hear(0.02)
    await _turn()
    assert (ears.watch.by, waiting.done()) == (AnsweredBy.MACHINE, False)
    ears.detector.will_judge(Answerer.MACHINE, 0.9)
    ears.hear(0.02)
    await _turn()
    assert waiting.done()


async def test_a_robot_that_asks_who_calls_is_talked_to() -> None:
    ears = Ears("voicebot")
    waiting = asyncio.create_task(ears.watch.machine())
    ears.detector.will_judge(Answerer.MACHINE, 0.99, Why.SCREENING)
    ears.hear(0.02)
    await _turn()
    assert not waiting.done()
    waiting.cancel()


@pytest.mark.parametrize(
    ("detector", "amd", "by"),
    [
        ("asterisk", "MACHINE", AnsweredBy.MACHINE),
        ("both", "MACHINE", AnsweredBy.UNKNOWN),  # it says so of most persons, too
        ("both", "HUMAN", AnsweredBy.PERSON),
        ("both", "NOTSURE", AnsweredBy.UNKNOWN),
        ("voicebot", "MACHINE", AnsweredBy.UNKNOWN),
        ("off", "MACHINE", AnsweredBy.UNKNOWN),
    ],
)
def test_asterisks_word_counts_where_it_is_asked(detector: str, amd: str, by: AnsweredBy) -> None:
    assert Ears(detector, amd).watch.by is by


def test_witnesses_that_differ_are_weighed_against_each_other() -> None:
    ears = Ears("both", "HUMAN")
    ears.detector.will_judge(Answerer.MACHINE, 0.7)
    ears.hear(0.02)
    assert ears.watch.by is AnsweredBy.PERSON
    ears.detector.will_judge(Answerer.MACHINE, 0.98)
    ears.hear(0.02)
    assert ears.watch.by is AnsweredBy.MACHINE
    assert [each.source for each in ears.watch.judgements] == ["asterisk", "voicebot", "voicebot"]


def test_a_key_is_a_persons() -> None:
    ears = Ears("both", "MACHINE")
    ears.watch.understood(by_key=True)
    assert ears.watch.by is AnsweredBy.PERSON
    assert ears.watch.judgements[-1].source == "dialog"


def test_a_broken_detector_costs_no_call() -> None:
    ears = Ears()
    ears.detector.broken = True
    ears.hear(0.1, speech=True)
    ears.hear(0.1)
    assert ears.watch.by is AnsweredBy.UNKNOWN
    assert ears.watch.speech_ended_ms == 100


async def test_a_message_waits_for_the_beep(monkeypatch: pytest.MonkeyPatch) -> None:
    ears = Ears()
    ears.hear(1.0, speech=True)
    waiting = asyncio.create_task(ears.watch.until_clear(30))
    ears.hear(2.0, speech=True)
    ears.hear(1.0)
    assert await ears.cleared(waiting) is None
    ears.detector.coming.append(Beep(0, 1000, 400))
    ears.hear(0.02)
    assert await ears.cleared(waiting) == "beep"


async def test_a_beep_of_just_now_is_the_one() -> None:
    ears = Ears()
    ears.detector.coming.append(Beep(0, 1000, 400))
    ears.hear(0.5)
    assert await ears.watch.until_clear(30) == "beep"


async def test_a_machine_without_a_beep_is_spoken_to_after_a_silence(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "SILENCE_S", 0.0)
    ears = Ears()
    ears.hear(1.0, speech=True)
    assert await ears.watch.until_clear(30) == "silence"


async def test_patience_with_a_machine_that_talks_on_ends() -> None:
    ears = Ears()
    waiting = asyncio.create_task(ears.watch.until_clear(5))
    await _turn()
    ears.hear(5.1, speech=True)
    ears.watch._news.set()
    assert await ears.cleared(waiting) == "talking"


async def test_a_person_who_comes_to_it_ends_the_wait() -> None:
    ears = Ears("both", "MACHINE")
    waiting = asyncio.create_task(ears.watch.until_clear(30))
    await _turn()
    ears.detector.will_judge(Answerer.PERSON, 0.95, Why.GREETING_WORDS)
    ears.hear(0.02)
    assert await ears.cleared(waiting) == "person"
