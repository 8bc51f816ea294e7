"""What asking a database is: a statement, its values, a row, and what may go wrong."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Mapping
from typing import Any, Protocol

from sqlalchemy import String, TextClause, bindparam, text
from sqlalchemy.exc import SQLAlchemyError

Row = Mapping[str, Any]
DRIVER_ERRORS = (SQLAlchemyError, sqlite3.Error, OSError)
"""What asking a database raises, beside mistakes."""
_VALUES = re.compile(r"['\"(].*", re.DOTALL)


class DatabaseFailed(Exception):
    """The database did not answer, or not to the question. The text is for the log: no value stands in it."""


class Asked(Protocol):
    """A database. `guarded`: whether it refuses to write for us, whoever we are."""

    guarded: bool

    async def first(self, statement: TextClause, values: Mapping[str, str], timeout_s: float) -> Row | None:
        """Return the first row by its columns, None where there is none. Raises DatabaseFailed."""
        ...

    async def close(self) -> None: ...


def statement(query: str) -> TextClause:
    """Return a query with its parameters, which are texts. A `;` at its end is taken away."""
    found = text(query.strip().rstrip(";"))
    return found.bindparams(*(bindparam(name, type_=String()) for name in found.compile().params))


def why(error: BaseException) -> str:
    """Say what went wrong, without what stands in quotes or parentheses: that may be the caller's."""
    cause = getattr(error, "orig", None) or error
    cause = cause.__cause__ if cause.__cause__ is not None else cause
    lines = str(cause).splitlines()
    words = _VALUES.sub("", lines[0]).strip(" :")[:200] if lines else ""
    return f"{type(cause).__name__}: {words}" if words else type(cause).__name__
