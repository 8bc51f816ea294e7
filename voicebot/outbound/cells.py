"""Cells of the CSV files that we write: what a spreadsheet would run as a formula stays a text.

A formula in a cell can fetch a page or start a program on the machine of whoever opens the file (CWE-1236).
"""

from __future__ import annotations

import re

_FORMULA = re.compile(r"[\s\x00]*[=+\-@\uff1d\uff0b\uff0d\uff20|%]|[\t\r\n\x00]")
_HARMLESS = re.compile(r"[+-]?[0-9]{1,20}(?:[.,][0-9]{1,20})?")
_GUARDED = re.compile(r"'(?=[\s\x00]*[=+\-@\uff1d\uff0b\uff0d\uff20|%]|[\t\r\n\x00])")


def harmless_cell(text: str) -> str:
    """Return a cell with an apostrophe before what may be a formula; plain numbers stay: +12025550142."""
    if text and _FORMULA.match(text) and not _HARMLESS.fullmatch(text):
        return f"'{text}"
    return text


def without_guard(text: str) -> str:
    """Return a cell without the apostrophe that `harmless_cell`, or a spreadsheet, put before it."""
    return text[1:] if text[:1] == "'" and _GUARDED.match(text) else text
