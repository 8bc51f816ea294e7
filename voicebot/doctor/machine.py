"""Does this machine have what calls need: ports, disk, file descriptors, a good clock, the right packages?"""

from __future__ import annotations

import errno
import importlib.metadata
import os
import re
import resource
import shutil
import socket
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

from voicebot.config import Config, MediaConfig
from voicebot.doctor.finding import Finding, fault, ok, warning

OLDEST_PYTHON = (3, 11)
FILES_BESIDE_CALLS = 100
"""Descriptors for connections, workers, logs and libraries."""
FILES_A_CALL = 4
"""Two sockets, the record and its recording."""
FILES_OF_PANEL = 1500
"""Connections that it takes at the most, strangers' among them."""
FILES_AN_AGI_SESSION = 2
"""Its connection, and that of one who is told that all sessions are taken."""
WAKE_UPS = 20
WAKE_UP_EVERY_S = 0.005
LATEST_WAKE_UP_S = 0.005
"""A machine that wakes us later than this (median) cannot keep a 20 ms tick."""
SLOW_CLOCKS = ("acpi_pm", "hpet", "jiffies", "pit", "refined-jiffies")
"""Kernel clock sources that cost a system call and a device access for every look at the clock."""
CLOCK_SOURCE = Path("/sys/devices/system/clocksource/clocksource0/current_clocksource")
CHOSEN_BY_KERNEL = Path("/proc/sys/net/ipv4/ip_local_port_range")


def check_media(config: Config) -> list[Finding]:
    """Bind every even port of the range once, and let it go."""
    media = config.media
    check = "media ports"
    ports = range(media.first_port + media.first_port % 2, media.last_port + 1, 2)
    try:
        free = sum(_is_free(media.bind, port) for port in ports)
    except OSError as error:
        return [
            fault(
                check,
                f"the address {media.bind} cannot be bound: {error.strerror}",
                "set media.bind to an address of this machine",
            )
        ]
    findings = []
    where = f"{media.first_port} to {media.last_port} on {media.bind}"
    if free == 0:
        findings.append(
            fault(check, f"all of {where} are taken", "choose another media.first_port and last_port")
        )
    elif free < config.limits.calls:
        enough = min(media.first_port + 2 * (config.limits.calls + len(ports) - free), 65_535)
        what = f"room for {free} calls only ({where}), limits.calls is {config.limits.calls}"
        findings.append(
            warning(check, what, f"set media.last_port to {enough} or more, or lower limits.calls")
        )
    else:
        findings.append(ok(check, f"room for {free} calls ({where})"))
    return findings + _check_addresses(config) + _check_overlap(media)


def _is_free(host: str, port: int) -> bool:
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind((host, port))
        except OSError as error:
            if isinstance(error, PermissionError) or error.errno == errno.EADDRINUSE:
                return False
            raise
        return True


def _check_addresses(config: Config) -> list[Finding]:
    asterisk = urlsplit(config.asterisk.ari_url).hostname or ""
    ours = config.media.advertise or config.media.bind
    if _is_loopback(ours) and not _is_loopback(asterisk):
        return [
            fault(
                "media address",
                f"Asterisk at {asterisk} shall send RTP to {ours}, which is itself",
                "set media.bind (or media.advertise) to this machine's address as Asterisk sees it",
            )
        ]
    if ours in ("0.0.0.0", "::"):
        return [
            fault(
                "media address",
                f"{ours} is no address that Asterisk can send RTP to",
                "set media.advertise to this machine's address as Asterisk sees it",
            )
        ]
    return []


def _is_loopback(host: str) -> bool:
    return host in ("localhost", "::1") or host.startswith("127.")


def _check_overlap(media: MediaConfig) -> list[Finding]:
    try:
        first, last = map(int, CHOSEN_BY_KERNEL.read_text().split())
    except (OSError, ValueError):
        return []
    if media.last_port < first or media.first_port > last:
        return []
    return [
        warning(
            "media ports",
            f"the kernel gives ports {first} to {last} to any program that asks; some of ours lie there",
            f"move media.first_port and last_port below {first}",
        )
    ]


def check_disk(config: Config) -> list[Finding]:
    """Room for records and recordings, and leave to write them."""
    folder = config.var
    while not folder.exists():
        folder = folder.parent
    if not os.access(folder, os.W_OK | os.X_OK):
        return [fault("disk", f"{folder} cannot be written to", "change its owner, or set paths.var")]
    free_mb = shutil.disk_usage(folder).free // 1_000_000
    if free_mb < config.limits.reserve_mb:
        return [
            fault(
                "disk",
                f"{free_mb} MB free in {folder}, limits.reserve_mb is {config.limits.reserve_mb}: "
                "nothing is recorded",
                "make room, or move paths.var",
            )
        ]
    return [ok("disk", f"{free_mb / 1000:.1f} GB free in {folder}")]


def check_files(config: Config) -> list[Finding]:
    """File descriptors that the gateway may open: it raises its limit to the hard one itself."""
    _, allowed = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = FILES_BESIDE_CALLS + FILES_A_CALL * config.limits.calls
    if config.panel.enabled:
        needed += FILES_OF_PANEL
    if config.agi.enabled:
        needed += FILES_AN_AGI_SESSION * config.agi.sessions
    if allowed != resource.RLIM_INFINITY and allowed < needed:
        return [
            fault(
                "open files",
                f"{allowed} allowed, {config.limits.calls} calls need {needed}",
                f"ulimit -Hn {needed} before the start, or LimitNOFILE={needed} in the systemd unit",
            )
        ]
    return [
        ok(
            "open files",
            f"{'any' if allowed == resource.RLIM_INFINITY else allowed} allowed, {needed} needed",
        )
    ]


def check_clock(
    now: Callable[[], float] = time.monotonic, sleep: Callable[[float], None] = time.sleep
) -> list[Finding]:
    """How late the kernel wakes us, and what its clock is made of."""
    findings = []
    source = CLOCK_SOURCE.read_text().strip() if CLOCK_SOURCE.exists() else ""
    if source in SLOW_CLOCKS:
        findings.append(
            warning(
                "clock",
                f"the kernel's clock is {source}: every look at it is slow",
                "let the (virtual) machine have tsc or kvm-clock",
            )
        )
    late = statistics.median(_wake_ups(now, sleep))
    if late > LATEST_WAKE_UP_S:
        findings.append(
            warning(
                "clock",
                f"the kernel wakes us {late * 1000:.1f} ms late: audio will stutter",
                "free a core of other load, or give the virtual machine a full one",
            )
        )
    return findings or [
        ok("clock", f"{source or 'unknown source'}, wakes us {late * 1000:.2f} ms late (median)")
    ]


def _wake_ups(now: Callable[[], float], sleep: Callable[[float], None]) -> list[float]:
    begin = now()
    lateness = []
    for number in range(1, WAKE_UPS + 1):
        deadline = begin + number * WAKE_UP_EVERY_S
        sleep(max(0.0, deadline - now()))
        lateness.append(max(0.0, now() - deadline))
    return lateness


def check_packages() -> list[Finding]:
    """Python, and every package that this project asks for, in its version."""
    if sys.version_info < OLDEST_PYTHON:
        return [fault("Python", f"this is {sys.version.split()[0]}", "use 3.11 or newer")]
    required = [text for text in importlib.metadata.requires("voicebot") or () if "extra ==" not in text]
    missing = [lack for text in required if (lack := lacking(text, _installed))]
    if missing:
        return [fault("packages", "; ".join(missing), "pip install --upgrade voicebot, or scripts/setup")]
    return [ok("Python", f"{sys.version.split()[0]}, all packages there")]


def lacking(requirement: str, installed: Callable[[str], str | None]) -> str:
    """Return what is wrong with a requirement such as `aiohttp>=3.11`; "" if it is met."""
    match = re.match(r"([A-Za-z0-9._-]+)(?:\[[^\]]*\])?\s*(?:>=\s*([0-9.]+))?", requirement)
    if match is None:
        return ""
    name, oldest = match[1], match[2] or "0"
    found = installed(name)
    if found is None:
        return f"{name} is missing"
    return f"{name} {found} is older than {oldest}" if _numbers(found) < _numbers(oldest) else ""


def _installed(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def _numbers(version: str) -> tuple[int, ...]:
    numbers = [int(part) for part in re.findall(r"\d+", re.split(r"[a-z+]", version)[0])]
    while numbers and numbers[-1] == 0:
        numbers.pop()
    return tuple(numbers)
