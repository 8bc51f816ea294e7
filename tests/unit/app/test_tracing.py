"""Category: unit. Traces of turns: where the time went, and no word of what was said."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

pytest.importorskip("opentelemetry.sdk", reason="the extra `tracing` is not installed")

from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from voicebot.app.tracing import Traces, follow, traces_beside
from voicebot.call.live import Hub, Lagged, News
from voicebot.config import TracingConfig

pytestmark = pytest.mark.unit

CALL = {"dialog": "booking", "direction": "inbound", "caller": "+12025550142", "started_at": 100.0}
CALLER = {
    "who": "caller",
    "kind": "speech",
    "step": "day",
    "text": "next Tuesday",
    "meaning": "2026-03-03",
    "start_ms": 2000,
    "end_ms": 3000,
    "recognition_ms": 80.0,
    "understood": "match",
    "engine": "vosk",
}
BOT = {
    "who": "bot",
    "step": "hour",
    "text": "At which hour?",
    "start_ms": 3700,
    "end_ms": 5000,
    "latency_ms": 700,
    "pause_ms": 400,
    "interrupted_by": None,
}


@pytest.fixture
def exported() -> InMemorySpanExporter:
    return InMemorySpanExporter()


@pytest.fixture
def traces(exported: InMemorySpanExporter) -> Traces:
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exported))
    return Traces(provider.get_tracer("test"))


def tell(traces: Traces, kind: str, at: float = 0.0, id: str = "a", **data: Any) -> None:
    traces.take(News("call", kind, id, data, at))


def times(span: ReadableSpan) -> tuple[float, float]:
    """Return begin and end in ms after the answer."""
    assert span.start_time is not None
    assert span.end_time is not None
    return (span.start_time - 100_000_000_000) / 1e6, (span.end_time - 100_000_000_000) / 1e6


def test_a_turn_is_told_in_its_parts(traces: Traces, exported: InMemorySpanExporter) -> None:
    tell(traces, "began", 100.0, call=CALL)
    tell(traces, "turn", 103.1, index=0, turn=CALLER)
    tell(traces, "turn", 105.0, index=1, turn=BOT)
    tell(traces, "ended", 110.0, outcome="booked", goal=True, ended_by="bot")

    spans = {span.name: span for span in exported.get_finished_spans()}
    assert {name: times(span) for name, span in spans.items()} == {
        "call": (0, 10_000),
        "turn": (2000, 5000),
        "caller speech": (2000, 3000),
        "recognition": (3200, 3280),
        "reply": (3400, 3700),
        "bot speech": (3700, 5000),
    }
    assert len({span.context.trace_id for span in spans.values()}) == 1
    call, turn = spans["call"], spans["turn"]
    assert turn.parent is not None
    assert turn.parent.span_id == call.context.span_id
    for name in ("caller speech", "recognition", "reply", "bot speech"):
        assert spans[name].parent.span_id == turn.context.span_id
    assert turn.attributes is not None
    assert turn.attributes["voicebot.turn.latency_ms"] == 700
    assert turn.attributes["voicebot.turn.understood"] == "match"
    assert call.attributes is not None
    assert call.attributes["voicebot.call.outcome"] == "booked"


def test_no_words_no_values_no_numbers(traces: Traces, exported: InMemorySpanExporter) -> None:
    tell(traces, "began", 100.0, call=CALL)
    for turn in (CALLER, BOT):
        tell(traces, "turn", 103.0, turn=turn)
    tell(traces, "fault", 104.0, text="a secret of the caller")
    tell(traces, "ended", 110.0, outcome="booked", goal=True, ended_by="bot")

    told = "".join(span.to_json() for span in exported.get_finished_spans())
    for word in ("Tuesday", "2026-03-03", "which hour", "5550142", "secret"):
        assert word not in told


def test_silence_and_a_greeting_are_turns_as_well(traces: Traces, exported: InMemorySpanExporter) -> None:
    tell(traces, "began", 100.0, call=CALL)
    tell(traces, "turn", 101.0, turn={**BOT, "latency_ms": None})
    tell(traces, "turn", 108.0, turn={"who": "caller", "kind": "silence", "start_ms": None, "end_ms": None})
    tell(traces, "ended", 110.0, outcome="hangup", goal=False, ended_by="caller")

    names = [span.name for span in exported.get_finished_spans()]
    assert sorted(names) == ["bot speech", "call", "turn"]


def test_calls_whose_news_were_lost_end(traces: Traces, exported: InMemorySpanExporter) -> None:
    tell(traces, "began", 100.0, call=CALL)
    traces.take(Lagged())
    tell(traces, "turn", 105.0, turn=BOT)
    tell(traces, "ended", 110.0, outcome="booked")

    assert [span.name for span in exported.get_finished_spans()] == ["call"]


async def test_nobody_asked_nobody_watches() -> None:
    hub = Hub(lambda: 0.0)
    async with traces_beside(TracingConfig(), hub):
        assert not hub.wants("call", "turn")


async def test_nobody_is_read_word_by_word_for_a_trace(
    traces: Traces, exported: InMemorySpanExporter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("voicebot.app.tracing.GATHER_S", 0.0)
    hub = Hub(lambda: 103.0)
    following = asyncio.create_task(follow(hub, traces))
    await asyncio.sleep(0)
    assert not any(hub.wants("call", kind) for kind in ("words", "step", "slots", "floor"))
    for kind, data in (("began", {"call": CALL}), ("turn", {"turn": BOT}), ("fault", {}), ("ended", {})):
        hub.publish("call", kind, "a", data)
    async with asyncio.timeout(5):
        while len(exported.get_finished_spans()) < 4:  # noqa: ASYNC110 - an exporter tells nobody
            await asyncio.sleep(0)
    following.cancel()
    spans = {span.name: span for span in exported.get_finished_spans()}
    assert spans.keys() == {"call", "turn", "reply", "bot speech"}
    assert [event.name for event in spans["call"].events] == ["fault"]
