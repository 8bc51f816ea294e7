"""unit: who holds the floor, in the words of a conversation."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicebot.dialog.turns import DtmfExpectation, Keys, Listen, Silence, Unheard, Utterance
from voicebot.speech.stt import Expectation, Transcript
from voicebot.turn import events as ev
from voicebot.turn.machine import (
    MOST_UNAWAITED,
    NOISES_FORGIVEN,
    RECOGNITION_LIMIT_S,
    TRANSITIONS,
    Floor,
    TurnMachine,
    diagram,
)

pytestmark = pytest.mark.unit

YES = Utterance(Transcript("yes"))


def listen(**changes: object) -> Listen:
    return Listen(step="ask", expect=Expectation(), **changes)  # type: ignore[arg-type]


class Conversation:
    """A machine with a clock that the test moves."""

    def __init__(self, **changes: object) -> None:
        self.machine = TurnMachine()
        self.now = 100.0
        self.did: list[ev.Command] = []
        self.tell(ev.TurnBegan(listen(**changes), prompts=1))

    def tell(self, event: ev.Event, after: float = 0.0) -> list[ev.Command]:
        self.now += after
        self.did = self.machine.handle(event, self.now)
        return self.did

    def bot_speaks(self, bargein: bool = True) -> Conversation:
        self.tell(ev.PromptBegan(bargein))
        return self

    def bot_is_done(self) -> Conversation:
        self.tell(ev.PromptBegan(True))
        self.tell(ev.PromptsDone())
        return self

    def caller_says(self, voiced_ms: int, *, speech: bool, expected: bool, result: object = YES) -> None:
        started = self.tell(ev.SpeechStarted())
        number = next(c.number for c in started if isinstance(c, ev.OpenUtterance))
        assert self.tell(ev.SpeechPaused(), after=0.3) == [ev.GuessUtterance(number)]
        assert self.tell(ev.SpeechEnded(voiced_ms), after=0.3) == [ev.FinishUtterance(number)]
        self.tell(ev.Recognised(number, result, speech, expected), after=0.1)  # type: ignore[arg-type]

    @property
    def floor(self) -> Floor:
        return self.machine.floor


def test_an_answer_after_the_prompt_is_delivered() -> None:
    talk = Conversation().bot_is_done()
    talk.caller_says(900, speech=True, expected=True)
    assert talk.did == [ev.Deliver(YES)]
    assert talk.floor is Floor.IDLE


def test_words_over_a_prompt_hold_it_at_once_and_stop_it_when_understood() -> None:
    talk = Conversation().bot_speaks()
    assert ev.HoldPrompts() in talk.tell(ev.SpeechStarted())
    talk.tell(ev.SpeechEnded(900), after=1)
    assert talk.tell(ev.Recognised(1, YES, speech=True, expected=True)) == [
        ev.StopPrompts("speech"),
        ev.Deliver(YES),
    ]


@pytest.mark.parametrize(("speech", "voiced_ms"), [(False, 900), (True, 180), (False, 100)])
def test_a_cough_lets_the_prompt_go_on(speech: bool, voiced_ms: int) -> None:
    talk = Conversation().bot_speaks()
    talk.caller_says(voiced_ms, speech=speech, expected=False)
    assert talk.did == [ev.ResumePrompts()]
    assert talk.floor is Floor.BOT


def test_a_quick_no_stops_the_prompt_though_it_is_as_short_as_a_cough() -> None:
    talk = Conversation().bot_speaks()
    talk.caller_says(180, speech=True, expected=True)
    assert ev.StopPrompts("speech") in talk.did


def test_a_prompt_without_bargein_hears_neither_speech_nor_keys() -> None:
    talk = Conversation().bot_speaks(bargein=False)
    assert talk.tell(ev.SpeechStarted()) == []
    assert talk.tell(ev.KeyPressed("1")) == []
    assert talk.floor is Floor.BOT


def test_somebody_outside_takes_the_floor_from_whoever_has_it_and_gives_it_to_a_new_turn() -> None:
    talk = Conversation().bot_speaks()
    assert talk.tell(ev.Intervened()) == [ev.StopPrompts("supervisor")]
    assert (talk.floor, talk.machine.deadline) == (Floor.IDLE, None), "nobody counts as silent meanwhile"
    talk.tell(ev.TurnBegan(listen(), prompts=0))
    talk.tell(ev.SpeechStarted())
    assert talk.tell(ev.Intervened()) == [ev.DropUtterance(2)]
    talk.tell(ev.TurnBegan(listen(), prompts=0))
    assert talk.tell(ev.Recognised(2, YES, True, True)) == [], "what was being recognised counts no more"
    assert talk.floor is Floor.OPEN


def test_the_last_words_cannot_be_interrupted_and_then_the_call_may_end() -> None:
    machine = TurnMachine()
    machine.handle(ev.TurnBegan(None, prompts=1), 0.0)
    machine.handle(ev.PromptBegan(True), 0.0)
    assert machine.handle(ev.SpeechStarted(), 1.0) == []
    assert machine.handle(ev.PromptsDone(), 2.0) == [ev.Finished()]
    assert machine.floor is Floor.CLOSED


def test_silence_is_delivered_after_the_noinput_time_and_not_before() -> None:
    talk = Conversation(noinput_ms=5000).bot_is_done()
    assert talk.tell(ev.TimeUp(), after=4.9) == []
    assert talk.tell(ev.TimeUp(), after=0.2) == [ev.Deliver(Silence())]


def test_noise_is_forgiven_a_few_times_then_it_is_an_answer_not_understood() -> None:
    talk = Conversation().bot_is_done()
    for _ in range(NOISES_FORGIVEN):
        talk.caller_says(500, speech=False, expected=False)
        assert talk.did == [ev.ForgiveNoise()]
        assert talk.floor is Floor.OPEN
    talk.caller_says(500, speech=False, expected=False)
    assert talk.did == [ev.Deliver(YES)]


def test_speech_that_nobody_understood_is_an_answer_but_a_short_uh_is_none() -> None:
    talk = Conversation().bot_is_done()
    talk.caller_says(160, speech=True, expected=False)
    assert talk.did == [ev.ForgiveNoise()]
    talk.caller_says(560, speech=True, expected=False)
    assert talk.did == [ev.Deliver(YES)]


def test_a_menu_key_is_an_answer_at_once_even_over_the_prompt() -> None:
    talk = Conversation(dtmf=DtmfExpectation(keys="12")).bot_speaks()
    assert talk.tell(ev.KeyPressed("2")) == [ev.StopPrompts("dtmf"), ev.Deliver(Keys("2"))]


def test_digits_end_at_full_length_at_the_terminator_or_after_the_interdigit_time() -> None:
    pin = DtmfExpectation(keys="*", min_digits=4, max_digits=4, interdigit_ms=3000)
    full = Conversation(dtmf=pin).bot_is_done()
    for digit in "427":
        assert full.tell(ev.KeyPressed(digit)) == []
    assert full.tell(ev.KeyPressed("1")) == [ev.Deliver(Keys("4271"))]

    ended = Conversation(dtmf=pin).bot_is_done()
    ended.tell(ev.KeyPressed("4"))
    assert ended.tell(ev.KeyPressed("#")) == [ev.Deliver(Keys("4"))]

    late = Conversation(dtmf=pin).bot_is_done()
    late.tell(ev.KeyPressed("4"))
    assert late.tell(ev.TimeUp(), after=2.9) == []
    assert late.tell(ev.TimeUp(), after=0.2) == [ev.Deliver(Keys("4"))]

    command = Conversation(dtmf=pin).bot_is_done()
    assert command.tell(ev.KeyPressed("*")) == [ev.Deliver(Keys("*"))]


@pytest.mark.parametrize("digits", ["4271", "42"])
def test_a_terminator_after_the_last_digit_is_no_answer_to_the_next_question(digits: str) -> None:
    pin = DtmfExpectation(keys="*", min_digits=2, max_digits=4)
    talk = Conversation(dtmf=pin).bot_is_done()
    for digit in digits:
        talk.tell(ev.KeyPressed(digit))
    talk.tell(ev.TimeUp(), after=3.1 if digits == "42" else 0)
    assert talk.machine.floor is Floor.IDLE

    def asks(keys: str, after: float) -> list[ev.Command]:
        talk.tell(ev.TurnBegan(listen(dtmf=DtmfExpectation(keys=keys)), prompts=1))
        talk.tell(ev.PromptBegan(True))
        return talk.tell(ev.KeyPressed("#"), after=after)

    assert asks("12", after=1.0) == []
    assert talk.machine.floor is Floor.BOT
    assert talk.tell(ev.KeyPressed("#")) == [ev.StopPrompts("dtmf")], "only one is forgiven"
    assert talk.tell(ev.TimeUp(), after=3.1) == [ev.Deliver(Keys("#"))]


def test_a_terminator_that_is_late_or_an_answer_counts() -> None:
    for keys, after in (("12", 3.1), ("#", 1.0)):
        talk = Conversation(dtmf=DtmfExpectation(min_digits=1, max_digits=2)).bot_is_done()
        talk.tell(ev.KeyPressed("1"))
        talk.tell(ev.KeyPressed("2"))
        talk.tell(ev.TurnBegan(listen(dtmf=DtmfExpectation(keys=keys)), prompts=1))
        assert talk.tell(ev.KeyPressed("#"), after=after)[0] == ev.StopPrompts("dtmf")


def test_a_key_wins_over_speech_that_is_being_recognised() -> None:
    talk = Conversation(dtmf=DtmfExpectation(keys="1")).bot_is_done()
    talk.tell(ev.SpeechStarted())
    talk.tell(ev.SpeechEnded(500))
    assert talk.tell(ev.KeyPressed("1")) == [ev.DropUtterance(1), ev.Deliver(Keys("1"))]
    talk.tell(ev.TurnBegan(listen(), prompts=1))
    assert talk.tell(ev.Recognised(1, YES, speech=True, expected=True)) == []


def test_keys_that_nothing_awaits_are_one_input() -> None:
    talk = Conversation(dtmf=DtmfExpectation(keys="*0", interdigit_ms=1500)).bot_speaks()
    assert talk.tell(ev.KeyPressed("5")) == [ev.StopPrompts("dtmf")]
    for key in "550123#*0":
        assert talk.tell(ev.KeyPressed(key), after=0.2) == []
    assert talk.tell(ev.TimeUp(), after=1.4) == []
    assert talk.tell(ev.TimeUp(), after=0.2) == [ev.Deliver(Keys("5550123#*0"))]


def test_whoever_leans_on_the_keypad_is_told_so_in_the_end() -> None:
    talk = Conversation().bot_is_done()
    delivered = [c for _ in range(MOST_UNAWAITED) for c in talk.tell(ev.KeyPressed("5"), after=0.1)]
    assert delivered == [ev.Deliver(Keys("5" * MOST_UNAWAITED))]


def test_words_win_over_keys_that_nothing_awaits_whichever_come_first() -> None:
    for story in ("key first", "key while speaking", "key while weighing"):
        talk = Conversation().bot_is_done()
        if story == "key first":
            talk.tell(ev.KeyPressed("5"))
        number = next(c.number for c in talk.tell(ev.SpeechStarted()) if isinstance(c, ev.OpenUtterance))
        if story == "key while speaking":
            assert talk.tell(ev.KeyPressed("5")) == []
        talk.tell(ev.SpeechEnded(900))
        if story == "key while weighing":
            assert talk.tell(ev.KeyPressed("5")) == []
        assert talk.tell(ev.Recognised(number, YES, True, True)) == [ev.Deliver(YES)], story


def test_keys_whose_own_tones_were_taken_for_a_voice_still_count() -> None:
    talk = Conversation().bot_is_done()
    talk.tell(ev.KeyPressed("5"))
    talk.tell(ev.SpeechStarted())
    talk.tell(ev.KeyPressed("6"))
    talk.tell(ev.SpeechEnded(400))
    assert talk.tell(ev.Recognised(1, YES, speech=False, expected=False)) == [ev.Deliver(Keys("56"))]

    over = Conversation().bot_speaks()
    over.tell(ev.SpeechStarted())
    assert over.tell(ev.KeyPressed("5")) == [], "the prompt is held already"
    over.tell(ev.SpeechEnded(400))
    nothing = ev.Recognised(1, YES, speech=False, expected=False)
    assert over.tell(nothing) == [ev.StopPrompts("dtmf"), ev.Deliver(Keys("5"))]


def test_speech_while_digits_are_awaited_is_the_tones_of_the_keys() -> None:
    talk = Conversation(dtmf=DtmfExpectation(min_digits=4, max_digits=4)).bot_is_done()
    talk.tell(ev.KeyPressed("4"))
    assert talk.tell(ev.SpeechStarted()) == []
    assert talk.floor is Floor.KEYING


def test_a_lost_result_is_our_fault_and_never_hangs_the_call() -> None:
    talk = Conversation().bot_is_done()
    talk.tell(ev.SpeechStarted())
    talk.tell(ev.SpeechEnded(500))
    did = talk.tell(ev.TimeUp(), after=RECOGNITION_LIMIT_S + 0.01)
    assert isinstance(did[-1], ev.Deliver)
    assert isinstance(did[-1].input, Unheard)


def _any_event() -> st.SearchStrategy[ev.Event]:
    return st.one_of(
        st.builds(
            ev.TurnBegan,
            st.sampled_from([None, listen(), listen(dtmf=DtmfExpectation("12*", 2, 4))]),
            st.integers(0, 2),
        ),
        st.builds(ev.PromptBegan, st.booleans()),
        st.sampled_from([ev.PromptsDone(), ev.SpeechStarted(), ev.SpeechPaused(), ev.TimeUp()]),
        st.builds(ev.SpeechEnded, st.integers(0, 2000)),
        st.builds(ev.KeyPressed, st.sampled_from("0123456789*#")),
        st.builds(ev.Recognised, st.integers(0, 3), st.just(YES), st.booleans(), st.booleans()),
    )


@given(st.lists(st.tuples(_any_event(), st.floats(0, 10)), max_size=60))
def test_whatever_happens_only_moves_of_the_table_are_made_and_time_always_leads_on(
    story: list[tuple[ev.Event, float]],
) -> None:
    machine = TurnMachine()
    now = 0.0
    for event, pause in story:
        now += pause
        before = machine.floor
        row = TRANSITIONS.get((before, type(event)))
        did = machine.handle(event, now)
        if machine.floor is not before:
            assert row is not None
            assert machine.floor in row[1]
        assert sum(isinstance(c, ev.Deliver) for c in did) <= 1
        if machine.floor in (Floor.BOT, Floor.OPEN, Floor.KEYING, Floor.WEIGHING, Floor.HELD_WEIGHING):
            assert machine.deadline is not None


def test_the_diagram_in_the_docs_is_made_from_the_table() -> None:
    docs = Path(__file__).parents[3] / "docs" / "turn-taking.md"
    assert diagram() in docs.read_text()
