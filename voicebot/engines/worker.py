"""A speech worker process: `python -m voicebot.engines.worker <fd> <parent> <name>`, started by `link.py`.

`fd` is one end of a socket pair; the name is for whoever looks at a list of processes. Engines print where
they like: standard output is joined to standard error, which the gateway logs. The process dies with the
gateway, even if that was killed.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import socket
import sys

from voicebot.engines.host import serve

NICENESS = 5
"""Below the media loop, which must not miss its 20 ms tick because somebody is being understood."""
_PR_SET_PDEATHSIG = 1


def _die_with_parent(parent: int) -> None:
    """Have the kernel kill us with the gateway: an engine stuck in C code would not see the socket close."""
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(0)


def main() -> None:
    fd, parent = int(sys.argv[1]), int(sys.argv[2])
    with contextlib.suppress(OSError, AttributeError):
        _die_with_parent(parent)
    # A service manager, or Ctrl-C, tells all processes of the gateway at once: its last calls need us until
    # the socket closes.
    for told in (signal.SIGINT, signal.SIGTERM):
        signal.signal(told, signal.SIG_IGN)
    os.dup2(2, 1)
    os.nice(NICENESS)
    serve(socket.socket(fileno=fd))
    sys.stderr.flush()
    os._exit(0)  # compute threads may be deep in an engine; nothing is owed to them


if __name__ == "__main__":
    main()
