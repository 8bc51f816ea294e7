"""Unit: every prompt of a dialog, in order, with given values and with made up ones; a telephone line."""

from __future__ import annotations

import numpy as np
import pytest

from voicebot.authoring.prompts.saying import SAMPLES, line_of, prompts_of
from voicebot.authoring.prompts.sounding import RATE, telephone
from voicebot.dialog.loading.loader import parse_dialog
from voicebot.dialog.loading.yamlfile import read_yaml
from voicebot.dialog.model.slots import SlotKind
from voicebot.dialog.turns import SpokenPause, SpokenText
from voicebot.errors import UserError

pytestmark = pytest.mark.unit

TEXT = """\
dialog: sample
languages: [ko-KR]
needs:
  name: name
  at: {type: datetime, default: 2027-03-02T15:00}
slots:
  sure: {type: yes_no, help: Yes or no?}
always:
  hours: {hear: opening hours, say: From nine to five.}
steps:
  greet:
    say:
      - Hello {name}.
      - Good day.
  ask:
    say: {all: [You come, {silence: 300ms}, "on {at|date}."]}
    ask: Sure?
    fill: sure
    nomatch: [Sorry?, Yes or no?]
  look: {fetch: {get: "http://a.example", filler: One moment.}}
  bye: {language: ko-KR, say: Goodbye., end: done}
translations:
  ko-KR: {Goodbye.: 안녕히 계세요., "Hello {name}.": "{name} 님"}
"""


@pytest.fixture(scope="module")
def prompts():  # type: ignore[no-untyped-def]
    return {prompt.name: prompt for prompt in prompts_of(parse_dialog(TEXT))}


def test_all_are_there_in_the_order_of_the_file(prompts) -> None:  # type: ignore[no-untyped-def]
    assert list(prompts) == [
        "greet.say.1", "greet.say.2", "ask.say", "ask.ask", "ask.nomatch.1", "ask.nomatch.2", "look.filler",
        "bye.say", "slots.sure.help", "always.hours.say",
    ]  # fmt: skip


def test_what_nobody_gave_is_made_up_and_told(prompts) -> None:  # type: ignore[no-untyped-def]
    assert prompts["greet.say.1"].words == f"Hello {SAMPLES['name']}."
    assert prompts["greet.say.1"].sampled == ("name",)
    assert prompts["ask.say"].sampled == ()  # a default is no sample


def test_pieces_keep_their_silence(prompts) -> None:  # type: ignore[no-untyped-def]
    assert prompts["ask.say"].words == "You come on Tuesday, March second."
    assert [type(piece) for piece in prompts["ask.say"].pieces] == [SpokenText, SpokenPause, SpokenText]


def test_a_step_speaks_its_language_and_a_wish_goes_before(prompts) -> None:  # type: ignore[no-untyped-def]
    assert (prompts["bye.say"].words, prompts["bye.say"].language) == ("안녕히 계세요.", "ko-KR")
    korean = prompts_of(parse_dialog(TEXT), {"name": "김민수"}, "ko-KR")
    assert korean[0].words == "김민수 님"


def test_given_values_are_read_by_type() -> None:
    found = prompts_of(parse_dialog(TEXT), {"name": "Kim", "at": "2027-03-05T09:00"})
    assert (found[0].words, found[2].words) == ("Hello Kim.", "You come on Friday, March fifth.")
    with pytest.raises(UserError) as caught:
        prompts_of(parse_dialog(TEXT), {"at": "soon", "nme": "Kim"})
    assert len(caught.value.problems) == 2


def test_a_line_leads_to_the_file(prompts) -> None:  # type: ignore[no-untyped-def]
    yaml = read_yaml(TEXT, "sample.yaml")
    lines = TEXT.splitlines()
    for name, start in (("greet.say.2", "- Good day."), ("ask.ask", "ask: Sure?"), ("look.filler", "look:")):
        assert lines[(line_of(prompts[name], yaml)[0] or 0) - 1].strip().startswith(start)


def test_there_is_a_sample_of_every_type() -> None:
    assert {*SAMPLES, "choice"} == set(SlotKind.__args__)  # type: ignore[attr-defined]


def tone(hertz: float) -> np.ndarray:  # type: ignore[type-arg]
    return (np.sin(2 * np.pi * hertz * np.arange(RATE) / RATE) * 8000).astype(np.int16)


@pytest.mark.parametrize("law", ["ulaw", "alaw"])
def test_a_line_carries_voices_and_little_else(law) -> None:  # type: ignore[no-untyped-def]
    def loss_db(hertz: float) -> float:
        through = telephone(tone(hertz), law).astype(float)
        return float(20 * np.log10(np.std(tone(hertz)) / max(np.std(through), 1e-3)))

    assert abs(loss_db(1000)) < 0.5
    assert abs(loss_db(3000)) < 0.5
    assert loss_db(100) > 30
    assert loss_db(3800) > 30


def test_silence_stays_and_nothing_is_nothing() -> None:
    assert not len(telephone(np.zeros(0, np.int16)))
    assert np.max(np.abs(telephone(np.zeros(800, np.int16)))) <= 8
