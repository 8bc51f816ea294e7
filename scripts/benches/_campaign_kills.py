"""SIGKILLs of a dialler at every commit, fsync, write, rename, unlink, and of Asterisk: who rings twice?"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from tests.simulator.dialling.kills import Rig, as_json  # noqa: E402

TARGETS = {"kills": ">= 1000", "kill_duplicates": 0, "kill_lost": 0, "kill_untrue": 0}
KILLS = 1000
CONTACTS_A_KILL = 12


def measure(kills: int = KILLS, seed: int = 1) -> dict[str, Any]:
    """Torment, finish, count. seed: the same places of death (but for those by time)."""
    with tempfile.TemporaryDirectory(prefix="voicebot-kills-") as folder:
        rig = Rig(Path(folder), kills * CONTACTS_A_KILL)
        rig.prepare()
        began = time.monotonic()
        tally = rig.torment(kills, seed)
        tormented_s = time.monotonic() - began
        rig.finish(600)
        found = as_json(tally, rig.count())
    return {
        "kills": found["kills"],
        "kills_of_asterisk": found["asterisk_kills"],
        "kill_places": found["where"],
        "kill_contacts": found["contacts"],
        "kill_phones_rung": found["rung"],
        "kill_duplicates": found["duplicates"],
        "kill_lost": found["lost"],
        "kill_untrue": found["untrue"],
        "kill_held": found["held"],
        "kill_ledger_sound": found["sound"],
        "kill_s": round(tormented_s, 1),
    }
