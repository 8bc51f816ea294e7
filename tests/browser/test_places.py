"""Browser tests: all places of the panel: by keyboard, on a phone, in the dark, and for who cannot see."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import axe_playwright_python
import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import Open
from tests.browser.fake_house import PASSWORD, Stage

pytestmark = pytest.mark.browser

AXE = Path(axe_playwright_python.__file__).with_name("axe.min.js")
PLACES = {
    "/": ".call",
    "/queues": ".waiter",
    "/conferences": ".participant",
    "/campaigns": ".campaign-row",
    "/campaigns/check_up": "#by-hour canvas",
    "/dialogs": ".dialog-card .chip.good",
    "/dialogs/table_booking": "#problems .chip",
    "/talk": "#begin option",
    "/history": "tbody tr",
    "/history/past0000": ".turn",
    "/health": ".check",
    "/users": "#rows tr",
    "/audit": "#rows tr, #none:visible",
}
"""Each place, and what it has when it is complete."""
PHONE = {"viewport": {"width": 390, "height": 844}}


def test_one_signs_in_by_the_form_and_out(enter: Open, stage: Stage) -> None:
    page = enter("", "/history")  # nobody: sent to the form, and back afterwards
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    page.get_by_label("Name").fill("anna")
    page.get_by_label("Password").fill("wrong wrong wrong")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("wrong")
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="History")).to_be_visible()
    page.get_by_role("link", name="sign out").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    page.goto("/")
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_nobody_is_kept_out(enter: Open, theme: str) -> None:
    page = enter("anna", color_scheme=theme, bypass_csp=True)  # axe is a script of its own
    for path, complete in PLACES.items():
        page.goto(path)
        page.locator(complete).first.wait_for(state="attached")
        page.add_script_tag(path=AXE)
        found = page.evaluate(
            """async () => (await axe.run(document, {runOnly: ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa"]}))
                .violations.map(each => [each.id, each.nodes.map(node => node.html.slice(0, 90))])"""
        )
        assert not found, (path, found)


def test_on_a_phone_nothing_is_wider_than_the_screen(enter: Open) -> None:
    page = enter("anna", **PHONE)
    for path, complete in PLACES.items():
        page.goto(path)
        page.locator(complete).first.wait_for(state="attached")
        width = page.evaluate("document.documentElement.scrollWidth")
        assert width <= 390, (path, width)


def test_the_dark_is_dark_and_stays_as_chosen(enter: Open) -> None:
    page = enter("vera", color_scheme="light")
    ground = "getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number)"
    assert min(page.evaluate(ground)) > 200
    page.get_by_role("button", name="Light or dark").click()
    assert max(page.evaluate(ground)) < 40
    page.goto("/health")
    assert max(page.evaluate(ground)) < 40


def test_all_that_matters_goes_by_keyboard(enter: Open, stage: Stage) -> None:
    page = enter("otto")
    page.locator(".call").first.wait_for()
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("?")
    expect(page.get_by_role("heading", name="Keys")).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("k")
    focused = page.evaluate("document.activeElement.getAttribute('href')")
    assert focused == page.locator(".call").first.get_attribute("href")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Conversation")).to_be_visible()
    page.keyboard.press("g")
    page.keyboard.press("q")
    expect(page.get_by_role("heading", name="Queues and agents")).to_be_visible()
    page.keyboard.press("d")
    page.get_by_label("Your telephone").fill("PJSIP/otto")
    page.get_by_label("Number to dial").fill("+49 30 901820")
    page.keyboard.press("Enter")
    expect(page.locator(".toast.good")).to_contain_text("rings")
    assert ("dial", "PJSIP/otto", "+4930901820", "otto") in stage.pbx.acts


@contextmanager
def before(script: str, page: Page, path: str) -> Iterator[None]:
    """See a page before one of its scripts has come."""
    held: list[Route] = []
    address = f"**/js/{script}"
    page.route(address, lambda route: held.append(route))
    with page.expect_request(address):
        page.goto(path, wait_until="commit")
    expect(page.locator("h1")).to_be_visible()
    yield
    held[0].continue_()


def test_keys_that_come_before_the_scripts_are_not_lost(enter: Open) -> None:
    page = enter("otto")
    with before("shell.js", page, "/queues"):
        page.keyboard.press("d")
        page.get_by_role("button", name="Light or dark").click()
        expect(page.locator("#dial")).to_be_hidden()
    expect(page.get_by_label("Your telephone")).to_be_visible()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")


def test_what_comes_between_two_scripts_counts_once(enter: Open) -> None:
    page = enter("sven", color_scheme="light")
    with before("dialog.js", page, "/dialogs/appointment"):
        expect(page.locator("#live-count")).not_to_be_empty()  # shell.js has run
        page.get_by_role("button", name="Light or dark").click()
        page.get_by_label("What the caller says").fill("This is Mary Miller")
        page.keyboard.press("Enter")
    expect(page.locator("#chat .turn.caller")).to_contain_text("This is Mary Miller")
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")


def test_one_signs_out_before_the_scripts(enter: Open) -> None:
    page = enter("vera")
    with before("shell.js", page, "/history"):
        page.get_by_role("link", name="sign out").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


def test_a_place_is_gone_to_by_two_keys_only(enter: Open) -> None:
    page = enter("otto", "/queues")
    page.keyboard.press("h")  # as soon as the page is there, too
    page.keyboard.press("?")
    expect(page.get_by_role("heading", name="Keys")).to_be_visible()
    assert page.url.endswith("/queues")


def test_callers_are_moved_given_and_dragged(enter: Open, stage: Stage) -> None:
    page = enter("otto", "/queues")
    expect(page.locator(".waiter")).to_have_count(4)
    page.locator(".waiter").nth(1).get_by_role("button", name="One place forward").click()
    expect(page.locator(".waiter").first).to_contain_text("Sara Bell")
    page.locator(".waiter").nth(3).drag_to(page.locator(".agent").nth(1))
    expect(page.locator(".agent").nth(1).locator(".chip")).to_have_text("ringing")
    expect(page.locator(".waiter")).to_have_count(3)
    page.locator(".agent").nth(4).get_by_role("button", name="Sign in").click()
    expect(page.locator(".agent").nth(4).locator(".chip")).to_have_text("ready")
    assert stage.queues.acts == [("move", "w1", 1), ("give", "w3", "can"), ("sign_in", "fay")]


def test_a_room_is_led(enter: Open, stage: Stage) -> None:
    page = enter("otto", "/conferences")
    room = page.get_by_label("Room meeting")
    room.get_by_role("button", name="Mute Mina Park").click()
    expect(room.get_by_role("button", name="Unmute Mina Park")).to_be_visible()
    room.get_by_role("button", name="Lock").click()
    expect(room.get_by_text("locked")).to_be_visible()
    room.get_by_role("button", name="Remove Mina Park").click()
    page.locator("#sure-yes").click()
    expect(room.locator(".participant")).to_have_count(3)
    assert stage.conferences.acts == [
        ("mute", "meeting", "p3"),
        ("lock", "meeting"),
        ("kick", "meeting", "p3"),
    ]


def test_a_dialog_is_tried_in_writing_and_shows_its_calls(enter: Open) -> None:
    page = enter("sven", "/dialogs/appointment")
    page.get_by_label("What the caller says").fill("This is Mary Miller")
    page.keyboard.press("Enter")
    expect(page.locator("#chat .turn.bot").nth(1)).to_be_visible()
    expect(page.locator("#chat .turn.caller")).to_contain_text("caller = ")
    page.wait_for_function("() => document.querySelector('#picture').shadowRoot.querySelector('.count text')")
    expect(page.locator("#live-note")).to_contain_text("live call")


def test_one_talks_to_the_bot_by_microphone(enter: Open, stage: Stage) -> None:
    page = enter("sven", "/talk?dialog=appointment")
    expect(page.locator("#begin select")).to_have_value("appointment")
    page.get_by_role("button", name="Call").click()
    expect(page.locator(".turn.bot .said").first).to_contain_text("Hello, this is the bot")
    stage.until(lambda: stage.browser_calls.opened[-1].loudest > 2000)  # the fake microphone plays speech
    page.wait_for_function(
        """() => {
            const level = window.panelPlayer?.levels[0];
            if (!level) return false;
            const samples = new Float32Array(level.fftSize);
            level.getFloatTimeDomainData(samples);
            return Math.max(...samples) > 0.1;
        }"""
    )
    page.get_by_role("button", name="5", exact=True).click()
    expect(page.locator(".turn.caller .said").last).to_have_text("5")
    page.get_by_role("button", name="Hang up").click()
    expect(page.get_by_role("button", name="Call")).to_be_visible()
    expect(page.locator("#talk > *").last).to_contain_text("The call has ended")  # below all turns
    stage.until(lambda: not stage.browser_calls.opened[-1]._open)
    assert stage.browser_calls.opened[-1].digits == ["5"]


def test_a_campaign_is_paused_with_a_question(enter: Open) -> None:
    page = enter("otto", "/campaigns")
    page.locator(".campaign-row").click()
    expect(page.locator("#progress-note")).to_have_text("1,840 of 2,800 contacts done")
    page.get_by_role("button", name="Pause").click()
    page.locator("#sure-yes").click()
    expect(page.locator("#state")).to_have_text("paused")
    expect(page.get_by_role("button", name="Resume")).to_be_enabled()


def test_history_is_searched_as_one_types(enter: Open) -> None:
    page = enter("vera", "/history")
    expect(page.locator("tbody tr")).to_have_count(51)  # 50 calls, and the button for older ones
    page.get_by_role("button", name="Older calls").click()
    expect(page.locator("tbody tr")).to_have_count(60)
    page.keyboard.press("/")
    page.keyboard.type("heating noise")
    expect(page.locator("tbody tr")).to_have_count(20)
    expect(page).to_have_url(re.compile("q=heating"))
    page.locator("#filter").fill("+4930 5550003")
    expect(page.locator("tbody tr")).to_have_count(1)
    page.locator("#filter").fill("xylophone")
    expect(page.get_by_text("No call matches")).to_be_visible()


def test_a_recording_plays_in_step_with_what_was_said(enter: Open) -> None:
    page = enter("vera", "/history/past0000")
    page.wait_for_function("() => window.panelSound?.getDuration() > 10")
    page.locator(".turn").nth(3).click()  # plays from there
    page.wait_for_function(
        """() => window.panelSound.isPlaying() && window.panelSound.getCurrentTime() > 7
            && document.querySelectorAll(".turn")[3].matches(".caller.now")"""
    )
    page.locator("body").press("Space")
    page.wait_for_function("() => !window.panelSound.isPlaying()")
    expect(page.locator(".event-line")).to_contain_text("otto: say One moment please.")


NAMED = """async () => {
    const { nameOf } = await import("/static/js/livecall.js");
    const files = { a: "/etc/bot/x.yaml", b: "/etc/bot/sub/x.yaml", c: "/srv/dialogs/y.yaml" };
    const dialogs = Object.entries(files).map(([name, file]) => ({ name, file }));
    const told = ["x.yaml", "./x.yaml", "/etc/bot/x.yaml", "sub/x.yaml", "sub/../x.yaml"];
    told.push("../link/y.yaml", "z.yaml");
    return told.map((dialog_file) => nameOf({ dialog_file }, dialogs));
}"""


def test_two_dialogs_of_one_file_name_are_not_taken_for_each_other(
    enter: Open, stage: Stage, tmp_path: Path
) -> None:
    theirs = tmp_path / "other" / "table_booking.yaml"
    theirs.parent.mkdir()
    theirs.write_text("dialog: theirs\nlanguage: en-US\nsteps:\n  only: {say: Hello., end: done}\n")
    known, before = stage.house.dialogs(), stage.house.dialogs
    stage.house.dialogs = lambda: [*known, dataclasses.replace(known[0], file=str(theirs))]  # type: ignore[type-var]
    id = stage.tell(lambda: stage.calls.begin(dialog_file="other/table_booking.yaml", step="only"))
    try:
        page = enter("vera", f"/calls/{id}")
        expect(page.locator("#picture .node.now")).to_have_attribute("data-step", "only")
        named = page.evaluate(NAMED)
        assert named == ["a", "a", "a", "b", "a", "c", ""]
        page.goto("/dialogs/table_booking-2")
        expect(page.locator("#live-note")).to_have_text("1 live call")
        page.goto("/dialogs")
        card = page.locator(
            ".dialog-card", has=page.get_by_role("heading", name="table_booking-2", exact=True)
        )
        expect(card).to_contain_text("1 live call")
    finally:
        stage.tell(lambda: stage.calls.end(id))
        stage.house.dialogs = before


def test_busy_telephones_are_looked_at_now_and_then(enter: Open, stage: Stage) -> None:
    page = enter("vera", "/health")
    expect(page.locator(".check").first).to_be_visible()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url.rpartition("/")[2]))
    for n in range(20):
        for changed in ({"channels": [{"id": str(n)}]}, {"endpoints": [{"name": "PJSIP/anna"}]}):
            stage.tell(lambda changed=changed: stage.house.hub.publish("pbx", "changed", "asterisk", changed))
    with page.expect_response("**/api/v1/pbx"):
        stage.tell(lambda: stage.house.hub.publish("pbx", "changed", "asterisk", {"channels": []}))
    assert asked.count("pbx") == 1 and asked.count("health") <= 1


def test_a_gateway_that_is_away_is_told_and_comes_back(enter: Open, stage: Stage) -> None:
    page = enter("vera")
    page.locator(".call").first.wait_for()
    page.context.set_offline(True)
    stage.tell(stage.drop_readers)
    expect(page.get_by_text("The gateway does not answer")).to_be_visible()
    page.wait_for_function("() => getComputedStyle(document.querySelector('.stale')).opacity < 0.6")
    page.context.set_offline(False)
    expect(page.get_by_text("The gateway does not answer")).to_be_hidden(timeout=15_000)
    expect(page.locator(".call").first).to_be_visible()
