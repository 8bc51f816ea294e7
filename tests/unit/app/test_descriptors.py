"""Category: unit. How many files we may have open."""

from __future__ import annotations

import resource

import pytest

from voicebot.app.descriptors import MOST_FILES, allow_many_files

pytestmark = pytest.mark.unit

NO_LIMIT = resource.RLIM_INFINITY


@pytest.mark.parametrize(
    ("found", "left"),
    [
        ((1024, 4096), (4096, 4096)),
        ((1024, 1 << 30), (MOST_FILES, 1 << 30)),
        ((1024, NO_LIMIT), (MOST_FILES, NO_LIMIT)),
        ((100_000, 1 << 30), (100_000, 1 << 30)),
        ((NO_LIMIT, NO_LIMIT), (NO_LIMIT, NO_LIMIT)),
    ],
)
def test_we_take_what_we_may_have(
    found: tuple[int, int], left: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    limits = [found]
    monkeypatch.setattr(resource, "getrlimit", lambda _: limits[-1])
    monkeypatch.setattr(resource, "setrlimit", lambda _, given: limits.append(given))
    allow_many_files()
    assert limits[-1] == left
