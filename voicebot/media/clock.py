"""The 20 ms tick: a timerfd on absolute deadlines, watched by the event loop.

asyncio's own timers are rounded to the selector's millisecond and re-armed from "now", so they drift and
wobble.
"""

from __future__ import annotations

import asyncio
import ctypes
import os
import struct
import sys
import time
from collections.abc import Callable

from voicebot.audio.frames import FRAME_MS

_TICK_NS = FRAME_MS * 1_000_000
_EXPIRATIONS = struct.Struct("Q")

OnTick = Callable[[int, float], None]
"""Called with the ticks skipped just before this one, and how late this one is in s."""


class TickClock:
    """Calls back every 20 ms; after a delay once only, telling how many ticks were skipped."""

    def __init__(self, on_tick: OnTick) -> None:
        self._on_tick = on_tick
        self._loop: asyncio.AbstractEventLoop | None = None
        self._fd = -1
        self._due_ns = 0  # deadline of the next tick, CLOCK_MONOTONIC

    def start(self) -> None:
        """Begin; the first tick is due in 20 ms. Needs a running event loop."""
        self._loop = asyncio.get_running_loop()
        self._due_ns = time.monotonic_ns() + _TICK_NS
        self._fd = _open_timer(self._due_ns, _TICK_NS)
        self._loop.add_reader(self._fd, self._expired)

    def stop(self) -> None:
        """End. Idempotent."""
        if self._loop is not None:
            self._loop.remove_reader(self._fd)
            os.close(self._fd)
            self._loop = None

    def _expired(self) -> None:
        try:
            (ticks,) = _EXPIRATIONS.unpack(os.read(self._fd, _EXPIRATIONS.size))
        except BlockingIOError:
            return
        deadline_ns = self._due_ns + (ticks - 1) * _TICK_NS
        self._due_ns = deadline_ns + _TICK_NS
        self._on_tick(ticks - 1, (time.monotonic_ns() - deadline_ns) / 1e9)


class _Timespec(ctypes.Structure):
    _fields_ = (("seconds", ctypes.c_long), ("nanoseconds", ctypes.c_long))


class _Itimerspec(ctypes.Structure):
    _fields_ = (("interval", _Timespec), ("value", _Timespec))


def _open_timer(first_ns: int, interval_ns: int) -> int:
    """Return a non-blocking timerfd that expires at `first_ns` on CLOCK_MONOTONIC and then every
    `interval_ns`.
    """
    if sys.version_info >= (3, 13):
        fd = os.timerfd_create(time.CLOCK_MONOTONIC, flags=os.TFD_NONBLOCK | os.TFD_CLOEXEC)
        os.timerfd_settime_ns(fd, flags=os.TFD_TIMER_ABSTIME, initial=first_ns, interval=interval_ns)
        return fd
    return _open_timer_by_libc(first_ns, interval_ns)


def _open_timer_by_libc(first_ns: int, interval_ns: int) -> int:
    """The same before Python 3.13."""
    libc = ctypes.CDLL(None, use_errno=True)
    fd: int = libc.timerfd_create(time.CLOCK_MONOTONIC, os.O_NONBLOCK | os.O_CLOEXEC)
    spec = _Itimerspec(_timespec(interval_ns), _timespec(first_ns))
    absolute = 1
    if fd < 0 or libc.timerfd_settime(fd, absolute, ctypes.byref(spec), None):
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    return fd


def _timespec(ns: int) -> _Timespec:
    return _Timespec(*divmod(ns, 1_000_000_000))
