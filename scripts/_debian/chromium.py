"""Which Chromium to run: one on PATH, else Debian's in `.chromium`, started by a small script there."""

from __future__ import annotations

import platform
import shutil
import subprocess
from pathlib import Path

from .faults import Fault
from .unpacking import Say, Wanted, only_one, unpack

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
OWN = "install Chromium (apt-get install chromium) and put it on PATH"
OF_THE_SYSTEM = ("libc.so.6", "libm.so.6", "libpthread.so.0", "libdl.so.2", "librt.so.1", "libresolv.so.2")
"""They belong to the loader that starts the browser, which is the machine's."""
FONTS = """<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig><dir>{fonts}</dir><dir>/usr/share/fonts</dir><cachedir>{cache}</cachedir></fontconfig>
"""
START = """#!/bin/sh
# Made by scripts/chromium: starts the browser that was unpacked beside it.
export LD_LIBRARY_PATH="{libraries}" FONTCONFIG_FILE="{fonts}"
exec "{program}" "$@"
"""


def find_chromium(home: Path, say: Say) -> Path:
    """Return a browser's program; unpacks one below `home` if there is none. Raises Fault."""
    for name in NAMES:
        if found := shutil.which(name):
            return Path(found)
    start = home / "chromium"
    home.mkdir(parents=True, exist_ok=True)
    with only_one(home / "lock", say):
        if not start.is_file():
            _prepare(home, start, say)
    return start


def _prepare(home: Path, start: Path, say: Say) -> None:
    root = home / "debian"
    if not root.is_dir():
        unpack(root, _wanted(), say)
    libraries = [path.parent for path in root.glob("**/libc.so.6")]
    for folder in libraries:
        for name in OF_THE_SYSTEM:
            (folder / name).unlink(missing_ok=True)
    paths = [root / folder / f"{platform.machine()}-linux-gnu" for folder in ("usr/lib", "lib")]
    fonts = home / "fonts.conf"
    fonts.write_text(FONTS.format(fonts=root / "usr/share/fonts", cache=home / "fonts"))
    aside = start.with_suffix(".part")
    aside.write_text(
        START.format(
            libraries=":".join(map(str, paths)), fonts=fonts, program=root / "usr/lib/chromium/chromium"
        )
    )
    aside.chmod(0o755)
    run = subprocess.run([aside, "--version"], capture_output=True, text=True, check=False, timeout=60)
    if run.returncode != 0:
        raise Fault(f"the Chromium in {root} does not run: {run.stderr.strip()[:200]}", OWN)
    aside.rename(start)


def _wanted() -> Wanted:
    """The machine's own suite: its libraries go with the machine's loader."""
    try:
        release = platform.freedesktop_os_release()
    except OSError:
        release = {}
    if release.get("ID") != "debian" or not (suite := release.get("VERSION_CODENAME", "")):
        raise Fault("there is no Chromium here, and only on Debian can one be unpacked", OWN)
    return Wanted(
        packages=("chromium", "fonts-dejavu-core"), suite=suite, download_mb=230, disk_mb=1500, instead=OWN
    )
