"""A short visit to the manager interface: log in, ask, leave. For checks; nothing here follows events."""

from __future__ import annotations

import asyncio
import contextlib
import os
from types import TracebackType
from typing import Self

from voicebot.ami import messages
from voicebot.ami.messages import BANNER, Message, Splitter, message
from voicebot.errors import PbxError

CONNECT_TIMEOUT_S = 3.0
ANSWER_TIMEOUT_S = 5.0
READ_BYTES = 65536


class AmiLogin:
    """A logged-in connection, as an async context manager.

    async with AmiLogin(host, port, user, secret) as ami:
        commands = await ami.ask("ListCommands")

    Entering raises PbxError where nobody answers, something else than AMI does, or the login is refused
    (`refused` is set then).
    """

    def __init__(self, host: str, port: int, user: str, secret: str) -> None:
        self._address = (host, port)
        self._user, self._secret = user, secret
        self._splitter = Splitter()
        self._arrived: list[Message] = []
        self._asked = 0
        self.version = ""
        self.refused = False

    async def __aenter__(self) -> Self:
        host, port = self._address
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT_S):
                self._reader, self._writer = await asyncio.open_connection(host, port)
        except TimeoutError as error:
            raise PbxError(f"AMI does not answer at {host}:{port} within {CONNECT_TIMEOUT_S:g} s") from error
        except OSError as error:
            why = os.strerror(error.errno) if error.errno and error.errno > 0 else error
            raise PbxError(f"AMI cannot be reached at {host}:{port}: {why}") from error
        try:
            await self._greet()
            await self._log_in()
        except BaseException:
            self._writer.close()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._writer.close()
        with contextlib.suppress(OSError, TimeoutError):
            async with asyncio.timeout(CONNECT_TIMEOUT_S):
                await self._writer.wait_closed()

    async def ask(self, action: str, **headers: str) -> tuple[Message, list[Message]]:
        """Send an action; return its response and, of an action that lists something, the list's events.

        Raises PbxError where Asterisk refuses the action, goes away, or takes longer than ANSWER_TIMEOUT_S.
        """
        self._asked += 1
        action_id = str(self._asked)
        request = message("Action", action, [("ActionID", action_id), *headers.items()])
        self._writer.write(messages.serialise(request))
        response: Message | None = None
        events: list[Message] = []
        try:
            async with asyncio.timeout(ANSWER_TIMEOUT_S):
                while True:
                    answer = await self._next()
                    if answer.get("ActionID") not in (action_id, ""):
                        continue
                    if answer.is_event:
                        if not answer.get("ActionID"):
                            continue
                        if answer.get("EventList") == "Complete":
                            break
                        events.append(answer)
                    else:
                        response = answer
                        if not answer.succeeded:
                            raise PbxError(
                                f"AMI refuses {action}: {answer.get('Message') or 'no reason given'}"
                            )
                        if answer.get("EventList") != "start":
                            break
        except TimeoutError as error:
            raise PbxError(f"AMI does not answer {action} within {ANSWER_TIMEOUT_S:g} s") from error
        if response is None:
            raise PbxError(f"AMI answers {action} with events only")
        return response, events

    async def _greet(self) -> None:
        try:
            async with asyncio.timeout(ANSWER_TIMEOUT_S):
                banner = await self._reader.readline()
        except (TimeoutError, ValueError, OSError) as error:
            raise PbxError("there is no AMI: no greeting") from error
        if not banner.startswith(BANNER):
            raise PbxError("there is no AMI: another service greets us" if banner else "AMI hangs up on us")
        self.version = banner.removeprefix(BANNER).decode(errors="replace").strip()

    async def _log_in(self) -> None:
        try:
            challenge, _ = await self.ask("Challenge", AuthType="MD5")
            key = messages.login_key(challenge.get("Challenge"), self._secret)
            await self.ask("Login", AuthType="MD5", Username=self._user, Key=key, Events="off")
        except PbxError as error:
            self.refused = "refuses Login" in str(error)
            raise

    async def _next(self) -> Message:
        while not self._arrived:
            try:
                data = await self._reader.read(READ_BYTES)
                self._arrived = self._splitter.feed(data)
            except (OSError, ValueError) as error:
                raise PbxError(f"the connection to AMI broke: {error}") from error
            if not data:
                raise PbxError("AMI hangs up on us")
        return self._arrived.pop(0)
