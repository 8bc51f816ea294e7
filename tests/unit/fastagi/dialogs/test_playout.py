"""Unit: what a call over AGI plays, and what of it counts as heard."""

from __future__ import annotations

import numpy as np
import pytest

from voicebot.fastagi.dialogs.playout import SAMPLE_RATE, FilePlayout, Piece

pytestmark = pytest.mark.unit


class Told:
    """Who is told."""

    def __init__(self) -> None:
        self.changes = 0
        self.news: list[tuple[str, int]] = []
        self.playout = FilePlayout(
            self._change,
            lambda id_: self.news.append(("began", id_)),
            lambda id_: self.news.append(("ended", id_)),
        )

    def _change(self) -> None:
        self.changes += 1

    def next(self) -> Piece:
        piece = self.playout.next_piece()
        assert piece is not None
        return piece


def seconds(length: float, value: int = 1) -> np.ndarray:
    return np.full(round(length * SAMPLE_RATE), value, dtype=np.int16)


@pytest.fixture
def told() -> Told:
    return Told()


def test_prompts_follow_each_other_and_are_told_of(told: Told) -> None:
    playout = told.playout
    for number in (1, 2):
        playout.add(number, seconds(1, number))
        playout.close(number)
    first = told.next()
    assert (first.prompt_id, first.offset, len(first.samples)) == (1, 0, SAMPLE_RATE)
    playout.played(first, len(first.samples))
    second = told.next()
    playout.played(second, len(second.samples))
    assert playout.next_piece() is None
    assert told.news == [("began", 1), ("ended", 1), ("began", 2), ("ended", 2)]
    assert (playout.heard_ms(1), playout.heard_ms(2)) == (1000, 1000)


def test_a_held_prompt_goes_on_a_little_before_where_it_was_held(told: Told) -> None:
    playout = told.playout
    playout.add(1, seconds(3))
    playout.close(1)
    piece = told.next()
    playout.hold()
    assert not playout.wants(piece) and playout.next_piece() is None
    playout.played(piece, 2 * SAMPLE_RATE)
    playout.resume(back_ms=500)
    again = told.next()
    assert again.offset == round(1.5 * SAMPLE_RATE)
    assert len(again.samples) == len(piece.samples), "it is the same file"
    assert playout.heard_ms(1) == 2000, "going back does not unhear"
    assert told.news == [("began", 1)]


def test_what_was_cleared_is_not_played_and_counts_as_far_as_it_was_heard(told: Told) -> None:
    playout = told.playout
    playout.add(1, seconds(2))
    playout.close(1)
    playout.add(2, seconds(1))
    piece = told.next()
    playout.clear()
    assert not playout.wants(piece) and playout.next_piece() is None
    playout.played(piece, SAMPLE_RATE)  # the line finds out how far it was only when it has stopped
    assert (playout.heard_ms(1), playout.heard_ms(2)) == (1000, 0)
    assert not playout.add(2, seconds(1)) and playout.late == 1
    assert ("ended", 1) not in told.news


def test_speech_that_is_still_being_made_plays_as_it_comes(told: Told) -> None:
    playout = told.playout
    playout.add(1, seconds(1, 1))
    first = told.next()
    playout.played(first, len(first.samples))
    assert playout.next_piece() is None and playout.underruns == 1
    playout.add(1, seconds(1, 2))
    playout.close(1)
    rest = told.next()
    assert rest.samples[rest.offset] == 2
    playout.played(rest, len(rest.samples))
    assert told.news == [("began", 1), ("ended", 1)]
    assert playout.heard_ms(1) == 2000


def test_a_prompt_without_a_sound_begins_and_ends(told: Told) -> None:
    told.playout.close(7)
    assert told.playout.next_piece() is None
    assert told.news == [("began", 7), ("ended", 7)]


def test_who_is_told_of_the_beginning_may_clear_everything(told: Told) -> None:
    def clear(_id: int) -> None:
        playout.clear()

    playout = FilePlayout(lambda: None, clear, lambda id_: None)
    playout.add(1, seconds(1))
    assert playout.next_piece() is None


def test_those_who_listen_in_hear_what_is_played(told: Told) -> None:
    playout = told.playout
    playout.add(1, seconds(0.05, 9))
    playout.close(1)
    piece = told.next()
    assert playout.next_frame() is None
    playout.sound(piece, 0)
    frames = [playout.next_frame() or b"" for _ in range(4)]
    assert [np.frombuffer(frame, "<i2").sum() for frame in frames] == [160 * 9, 160 * 9, 80 * 9, 0]
    playout.sound(None, 0)
    assert playout.next_frame() is None
