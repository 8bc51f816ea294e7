"""Unit: what authors see of `voicebot dialog chat`."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from voicebot.cli import app
from voicebot.errors import UserError

pytestmark = pytest.mark.unit

DIALOG = """\
dialog: order
needs: {shop: text}
slots: {size: {type: choice, choices: {small: [small], large: {hear: [large, big], key: 2}}}}
steps:
  order: {say: "{shop}.", ask: Small or large?, fill: size}
  done: {say: "One {size}.", end: ordered}
"""


@pytest.fixture
def dialog(tmp_path: Path) -> Path:
    path = tmp_path / "order.yaml"
    path.write_text(DIALOG)
    return path


def test_a_chat_shows_both_sides_and_what_was_understood(dialog: Path) -> None:
    written = "a green one\n\n<2>\nnever read\n"
    result = CliRunner().invoke(app, ["dialog", "chat", str(dialog), "--given", "shop=Luigi"], input=written)
    assert result.output.splitlines() == [
        "bot>    Luigi. Small or large?",
        "caller> a green one",
        "        [nomatch]",
        "bot>    Sorry, I did not understand. Small or large?",
        "caller> ",
        "        [noinput]",
        "bot>    Sorry, I did not hear anything. Small or large?",
        "caller> <2>",
        "        [match: large  size=large  order → done]",
        "bot>    One large. [ordered]",
        "learnt: size=large",
    ]


def test_the_end_of_the_input_hangs_up(dialog: Path) -> None:
    result = CliRunner().invoke(app, ["dialog", "chat", str(dialog), "--given", "shop=Luigi"], input="")
    assert result.output.splitlines()[-1] == "bot>    [hangup]"


@pytest.mark.parametrize("given", [[], ["--given", "shop"], ["--given", "shopp=Luigi"]])
def test_a_chat_that_is_not_given_what_the_dialog_needs_says_so(dialog: Path, given: list[str]) -> None:
    result = CliRunner().invoke(app, ["dialog", "chat", str(dialog), *given])
    assert isinstance(result.exception, UserError)
    assert "shop" in str(result.exception)
