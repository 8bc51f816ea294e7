"""Unit tests of the page: it needs nothing from elsewhere, and nothing that people said runs in it."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path

import pytest

from voicebot.campaign.contact import Contact, ContactState
from voicebot.campaign.loading import load_campaign
from voicebot.campaign.rules.history import Abandonment, Today
from voicebot.outbound.reporting.figures import Figures
from voicebot.outbound.reporting.gather import Call, Reported
from voicebot.outbound.reporting.page import About, page
from voicebot.store.rows import Anchor, CampaignState, ListRow, Status

pytestmark = pytest.mark.unit

NOW = datetime(2027, 3, 14, 17, 30, tzinfo=UTC)
EVIL = "<script>alert(1)</script>&\"'"


def about() -> About:
    status = Status(
        name="reminder",
        state=CampaignState.PAUSED,
        why=EVIL,
        contacts={},
        dispositions={},
        open={},
        outcomes={},
        goals=0,
        rules={"refused:opted_out": 3, "deferred:quiet_hours": 41},
        calls={},
        minutes={},
        calls_by_hour={},
        answered_by_hour={},
        today=Today(),
        abandonment_30_days=Abandonment(200, 3),
        abandonment_today=Abandonment(),
        next_due=None,
    )
    return About(
        settings=load_campaign(Path(__file__).parents[4] / "dialogs" / "reminder.campaign.yaml"),
        status=status,
        lists=[ListRow("national", NOW - timedelta(days=40), 31, 2_000)],
        head=Anchor("reminder", 77, "ab" * 32),
        goals=frozenset(("confirmed",)),
        made=NOW,
    )


def made(days: int = 3) -> str:
    figures = Figures(slot_kinds={"attending": "choice"})
    for id in range(40):
        at = NOW - timedelta(days=id % days, hours=id % 5)
        calls = (
            Call("a", "+12025550142", at - timedelta(hours=1), "no_answer"),
            Call(
                "b",
                "+12025550142",
                at,
                "answered",
                answered_by="person",
                outcome=EVIL if id % 9 else "confirmed",
                talk_s=float(id * 9),
                slots=(("attending", EVIL if id % 2 else "yes"),),
            ),
        )
        contact = Contact(
            id, "reminder", EVIL, ("+12025550142",), ("America/New_York",), at, ContactState.DONE
        )
        figures.add(Reported(contact, calls))
    return page(figures, about())


class Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.links: list[str] = []
        self.handlers: list[str] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        for name, value in attributes:
            if name.startswith("on"):
                self.handlers.append(name)
            if name in ("src", "href", "xlink:href", "action", "srcset", "data"):
                self.links.append(str(value))


@pytest.mark.parametrize("days", [1, 3, 40])
def test_it_needs_nothing_from_elsewhere_and_runs_nothing(days: int) -> None:
    text = made(days)
    tags = Tags()
    tags.feed(text)
    assert not tags.tags & {"script", "iframe", "link", "img", "object", "embed", "base", "form"}
    assert (tags.links, tags.handlers) == ([], [])
    assert set(re.findall(r"https?://[^\"'\s<]+", text)) == {"http://www.w3.org/2000/svg"}
    assert "@import" not in text and "url(" not in text
    assert "default-src &#39;none&#39;" in text or "default-src 'none'" in text
    assert text.count("<svg ") == 4


def test_it_tells_the_figures() -> None:
    text = made()
    for told in ("40", "1.50 %", "41", "quiet hours", "ab" * 32, "40 d", "paused"):
        assert told in text
    assert 'class="n late"' in text
    assert "+12025550142" not in text


def test_a_campaign_that_has_not_begun_has_a_page() -> None:
    text = page(Figures(), about())
    assert "No calls yet" in text and "Nothing yet." in text
