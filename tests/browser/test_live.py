"""Browser tests: live calls as a supervisor sees them, hears them, and acts on them."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import Open
from tests.browser.fake_house import Stage
from voicebot.web.house import Condition, Part

pytestmark = pytest.mark.browser

TURN = {
    "who": "caller",
    "kind": "speech",
    "step": "when",
    "text": "On Friday at seven",
    "understood": "match",
}


def some_call(stage: Stage, **values: object) -> str:
    """Begin a call; the page sees it as an event."""
    return stage.tell(lambda: stage.calls.begin(caller_name="Ida Novak", **values))


def test_words_appear_while_they_are_spoken_and_become_the_turn(enter: Open, stage: Stage) -> None:
    page = enter("vera")
    expect(page.locator(".call").nth(39)).to_be_attached()
    id = some_call(stage)
    row = page.locator(f'[data-key="{id}"]')
    expect(row).to_contain_text("Ida Novak")
    stage.tell(lambda: stage.calls.say(id, "words", {"text": "On Friday"}))
    expect(row.locator(".caller-says.partial")).to_have_text("On Friday")
    stage.tell(lambda: stage.calls.say(id, "turn", {"index": 0, "turn": TURN}))
    expect(row.locator(".caller-says:not(.partial)")).to_have_text("On Friday at seven")
    stage.tell(lambda: stage.calls.set(id, "floor", floor="bot"))
    expect(row.locator(".wave")).to_have_attribute("data-floor", "bot")
    row.click()
    expect(page.get_by_role("heading", name="Ida Novak")).to_be_visible()
    stage.tell(lambda: stage.calls.say(id, "words", {"text": "For"}))
    expect(page.locator(".turn.partial .said")).to_have_text("For")
    stage.tell(lambda: stage.calls._turn(id, {**TURN, "text": "For four"}))
    expect(page.locator(".turn:not(.partial) .said").last).to_have_text("For four")
    expect(page.locator(".turn.partial")).to_have_count(0)
    stage.tell(lambda: stage.calls.end(id))
    expect(page.locator(".event-line").last).to_contain_text("The call has ended")
    expect(page.get_by_role("button", name="End call")).to_be_disabled()


def test_the_filter_finds_calls_by_what_is_known_of_them(enter: Open, stage: Stage) -> None:
    page = enter("vera")
    id = some_call(stage, caller="+33140205050")
    expect(page.locator(f'[data-key="{id}"]')).to_be_visible()
    page.keyboard.press("/")
    page.keyboard.type("novak 3314020")
    expect(page.locator(".call:visible")).to_have_count(1)
    page.keyboard.type(" nobody")
    expect(page.get_by_text("No call matches")).to_be_visible()
    page.get_by_role("button", name="Show all").click()
    page.locator("#filter").fill("")
    page.get_by_role("button", name="Waiting").click()
    expect(page.locator(".call:visible").first.locator(".chip")).to_have_text("waiting")
    stage.tell(lambda: stage.calls.end(id))


def test_patching_200_calls_takes_less_than_a_frame(enter: Open, stage: Stage) -> None:
    page = enter("vera")
    ids = [some_call(stage) for _ in range(160)]
    expect(page.locator(".call")).to_have_count(200)
    page.evaluate("window.panelTimes = []")
    for n in range(6):
        text = f"word number {n}"
        stage.tell(lambda text=text: [stage.calls.say(id, "words", {"text": text}) for id in ids])  # type: ignore[misc]
        expect(page.locator(f'[data-key="{ids[-1]}"] .caller-says')).to_have_text(text)
    times = sorted(page.evaluate("window.panelTimes"))
    stage.tell(lambda: [stage.calls.end(id) for id in ids])
    assert times[len(times) // 2] < 16, times  # 160 rows at once


def test_listening_is_heard(enter: Open, stage: Stage) -> None:
    id = some_call(stage)
    page = enter("vera", f"/calls/{id}")
    expect(page.get_by_role("heading", name="Ida Novak")).to_be_visible()
    page.keyboard.press("e")
    expect(page.get_by_role("button", name="Stop", exact=True).first).to_be_visible()
    for channel in (0, 1):  # the caller's and the bot's
        page.wait_for_function(
            """channel => {
                const level = window.panelPlayer?.levels[channel];
                if (!level) return false;
                const samples = new Float32Array(level.fftSize);
                level.getFloatTimeDomainData(samples);
                return Math.max(...samples) > 0.1;
            }""",
            arg=channel,
        )
    page.keyboard.press("e")
    expect(page.get_by_role("button", name="Listen")).to_be_visible()
    stage.tell(lambda: stage.calls.end(id))


def test_what_a_supervisor_does_reaches_the_call(enter: Open, stage: Stage) -> None:
    id = some_call(stage, slots={"people": 4})
    page = enter("otto", f"/calls/{id}")
    expect(page.get_by_role("heading", name="Ida Novak")).to_be_visible()  # what is said from now on is news
    page.get_by_placeholder("Let the bot say something…").fill("One moment please.")
    page.keyboard.press("Enter")
    expect(page.locator(".event-line")).to_contain_text("otto: say One moment please.")
    page.get_by_role("button", name="Hold bot").click()
    page.get_by_role("button", name="Release bot").click()
    expect(page.get_by_role("button", name="Hold bot")).to_be_visible()
    _answer(page, "Jump", "Jump")
    expect(page.locator(".event-line").last).to_contain_text("otto: jump")
    page.get_by_role("button", name="Correct people").click()
    page.locator("#sure-field input").fill("many")
    page.locator("#sure-yes").click()
    expect(page.locator(".toast.bad")).to_contain_text("give a number such as 4")  # the remedy, not only a no
    page.get_by_role("button", name="Correct people").click()
    page.locator("#sure-field input").fill("5")
    page.locator("#sure-yes").click()
    expect(page.locator(".slot dd").first).to_have_text("5")
    page.get_by_role("button", name="Record", exact=True).click()
    expect(page.get_by_role("button", name="Pause rec.")).to_be_visible()
    page.get_by_role("button", name="Pause rec.").click()
    expect(page.get_by_text("recording paused")).to_be_visible()
    page.get_by_role("button", name="End call").click()
    page.keyboard.press("Escape")  # not yet
    expect(page.locator("#sure")).to_be_hidden()
    _answer(page, "End call", "End call")
    expect(page.locator(".event-line").last).to_contain_text("supervisor")
    did = [act[0] for act in stage.supervisors.acts if act[1] == id]
    assert did == ["say", "hold", "release", "jump", "correct", "recording", "recording", "end"]
    assert all(act[2] == "otto" for act in stage.supervisors.acts if act[1] == id)


def _answer(page: Page, button: str, yes: str) -> None:
    page.get_by_role("button", name=button, exact=True).first.click()
    expect(page.locator("#sure-yes")).to_have_text(yes)
    page.locator("#sure-yes").click()
    expect(page.locator("#sure")).to_be_hidden()


def test_a_click_that_comes_before_the_news_is_not_lost(enter: Open, stage: Stage) -> None:
    id = some_call(stage)
    page = enter("otto")
    held: list[Route] = []
    page.route("**/api/v1/events*", lambda route: held.append(route))
    page.goto(f"/calls/{id}")
    page.get_by_role("button", name="End call").click()
    expect(page.locator("#sure")).to_be_hidden()
    held[-1].continue_()
    expect(page.get_by_text("The line to Ida Novak is cut at once.")).to_be_visible()
    page.locator("#sure-yes").click()
    expect(page.locator(".event-line").last).to_contain_text("The call has ended: supervisor")


def test_a_supervisor_speaks_by_microphone(enter: Open, stage: Stage) -> None:
    id = some_call(stage)
    page = enter("otto", f"/calls/{id}")
    _answer(page, "Speak", "Speak")
    expect(page.get_by_text("The caller hears you; the bot is silent")).to_be_visible()
    stage.until(lambda: any(len(mic.heard) > 10 for mic in stage.supervisors.microphones))
    assert {len(frame) for frame in stage.supervisors.microphones[-1].heard} == {640}  # 20 ms
    page.locator("#unbarge").click()
    stage.until(lambda: stage.supervisors.microphones[-1].closed)
    stage.tell(lambda: stage.calls.end(id))


def test_a_supervisor_comes_by_telephone_changes_and_leaves(enter: Open, stage: Stage) -> None:
    id = some_call(stage)
    page = enter("otto", f"/calls/{id}")
    page.get_by_role("button", name="Telephone").click()
    page.locator("#sure").get_by_label("Your telephone").fill("PJSIP/otto")
    page.locator("#sure-yes").click()
    expect(page.locator("#visiting")).to_contain_text("PJSIP/otto rings")
    page.locator("#visiting").get_by_role("button", name="whisper").click()
    expect(page.locator('#visiting [aria-pressed="true"]')).to_have_text("whisper")
    page.locator("#visiting").get_by_role("button", name="take over").click()
    expect(page.locator("#sure-title")).to_have_text("Take over this call?")
    page.keyboard.press("Escape")  # not yet
    page.locator("#visiting").get_by_role("button", name="Leave").click()
    expect(page.locator("#visiting")).to_be_hidden()
    assert [act[0] for act in stage.supervisors.acts if act[1] == id] == ["visit", "whisper", "leave"]
    stage.tell(lambda: stage.calls.end(id))


def test_a_supervisor_whose_telephone_nobody_answers_is_told_so(enter: Open, stage: Stage) -> None:
    id = some_call(stage)
    page = enter("otto", f"/calls/{id}")
    page.get_by_role("button", name="Telephone").click()
    page.locator("#sure").get_by_label("Your telephone").fill("PJSIP/otto")
    page.locator("#sure-yes").click()
    expect(page.locator("#visiting")).to_contain_text("PJSIP/otto rings")
    told = {"visit": "v1", "what": "nobody answered", "remedy": "is it there?"}
    stage.tell(lambda: stage.house.hub.publish("call", "visit_failed", id, told))
    expect(page.locator(".toast.bad")).to_contain_text("nobody answered")
    expect(page.locator("#visiting")).to_be_hidden()
    stage.tell(lambda: stage.calls.end(id))


def test_no_row_moves_under_the_pointer(enter: Open, stage: Stage) -> None:
    page = enter("vera")
    first = page.locator(".call").first
    first.hover()
    there = first.get_attribute("data-key")
    before = page.locator("#rows").bounding_box()
    id = some_call(stage)
    expect(page.get_by_text("1 new")).to_be_visible()
    assert page.locator("#rows").bounding_box()["y"] == before["y"]  # type: ignore[index]
    assert page.locator(".call").first.get_attribute("data-key") == there
    page.get_by_role("heading", name="Live calls").hover()
    expect(page.locator(".call").first).to_have_attribute("data-key", id)
    stage.tell(lambda: stage.calls.end(id))


def test_who_only_sees_is_told_why_nothing_can_be_done(enter: Open, stage: Stage) -> None:
    id = some_call(stage)
    page = enter("vera", f"/calls/{id}")
    expect(page.get_by_role("button", name="End call")).to_be_disabled()
    expect(page.get_by_text("one must be a supervisor")).to_be_visible()
    answer = page.evaluate(
        """async id => (await fetch(`/api/v1/calls/${id}/end`, {method: "POST", headers:
            {"X-CSRF-Token": document.querySelector('meta[name="csrf-token"]').content}})).status""",
        id,
    )
    assert answer == 403
    assert page.goto("/users").status == 403  # type: ignore[union-attr]
    stage.tell(lambda: stage.calls.end(id))


def test_a_call_with_a_long_name_and_trouble_fits_a_phone(enter: Open, stage: Stage) -> None:
    name = "Maximiliane Freifrau von Donaudampfschifffahrtsgesellschaftskapitänswitwenrente"
    id = some_call(stage, faults=("the synthesis took 4.1 s",), slots={"w" * 40: "v" * 80})
    stage.tell(lambda: stage.calls.set(id, "state", caller_name=name))
    page = enter("otto", f"/calls/{id}", viewport={"width": 390, "height": 844})
    expect(page.get_by_role("heading", name=name)).to_be_visible()
    expect(page.locator("#chips")).to_contain_text("trouble")
    expect(page.locator("#facts")).to_contain_text("the synthesis took 4.1 s")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    stage.tell(lambda: stage.calls.end(id))


def test_no_button_moves_under_the_hand_when_a_recording_begins(enter: Open, stage: Stage) -> None:
    id = some_call(stage, recording="off")
    page = enter("otto", f"/calls/{id}")
    end, pause = (page.get_by_role("button", name=name) for name in ("End call", "Pause rec."))
    expect(pause).to_be_disabled()
    before = end.bounding_box()
    page.get_by_role("button", name="Record", exact=True).click()
    expect(pause).to_be_enabled()
    assert end.bounding_box() == before
    stage.tell(lambda: stage.calls.end(id))


def test_what_a_supervisor_did_stands_below_what_it_cut_short(enter: Open, stage: Stage) -> None:
    id = some_call(stage)
    page = enter("vera", f"/calls/{id}")
    expect(page.get_by_role("heading", name="Ida Novak")).to_be_visible()
    stage.tell(lambda: stage.calls.say(id, "saying", {"text": "Good evening, which day"}))
    expect(page.locator(".turn.bot")).to_be_visible()
    stage.tell(lambda: stage.calls.line(id, "intervention", 900, by="otto", what="jump", detail="name"))
    expect(page.locator(".event-line")).to_be_visible()
    stage.tell(lambda: stage.calls._turn(id, stage.calls._bot("when", "Good evening, which day")))
    stage.tell(lambda: stage.calls.say(id, "saying", {"text": "Your name?"}))
    lines = page.locator("#talk > *")
    expect(lines).to_contain_text(["Good evening", "otto: jump name", "Your name?"])
    stage.tell(lambda: stage.calls.end(id))


def test_a_broken_line_takes_nothing_of_what_happened_between_the_turns(enter: Open, stage: Stage) -> None:
    turns = ({**stage.calls._bot("when", "Which day?"), "start_ms": 0, "end_ms": 900},
             {**stage.calls._caller("when", "On Friday"), "start_ms": 2500, "end_ms": 4200})  # fmt: skip
    id = some_call(stage, turns=turns)
    page = enter("vera", f"/calls/{id}")
    talk = page.locator("#talk > *")
    expect(talk).to_contain_text(["Which day?", "On Friday"])
    stage.tell(lambda: stage.calls.line(id, "language", 3000, language="ko-KR"))
    expect(talk.nth(2)).to_contain_text("goes on in ko-KR")
    expect(page.locator("#dialog-name")).to_contain_text("ko-KR")

    stage.calls._calls[id]["language"] = "ko-KR"
    stage.tell(stage.drop_readers)
    stage.tell(lambda: stage.calls.line(id, "intervention", 1500, by="otto", what="say", detail="Hello"))
    stage.tell(lambda: stage.calls.line(id, "fault", 5000, text="the synthesis took 4.1 s"))
    stood = ["Which day?", "otto: say Hello", "On Friday", "goes on in ko-KR", "4.1 s"]
    expect(talk).to_contain_text(stood, timeout=10_000)
    expect(talk).to_have_count(len(stood))

    stage.tell(lambda: stage.calls.line(id, "intervention", 6000, by="otto", what="hold", detail=""))
    expect(talk).to_contain_text([*stood, "otto: hold"])
    expect(talk).to_have_count(len(stood) + 1)
    stage.tell(stage.drop_readers)
    stage.tell(lambda: stage.calls.end(id))
    expect(talk.last).to_contain_text("The call has ended", timeout=10_000)
    expect(talk).to_have_count(len(stood) + 2)


def test_trouble_is_seen_on_every_page_and_on_this_one_what_callers_feel(
    enter: Open, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("voicebot.web.sign.SHARED_S", 0.0)
    monkeypatch.setattr(stage.house, "pbx", None)
    full = Part("disk", "degraded", "only 12 MB are free")
    monkeypatch.setattr(stage.house, "condition", lambda: Condition(True, "", (full,)))
    page = enter("vera", "/talk")
    page.clock.install()
    page.goto("/")
    health, felt = page.locator('.nav .place[href="/health"]'), page.locator("#felt")
    expect(health).to_have_accessible_name("Health trouble")
    expect(health).to_have_attribute("title", re.compile("disk: only 12 MB are free"))
    expect(felt).to_be_empty()

    away = Condition(False, "it is not connected to Asterisk", (full, Part("asterisk", "down")))
    monkeypatch.setattr(stage.house, "condition", lambda: away)
    page.clock.run_for(10_000)
    expect(health).to_have_accessible_name("Health down")
    expect(page.get_by_role("status").filter(has_text="Callers notice")).to_contain_text("not connected")
    page.set_viewport_size({"width": 390, "height": 844})
    expect(page.get_by_role("button", name="More; Health: down")).to_be_visible()

    monkeypatch.setattr(stage.house, "condition", lambda: Condition(True))
    page.reload()
    expect(page.locator("#live-count")).not_to_be_empty()
    expect(page.get_by_role("button", name="More", exact=True)).to_be_visible()
    expect(felt).to_be_empty()
