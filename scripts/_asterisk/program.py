"""Which Asterisk to run, and how: one on PATH that is new enough, else Debian's in `.asterisk/debian`."""

from __future__ import annotations

import configparser
import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from _debian.faults import Fault
from _debian.unpacking import Say, Wanted, only_one, unpack

ASTERISK = Wanted(
    packages=("asterisk",),
    suite="unstable",  # the stable suites carry no current one
    download_mb=80,
    disk_mb=600,
    instead="install Asterisk 20.15 or newer and put it on PATH",
)

OLDEST = {20: 15, 21: 10, 22: 5}
"""First release of each series with everything the gateway relies on; later series have it throughout."""
NEWER_MODULES = ("res_websocket_client.so",)
"""Modules that only newer releases have, and need there."""
NEEDED_MODULES = ("res_ari.so", "chan_pjsip.so", "chan_rtp.so", "app_stasis.so", "res_rtp_asterisk.so")


@dataclass(frozen=True)
class Program:
    """An Asterisk that can be run. `command` starts it (through its own loader if it was only unpacked)."""

    command: tuple[str, ...]
    version: str
    modules: Path
    data: Path


def find_program(home: Path, say: Say) -> Program:
    """Return the Asterisk on PATH if it is new enough and complete, else the unpacked one."""
    return _on_path(say) or _unpacked(home, say)


def is_new_enough(text: str) -> bool:
    """Judge what `asterisk -V` says, such as `22.10.1~dfsg+...` or `certified/20.7-cert5`."""
    found = re.search(r"(\d+)\.(\d+)", text)
    if found is None:
        return False
    series, release = int(found[1]), int(found[2])
    return release >= OLDEST[series] if series in OLDEST else series > max(OLDEST)


def _ask_version(command: tuple[str, ...]) -> str:
    run = subprocess.run([*command, "-V"], capture_output=True, text=True, check=False, timeout=30)
    return run.stdout.strip().removeprefix("Asterisk ") if run.returncode == 0 else ""


def _on_path(say: Say) -> Program | None:
    places = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"])
    binary = shutil.which("asterisk", path=places)
    if binary is None:
        return None
    version = _ask_version((binary,))
    if not is_new_enough(version):
        say(f"{binary} is {version or 'unusable'}, not 20.15, 22.5 or newer: using Debian's instead")
        return None
    folders = _directories(Path("/etc/asterisk/asterisk.conf"))
    candidates = [folders.get("astmoddir"), "/usr/lib/asterisk/modules", "/usr/lib64/asterisk/modules"]
    candidates += [*map(str, Path("/usr/lib").glob("*/asterisk/modules")), "/usr/local/lib/asterisk/modules"]
    modules = _first(candidates, NEEDED_MODULES)
    data = _first([folders.get("astdatadir"), "/usr/share/asterisk", "/var/lib/asterisk"], ("documentation",))
    if modules is None or data is None:
        say(f"{binary} lacks modules the gateway needs ({', '.join(NEEDED_MODULES)}): using Debian's instead")
        return None
    return Program((binary,), version, modules, data)


def _directories(asterisk_conf: Path) -> dict[str, str]:
    parser = configparser.ConfigParser(strict=False, interpolation=None, inline_comment_prefixes=(";",))
    try:
        parser.read_string(asterisk_conf.read_text().replace("(!)", ""))
        return {key: value.lstrip("> ") for key, value in parser["directories"].items()}
    except (OSError, KeyError, configparser.Error):
        return {}


def _first(candidates: list[str | None], files: tuple[str, ...]) -> Path | None:
    for candidate in candidates:
        if candidate and all((Path(candidate) / name).exists() for name in files):
            return Path(candidate)
    return None


def _unpacked(home: Path, say: Say) -> Program:
    root = home / "debian"
    if not root.is_dir():
        home.mkdir(parents=True, exist_ok=True)
        with only_one(home / "lock", say):
            if not root.is_dir():
                unpack(root, ASTERISK, say)
    try:
        loader = next(root.glob("usr/lib/*-linux-gnu*/ld-linux*.so.*"))
        modules = next(root.glob("usr/lib/*/asterisk/modules"))
    except StopIteration:
        raise Fault(f"{root} is incomplete", "delete that folder and try again") from None
    libraries = f"{loader.parent}:{modules.parent}"
    command = (str(loader), "--library-path", libraries, str(root / "usr/sbin/asterisk"))
    version = _ask_version(command)
    if not version:
        raise Fault(f"the Asterisk in {root} does not run", "delete that folder and try again")
    return Program(command, version, modules, root / "usr/share/asterisk")
