"""Category: unit. Colours that scripts ask the style sheet for are resolved: no canvas knows light-dark()."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import voicebot.web

pytestmark = pytest.mark.unit

STATIC = Path(voicebot.web.__file__).parent / "static"


def test_colours_that_scripts_ask_for_are_registered() -> None:
    scripts = [path.read_text() for path in (STATIC / "js").glob("*.js")]
    asked = {token for script in scripts for token in re.findall(r'"(--[a-z0-9-]+)"', script)}
    style = (STATIC / "panel.css").read_text()
    assert "--bot" in asked
    assert asked == set(re.findall(r'@property (--[a-z0-9-]+) \{ syntax: "<color>"', style))
