"""Unit: frames between the gateway and its speech workers survive any cutting of the stream."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicebot.engines.wire import MAX_FRAME_BYTES, Decoder, Frame, Kind, WireError

pytestmark = pytest.mark.unit

FRAMES = st.lists(
    st.builds(
        Frame,
        st.sampled_from(Kind),
        st.integers(0, 2**32 - 1),
        st.dictionaries(st.text(), st.text() | st.integers() | st.booleans(), max_size=3),
        st.binary(max_size=50),
    ),
    max_size=5,
)


@given(FRAMES, st.lists(st.integers(1, 40), min_size=1))
def test_frames_survive_any_cutting(frames: list[Frame], cuts: list[int]) -> None:
    stream = b"".join(frame.encode() for frame in frames)
    decoder, found, at = Decoder(), [], 0
    while at < len(stream):
        size = cuts[at % len(cuts)]
        found += decoder.feed(stream[at : at + size])
        at += size
    assert found == frames


def test_nonsense_is_refused_before_it_is_stored() -> None:
    with pytest.raises(WireError):
        Decoder().feed(b"\xff" * 13)
    oversized = (
        bytes([Kind.AUDIO]) + (1).to_bytes(4, "big") + bytes(4) + (MAX_FRAME_BYTES + 1).to_bytes(4, "big")
    )
    with pytest.raises(WireError):
        Decoder().feed(oversized)
    with pytest.raises(WireError):
        Decoder().feed(Frame(Kind.RESULT, 1, {"a": 1}).encode().replace(b'{"a":1}', b'{"a":1]'))
