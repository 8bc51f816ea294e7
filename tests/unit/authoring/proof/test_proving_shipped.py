"""Unit: every dialog that is shipped is proven."""

from __future__ import annotations

from pathlib import Path

import pytest

from voicebot.authoring.proof.proving import prove
from voicebot.dialog.loading.files import load_dialog

pytestmark = pytest.mark.unit

FOLDER = Path(__file__).parents[4] / "dialogs"
DIALOGS = sorted(
    path
    for path in (*FOLDER.glob("*.yaml"), *FOLDER.glob("lib/*.yaml"))
    if not path.name.endswith(".test.yaml")
)


@pytest.mark.parametrize("path", DIALOGS, ids=lambda path: path.stem)
def test_a_shipped_dialog_is_proven(path: Path) -> None:
    proof = prove(load_dialog(path))
    assert not proof.cut
    assert [str(finding.what) for finding in proof.mistakes] == []
    assert proof.steps_met == proof.steps
