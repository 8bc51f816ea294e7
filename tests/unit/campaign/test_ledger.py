"""Unit: the ledger's chain shows every change."""

from __future__ import annotations

import json
from dataclasses import fields, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicebot.campaign.ledger import Chain, Entry, Telling, canonical, genesis, link, number_key

pytestmark = pytest.mark.unit

ENTRIES = 6


def chain_of(n: int = ENTRIES) -> list[Entry]:
    entries: list[Entry] = []
    previous = genesis("spring")
    for seq in range(1, n + 1):
        telling = Telling(1000 + seq, "claimed", {"number": f"+1202555{seq:04}"}, f"a{seq}", seq, "key", "r")
        entries.append(link(previous, seq, telling, f"salt{seq}"))
        previous = entries[-1].hash
    return entries


def problems(entries: list[Entry], campaign: str = "spring") -> list[str]:
    chain = Chain(campaign)
    return [problem for entry in entries for problem in chain.follow(entry)]


def test_a_whole_chain_is_sound() -> None:
    chain = Chain("spring")
    assert [chain.follow(entry) for entry in chain_of()] == [[]] * ENTRIES
    assert (chain.seq, chain.erased) == (ENTRIES, 0)


@given(st.integers(0, ENTRIES - 1), st.sampled_from([field.name for field in fields(Entry)]))
def test_a_change_of_any_field_is_seen(at: int, name: str) -> None:
    entries = chain_of()
    was = getattr(entries[at], name)
    other = was + 1 if isinstance(was, int) else was + "x"
    entries[at] = replace(entries[at], **{name: other})
    assert problems(entries)


@given(st.integers(0, ENTRIES - 2))
def test_a_missing_entry_and_two_in_another_order_are_seen(at: int) -> None:
    entries = chain_of()
    assert problems(entries[:at] + entries[at + 1 :])
    entries[at], entries[at + 1] = entries[at + 1], entries[at]
    assert problems(entries)


def test_a_chain_of_another_campaign_is_seen() -> None:
    assert problems(chain_of(), "autumn")


def test_an_erased_payload_leaves_the_chain_sound_and_is_counted() -> None:
    entries = chain_of()
    entries[2] = replace(entries[2], payload=None, salt=None)
    chain = Chain("spring")
    assert not [problem for entry in entries for problem in chain.follow(entry)]
    assert chain.erased == 1


def test_what_was_erased_cannot_be_guessed_from_the_digest() -> None:
    same = Telling(1, "claimed", {"number": "+12025550142"})
    assert link("", 1, same, "salt a").digest != link("", 1, same, "salt b").digest


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
)


@given(st.dictionaries(st.text(), JSON, max_size=4))
def test_there_is_one_text_of_a_value(value: dict[str, object]) -> None:
    text = canonical(value)
    assert json.loads(text) == value
    assert canonical(dict(reversed(value.items()))) == text


def test_a_number_key_depends_on_number_and_secret() -> None:
    keys = {
        number_key(secret, number) for secret in (b"a", b"b") for number in ("+12025550142", "+12025550143")
    }
    assert len(keys) == 4
