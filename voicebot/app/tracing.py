"""OpenTelemetry traces: one for each call, with a span for each turn, made from the news of calls.

    call                     dialog, direction, outcome
    └── turn                 step, understood, latency
        ├── caller speech    from the onset to the last voiced frame, or the keys
        ├── recognition      from asking for the transcript to having it
        ├── reply            from the end of the pause to the first packet: dialog, work and synthesis
        └── bot speech       what was heard of it

No words, no values, no numbers of people. The extra `voicebot[tracing]`; a collector that is away costs calls
nothing: spans wait in a bounded queue of a thread, and are dropped when it is full.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from voicebot import __version__
from voicebot.call.live import Hub, Lagged, News
from voicebot.config import TracingConfig
from voicebot.errors import Problem, UserError

if TYPE_CHECKING:
    from opentelemetry.trace import Span, Tracer

GATHER_S = 0.2
MOST_CALLS = 2000
"""Calls whose span is open; more, and the oldest are ended without an outcome."""
CLOSE_MS = 2000
"""So long the collector may take for the last spans."""
TAKEN = ("began", "turn", "fault", "ended")
"""Kinds of news that spans are made of. Not words: who takes those has callers read while they speak."""
_OF_CALLERS = ("kind", "understood", "confidence", "engine", "recognition_ms")
_OF_BOTS = ("step", "latency_ms", "pause_ms", "interrupted_by", "held")
_OF_CALLS = ("dialog", "dialog_version", "direction", "language", "campaign")


@asynccontextmanager
async def traces_beside(config: TracingConfig, hub: Hub) -> AsyncIterator[None]:
    """Send traces to the collector of [tracing] while the block runs; nothing where it names none.

    Raises UserError where the extra is not installed.
    """
    if not config.url:
        yield
        return
    if find_spec("opentelemetry.sdk") is None or find_spec("opentelemetry.exporter") is None:
        raise UserError(
            Problem("traces take a package more", "pip install 'voicebot[tracing]'", "tracing.url")
        )
    provider = await asyncio.to_thread(_provider, config)
    following = asyncio.create_task(follow(hub, Traces(provider.get_tracer("voicebot", __version__))))
    try:
        yield
    finally:
        following.cancel()
        with suppress(asyncio.CancelledError):
            await following
        await asyncio.to_thread(provider.force_flush, CLOSE_MS)
        await asyncio.to_thread(provider.shutdown)


def _provider(config: TracingConfig) -> Any:
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    resource = Resource.create({"service.name": config.service, "service.version": __version__})
    provider = TracerProvider(resource=resource)
    exporter = OTLPSpanExporter(endpoint=f"{config.url}/v1/traces", timeout=CLOSE_MS / 1000)
    provider.add_span_processor(BatchSpanProcessor(exporter))
    return provider


async def follow(hub: Hub, traces: Traces) -> None:
    """Take the news of calls, until cancelled."""
    with hub.watch(*TAKEN, topics=("call",)) as watch:
        try:
            while True:
                await watch.wait()
                for at, news in enumerate(watch.take()):
                    if at % 100 == 99:
                        await asyncio.sleep(0)
                    traces.take(news)
                await asyncio.sleep(GATHER_S)
        finally:
            traces.close()


@dataclass(slots=True)
class _Traced:
    """A call under way. answered_at: seconds of the epoch; caller: their turn that has no reply yet."""

    span: Span
    answered_at: float
    caller: dict[str, Any] | None = None
    seen_at: float = 0.0
    turns: int = field(default=0)

    def ns(self, ms: float) -> int:
        """Return a time of the record as OpenTelemetry has it."""
        return int(self.answered_at * 1e9) + int(ms * 1e6)


class Traces:
    """Makes spans of news. `tracer` is an OpenTelemetry one."""

    def __init__(self, tracer: Tracer) -> None:
        self._tracer = tracer
        self._calls: dict[str, _Traced] = {}

    def take(self, news: News | Lagged) -> None:
        """Take one. Calls whose news were lost end without an outcome."""
        if isinstance(news, Lagged):
            self.close()
        elif news.topic == "call":
            if news.kind == "began":
                self._began(news)
            elif (traced := self._calls.get(news.id)) is not None:
                traced.seen_at = news.at
                self._goes_on(traced, news)

    def close(self) -> None:
        """End all spans that are open."""
        for traced in self._calls.values():
            traced.span.end(int(traced.seen_at * 1e9) or None)
        self._calls.clear()

    def _began(self, news: News) -> None:
        call = news.data.get("call", {})
        at = float(call.get("started_at") or news.at)
        span = self._tracer.start_span("call", start_time=int(at * 1e9))
        span.set_attribute("voicebot.call.id", news.id)
        for name in _OF_CALLS:
            if value := call.get(name):
                span.set_attribute(f"voicebot.call.{name}", str(value))
        while len(self._calls) >= MOST_CALLS:
            oldest = self._calls.pop(next(iter(self._calls)))
            oldest.span.end(int(oldest.seen_at * 1e9) or None)
        self._calls[news.id] = _Traced(span, at, seen_at=news.at)

    def _goes_on(self, traced: _Traced, news: News) -> None:
        if news.kind == "turn":
            turn = news.data.get("turn", {})
            if turn.get("who") == "caller":
                self._turn(traced, traced.caller, None)
                traced.caller = turn
            else:
                self._turn(traced, traced.caller, turn)
                traced.caller = None
        elif news.kind == "fault":
            traced.span.add_event("fault", timestamp=int(news.at * 1e9))
        elif news.kind == "ended":
            self._turn(traced, traced.caller, None)
            for name in ("outcome", "goal", "ended_by"):
                if (value := news.data.get(name)) is not None:
                    traced.span.set_attribute(f"voicebot.call.{name}", value)
            traced.span.set_attribute("voicebot.call.turns", traced.turns)
            traced.span.end(int(news.at * 1e9))
            del self._calls[news.id]

    def _turn(self, traced: _Traced, caller: dict[str, Any] | None, bot: dict[str, Any] | None) -> None:
        """Make the spans of one exchange: what the caller did, and what the bot made of it."""
        from opentelemetry.trace import set_span_in_context

        times = [
            each[name]
            for each in (caller, bot)
            if each
            for name in ("start_ms", "end_ms")
            if each.get(name) is not None
        ]
        if not times:
            return
        traced.turns += 1
        within = set_span_in_context(traced.span)
        turn = self._tracer.start_span("turn", context=within, start_time=traced.ns(min(times)))
        within = set_span_in_context(turn)

        def part(name: str, start_ms: float | None, end_ms: float | None) -> None:
            if start_ms is not None and end_ms is not None and end_ms >= start_ms:
                span = self._tracer.start_span(name, context=within, start_time=traced.ns(start_ms))
                span.end(traced.ns(end_ms))

        pause = 0.0
        if bot is not None:
            pause = float(bot.get("pause_ms") or 0)
            _tell(turn, bot, _OF_BOTS)
            part("bot speech", bot.get("start_ms"), bot.get("end_ms"))
        if caller is not None:
            _tell(turn, caller, _OF_CALLERS)
            done = caller.get("end_ms")
            part("caller speech", caller.get("start_ms"), done)
            asked, took = _after(done, pause / 2), caller.get("recognition_ms")
            part("recognition", asked, _after(asked, took))
        if bot is not None and bot.get("start_ms") is not None and bot.get("latency_ms") is not None:
            began = bot["start_ms"] - bot["latency_ms"] + pause
            part("reply", began, bot["start_ms"])
        turn.end(traced.ns(max(times)))


def _after(ms: float | None, more: float | None) -> float | None:
    return None if ms is None or more is None else ms + more


def _tell(span: Span, turn: dict[str, Any], names: tuple[str, ...]) -> None:
    for name in names:
        value = turn.get(name)
        if value is not None and value != "":
            span.set_attribute(f"voicebot.turn.{name}", value)
