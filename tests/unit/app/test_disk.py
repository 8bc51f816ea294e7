"""Category: unit. A disk that hangs is told of, and holds nobody up."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from voicebot.app.disk import LOOK_EVERY_S, SLOW_S, Disk, looked_at
from voicebot.config import Config
from voicebot.web.house import Part

pytestmark = pytest.mark.unit

LIMIT_S = 5.0


class Hanging:
    """A disk that answers when it is told to, and counts who asks."""

    def __init__(self) -> None:
        self.now, self.looks = 100.0, 0
        self.answers = threading.Event()
        self.disk = Disk(Config(), lambda: self.now, self._look)

    def _look(self, config: Config) -> Part:
        self.looks += 1
        self.answers.wait(LIMIT_S)
        return Part("disk", "ok", figures={"free_mb": self.looks})

    def answer(self) -> None:
        self.answers.set()
        assert self.disk._looking is not None
        self.disk._looking.join(LIMIT_S)
        self.answers.clear()


def test_a_disk_is_looked_at_now_and_then_and_nobody_waits_for_it() -> None:
    hanging = Hanging()
    assert [hanging.disk.part().figures for _ in range(3)] == [{}] * 3 and hanging.looks == 1
    hanging.answer()
    assert hanging.disk.part().figures == {"free_mb": 1} and hanging.looks == 1, "it is fresh"
    hanging.now += LOOK_EVERY_S
    assert hanging.disk.part().figures == {"free_mb": 1}
    hanging.answer()
    assert hanging.disk.part().figures == {"free_mb": 2}


def test_a_disk_that_does_not_answer_is_away_until_it_does() -> None:
    hanging = Hanging()
    hanging.disk.part()
    hanging.now += SLOW_S
    found = hanging.disk.part()
    assert (found.state, found.why.rpartition(" has ")[2]) == ("down", "not answered for 5 s")
    assert hanging.looks == 1, "one look is enough"
    hanging.answer()
    assert hanging.disk.part().state == "ok"


def test_a_disk_with_too_little_room_is_told_of(tmp_path: Path) -> None:
    config = Config.model_validate({"paths": {"var": str(tmp_path)}, "limits": {"reserve_mb": 10**9}})
    assert looked_at(config).state == "degraded"
    assert looked_at(Config.model_validate({"paths": {"var": str(tmp_path)}})).figures["free_mb"] > 0
