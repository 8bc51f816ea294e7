"""Structured logs: console for people, JSON lines for machines; every line of a call carries its id.

Nothing that a caller says or keys is logged at info level or above. What strangers put into an event, such as
the number they dialled, stays text on its line. A log that cannot be written never costs a call.
"""

from __future__ import annotations

import contextlib
import logging
import sys
from collections.abc import MutableMapping
from typing import Any, Literal, TextIO, cast

import structlog

NOISY_LIBRARIES = ("aiohttp.access", "aiosqlite", "alembic", "asyncio", "comtypes", "uvicorn")


class _Unfailing:
    """A stream that loses what cannot be written: on a full disk, or when nobody reads the pipe any more."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        with contextlib.suppress(OSError, ValueError):
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        with contextlib.suppress(OSError, ValueError):
            self._stream.flush()


def one_line(text: str) -> str:
    """Return `text` with everything escaped that could break a line or steer a terminal."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


def _escape(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    for key, value in event.items():
        if isinstance(value, str):
            lines = value.splitlines() if key == "exception" else [value]
            event[key] = "\n".join(map(one_line, lines))
    return event


def configure_logs(level: str = "info", form: Literal["console", "json"] = "console") -> None:
    """Send all logs to standard error."""
    number = getattr(logging, level.upper())
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer(ensure_ascii=False)
        if form == "json"
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        _escape,
    ]
    stream = cast(TextIO, _Unfailing(sys.stderr))
    structlog.configure(
        processors=[*shared, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.PrintLoggerFactory(file=stream),
        cache_logger_on_first_use=False,  # so that logs can be configured anew, and read by tests
    )
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    logging.basicConfig(level=number, handlers=[handler], force=True)
    for name in NOISY_LIBRARIES:
        logging.getLogger(name).setLevel(max(number, logging.WARNING))
