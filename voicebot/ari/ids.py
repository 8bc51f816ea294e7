"""Our own ids for channels and bridges: chosen before the request, so that no event can come too early.

Asterisk refuses an id that is a case-insensitive prefix of a live channel's id (500), so all of ours have
one length and lower case. They name the application: a gateway knows what it left behind, and only that.
"""

from __future__ import annotations

from enum import StrEnum
from zlib import crc32

ENTROPY_BYTES = 16
_MARK = "vb"
ID_LENGTH = len(_MARK) + 1 + 8 + 2 * ENTROPY_BYTES
"""Characters: the mark, the kind, the application's CRC-32 and the entropy in hex."""


class Kind(StrEnum):
    """What an id is for."""

    MEDIA = "m"
    BRIDGE = "b"
    PERSON = "p"
    """A telephone that we ring: an agent's, a supervisor's, a participant's."""
    SNOOP = "s"


def make_id(kind: Kind, app: str, entropy: bytes) -> str:
    """Return an id of ID_LENGTH characters. `entropy` is ENTROPY_BYTES random bytes, from the caller."""
    if len(entropy) != ENTROPY_BYTES:
        raise ValueError(f"an id needs {ENTROPY_BYTES} bytes of entropy, not {len(entropy)}")
    return f"{_MARK}{kind}{crc32(app.encode()):08x}{entropy.hex()}"


def is_ours(id_: str, app: str, kind: Kind | None = None) -> bool:
    """Tell whether `make_id` made this id for this application (and this kind, if one is given)."""
    kinds = [kind] if kind else list(Kind)
    tail = f"{crc32(app.encode()):08x}"
    return len(id_) == ID_LENGTH and any(id_.startswith(f"{_MARK}{one}{tail}") for one in kinds)
