"""Unit: a comma that ends a text unseen is pointed at."""

from __future__ import annotations

import pytest

from voicebot.dialog.loading.loader import parse_dialog
from voicebot.errors import UserError

pytestmark = pytest.mark.unit


def test_a_text_torn_in_a_mapping() -> None:
    with pytest.raises(UserError) as caught:
        parse_dialog("dialog: t\nsteps:\n  a: {say: One moment, please., end: done}\n")
    problem = caught.value.problems[0]
    assert "`please.` stands alone here" in problem.what and "into quotes" in problem.remedy


def test_a_text_torn_in_a_list() -> None:
    torn = parse_dialog("dialog: t\nsteps:\n  a: {say: [Fine, see you then., Great.], end: done}\n")
    assert [(problem.code, problem.line) for problem in torn.warnings] == [("comma", 3)]
    whole = parse_dialog("dialog: t\nsteps:\n  a: {say: [Fine. See you then., Great.], end: done}\n")
    assert not whole.warnings
