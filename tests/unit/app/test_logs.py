"""unit: logs never hurt a call, and one event is one line, whatever strangers put into it."""

from __future__ import annotations

import io
import logging
import sys
from collections.abc import Iterator

import pytest
import structlog

from voicebot.app.logs import configure_logs

pytestmark = pytest.mark.unit


@pytest.fixture(autouse=True)
def _logs_as_before() -> Iterator[None]:
    before, level = list(logging.root.handlers), logging.root.level
    yield
    structlog.reset_defaults()
    logging.root.handlers[:] = before
    logging.root.setLevel(level)


def test_a_log_on_a_full_disk_is_lost_in_silence(monkeypatch: pytest.MonkeyPatch) -> None:
    class FullDisk(io.StringIO):
        def flush(self) -> None:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(sys, "stderr", FullDisk())
    configure_logs()
    structlog.get_logger().info("call began", called="600")
    logging.getLogger("aiohttp").error("something")


def test_a_log_that_nobody_reads_any_more_is_lost_in_silence(monkeypatch: pytest.MonkeyPatch) -> None:
    closed = io.StringIO()
    monkeypatch.setattr(sys, "stderr", closed)
    configure_logs()
    closed.close()
    structlog.get_logger().info("call began", called="600")


@pytest.mark.parametrize("form", ["console", "json"])
def test_an_event_is_one_line_without_control_characters(form: str, monkeypatch: pytest.MonkeyPatch) -> None:
    taken = io.StringIO()
    monkeypatch.setattr(sys, "stderr", taken)
    configure_logs("info", form)  # type: ignore[arg-type]
    structlog.get_logger().info("call not taken", called="6\x1b[31m0\x9b0\nforged", error="a\rb\u2028c")
    text = taken.getvalue()
    assert "not taken" in text
    assert text.endswith("\n")
    assert text[:-1].isprintable()
