"""Unit tests: how pages write times, and that what people say never becomes markup."""

from __future__ import annotations

import pytest

from voicebot.web.pages.rendering import clock, latency, pace, render_open

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("ms", "written"), [(None, "0:00"), (0, "0:00"), (65_900, "1:05"), (3_725_000, "1:02:05")]
)
def test_durations_are_written_as_on_a_clock(ms: int | None, written: str) -> None:
    assert clock(ms) == written


@pytest.mark.parametrize(
    ("ms", "written", "how"),
    [
        (None, "", ""),
        (640, "640 ms", ""),
        (1499, "1.5 s", ""),
        (1500, "1.5 s", "slow"),
        (3000, "3.0 s", "slower"),
    ],
)
def test_replies_are_written_with_their_pace(ms: int | None, written: str, how: str) -> None:
    assert (latency(ms), pace(ms)) == (written, how)


def test_what_somebody_typed_is_no_markup() -> None:
    page = render_open("login.html", problem="", ended=False, name='"><script>alert(1)</script>', next='/"x')
    text = bytes(page.body).decode()
    assert "<script>alert" not in text
    assert "&lt;script&gt;alert" in text
    assert 'value="/&#34;x"' in text
