"""Where the files of a dialog come from, as the loader sees it: names in, text out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

LIBRARY = "lib/"
"""Files under this name are the ready dialogs, where there are none beside the dialog."""


@dataclass(frozen=True, slots=True)
class Sound:
    """A wav file: `fault` tells why it cannot be played, `digest` names what is in it."""

    digest: str = ""
    fault: str = ""
    remedy: str = ""


class Files(Protocol):
    """The files around a dialog. A path is what `find` returned; it names one file whoever asks."""

    def find(self, name: str, folder: str) -> str | None:
        """Return the path of `name`, as a dialog in `folder` names it; None where there is none."""

    def text(self, path: str) -> str:
        """Return what stands in a file. Raises UserError, where the source is `path`."""

    def sound(self, path: str) -> Sound:
        """Look at a wav file."""


class NoFiles:
    """A dialog alone: there is nothing beside it."""

    def find(self, name: str, folder: str) -> str | None:
        return None

    def text(self, path: str) -> str:
        raise FileNotFoundError(path)

    def sound(self, path: str) -> Sound:
        return Sound()
