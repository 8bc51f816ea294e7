"""Browser tests: what callers are called and say is text, wherever a page shows it."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import Open
from tests.browser.fake_house import Stage
from voicebot.call.record import CallerTurnRecord, CallRecord, DialogReference, Party, write_record

pytestmark = pytest.mark.browser

HOSTILE = (
    "\"'><img class=pwned src=x onerror=window.pwned=1><script class=pwned>window.pwned=1</script>{{7*7}}"
)
OF_STRANGERS = frozenset(
    (
        "caller",
        "caller_name",
        "summary",
        "title",
        "why",
        "what",
        "target",
        "reason",
        "number",
        "text",
        "server",
    )
)
PAGES = ("/", "/queues", "/conferences", "/campaigns", "/history", "/health", "/audit", "/users")


def poisoned(part: Any) -> Any:
    """Put markup into all that strangers may have written."""
    if isinstance(part, list):
        return [poisoned(each) for each in part]
    if not isinstance(part, dict):
        return part
    return {
        key: HOSTILE if key in OF_STRANGERS and isinstance(value, str) else poisoned(value)
        for key, value in part.items()
    }


def poison(route: Route) -> None:
    if route.request.method != "GET" or route.request.url.partition("?")[0].endswith("/events"):
        route.continue_()
        return
    answer = route.fetch()
    body = answer.body()
    if "json" in answer.headers.get("content-type", ""):
        body = json.dumps(poisoned(json.loads(body))).encode()
    route.fulfill(response=answer, body=body)


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
def test_all_else_is_text_too(enter: Open, path: str) -> None:
    page = enter("anna", "/talk")
    page.route("**/api/v1/**", poison)
    page.goto(path)
    page.wait_for_load_state()
    page.wait_for_function("() => document.querySelector('main')?.textContent.trim().length > 20")
    assert page.locator(".pwned").count() == 0
    assert page.evaluate("window.pwned") is None
