"""Category: simulator. A dialler and an Asterisk that are killed again and again: nobody twice, nobody lost.

`scripts/bench campaign --only kills` does the same for longer.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.simulator.dialling.kills import Rig

pytestmark = pytest.mark.simulator

KILLS = 50
CONTACTS = 700


def test_whoever_is_killed_wherever_everybody_is_called_once(tmp_path: Path) -> None:
    rig = Rig(tmp_path, CONTACTS)
    rig.prepare()
    tally = rig.torment(KILLS, seed=20)
    assert tally.total() >= KILLS
    rig.finish(60)
    count = rig.count()
    assert count.contacts == CONTACTS
    assert count.duplicates == 0
    assert count.lost == 0
    assert count.untrue == 0
    assert count.sound
    assert count.held <= 2 * (tally["asterisk"] + 1) * 20
