"""Unit: token buckets hold a rate, and no more than half a second's calls."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicebot.store.limits import BURST_S, Bucket, filled

pytestmark = pytest.mark.unit


@given(st.floats(0.1, 200), st.lists(st.integers(0, 2000), min_size=5, max_size=60))
def test_no_more_than_the_rate_is_ever_let_through(rate: float, gaps_ms: list[int]) -> None:
    bucket = Bucket("b", 1.0, 0, rate)
    now = begun = 0
    for gap in gaps_ms:
        now += gap
        bucket = filled("b", bucket.tokens, bucket.at, now, rate)
        calls = int(bucket.tokens + 1e-6)
        begun += calls
        bucket = Bucket("b", bucket.tokens - calls, now, rate)
        assert begun <= max(1, rate * BURST_S) + now / 1000 * rate + 0.001


def test_a_clock_that_goes_back_a_little_fills_nothing_and_loses_nothing() -> None:
    bucket = filled("b", 0.5, 10_000, 9_000, 10.0)
    assert (bucket.tokens, bucket.at) == (0.5, 10_000)


def test_the_wait_is_until_a_whole_call_is_there() -> None:
    assert filled("b", 0.0, 0, 50, 10.0).wait_s == pytest.approx(0.05)
    assert filled("b", 0.0, 0, 100, 10.0).wait_s == 0
