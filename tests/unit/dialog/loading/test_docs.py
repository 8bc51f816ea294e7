"""Unit: what the guides for authors show is true: their dialogs are flawless, their conversations hold."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import pytest

from voicebot.authoring.conversation.written import converse
from voicebot.authoring.testing.load import Case, parse_cases
from voicebot.authoring.testing.run import run_case
from voicebot.dialog.loading.files import load_dialog
from voicebot.dialog.model.dialog import Dialog

pytestmark = pytest.mark.unit

ROOT = Path(__file__).resolve().parents[4]
PAGES = ("README.md", *(f"docs/{name}.md" for name in (
    "tutorial", "dialogs", "cookbook", "from-voicexml", "from-twilio-studio",
)))  # fmt: skip
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.DOTALL | re.MULTILINE)


@dataclass(frozen=True)
class Shown:
    """A dialog of a page, and the conversations and the chat that stand after it, before the next one."""

    page: str
    line: int
    text: str
    tests: tuple[str, ...] = ()
    chats: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return f"{self.page}:{self.line}"


def _shown(page: str) -> list[Shown]:
    text = (ROOT / page).read_text(encoding="utf-8")
    found: list[Shown] = []
    for block in BLOCK.finditer(text):
        language, body = block[1], block[2]
        line = text.count("\n", 0, block.start()) + 2
        if language == "yaml" and body.startswith("dialog:"):
            found.append(Shown(page, line, body))
        elif language == "yaml" and body.startswith("- "):
            last = found[-1]
            found[-1] = Shown(last.page, last.line, last.text, (*last.tests, body), last.chats)
        elif language == "yaml":
            found.append(Shown(page, line, body))  # begins with a comment: an include, named in it
        elif language == "text" and body.startswith("bot>"):
            last = found[-1]
            found[-1] = Shown(last.page, last.line, last.text, last.tests, (*last.chats, body))
    return found


SHOWN = [each for page in PAGES for each in _shown(page)]


def _load(shown: Shown, folder: Path) -> Dialog:
    """Load a dialog of a page as if it lay beside the shipped ones, with those that it includes."""
    (folder / "lib").symlink_to(ROOT / "dialogs" / "lib")
    for other in SHOWN:
        if other.page == shown.page and (name := re.match(r"# (\S+\.yaml)", other.text)):
            (folder / name[1]).write_text(other.text, encoding="utf-8")
    path = folder / "shown.yaml"
    path.write_text(shown.text, encoding="utf-8")
    return load_dialog(path)


@pytest.mark.parametrize("shown", SHOWN, ids=[each.name for each in SHOWN])
def test_what_a_page_shows_is_true(shown: Shown, tmp_path: Path) -> None:
    dialog = _load(shown, tmp_path)
    assert dialog.warnings == ()
    cases: list[Case] = [
        case for text in shown.tests for case in parse_cases(text, tmp_path / "shown.test.yaml")
    ]
    for case in cases:
        result = run_case(case, dialog)
        assert not result.failures, (case.name, result.failures)
    for chat in shown.chats:
        lines = [line.split(">", 1) for line in chat.splitlines()]
        said = [text.strip() for who, text in lines if who == "caller"]
        assert converse(dialog, said) == [text.strip() for who, text in lines if who == "bot"]


def test_recipes_are_tried() -> None:
    """A dialog of the cookbook comes with a conversation; only what is included by another has none."""
    untried = [each.name for each in SHOWN if each.page == "docs/cookbook.md" and not each.tests]
    assert not [name for name in untried if not _included(name)]


def _included(name: str) -> bool:
    return next(each for each in SHOWN if each.name == name).text.startswith("# ")
