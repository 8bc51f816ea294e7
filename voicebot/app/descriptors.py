"""File descriptors: as many as we may have, so that no flood at one door takes those of callers."""

from __future__ import annotations

import resource
from contextlib import suppress

MOST_FILES = 65_536
"""More than all doors hold together; some programs count through all that there may be."""


def allow_many_files() -> None:
    """Raise our own limit. 1,024, which it is nearly everywhere, are fewer than the browsers that the panel
    lets in, and whoever cannot have a media port cannot be called."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST_FILES if hard == resource.RLIM_INFINITY else min(hard, MOST_FILES)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with suppress(OSError, ValueError):  # then it stays as it is
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
