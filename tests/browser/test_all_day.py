"""Browser tests: a page that stays open all day, with hands at rest, sleep, and calls that come and go."""

from __future__ import annotations

import re
import time

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Open
from tests.browser.fake_house import PASSWORD, Stage

pytestmark = pytest.mark.browser

CALLS = 300
SLEEP_S = 600
GONE_MS = 4000
"""So long a call that is over stays in the list."""
PATIENCE_MS = 5000


def held_up(page: Page) -> dict[str, float]:
    """What the page holds when its rubbish is collected."""
    devtools = page.context.new_cdp_session(page)
    devtools.send("Performance.enable")
    for _ in range(2):
        devtools.send("HeapProfiler.collectGarbage")
    found = {each["name"]: each["value"] for each in devtools.send("Performance.getMetrics")["metrics"]}
    devtools.detach()
    return {name: found[name] for name in ("JSHeapUsedSize", "Nodes", "JSEventListeners")}


def by_our_clock(enter: Open) -> Page:
    """The live page, whose time can be made to pass."""
    page = enter("vera", "/talk")
    page.clock.install()
    page.goto("/")
    expect(page.locator(".call").nth(39)).to_be_attached()
    return page


def come_and_go(page: Page, stage: Stage, n: int) -> None:
    """Let `n` calls begin, talk and end, some together, until the page has forgotten them."""

    def some() -> None:
        for _ in range(20):
            id = stage.calls.begin()
            for _ in range(5):
                stage.calls.say(id, "words", {"text": "well I would like"})
                stage.calls._turn(id, stage.calls._caller("when", "well I would like to"))
                stage.calls._turn(id, stage.calls._bot("when", "And for how many?"))
            stage.calls.end(id)

    for _ in range(n // 20):
        stage.tell(some)
    last = stage.tell(stage.calls.begin)
    expect(page.locator(f'[data-key="{last}"]')).to_be_attached()
    stage.tell(lambda: stage.calls.end(last))
    expect(page.locator(".call")).to_have_count(40, timeout=GONE_MS + PATIENCE_MS)


def test_calls_that_are_over_leave_nothing_behind(enter: Open, stage: Stage) -> None:
    page = enter("vera")
    expect(page.locator(".call")).to_have_count(40)
    come_and_go(page, stage, 40)
    before = held_up(page)
    come_and_go(page, stage, CALLS)
    after = held_up(page)
    assert after["Nodes"] - before["Nodes"] < CALLS, (before, after)
    assert after["JSEventListeners"] == before["JSEventListeners"]
    assert after["JSHeapUsedSize"] - before["JSHeapUsedSize"] < CALLS * 2000, (before, after)


def test_a_hand_that_rests_in_the_list_does_not_keep_calls_from_it(enter: Open, stage: Stage) -> None:
    page = by_our_clock(enter)
    first = page.locator(".call").first
    page.locator(".call").nth(5).hover()
    over = first.get_attribute("data-key")
    assert over
    id = stage.tell(stage.calls.begin)
    expect(page.get_by_text("1 new")).to_be_visible()
    stage.tell(lambda: stage.calls.end(over))
    expect(first).to_have_class("call gone")
    page.clock.fast_forward(15_000)
    expect(page.locator(".call").first).to_have_attribute("data-key", id)
    expect(page.locator(f'[data-key="{over}"]')).to_have_count(0)
    stage.tell(lambda: stage.calls.end(id))
    stage.tell(stage.calls.begin)


def test_the_row_that_has_the_focus_stays_until_it_is_left(enter: Open, stage: Stage) -> None:
    page = by_our_clock(enter)
    expect(page.locator(".call")).to_have_count(40)
    id = stage.tell(stage.calls.begin)
    row = page.locator(f'[data-key="{id}"]')
    row.focus()
    stage.tell(lambda: stage.calls.end(id))
    expect(row).to_have_class("call gone")
    page.clock.fast_forward(30_000)
    expect(row).to_be_focused()
    page.locator("#filter").focus()
    expect(row).to_have_count(0)


def test_after_sleep_a_silent_line_is_given_up(enter: Open, stage: Stage) -> None:
    page = by_our_clock(enter)
    expect(page.locator(".call")).to_have_count(40)
    with page.expect_request("**/api/v1/events*", timeout=15_000):
        page.clock.set_system_time(time.time() + SLEEP_S)  # timers have stood still meanwhile
        page.clock.run_for(3_000)
    expect(page.locator("#line-state")).to_have_attribute("data-state", "live")
    expect(page.locator(".call")).to_have_count(40)


def test_who_signs_in_anew_in_one_tab_goes_on_in_all(enter: Open) -> None:
    page = enter("otto", "/dialogs/table_booking")
    other = page.context.new_page()
    other.goto("/dialogs/order_status")
    page.context.clear_cookies()
    for tab in (page, other):
        expect(tab.get_by_role("alert")).to_contain_text("you are back where you were")
    page.get_by_label("Name").fill("otto")
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/dialogs/table_booking$"))
    other.evaluate("window.dispatchEvent(new Event('focus'))")
    expect(other).to_have_url(re.compile("/dialogs/order_status$"))
