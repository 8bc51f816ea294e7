"""Browser tests: who is hasty, or refuses the microphone, does nothing to a call that they did not mean."""

from __future__ import annotations

import pytest
from playwright.sync_api import APIResponse, Page, Route, expect

from tests.browser.conftest import Open
from tests.browser.fake_house import Stage

pytestmark = pytest.mark.browser

ASKED = """() => {
    navigator.mediaDevices.getUserMedia = () => new Promise((allow, refuse) => { window.refuse = refuse; });
}"""
"""The browser asks whether the page may have the microphone."""


def call_of(stage: Stage) -> str:
    return stage.tell(lambda: stage.calls.begin(caller_name="Ida Novak"))


def acts_on(stage: Stage, id: str) -> list[str]:
    return [act[0] for act in stage.supervisors.acts if act[1] == id]


def on_their_way(page: Page, pattern: str) -> list[Route]:
    """Keep these requests from the gateway until they are continued."""
    held: list[Route] = []
    page.route(pattern, lambda route: held.append(route))
    return held


@pytest.mark.parametrize("button", ["Take over", "Speak"])
def test_a_call_is_not_touched_by_who_cannot_speak(enter: Open, stage: Stage, button: str) -> None:
    id = call_of(stage)
    page = enter("otto", f"/calls/{id}")
    page.evaluate(ASKED)
    page.get_by_role("button", name=button, exact=True).click()
    page.locator("#sure-yes").click()
    page.wait_for_function(
        "() => window.refuse && document.querySelector('#listen-note').textContent === 'live'"
    )
    assert acts_on(stage, id) == []
    page.evaluate("() => window.refuse(new DOMException('no', 'NotAllowedError'))")
    expect(page.locator(".toast.bad")).to_contain_text("The microphone was not allowed")
    expect(page.locator("#barging")).to_be_hidden()
    assert acts_on(stage, id) == []
    stage.tell(lambda: stage.calls.end(id))


def test_a_question_that_comes_late_does_not_take_the_place_of_another(enter: Open, stage: Stage) -> None:
    id = call_of(stage)
    page = enter("otto", f"/calls/{id}")
    held = on_their_way(page, "**/may")
    with page.expect_request("**/may"):
        page.get_by_role("button", name="Jump", exact=True).click()
    page.get_by_role("button", name="End call", exact=True).click()
    title = page.locator("#sure-title")
    expect(title).to_have_text("End this call?")
    with page.expect_response("**/may"):
        held[0].continue_()
    page.wait_for_function("() => new Promise((done) => setTimeout(done, 50, true))")  # it has been read
    expect(title).to_have_text("End this call?")
    page.locator("#sure-yes").click()
    stage.until(lambda: acts_on(stage, id) == ["end"])


def test_what_is_sent_twice_is_said_once(enter: Open, stage: Stage) -> None:
    id = call_of(stage)
    page = enter("otto", f"/calls/{id}")
    held = on_their_way(page, "**/say")
    field = page.get_by_placeholder("Let the bot say something…")
    field.fill("One moment please.")
    with page.expect_request("**/say"):
        field.press("Enter")
        field.press("Enter")
    for each in held:
        each.continue_()
    expect(field).to_have_value("")
    page.unroute("**/say")
    field.fill("Thank you.")
    field.press("Enter")
    expect(field).to_have_value("")
    assert acts_on(stage, id) == ["say", "say"]
    stage.tell(lambda: stage.calls.end(id))


def test_who_clicks_twice_is_rung_once(enter: Open, stage: Stage) -> None:
    page = enter("otto")
    held = on_their_way(page, "**/pbx/dial")
    page.keyboard.press("d")
    page.locator("#dial [name=channel]").fill("PJSIP/otto")
    page.locator("#dial [name=number]").fill("+49 30 901820")
    with page.expect_request("**/pbx/dial"):
        page.get_by_role("button", name="Dial", exact=True).dblclick()
    for each in held:
        each.continue_()
    expect(page.locator("#dial")).to_be_hidden()
    assert [act[0] for act in stage.pbx.acts] == ["dial"]


def test_who_has_nothing_to_hear_with_is_told(enter: Open, stage: Stage) -> None:
    id = call_of(stage)
    page = enter("vera", f"/calls/{id}")
    page.evaluate("() => { AudioContext.prototype.resume = () => Promise.reject(new Error('no device')); }")
    page.locator("#listen").click()
    expect(page.locator(".toast.bad")).to_contain_text("no device")
    expect(page.locator("#listen")).to_have_attribute("aria-pressed", "false")
    stage.tell(lambda: stage.calls.end(id))


def test_a_key_that_is_held_down_ends_no_call(enter: Open, stage: Stage) -> None:
    id = call_of(stage)
    page = enter("otto", f"/calls/{id}")
    page.get_by_role("button", name="End call", exact=True).focus()
    page.keyboard.press("Enter")
    expect(page.locator("#sure-title")).to_have_text("End this call?")
    page.keyboard.press("Enter")
    expect(page.locator("#sure")).to_be_hidden()
    assert acts_on(stage, id) == []
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    stage.until(lambda: acts_on(stage, id) == ["end"])


def test_what_was_not_answered_is_not_said_to_be_tried_again(enter: Open, stage: Stage) -> None:
    id = call_of(stage)
    page = enter("otto", f"/calls/{id}")
    page.route("**/hold", lambda route: route.fulfill(body="{", content_type="application/json"))  # cut short
    page.get_by_role("button", name="Hold bot").click()
    expect(page.locator(".toast.bad")).to_contain_text("Whether it was done is not known")
    assert acts_on(stage, id) == []
    stage.tell(lambda: stage.calls.end(id))


def test_an_answer_that_comes_late_does_not_undo_what_is_known_since(enter: Open, stage: Stage) -> None:
    page = enter("otto", "/campaigns")
    page.locator(".campaign-row").click()
    expect(page.locator("#state")).to_have_text("running")
    one = page.url.rsplit("/", 1)[-1]
    late: list[tuple[Route, APIResponse]] = []

    def hold_the_first(route: Route) -> None:
        if late or route.request.method != "GET":
            route.continue_()
        else:
            late.append((route, route.fetch()))  # as it is now: running

    page.route(f"**/api/v1/campaigns/{one}", hold_the_first)
    with page.expect_request(f"**/api/v1/campaigns/{one}"):
        stage.tell(lambda: stage.house.hub.publish("campaign", "changed", one))
    page.get_by_role("button", name="Pause").click()
    page.locator("#sure-yes").click()
    expect(page.locator("#state")).to_have_text("paused")
    route, answer = late[0]
    with page.expect_response(lambda response: response.request == route.request):
        route.fulfill(response=answer)
    page.evaluate("() => new Promise((done) => setTimeout(done, 50))")  # it has been read
    assert page.locator("#state").text_content() == "paused"
