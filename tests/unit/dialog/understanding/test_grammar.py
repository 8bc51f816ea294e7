"""Unit: what callers say, as recognisers write it down, and what it means."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicebot.dialog.language.languages import lexicon_of
from voicebot.dialog.model.slots import Slot
from voicebot.dialog.understanding.grammar import Grammar
from voicebot.speech.stt import Transcript

pytestmark = pytest.mark.unit

EN = {n: p for n, p in lexicon_of("en-US").commands.items() if n != "skip"}  # only for optional questions
KO = lexicon_of("ko-KR").commands

YES_NO = Grammar("yes_no", commands=EN)
CHANGES = Grammar(
    {
        "confirm": ("confirm", "keep it", "i will be there"),
        "move": ("move it", "reschedule", "change", "another day", "move my appointment"),
        "cancel": ("cancel", "call it off", "cancel my appointment"),
    },
    commands=EN,
    keys={"1": "confirm", "0": "agent"},
)
FOUR_DIGITS = Grammar(Slot(type="digits", length=4), commands=EN)
NUMBER = Grammar(Slot(type="number", between=(1, 100)), commands=EN)
WEEKDAY = Grammar("weekday", commands=EN)
NAME = Grammar("name", commands=EN)
KO_YES_NO = Grammar("yes_no", "ko-KR", commands=KO)
KO_MENU = Grammar({"예약": (), "환불": (), "안내": ()}, "ko-KR", commands=KO)
KO_DIGITS = Grammar(Slot(type="digits", length=4), "ko-KR", commands=KO)


def assert_means(grammar: Grammar, text: str, meaning: str | None) -> None:
    match = grammar.match(text)
    assert (match.meaning if match else None) == meaning, f"{text!r} gave {match}"


@pytest.mark.parametrize(
    "text",
    [
        "Yes.", "yes please go ahead", "Yeah, sure.", "I'll be there.", "Okay.", "Of course I will.",
        "that's right",
        "I think so", "uh yes I will be there on time", "Why not?", "No problem.", "Yes, yes, yes.",
        "I\u2019m coming.",
        "Yes, that's fine with me.", "I confirm my appointment",
    ],
)  # fmt: skip
def test_yes(text: str) -> None:
    assert_means(YES_NO, text, "yes")
    match = YES_NO.match(text)
    assert match is not None and match.value is True


@pytest.mark.parametrize(
    "text",
    [
        "No.", "no not today", "No, not today.", "I can't make it.", "I'm afraid I can't come.",
        "Not really.",
        "I don't think so.", "I won't be able to make it.", "that's not right", "not okay",
        "That is not correct.",
        "That's incorrect.", "I don't think that's right", "no no no", "Unfortunately not.",
    ],
)  # fmt: skip
def test_no(text: str) -> None:
    assert_means(YES_NO, text, "no")


@pytest.mark.parametrize(
    "text",
    [
        "I am not sure.", "Maybe.", "I don't know.", "What time is it?", "The weather is nice today.",
        "you",
        "It's raining outside.", "Is it okay if my brother comes along?", "Yes or no?", "yes no", "", "...",
        "Thank you for watching.", "I am Sara.", "Good morning.", "it is on my list",
    ],
)  # fmt: skip
def test_neither_yes_nor_no(text: str) -> None:
    assert_means(YES_NO, text, None)


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("I'd like to cancel it please.", "cancel"),
        ("Can we move it to another day?", "move"),
        ("I need to change the appointment", "move"),
        ("I'd like to change my appointment", "move"),
        ("Please keep it.", "confirm"),
        ("conform", "confirm"),
        ("Don't cancel it.", None),
        ("I don't want to cancel, I want to move it.", "move"),
        ("cancel, no wait, move it", "move"),
        ("cancel or move it", None),
        ("cancer", None),
        ("What's the weather like?", None),
    ],
)
def test_choices(text: str, meaning: str | None) -> None:
    assert_means(CHANGES, text, meaning)


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("Could you repeat that?", "repeat"),
        ("Sorry, what did you say?", "repeat"),
        ("I want to talk to a person.", "agent"),
        ("No, I want to speak to someone", "agent"),
        ("I don't understand.", "help"),
    ],
)
def test_commands_are_heard_beside_any_answer(text: str, meaning: str) -> None:
    for grammar in (YES_NO, CHANGES, FOUR_DIGITS):
        match = grammar.match(text)
        assert match is not None and (match.meaning, match.command) == (meaning, True)


def test_a_choice_with_the_words_of_a_command_wins() -> None:
    grammar = Grammar({"person": ("a person", "an agent")}, commands=EN)
    match = grammar.match("an agent please")
    assert match is not None and match.meaning == "person" and not match.command


@pytest.mark.parametrize(
    ("text", "digits"),
    [
        ("four two seven one", "4271"), ("It's 4 2 7 1", "4271"), ("4271.", "4271"), ("4-2-7-1", "4271"),
        ("4,271", "4271"), ("42.71", "4271"), ("double two seven one", "2271"), ("triple one two", "1112"),
        ("forty two seventy one", "4271"), ("oh four two one", "0421"), ("four to seven one", "4271"),
        ("four two no sorry four three seven one", "4371"),
        ("Four thousand two hundred seventy one", "4271"),
        ("four two seven", None), ("four two seven one nine", None), ("I have no idea", None),
    ],
)  # fmt: skip
def test_digits(text: str, digits: str | None) -> None:
    assert_means(FOUR_DIGITS, text, digits)


def test_the_check_digit_must_be_right() -> None:
    card = Grammar(Slot(type="digits", length=16, check="luhn"))
    assert_means(card, "4111 1111 1111 1111", "4111111111111111")
    assert_means(card, "4111 1111 1111 1112", None)
    assert card.match_keys("4111111111111112") is None


@pytest.mark.parametrize(
    ("text", "number"),
    [("twenty five", "25"), ("a hundred", "100"), ("17", "17"), ("five hundred", None), ("2 or 3", None)],
)
def test_numbers(text: str, number: str | None) -> None:
    assert_means(NUMBER, text, number)


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("Thursday.", "thursday"), ("next wensday would be good", "wednesday"),
        ("not monday, tuesday", "tuesday"),
        ("Tuesday, I mean Thursday", "thursday"), ("Tuesday or Thursday", None), ("someday", None),
    ],
)  # fmt: skip
def test_weekdays(text: str, day: str | None) -> None:
    assert_means(WEEKDAY, text, day)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("My name is Sara Miller.", "Sara Miller"),
        ("Uh, this is Peter speaking", "Peter"),
        ("It's under the name of Morgan Lee", "Morgan Lee"),
        ("agent", "agent"),
        ("", None),
    ],
)
def test_names(text: str, name: str | None) -> None:
    assert_means(NAME, text, name)


@pytest.mark.parametrize(
    "text",
    [
        "I do not know",
        "I don't know.",
        "Um, I don't really know",
        "I'm not sure",
        "no idea, sorry",
        "I'd rather not say",
        "I forgot",
        "nobody",
        "Maybe.",
    ],
)
def test_whoever_does_not_know_has_not_told_a_name(text: str) -> None:
    assert_means(NAME, text, None)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("모르겠어요", None),
        ("저는 잘 모르겠습니다", None),
        ("음 몰라요", None),
        ("말하고 싶지 않아요", None),
        ("제 이름은 김민수", "김민수"),
        ("박지영", "박지영"),
    ],
)
def test_korean_names(text: str, name: str | None) -> None:
    assert_means(Grammar("name", "ko-KR"), text, name)


@pytest.mark.parametrize(
    ("said", "written"),
    [
        ("the fourth of march", "The 4th of March."),
        ("ten thirty", "10:30"),
        ("nine a m", "9am"),
        ("two fifteen", "2.15"),
    ],
)
def test_figures_are_the_words_that_they_stand_for(said: str, written: str) -> None:
    assert_means(Grammar({"it": (said,), "other": ("something else",)}), written, "it")


@pytest.mark.parametrize(
    ("grammar", "text", "meaning"),
    [
        (KO_YES_NO, "네 맞아요", "yes"), (KO_YES_NO, "아니 요", "no"),
        (KO_YES_NO, "안 돼요", "no"),
        (KO_YES_NO, "글쎄요", None), (KO_YES_NO, "예약", None),
        (KO_YES_NO, "상담 원 연결 해 주세요", "agent"),
        (KO_MENU, "예약 하고 싶어요", "예약"), (KO_MENU, "안내요", "안내"),
        (KO_MENU, "예약 말고 환불", "환불"),
        (KO_MENU, "영업시간", None), (KO_DIGITS, "사 이 칠 일", "4271"), (KO_DIGITS, "공일공일", "0101"),
    ],
)  # fmt: skip
def test_korean(grammar: Grammar, text: str, meaning: str | None) -> None:
    assert_means(grammar, text, meaning)


def test_doubt_of_the_recogniser_rejects() -> None:
    assert YES_NO.match("yes", 0.1) is None
    assert YES_NO.match("yes", 0.4) is not None
    assert CHANGES.match("can we move the thing", 0.4) is None
    assert YES_NO.match_transcript(Transcript("yes", no_speech=True)) is None


def test_the_alternatives_of_a_recogniser_count() -> None:
    match = FOUR_DIGITS.match_transcript(Transcript("for two", alternatives=("four two seven one",)))
    assert match is not None and match.meaning == "4271"


def test_keys() -> None:
    assert CHANGES.dtmf().keys == "01"
    agent = CHANGES.match_keys("0")
    assert agent is not None and agent.command
    assert CHANGES.match_keys("7") is None
    digits = FOUR_DIGITS.dtmf()
    assert (digits.keys, digits.min_digits, digits.max_digits) == ("", 4, 4)
    keyed = FOUR_DIGITS.match_keys("0042")
    assert keyed is not None and keyed.value == "0042"
    yes = YES_NO.match_keys("1")
    assert yes is not None and yes.value is True


def test_what_a_recogniser_is_told() -> None:
    expectation = FOUR_DIGITS.expectation("Which digits?")
    assert expectation.prompt == "Which digits?" and not expectation.open
    assert "seven" in expectation.words and "repeat" in expectation.phrases
    assert expectation.jsgf.startswith("#JSGF V1.0") and "<digit> <digit> <digit> <digit>" in expectation.jsgf
    assert YES_NO.expectation().phrases[:2] == ("yes", "no")  # no meaning is favoured by those who use a few
    assert NAME.expectation().open and NAME.expectation().jsgf == ""


@given(st.text(max_size=300), st.none() | st.floats(allow_nan=True))
def test_no_text_is_too_strange(text: str, confidence: float | None) -> None:
    for grammar in (YES_NO, CHANGES, FOUR_DIGITS, NUMBER, NAME, KO_MENU, KO_DIGITS):
        match = grammar.match(text, confidence)
        assert match is None or 0 <= match.score <= 1
        grammar.match_keys(text)


def test_a_small_model_is_told_only_the_usual_phrases_but_all_are_understood() -> None:
    grammar = Grammar("yes_no", "ko-KR", commands={"repeat": ("한 번 더요", *KO["repeat"])})
    assert grammar.expectation().phrases == ("네", "아니요", "예", "아니오", "한 번 더요", "반복", "다시")
    assert_means(grammar, "그렇습니다", "yes")


@pytest.mark.parametrize("said", ["two", "press two", "Number 2, please.", "the button 2"])
def test_the_key_of_a_choice_may_be_said(said: str) -> None:
    slot = Slot.model_validate(
        {"type": "choice", "choices": {"sales": {"hear": ["sales"], "key": "1"}, "tours": {"key": "2"}}}
    )
    match = Grammar(slot, name="which").match(said)
    assert match is not None and match.value == "tours"
    assert Grammar(slot, name="which").match("the second one of two") is None


@pytest.mark.parametrize("asked", ["can I come", "will you be there?", "is that right", "are you sure"])
def test_a_question_of_the_caller_is_no_answer(asked: str) -> None:
    assert YES_NO.match(asked) is None
    assert_means(YES_NO, f"Yes. {asked}", "yes")


@pytest.mark.parametrize(
    "said", ["if I can I will", "yes I can I will be there", "do it", "that would be fine"]
)
def test_an_answer_with_the_words_of_a_question_is_one(said: str) -> None:
    assert_means(YES_NO, said, "yes")


def test_a_yes_or_no_with_more_to_it_may_be_a_choice_with_examples() -> None:
    grammar = Grammar(
        "yes_no",
        choices={"move": ("another day",), "cancel": ("cancel it",)},
        commands={"cancel": EN["cancel"]},
        examples={"move": ("could I come a bit later", "I am on holiday that week")},
    )
    for said in ("yes but a bit later", "can I come later that day", "no, could I come later"):
        assert_means(grammar, said, "move")
    assert_means(grammar, "yes, with my daughter", "yes")
    for said, choice in (("never mind", False), ("forget it", False), ("cancel that", True)):
        match = grammar.match(said)
        assert match is not None and (match.meaning, match.choice) == ("cancel", choice), said


DOCTORS = {"baker": ("doctor baker",), "garcia": ("doctor garcia",), "wilson": ("doctor wilson",)}


@pytest.mark.parametrize(
    ("said", "meaning"),
    [
        ("the second one", "garcia"),
        ("um, the first one please", "baker"),
        ("I'd like the last one", "wilson"),
        ("third", "wilson"),
        ("the 2nd option", "garcia"),
        ("one second", None),
        ("just a second please", None),
        ("the fourth one", None),
        ("the first or the second", None),
        ("on the second of March", None),
        ("not the first one", None),
    ],
)
def test_choices_are_counted_in_their_order(said: str, meaning: str | None) -> None:
    assert_means(Grammar(DOCTORS, commands=EN), said, meaning)


@pytest.mark.parametrize("said", ["두 번째요", "두번째 거요", "두 번째 걸로 할게요"])
def test_choices_are_counted_in_korean(said: str) -> None:
    grammar = Grammar({"a": ("커피",), "b": ("녹차",), "c": ("물",)}, "ko-KR", commands=KO)
    assert_means(grammar, said, "b")
    assert_means(grammar, "마지막 거", "c")


def test_a_phrase_with_an_ordinal_says_which_one_it_is() -> None:
    grammar = Grammar({"classes": ("the second class",), "first": ("first class",)})
    assert_means(grammar, "second class", "classes")
    assert Grammar("date").match("the second") is not None
