"""Unit: the shipped dialogs are flawless, hold their conversations, and no step of theirs goes untried."""

from __future__ import annotations

from pathlib import Path

import pytest

from voicebot.authoring.testing.load import load_cases
from voicebot.authoring.testing.run import run_case
from voicebot.dialog.loading.files import load_dialog

pytestmark = pytest.mark.unit

FOLDER = Path(__file__).resolve().parents[3] / "dialogs"
DIALOGS = sorted(
    path for path in FOLDER.rglob("*.yaml") if not path.name.endswith((".test.yaml", ".campaign.yaml"))
)


@pytest.mark.parametrize("path", DIALOGS, ids=[str(path.relative_to(FOLDER)) for path in DIALOGS])
def test_a_shipped_dialog_holds_its_conversations(path: Path) -> None:
    dialog = load_dialog(path)
    assert dialog.warnings == ()
    results = [run_case(case, dialog) for case in load_cases(path.with_suffix(".test.yaml"))]
    assert [(result.case.name, result.failures) for result in results if not result.passed] == []
    visited = {step for result in results for name, step in result.visited if name == dialog.name}
    assert dialog.steps.keys() - visited == set()


@pytest.mark.parametrize("path", DIALOGS, ids=[str(path.relative_to(FOLDER)) for path in DIALOGS])
def test_a_shipped_dialog_tells_what_it_is(path: Path) -> None:
    """Authors copy them: a comment on top, a sentence in `about`, the words of goals that it reaches."""
    text, dialog = path.read_text(encoding="utf-8"), load_dialog(path)
    assert dialog.file.about.endswith(".")
    assert text.splitlines()[1].startswith("# ")
    assert (path.parent == FOLDER) == bool(dialog.file.goals)
    ends = {word for step in dialog.steps.values() if (word := step.return_)}
    documented = text.partition("# result: ")[2].partition("\n")[0]
    assert all(word in documented for word in ends), documented
