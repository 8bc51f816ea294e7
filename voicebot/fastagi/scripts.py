"""Which script a session runs: agi://host/<kind>/<name>, as a registry of kinds.

    scripts = Scripts()
    scripts.add("dialog", run_dialog)     # agi://host/dialog/clinic: await run_dialog(channel, "clinic")

A handler is `async def handler(channel: AgiChannel, name: str) -> None`. It may raise CallerHungUp, AgiError
and UnknownScript. The dialplan goes on when it returns; it finds VOICEBOT_AGI_STATUS set to `ok`, `unknown`
(no such script), `failed` or `busy` (too many sessions). `ok` is not told by kinds that tell it by variables
of their own (`tells_itself`): each variable costs a question and an answer.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable

import structlog

from voicebot.agi.command import AgiError, CallerHungUp
from voicebot.agi.status import FAILED, OK, STATUS, UNKNOWN
from voicebot.fastagi.channel import AgiChannel

log = structlog.get_logger(__name__)

_KIND = re.compile(r"[a-z][a-z0-9_-]{0,31}")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")

Handler = Callable[[AgiChannel, str], Awaitable[None]]


class UnknownScript(Exception):
    """There is no script of this name. The text says so for the log."""


class Scripts:
    """The kinds of scripts, and what runs each."""

    def __init__(self) -> None:
        self._handlers: dict[str, Handler] = {}
        self._silent: set[str] = set()

    @property
    def kinds(self) -> tuple[str, ...]:
        return tuple(self._handlers)

    def add(self, kind: str, handler: Handler, *, tells_itself: bool = False) -> None:
        """Let `handler` run agi://host/<kind>/<name>. Raises ValueError for a kind that is there already."""
        if not _KIND.fullmatch(kind) or kind in self._handlers:
            raise ValueError(f"not a new kind of scripts: {kind!r}")
        self._handlers[kind] = handler
        if tells_itself:
            self._silent.add(kind)

    async def run(self, channel: AgiChannel) -> str:
        """Run the script that the session asks for, and return its status, which the dialplan is told.

        Raises nothing but CancelledError: whatever a script does, the caller goes on in the dialplan.
        """
        path = channel.environment.path
        script = "/".join(path)[:100]
        try:
            handler = self._handlers.get(path[0]) if len(path) == 2 and _NAME.fullmatch(path[1]) else None
            if handler is None:
                raise UnknownScript("no such script")
            await handler(channel, path[1])
            if path[0] in self._silent:
                return OK
            status = OK
        except UnknownScript as error:
            log.warning("unknown AGI script", script=script, why=str(error))
            status = UNKNOWN
        except CallerHungUp:
            return OK
        except AgiError as error:
            log.warning("AGI script failed", script=script, why=str(error))
            status = FAILED
        except Exception:
            log.exception("AGI script failed", script=script)
            status = FAILED
        await tell(channel, status)
        return status


async def tell(channel: AgiChannel, status: str) -> None:
    """Set VOICEBOT_AGI_STATUS, if the session still takes it."""
    if channel.closed:
        return
    try:
        await channel.set_variable(STATUS, status)
    except (AgiError, CallerHungUp):
        return
