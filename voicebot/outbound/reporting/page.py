"""The page of a report: one HTML file that needs nothing else, for a screen, a phone, or paper."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from voicebot.campaign.campaign import Campaign, Pacing
from voicebot.outbound.reporting import charts
from voicebot.outbound.reporting.figures import GROUPS, MOST_VALUES, Figures
from voicebot.store.rows import Anchor, ListRow, Status

FOLDER = Path(__file__).parent
STATES = {
    "done": ("done", "goal"),
    "busy": ("being called", "talked"),
    "due": ("to be called", "due"),
    "held": ("held after a crash", "interrupted"),
    "refused": ("not to be called", "refused"),
}
"""Words and colour of a contact's state."""
COLOURS = {
    "answered": "talked",
    "rejected": "busy",
    "congestion": "trouble",
    "trunk_failure": "trouble",
    "codec_error": "trouble",
}
"""Of dispositions, where it is not their own name."""


@dataclass(frozen=True, slots=True)
class About:
    """What a page tells beside the figures.

    goals:      outcomes that the dialog calls its goals
    slots_note: why something that was learned is not shown; may be empty
    head:       of the campaign's ledger
    """

    settings: Campaign
    status: Status
    lists: Sequence[ListRow]
    head: Anchor | None
    goals: frozenset[str]
    made: datetime
    slots_note: str = ""


def page(figures: Figures, about: About) -> str:
    """Return the page."""
    environment = Environment(
        loader=FileSystemLoader(FOLDER), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    return environment.get_template("page.html").render(_view(figures, about))


def _view(figures: Figures, about: About) -> dict[str, Any]:
    settings, status, head = about.settings, about.status, about.head
    begins, step, groups = figures.over_time()
    pacing = settings.pacing
    period = ""
    if begins:
        first, last = begins[0], begins[-1] + step - timedelta(seconds=1)
        period = _day(first) if first.date() == last.date() else f"{_day(first)} to {_day(last)}"
    return {
        "name": settings.campaign,
        "business": settings.caller.business,
        "dialog": settings.dialog,
        "profile": settings.profile.upper(),
        "state": status.state.value,
        "why": status.why,
        "period": period,
        "tiles": _tiles(figures, about),
        "progress": [
            {"n": n, "name": words, "colour": colour, "count": f"{n:,}"}
            for state, (words, colour) in STATES.items()
            if (n := figures.states[state])
        ],
        "groups": [
            {"name": GROUPS[group], "colour": group, "count": f"{sum(counts):,}"}
            for group, counts in groups.items()
        ],
        "charts": _charts(figures, pacing) if figures.calls else {},
        "calls": f"{figures.calls:,}",
        "dispositions": _bars(
            figures.dispositions, {each: COLOURS.get(each, each) for each in figures.dispositions}
        ),
        "outcomes": _bars(
            figures.outcomes, {each: "goal" if each in about.goals else "talked" for each in figures.outcomes}
        ),
        "median": _seconds(figures.median_talk_s),
        "brake": f"{100 * pacing.abandoned_brake:g} %",
        "stop": f"{100 * pacing.abandoned_stop:g} %",
        "rules": _rules(status.rules),
        "slots": [
            {"name": name.replace("_", " "), "rows": _bars(values, {})}
            for name, values in sorted(figures.slots.items())
        ],
        "slots_note": about.slots_note,
        "lists": [_list(row, about.made) for row in about.lists],
        "ledger": {"entries": f"{head.seq:,}" if head else "0", "head": head.hash if head else "-"},
        "made": f"{about.made:%Y-%m-%d %H:%M} {about.made.tzname() or ''}".strip(),
    }


def _charts(figures: Figures, pacing: Pacing) -> dict[str, Markup]:
    """Return the charts that there is something to show in."""
    found = {"over_time": charts.over_time(figures), "by_hour": charts.by_hour(figures)}
    if figures.talks:
        found["durations"] = charts.durations(figures)
    if figures.persons:
        brake, stop = pacing.abandoned_brake, pacing.abandoned_stop
        found["abandonment"] = charts.abandonment(figures, brake, stop)
    return {name: Markup(svg) for name, svg in found.items()}


def _tiles(figures: Figures, about: About) -> list[dict[str, str]]:
    month = about.status.abandonment_30_days
    opted_out = figures.dispositions["opted_out"]
    left = figures.states["due"] + figures.states["busy"]
    minutes = figures.talk_s / 60
    tries = figures.calls / figures.called if figures.called else 0.0
    return [
        _tile("contacts", f"{figures.contacts:,}", f"{left:,} to be called" if left else "nobody is left"),
        _tile("called", f"{figures.called:,}", f"{_share(figures.called, figures.contacts)} of contacts"),
        _tile(
            "people reached", f"{figures.reached:,}", f"{_share(figures.reached, figures.called)} of called"
        ),
        _tile("goals reached", f"{figures.goals:,}", f"{_share(figures.goals, figures.reached)} of reached"),
        _tile("calls", f"{figures.calls:,}", f"{tries:.1f} for each one called"),
        _tile("talk time", _duration(minutes), f"a conversation: {_seconds(figures.median_talk_s)}"),
        _tile("opt-outs", f"{opted_out:,}", f"{_share(opted_out, figures.reached)} of reached"),
        _tile(
            "abandoned",
            f"{100 * month.share:.2f} %" if month.answered else "-",
            f"limit {100 * about.settings.pacing.abandoned_stop:g} %, over 30 days",
        ),
    ]


def _tile(name: str, value: str, note: str) -> dict[str, str]:
    return {"name": name, "value": value, "note": note}


def _bars(counts: Mapping[str, int], colours: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return rows for bars, the longest first; what is beyond MOST_VALUES is put together."""
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    if len(ordered) > MOST_VALUES:
        rest = sum(count for _, count in ordered[MOST_VALUES - 1 :])
        ordered = [*ordered[: MOST_VALUES - 1], (f"{len(ordered) - MOST_VALUES + 1} others", rest)]
    total, most = sum(counts.values()), max(counts.values(), default=1)
    return [
        {
            "name": name.replace("_", " "),
            "count": f"{count:,}",
            "share": _share(count, total),
            "width": f"{100 * count / most:.1f}",
            "colour": colours.get(name, "talked"),
        }
        for name, count in ordered
    ]


def _rules(rules: Mapping[str, int]) -> list[dict[str, str]]:
    rows = []
    for name, count in sorted(rules.items(), key=lambda item: -item[1]):
        ruling, _, rule = name.partition(":")
        rows.append({"rule": rule.replace("_", " ") or name, "ruling": ruling, "count": f"{count:,}"})
    return rows


def _list(row: ListRow, now: datetime) -> dict[str, Any]:
    age = now - row.imported_at
    limit = row.max_age_days
    return {
        "name": row.name,
        "numbers": f"{row.numbers:,}",
        "age": f"{age.days} d"
        if age >= timedelta(days=1)
        else f"{max(0, int(age.total_seconds())) // 3600} h",
        "limit": f"{limit} d" if limit else "never",
        "stale": limit is not None and age > timedelta(days=limit),
    }


def _share(part: int, whole: int) -> str:
    if not whole:
        return "0 %"
    share = 100 * part / whole
    return f"{share:.1f} %" if 0 < share < 10 else f"{share:.0f} %"


def _duration(minutes: float) -> str:
    if minutes < 100:
        return f"{minutes:.0f} min"
    return f"{minutes / 60:,.0f} h"


def _seconds(seconds: int) -> str:
    return f"{seconds} s" if seconds < 100 else f"{seconds // 60} min {seconds % 60} s"


def _day(moment: datetime) -> str:
    return f"{moment:%B} {moment.day}, {moment.year}"
