"""Charts as SVG that stands in a page by itself: no scripts, no other hosts, the page's colours."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

import pygal
from pygal.style import Style

from voicebot.outbound.reporting.figures import GROUPS, TALK_BOUNDS_S, Figures

WIDE, HIGH = 1040, 300
NARROW = 620
MOST_LABELS = 12
"""Along an axis; more would run into each other."""

MOST_TICKS = 5
_IN_SECONDS = 120
"""Spans up to here are told in seconds."""
_SCRIPT = re.compile(r"<script.*?</script>", re.DOTALL)
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_VALUE = re.compile(r'<desc class="value">(.*?)</desc>', re.DOTALL)
_DESC = re.compile(r"<desc[^>]*>.*?</desc>", re.DOTALL)
_LINK = re.compile(r'\s(?:xmlns:xlink|xlink:href)="[^"]*"')
_GENERIC_TITLE = re.compile(r"<title>Pygal</title>")


def over_time(figures: Figures) -> str:
    """Return stacked bars: what calls came to, by hour, day, or longer."""
    begins, step, groups = figures.over_time()
    chart = pygal.StackedBar(**_settings(WIDE, colors=[f"var(--{group})" for group in groups]), spacing=6)
    chart.x_labels = _thinned([_bucket(begin, step) for begin in begins])
    for group, counts in groups.items():
        chart.add(
            GROUPS[group],
            [
                _value(count, f"{_bucket(begin, step)}: {count:,} {GROUPS[group]}") if count else None
                for begin, count in zip(begins, counts, strict=True)
            ],
        )
    chart.y_labels = _ticks(max(map(sum, zip(*groups.values(), strict=True)), default=0))
    return _embedded(chart, "Calls over time, by what they came to")


def by_hour(figures: Figures) -> str:
    """Return bars: the share of calls that a person answered, by the hour on the callee's clock."""
    used = [hour for hour, (calls, _) in figures.hours.items() if calls]
    hours = range(min(used, default=8), max(used, default=20) + 1)
    chart = pygal.Bar(**_settings(NARROW, colors=["var(--talked)"], percent=True))
    chart.x_labels = [f"{hour:02}" for hour in hours]
    values = []
    for hour in hours:
        calls, answered = figures.hours[hour]
        rate = answered / calls if calls else 0.0
        told = f"{hour:02}:00 to {hour:02}:59: {answered:,} of {calls:,} calls answered, {rate:.0%}"
        values.append(_value(rate * 100, told) if calls else None)
    chart.add("answered", values)
    chart.y_labels = _ticks(max((each["value"] for each in values if each), default=0))
    return _embedded(chart, "Share of calls answered, by the callee's hour")


def durations(figures: Figures) -> str:
    """Return bars: how long conversations were."""
    bounds = [0, *TALK_BOUNDS_S]
    names = [_span(low, high) for low, high in zip(bounds, [*bounds[1:], None], strict=True)]
    counts = [figures.talks[index] for index in range(len(names))]
    last = max((index for index, count in enumerate(counts) if count), default=0)
    chart = pygal.Bar(**_settings(NARROW, colors=["var(--goal)"]))
    chart.x_labels = names[: last + 1]
    told = [_value(n, f"{name}: {n:,}") for name, n in zip(names, counts[: last + 1], strict=False)]
    chart.add("calls", told)
    chart.y_labels = _ticks(max(counts))
    return _embedded(chart, "Conversations by their length")


def abandonment(figures: Figures, brake: float, stop: float) -> str:
    """Return a line: the share of abandoned calls over 30 days, below the campaign's own limits."""
    days = figures.abandonment()
    settings = _settings(NARROW, colors=["var(--abandoned)", "var(--trouble)", "var(--soft)"], percent=True)
    chart = pygal.Line(**settings, show_dots=len(days) < MOST_LABELS * 3)
    chart.y_labels = _ticks(max([share for _, share in days] + [stop]) * 110)
    chart.x_labels = _thinned([f"{day:%b} {day.day}" for day, _ in days])
    shown = [_value(share * 100, f"{day}: {share:.2%}") for day, share in days]
    chart.add("abandoned", shown, dots_size=3)
    for name, limit in (("stop", stop), ("brake", brake)):
        dashed = {"width": 1.5, "dasharray": "6, 5"}
        chart.add(name, [limit * 100] * len(days), show_dots=False, stroke_style=dashed)
    return _embedded(chart, "Abandoned calls over 30 days, and the limits")


def _settings(width: int, *, colors: Sequence[str], percent: bool = False) -> dict[str, Any]:
    style = Style(
        background="transparent",
        plot_background="transparent",
        foreground="var(--soft)",
        foreground_strong="var(--ink)",
        foreground_subtle="var(--line)",
        opacity="1",
        opacity_hover=".8",
        transition="0s",
        colors=tuple(colors) or ("var(--ink)",),
        font_family="inherit",
        label_font_size=13,
        major_label_font_size=13,
        no_data_font_size=18,
    )
    formatter: Callable[[float], str] = (lambda value: f"{value:g} %") if percent else _count
    return {
        "style": style,
        "js": [],
        "width": width,
        "height": HIGH,
        "margin": 6,
        "margin_top": 14,
        "margin_right": 20,
        "show_legend": False,
        "disable_xml_declaration": True,
        "no_data_text": "no calls yet",
        "value_formatter": formatter,
        "rounded_bars": 2,
        "x_label_rotation": 0,
        "truncate_label": -1,
    }


def _count(value: float) -> str:
    return f"{value / 1000:g}k" if abs(value) >= 10_000 else f"{value:,.0f}"


def _value(value: float, told: str) -> dict[str, Any]:
    return {"value": value, "formatter": lambda _: told}


def _ticks(most: float) -> list[float]:
    """Return round numbers from 0 to `most` or just above it, a handful of them; whole ones."""
    step = next(
        size * 10**power for power in range(12) for size in (1, 2, 5) if most <= MOST_TICKS * size * 10**power
    )
    return [step * index for index in range(max(1, math.ceil(most / step)) + 1)]


def _thinned(labels: list[str]) -> list[str]:
    """Return the labels with most of them empty where there are too many."""
    every = -(-len(labels) // MOST_LABELS)
    return [label if index % every == 0 else "" for index, label in enumerate(labels)] if labels else []


def _bucket(begin: datetime, step: timedelta) -> str:
    day = f"{begin:%b} {begin.day}"
    if step < timedelta(days=1):
        return f"{day} {begin:%H:%M}"
    if step == timedelta(days=1):
        return day
    end = begin + step - timedelta(days=1)
    return f"{day} to {end:%b} {end.day}"


def _span(low: int, high: int | None) -> str:
    if high is None:
        return f"{low // 60} min +"
    if high <= _IN_SECONDS:
        return f"{low}-{high} s" if low else f"< {high} s"
    return f"{low // 60}-{high // 60} min"


def _embedded(chart: Any, title: str) -> str:
    """Return the SVG with what a value is as its title, which browsers show, and nothing that leads away."""
    svg: str = chart.render(is_unicode=True)
    svg = _COMMENT.sub("", _SCRIPT.sub("", svg))
    svg = _DESC.sub("", _VALUE.sub(r"<title>\1</title>", _GENERIC_TITLE.sub("", svg)))
    return _LINK.sub("", svg).replace("<svg ", f'<svg role="img" aria-label="{title}" ', 1)
