"""Category: unit. Keys of agents who transfer, and of callers who want to be called back."""

from __future__ import annotations

import pytest

from voicebot.acd.keys import (
    MOST_DIGITS,
    AgentKeys,
    CallBackKeys,
    Cancel,
    Complete,
    Swap,
    TransferTo,
    Wish,
    forms_of,
)

pytestmark = pytest.mark.unit


def wishes(keys: str, every_s: float = 0.3) -> list[Wish]:
    reader = AgentKeys()
    read = [reader.press(key, n * every_s) for n, key in enumerate(keys)]
    return [each for each in read if each is not None]


@pytest.mark.parametrize(
    ("keys", "wanted"),
    [
        ("*1742#", [TransferTo("blind", "742")]),
        ("*2742#", [TransferTo("attended", "742")]),
        ("*3", [Complete()]),
        ("*4", [Cancel()]),
        ("*5*5", [Swap(), Swap()]),
        ("5*3", [Complete()]),
        ("**3", [Complete()]),
        ("*9*3", [Complete()]),
        ("*1#", []),
        ("123#", []),
        ("*1" + "7" * MOST_DIGITS + "#", [TransferTo("blind", "7" * MOST_DIGITS)]),
        ("*1" + "7" * (MOST_DIGITS + 1) + "#", []),
    ],
)
def test_wishes(keys: str, wanted: list[Wish]) -> None:
    assert wishes(keys) == wanted


def test_keys_that_come_too_late_begin_anew() -> None:
    assert wishes("*3", every_s=6) == []
    reader = AgentKeys()
    assert [reader.press(key, at) for key, at in (("*", 100), ("1", 104), ("7", 108), ("#", 112))][-1] == (
        TransferTo("blind", "7")
    )
    assert [reader.press(key, at) for key, at in (("*", 200), ("1", 204), ("7", 208), ("#", 214))][-1] is None


def test_a_number_is_confirmed_changed_or_refused() -> None:
    keys = CallBackKeys("+12025550142")
    assert keys.press("#") == "confirmed"
    assert [keys.press(key) for key in "030#"] == [None, None, None, "changed"]
    assert keys.number == "030"
    assert keys.press("#") == "confirmed"
    assert keys.press("*") == "refused"
    assert CallBackKeys("").press("#") is None
    assert [CallBackKeys("").press(key) for key in "1#"] == [None, None]


@pytest.mark.parametrize(
    ("number", "forms"),
    [
        ("+12025550142", ("+12025550142",)),
        ("12025550142", ("12025550142", "+12025550142")),
        ("00493023125", ("+493023125", "00493023125")),
        ("anonymous", ()),
        ("", ()),
    ],
)
def test_numbers_may_be_meant_as_international_ones(number: str, forms: tuple[str, ...]) -> None:
    assert forms_of(number) == forms
