"""Category: unit. Pure parts of scripts/asterisk: settings, versions, what the shipped files promise."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(PROJECT / "scripts"))

from _asterisk.program import is_new_enough  # noqa: E402
from _asterisk.settings import change  # noqa: E402

pytestmark = pytest.mark.unit

CONF = """; a comment with password = x
[general]
port = 5038
[one](template)
secret => old
[two]
secret = old
"""


def test_a_setting_changes_in_its_section_only() -> None:
    changed = change(CONF, {("two", "secret"): "new", ("general", "port"): 7})
    assert changed == CONF.replace("port = 5038", "port = 7").replace("secret = old", "secret = new")


def test_both_assignments_of_asterisk_are_kept() -> None:
    assert "secret => new\n" in change(CONF, {("one", "secret"): "new"})


@pytest.mark.parametrize("where", [("general", "secret"), ("three", "secret"), ("general", "password")])
def test_a_setting_that_is_not_there_is_a_mistake(where: tuple[str, str]) -> None:
    with pytest.raises(KeyError, match=r"manager\.conf"):
        change(CONF, {where: "x"}, "manager.conf")


@pytest.mark.parametrize(
    ("version", "enough"),
    [("22.10.1~dfsg", True), ("22.4.2", False), ("20.15.0", True), ("20.9.3", False), ("16.28.0", False),
     ("23.0.0", True), ("certified/20.7-cert5", False), ("", False), ("GIT-master-1234", False)],
)  # fmt: skip
def test_which_asterisk_is_new_enough(version: str, enough: bool) -> None:
    assert is_new_enough(version) is enough


def test_no_shipped_file_holds_a_working_password_or_listens_to_the_world() -> None:
    for file in sorted((PROJECT / "asterisk").glob("*.conf")):
        for line in file.read_text().splitlines():
            code = line.split(";")[0]
            if setting := re.match(r"\s*(password|secret)\s*=\s*(.*)", code):
                assert setting[2] == "change-me", f"{file.name}: {line}"
            if setting := re.match(r"\s*(bind|bindaddr)\s*=\s*(.*)", code):
                assert setting[2].startswith("127.0.0.1"), f"{file.name}: {line}"


def test_the_manager_users_have_just_the_rights_they_need() -> None:
    text = (PROJECT / "asterisk" / "manager.conf").read_text()
    rights = re.findall(r"^\[([a-z-]+)\]|^(read|write) = (.*)$", text, re.MULTILINE)
    found: dict[str, dict[str, str]] = {}
    for section, way, granted in rights:
        if section:
            user = found.setdefault(section, {})
        else:
            user[way] = granted
    assert found == {
        "general": {},
        "voicebot": {"read": "reporting", "write": "reporting"},
        "voicebot-dialler": {"read": "call,dialplan", "write": "originate,reporting"},
        "voicebot-panel": {"read": "call,agent,system", "write": "call,agent,originate,reporting"},
    }
