"""Figures for Prometheus. Names of dialogs and queues are labels; of persons and numbers nothing is told.

Counters and histograms are fed by news; gauges are looked up when they are asked for.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import get_args

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Info, generate_latest

from voicebot import __version__
from voicebot.call.calls_live import State
from voicebot.call.live import Hub, Lagged, News
from voicebot.web.house import House, PartState
from voicebot.web.naming import named
from voicebot.web.parts import parts_of

REPLY_S = (0.1, 0.2, 0.3, 0.5, 0.7, 1.0, 1.5, 2.0, 3.0, 5.0)
RECOGNITION_S = (0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 1.0, 2.0)
WAIT_S = (5, 10, 20, 30, 60, 120, 300, 600, 1800)
TALK_S = (5, 15, 30, 60, 120, 300, 600, 1800)
MOST_LABELS = 200
"""Values of a label that are told apart; all others are `other`: outcomes are words of dialogs' authors."""
UP: dict[PartState, float] = {"ok": 1.0, "degraded": 0.5, "down": 0.0}
GATHER_S = 0.5


class Metrics:
    """Of one panel, in a registry of its own."""

    def __init__(self) -> None:
        registry = self.registry = CollectorRegistry()
        Info("voicebot", "What runs.", registry=registry).info({"version": __version__})
        self._ended = Counter(
            "voicebot_calls_ended",
            "Calls that are over.",
            ("dialog", "direction", "outcome", "goal"),
            registry=registry,
        )
        self._began = Counter("voicebot_calls_began", "Calls that began.", ("direction",), registry=registry)
        self._talk = Histogram(
            "voicebot_call_seconds", "How long calls were.", buckets=TALK_S, registry=registry
        )
        self._reply = Histogram(
            "voicebot_reply_seconds",
            "From the end of what a caller said to the bot's first packet, pause included.",
            buckets=REPLY_S,
            registry=registry,
        )
        self._recognition = Histogram(
            "voicebot_recognition_seconds",
            "From asking for a transcript to having it.",
            ("engine",),
            buckets=RECOGNITION_S,
            registry=registry,
        )
        self._turns = Counter(
            "voicebot_caller_turns", "Turns of callers.", ("kind", "understood"), registry=registry
        )
        self._faults = Counter(
            "voicebot_call_faults", "What went wrong on our side in calls.", registry=registry
        )
        self._waits = Histogram(
            "voicebot_queue_wait_seconds",
            "How long callers waited who wait no more.",
            ("queue",),
            buckets=WAIT_S,
            registry=registry,
        )
        self._live = Gauge("voicebot_calls_live", "Live calls.", ("state",), registry=registry)
        self._capacity = Gauge("voicebot_calls_capacity", "Calls that it takes at once.", registry=registry)
        self._ready = Gauge("voicebot_ready", "New calls may be sent here.", registry=registry)
        self._lag = Gauge("voicebot_loop_lag_seconds", "How late the event loop is.", registry=registry)
        self._parts = Gauge(
            "voicebot_part_up", "1 well, 0.5 in trouble, 0 down.", ("part",), registry=registry
        )
        self._figures = Gauge(
            "voicebot_part_figure", "What parts measure of themselves.", ("part", "figure"), registry=registry
        )
        self._waiting = Gauge("voicebot_queue_waiting", "Callers who wait.", ("queue",), registry=registry)
        self._longest = Gauge(
            "voicebot_queue_longest_wait_seconds", "Of those who wait.", ("queue",), registry=registry
        )
        self._agents = Gauge("voicebot_agents", "Agents by what they do.", ("state",), registry=registry)
        self._rooms = Gauge(
            "voicebot_conference_participants", "Who is in conferences.", ("room",), registry=registry
        )
        self._pbx = Gauge("voicebot_pbx", "What Asterisk has.", ("what",), registry=registry)
        self._dialogs = Gauge(
            "voicebot_dialogs_refused", "Dialogs whose file as it is now has mistakes.", registry=registry
        )
        self._browsers = Gauge("voicebot_panel_streams", "Browsers that follow news.", registry=registry)
        self._lost = Counter("voicebot_news_lost", "Times that these figures missed news.", registry=registry)
        self._calls: dict[str, tuple[str, str, float | None]] = {}
        self._waited: dict[str, dict[str, float]] = {}
        self._labels: dict[str, set[str]] = {}

    # --- fed by news ------------------------------------------------------------------------------------

    async def follow(self, hub: Hub) -> None:
        """Take what is counted, until cancelled."""
        with hub.watch(*_OF_CALLS, "changed", topics=("call", "queue")) as watch:
            while True:
                await watch.wait()
                for at, news in enumerate(watch.take()):
                    if at % 200 == 199:
                        await asyncio.sleep(0)
                    self.take(news)
                await asyncio.sleep(GATHER_S)

    def take(self, news: News | Lagged) -> None:
        """Count one."""
        if isinstance(news, Lagged):
            self._lost.inc()
            self._calls.clear()
        elif news.topic == "call" and (doing := _OF_CALLS.get(news.kind)) is not None:
            doing(self, news)
        elif news.topic == "queue" and news.kind == "changed":
            self._take_queue(news)

    def _call_began(self, news: News) -> None:
        call = news.data.get("call", {})
        direction = str(call.get("direction", ""))
        self._began.labels(direction).inc()
        self._calls[news.id] = str(call.get("dialog", "")), direction, news.at

    def _call_ended(self, news: News) -> None:
        dialog, direction, began = self._calls.pop(news.id, ("", "", None))
        outcome = self._known("outcome", str(news.data.get("outcome", "")))
        goal = "yes" if news.data.get("goal") else "no"
        self._ended.labels(self._known("dialog", dialog), direction, outcome, goal).inc()
        if began is not None:  # else its beginning was missed
            self._talk.observe(max(0.0, news.at - began))

    def _turn(self, news: News) -> None:
        turn = news.data.get("turn", {})
        if turn.get("who") == "bot":
            if (ms := turn.get("latency_ms")) is not None:
                self._reply.observe(ms / 1000)
            return
        kind, understood = str(turn.get("kind", "")), str(turn.get("understood", ""))
        self._turns.labels(kind, self._known("understood", understood)).inc()
        if (ms := turn.get("recognition_ms")) is not None:
            self._recognition.labels(self._known("engine", str(turn.get("engine", "")))).observe(ms / 1000)

    def _fault(self, news: News) -> None:
        self._faults.inc()

    def _take_queue(self, news: News) -> None:
        waiting = {each["call_id"]: each["since_at"] for each in news.data["view"]["waiting"]}
        for id, since in self._waited.get(news.id, {}).items():
            if id not in waiting:
                self._waits.labels(self._known("queue", news.id)).observe(max(0.0, news.at - since))
        self._waited[news.id] = waiting

    def _known(self, label: str, value: str) -> str:
        known = self._labels.setdefault(label, set())
        if value not in known and len(known) >= MOST_LABELS:
            return "other"
        known.add(value)
        return value

    # --- looked up --------------------------------------------------------------------------------------

    def look(self, house: House) -> None:
        """Set the gauges to how things stand."""
        condition = house.condition()
        self._ready.set(condition.ready and not house.stopping.is_set())
        self._capacity.set(condition.capacity)
        self._lag.set(condition.lag_ms / 1000)
        self._dialogs.set(sum(bool(each.problems) for each in named(house).values()))
        states = dict.fromkeys(get_args(State), 0)
        for call in house.calls.calls():
            states[call.state] += 1
        for state, count in states.items():
            self._live.labels(state).set(count)
        self._parts.clear()
        self._figures.clear()
        for part in parts_of(house, condition):
            self._parts.labels(part.name).set(UP[part.state])
            for name, value in part.figures.items():
                if not isinstance(value, str):
                    figure, amount = in_base_units(name, value)
                    self._figures.labels(part.name, figure).set(amount)
        self._look_at_people(house)
        if house.pbx is not None:
            pbx = house.pbx.state()
            counted = {"channels": pbx.channels, "bridges": pbx.bridges, "warnings": pbx.warnings}
            for what, each in counted.items():
                self._pbx.labels(what).set(len(each))

    def _look_at_people(self, house: House) -> None:
        if house.queues is not None:
            for queue in house.queues.queues():
                self._waiting.labels(queue.name).set(len(queue.waiting))
                self._longest.labels(queue.name).set(queue.longest_wait_ms / 1000)
            self._agents.clear()
            for agent in house.queues.agents():
                self._agents.labels(agent.state).inc()
        if house.conferences is not None:
            for room in house.conferences.rooms():
                self._rooms.labels(room.name).set(len(room.participants))

    def browsers(self, count: Callable[[], int]) -> None:
        """Ask this how many browsers follow news."""
        self._browsers.set_function(lambda: float(count()))

    def text(self) -> bytes:
        """Return everything as Prometheus reads it."""
        return generate_latest(self.registry)


_OF_CALLS: dict[str, Callable[[Metrics, News], None]] = {
    "began": Metrics._call_began,
    "ended": Metrics._call_ended,
    "turn": Metrics._turn,
    "fault": Metrics._fault,
}


_UNITS = {"_ms": ("_seconds", 1e-3), "_mb": ("_bytes", 1e6)}


def in_base_units(name: str, value: float) -> tuple[str, float]:
    """Return a figure as Prometheus wants it: `free_mb` of 3 is `free_bytes` of 3,000,000."""
    for ending, (unit, times) in _UNITS.items():
        if name.endswith(ending):
            return name.removesuffix(ending) + unit, value * times
    return name, value
