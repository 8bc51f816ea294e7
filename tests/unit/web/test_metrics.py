"""Category: unit. News become figures; persons do not."""

from __future__ import annotations

import pytest

from tests.house import bare_house
from voicebot.call.live import Lagged, News
from voicebot.web.house import Condition, Part
from voicebot.web.metrics import MOST_LABELS, Metrics

pytestmark = pytest.mark.unit


def values(metrics: Metrics) -> dict[str, float]:
    lines = metrics.text().decode().splitlines()
    return {line.rpartition(" ")[0]: float(line.rpartition(" ")[2]) for line in lines if line[0] != "#"}


def test_a_call_from_its_beginning_to_its_end() -> None:
    metrics = Metrics()
    call = {"dialog": "booking", "direction": "inbound", "caller": "+12025550142"}
    bot, caller = {"who": "bot", "latency_ms": 600}, {"who": "caller", "kind": "speech", "engine": "vosk"}
    caller |= {"recognition_ms": 80, "understood": "match", "text": "my name is Katherine"}
    for news in (
        News("call", "began", "a", {"call": call}, 100.0),
        News("call", "turn", "a", {"turn": bot}, 101.0),
        News("call", "turn", "a", {"turn": caller}, 102.0),
        News("call", "fault", "a", {"text": "x"}, 103.0),
        News("call", "ended", "a", {"outcome": "booked", "goal": True}, 142.0),
    ):
        metrics.take(news)

    found = values(metrics)
    labels = 'dialog="booking",direction="inbound",goal="yes",outcome="booked"'
    assert found[f"voicebot_calls_ended_total{{{labels}}}"] == 1
    assert found["voicebot_reply_seconds_sum"] == 0.6
    assert found['voicebot_recognition_seconds_sum{engine="vosk"}'] == 0.08
    assert found["voicebot_call_seconds_sum"] == 42
    assert found["voicebot_call_faults_total"] == 1
    text = metrics.text().decode()
    assert "Katherine" not in text
    assert "5550142" not in text


def queue(waiting: list[dict[str, object]], at: float) -> News:
    """News as the hall of queues publishes them."""
    return News("queue", "changed", "support", {"view": {"name": "support", "waiting": waiting}}, at)


def test_how_long_who_waits_no_more_had_waited() -> None:
    metrics = Metrics()
    metrics.take(queue([{"call_id": "a", "since_at": 10}], 12.0))
    metrics.take(queue([], 40.0))

    assert values(metrics)['voicebot_queue_wait_seconds_sum{queue="support"}'] == 30


def test_a_call_whose_beginning_was_missed_had_no_length_of_nothing() -> None:
    metrics = Metrics()
    metrics.take(News("call", "ended", "a", {"outcome": "booked"}, 40.0))

    assert values(metrics)["voicebot_call_seconds_count"] == 0


def test_calls_whose_news_were_lost_are_not_kept_for_ever() -> None:
    metrics = Metrics()
    metrics.take(News("call", "began", "a", {"call": {"direction": "inbound"}}, 100.0))
    metrics.take(Lagged())  # its end is among them

    assert values(metrics)["voicebot_news_lost_total"] == 1 and metrics._calls == {}


def test_who_stops_is_not_ready() -> None:
    house, metrics = bare_house(), Metrics()
    house.condition = lambda: Condition(True)
    ready = []
    for _ in range(2):
        metrics.look(house)
        ready.append(values(metrics)["voicebot_ready"])
        house.stopping.set()

    assert ready == [1, 0]


def test_figures_are_in_base_units() -> None:
    house = bare_house()
    house.condition = lambda: Condition(
        True, parts=(Part("disk", "ok", figures={"free_mb": 3, "on": "sda"}),)
    )
    metrics = Metrics()
    metrics.look(house)

    assert values(metrics)['voicebot_part_figure{figure="free_bytes",part="disk"}'] == 3e6


def test_words_of_authors_do_not_flood_the_registry() -> None:
    metrics = Metrics()
    for n in range(MOST_LABELS + 50):
        metrics.take(News("call", "ended", str(n), {"outcome": f"outcome{n}"}, 1.0))

    ended = [name for name in values(metrics) if name.startswith("voicebot_calls_ended_total")]
    assert len(ended) == MOST_LABELS + 1


def test_a_house_with_nothing_in_it() -> None:
    metrics = Metrics()
    metrics.look(bare_house())

    assert values(metrics)["voicebot_ready"] == 0
    assert values(metrics)['voicebot_part_up{part="store"}'] == 0
