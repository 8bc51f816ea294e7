"""Unit: the playout queue, frame by frame."""

from __future__ import annotations

from itertools import chain

import numpy as np
import pytest

from voicebot.audio.frames import to_samples
from voicebot.audio.playout import HeardPrompt, Playout, PromptFinished, PromptStarted

pytestmark = pytest.mark.unit

RATE = 8000
FRAME = 160


def ramp(frames: float, first: int = 1) -> np.ndarray:
    """Samples that name their own position."""
    return np.arange(first, first + int(frames * FRAME), dtype=np.int16)


def played(playout: Playout, frames: int) -> list[list[int] | None]:
    taken = [playout.next_frame() for _ in range(frames)]
    return [None if frame is None else to_samples(frame).tolist() for frame in taken]


def events(playout: Playout) -> list:
    seen, playout.events = playout.events, []
    return seen


def test_prompts_play_in_order_and_report_their_first_and_last_packet() -> None:
    playout = Playout(RATE)
    playout.add(1, ramp(2))
    playout.add(2, ramp(1, 1000))
    playout.close(1)
    playout.close(2)
    assert played(playout, 1) == [ramp(1).tolist()]
    assert events(playout) == [PromptStarted(1)]
    assert played(playout, 1) == [ramp(1, 161).tolist()]
    assert events(playout) == [PromptFinished(1)]
    assert played(playout, 2) == [ramp(1, 1000).tolist(), None]
    assert events(playout) == [PromptStarted(2), PromptFinished(2)]


def test_chunks_of_any_length_join_without_a_seam_and_the_end_is_padded() -> None:
    playout = Playout(RATE)
    whole = ramp(2.5)
    for start in range(0, len(whole), 37):
        playout.add(1, whole[start : start + 37])
    playout.close(1)
    frames = played(playout, 3)
    assert list(chain(*frames))[: len(whole)] == whole.tolist()
    assert frames[2][80:] == [0] * 80
    assert playout.heard_ms(1) == 50


def test_an_open_prompt_that_runs_dry_waits_and_counts_it() -> None:
    playout = Playout(RATE)
    playout.add(1, ramp(1.5))
    assert played(playout, 3) == [ramp(1).tolist(), None, None]
    assert playout.underruns == 2
    playout.add(1, ramp(1, 241))
    assert played(playout, 1) == [ramp(1, 161).tolist()]
    assert events(playout) == [PromptStarted(1)]


def test_waiting_for_the_first_samples_is_no_underrun() -> None:
    playout = Playout(RATE)
    playout.add(1, ramp(0.5))
    assert played(playout, 2) == [None, None]
    assert playout.underruns == 0


def test_clear_fades_out_reports_what_was_heard_and_drops_what_comes_late() -> None:
    playout = Playout(RATE)
    loud = np.full(10 * FRAME, 1000, dtype=np.int16)
    playout.add(1, loud)
    playout.add(2, loud)
    played(playout, 3)
    assert playout.clear(through=3) == (HeardPrompt(1, 60), HeardPrompt(2, 0))
    tail, after = played(playout, 2)
    assert tail[:40] == sorted(tail[:40], reverse=True)
    assert not any(tail[40:])
    assert after is None
    assert [playout.add(number, loud) for number in (1, 2, 3, 4)] == [False, False, False, True]
    assert playout.late == 3
    assert playout.heard_ms(1) == 60
    assert events(playout) == [PromptStarted(1)]


def test_a_held_prompt_resumes_a_little_earlier_and_that_is_not_heard_twice() -> None:
    playout = Playout(RATE)
    playout.add(1, ramp(10))
    played(playout, 5)
    playout.hold()
    assert played(playout, 3)[1:] == [None, None]
    assert playout.underruns == 0
    playout.resume(back_ms=40)
    frame = played(playout, 1)[0]
    assert frame[40:] == ramp(1, 1 + 3 * FRAME).tolist()[40:]  # its first 5 ms fade in
    assert frame[0] == 0
    assert playout.heard_ms(1) == 100
    played(playout, 3)
    assert playout.heard_ms(1) == 140


def test_resume_goes_back_across_chunks_but_not_before_the_beginning() -> None:
    playout = Playout(RATE)
    for frame in range(4):
        playout.add(1, ramp(1, 1 + frame * FRAME))
    played(playout, 3)
    playout.hold()
    playout.resume(back_ms=5000)
    assert played(playout, 2)[1] == ramp(1, 161).tolist()


def test_a_prompt_without_samples_starts_and_finishes() -> None:
    playout = Playout(RATE)
    playout.close(7)
    played(playout, 1)
    assert events(playout) == [PromptStarted(7), PromptFinished(7)]


def test_samples_after_the_end_are_late() -> None:
    playout = Playout(RATE)
    playout.add(1, ramp(1))
    playout.close(1)
    assert playout.add(1, ramp(1)) is False
    played(playout, 1)
    assert playout.add(1, ramp(1)) is False
    assert playout.late == 2
