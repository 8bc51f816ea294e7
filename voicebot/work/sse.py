"""Server-sent events, of which chat completions use the `data:` lines. Pure: bytes in, texts out."""

from __future__ import annotations

LONGEST_LINE_BYTES = 65_536


class LineTooLong(ValueError):
    """A line exceeds LONGEST_LINE_BYTES."""


class SseParser:
    """Cuts a stream into the data of its events (WHATWG HTML, 9.2.6; an event is one line here)."""

    def __init__(self) -> None:
        self._rest = bytearray()

    def feed(self, chunk: bytes) -> list[str]:
        """Take the next bytes; return the data that is complete with them. Raises LineTooLong."""
        self._rest += chunk
        *lines, rest = bytes(self._rest).replace(b"\r\n", b"\n").split(b"\n")
        if max(map(len, (*lines, rest))) > LONGEST_LINE_BYTES:
            raise LineTooLong
        self._rest = bytearray(rest)
        return [data for line in lines if (data := _data(line)) is not None]

    def end(self) -> list[str]:
        """Return the data of a last line that was not ended."""
        data = _data(bytes(self._rest))
        self._rest.clear()
        return [] if data is None else [data]


def _data(line: bytes) -> str | None:
    name, colon, value = line.strip().partition(b":")
    if not colon or name != b"data":
        return None  # a comment to keep the line alive, or another field
    return value.decode("utf-8", errors="replace").strip()
