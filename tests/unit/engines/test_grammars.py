"""Unit: a JSGF grammar loses only the alternatives that a dictionary cannot spell."""

from __future__ import annotations

import pytest

from voicebot.engines.stt_pocketsphinx import without_unknown

pytestmark = pytest.mark.unit

KNOWN = {"yes", "no", "an", "agent", "one", "two", "double", "please"}


def pruned(rules: str) -> str:
    return " ".join(without_unknown(rules, KNOWN.__contains__).split())


def test_what_is_known_stays() -> None:
    rules = "public <answer> = [ an ] ( yes | no | an agent ) [ please ];"
    assert pruned(rules) == rules


@pytest.mark.parametrize(
    ("rule", "left"),
    [
        ("<d> = ( one | nought | two );", "<d> = ( one | two );"),
        ("<d> = ( nought | one );", "<d> = ( one );"),
        ("<d> = ( one | treble );", "<d> = ( one );"),
        ("<d> = yes | an xyzzy | no;", "<d> = yes | no;"),
        ("<d> = ( xyzzy | plugh );", "<d> = ( <VOID> );"),
        ("<d> = [ xyzzy ] <e>;", "<d> = [ <VOID> ] <e>;"),
    ],
)
def test_what_is_unknown_goes_with_its_alternative(rule: str, left: str) -> None:
    assert pruned(rule) == left
