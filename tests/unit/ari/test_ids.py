"""Category: unit. Our channel and bridge ids."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicebot.ari.ids import ENTROPY_BYTES, ID_LENGTH, Kind, is_ours, make_id

pytestmark = pytest.mark.unit

KINDS = st.sampled_from(list(Kind))
ENTROPY = st.binary(min_size=ENTROPY_BYTES, max_size=ENTROPY_BYTES)


@given(KINDS, KINDS, st.text(max_size=20), ENTROPY, ENTROPY)
def test_no_id_begins_another(one: Kind, other: Kind, app: str, first: bytes, second: bytes) -> None:
    """Asterisk refuses an id that is a prefix, whatever the case, of a live channel's."""
    a, b = make_id(one, app, first), make_id(other, app, second)
    assert len(a) == len(b) == ID_LENGTH
    assert a == a.lower()
    assert (a == b) == ((one, first) == (other, second))


def test_an_id_knows_its_application_and_kind() -> None:
    id_ = make_id(Kind.MEDIA, "voicebot", bytes(16))
    assert is_ours(id_, "voicebot") and is_ours(id_, "voicebot", Kind.MEDIA)
    assert not is_ours(id_, "voicebot", Kind.BRIDGE)
    assert not is_ours(id_, "voicebot2")


@pytest.mark.parametrize("other", ["", "1795295157.27", "vbm", "vbm712cf24f"])
def test_the_ids_of_others_are_not_ours(other: str) -> None:
    assert not is_ours(other, "voicebot")


def test_too_little_entropy_is_refused() -> None:
    with pytest.raises(ValueError, match="16 bytes"):
        make_id(Kind.MEDIA, "voicebot", b"short")
