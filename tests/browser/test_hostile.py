"""Browser tests: what callers are called and say is text, wherever a page shows it."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Open
from tests.browser.fake_house import Stage
from voicebot.call.record import CallerTurnRecord, CallRecord, DialogReference, Party, write_record

pytestmark = pytest.mark.browser

HOSTILE = (
    "\"'><img class=pwned src=x onerror=window.pwned=1><script class=pwned>window.pwned=1</script>{{7*7}}"
)
PAGES = ("/", "/queues", "/conferences", "/health", "/audit")
POISON = """
const ofStrangers = new Set(["caller", "caller_name", "summary", "title", "why", "what", "target", "reason",
  "number", "text", "server"]);
const poisoned = (part) => Array.isArray(part) ? part.map(poisoned)
  : part && typeof part === "object" ? Object.fromEntries(Object.entries(part).map(
      ([key, value]) => [key, ofStrangers.has(key) && typeof value === "string" ? HOSTILE : poisoned(value)]))
  : part;
const [parse, json] = [JSON.parse, Response.prototype.json];
JSON.parse = (...given) => poisoned(parse(...given));
Response.prototype.json = async function () { return poisoned(await json.call(this)); };
""".replace("HOSTILE", json.dumps(HOSTILE))
"""Puts markup into all that strangers may have written, in what pages are told."""


def is_text(page: Page) -> None:
    expect(page.locator("body")).to_contain_text("<img class=pwned")
    assert page.locator(".pwned").count() == 0
    assert page.evaluate("window.pwned") is None


def test_names_and_words_are_text_on_a_live_call(enter: Open, stage: Stage) -> None:
    turn = {"who": "caller", "kind": "speech", "step": "a", "text": HOSTILE, "understood": "match"}
    values = dict.fromkeys(
        ("caller", "caller_name", "partial", "summary", "person", "step", "dialog"), HOSTILE
    )
    id = stage.tell(
        lambda: stage.calls.begin(**values, slots={HOSTILE: HOSTILE}, turns=(turn,), faults=(HOSTILE,))
    )
    for path in ("/", f"/calls/{id}"):
        is_text(enter("otto", path))
    stage.tell(lambda: stage.calls.end(id))


def test_names_and_words_are_text_on_a_past_call(enter: Open, stage: Stage) -> None:
    record = CallRecord(
        id="badbadbadbadbad0",
        started_at=datetime.now(UTC),
        caller=Party(number=HOSTILE, name=HOSTILE),
        dialog=DialogReference(name=HOSTILE),
        outcome=HOSTILE,
        slots={HOSTILE: HOSTILE},
        turns=[CallerTurnRecord(kind="speech", text=HOSTILE, understood="match", meaning=HOSTILE)],
        faults=[HOSTILE],
    )
    write_record(stage.house.config.var, record)
    is_text(enter("otto", f"/history/{record.id}"))


@pytest.mark.parametrize("path", PAGES)
def test_all_that_pages_are_told_is_text(enter: Open, path: str) -> None:
    page = enter("anna", "/talk")
    page.add_init_script(POISON)
    page.goto(path)
    is_text(page)
