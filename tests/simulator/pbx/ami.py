"""A simulated manager interface: lets us in, answers what we ask, tells events, and breaks on demand.

It writes what a real Asterisk 22 was seen to write; `tests/integration/test_ami_client.py` asks the real one
the same questions.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from voicebot.ami.messages import Message, Splitter, login_key, message, serialise

HOST = "127.0.0.1"
CHALLENGE = "455491810"
Headers = Sequence[tuple[str, str]]


@dataclass
class AmiFaults:
    """What goes wrong, from the next message on.

    greeting:   what is said instead of AMI's; None: nothing at all
    refuse:     actions that are refused, with the reason
    silent:     no answer to anything
    mute:       actions that are never answered
    cut:        actions whose answer is half sent before the connection breaks
    """

    greeting: bytes | None = b"Asterisk Call Manager/11.0.0\r\n"
    refuse: dict[str, str] = field(default_factory=dict)
    silent: bool = False
    mute: set[str] = field(default_factory=set)
    cut: set[str] = field(default_factory=set)


class SimulatedAmi:
    """AMI on a free port of the loopback, as an async context manager.

    async with SimulatedAmi() as ami:
        ami.tell("Newchannel", [("Channel", "Local/1;1"), ...])
    """

    user, secret = "voicebot-dialler", "secret"

    def __init__(self) -> None:
        self.faults = AmiFaults()
        self.asked: list[Message] = []
        self.refused = asyncio.Event()
        self.logins = 0
        self.channels: list[Headers] = []
        self.port = 0
        self._writers: set[asyncio.StreamWriter] = set()
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def start(self) -> None:
        """Listen; after `stop()` on the same port."""
        self._server = await asyncio.start_server(self._serve, HOST, self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Be gone: nobody listens, and all connections break."""
        if self._server is not None:
            self._server.close()
            self.drop()
            await self._server.wait_closed()
            self._server = None

    def drop(self) -> None:
        """Break all connections, and take new ones."""
        for writer in tuple(self._writers):
            writer.transport.abort()

    def tell(self, event: str, headers: Headers = ()) -> None:
        """Send an event to all who are logged in."""
        self.send(serialise(message("Event", event, headers)))

    def send(self, data: bytes) -> None:
        """Send bytes as they are."""
        for writer in self._writers:
            writer.write(data)

    # --- one connection ---------------------------------------------------------------------------------

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        splitter = Splitter()
        self._writers.add(writer)
        try:
            if self.faults.greeting is not None:
                writer.write(self.faults.greeting)
            while data := await reader.read(65536):
                for action in splitter.feed(data):
                    self.asked.append(action)
                    if not self.faults.silent:
                        self._answer(action, writer)
        except OSError:
            pass
        finally:
            self._writers.discard(writer)
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    def _answer(self, action: Message, writer: asyncio.StreamWriter) -> None:
        name, id_ = action.get("Action"), ("ActionID", action.get("ActionID"))
        if name in self.faults.mute:
            return
        if why := self.faults.refuse.get(name):
            answer = serialise(message("Response", "Error", [id_, ("Message", why)]))
            self.refused.set()
        else:
            answer = b"".join(serialise(each) for each in self._answers(name, action, id_))
        if name in self.faults.cut:
            writer.write(answer[: len(answer) // 2])
            writer.close()
            return
        writer.write(answer)

    def _answers(self, name: str, action: Message, id_: tuple[str, str]) -> list[Message]:
        def success(*headers: tuple[str, str]) -> Message:
            return message("Response", "Success", [id_, *headers])

        match name:
            case "Challenge":
                return [success(("Challenge", CHALLENGE))]
            case "Login":
                right = (self.user, login_key(CHALLENGE, self.secret))
                if (action.get("Username"), action.get("Key")) != right:
                    return [message("Response", "Error", [id_, ("Message", "Authentication failed")])]
                self.logins += 1
                return [success(("Message", "Authentication accepted"))]
            case "Ping":
                return [success(("Ping", "Pong"), ("Timestamp", "1795317604.123456"))]
            case "Logoff":
                return [message("Response", "Goodbye", [id_, ("Message", "Thanks for all the fish.")])]
            case "Originate":
                return [success(("Message", "Originate successfully queued"))]
            case "CoreShowChannels":
                ends = [id_, ("EventList", "Complete"), ("ListItems", str(len(self.channels)))]
                return [
                    success(("EventList", "start"), ("Message", "Channels will follow")),
                    *(message("Event", "CoreShowChannel", [id_, *headers]) for headers in self.channels),
                    message("Event", "CoreShowChannelsComplete", ends),
                ]
        return [message("Response", "Error", [id_, ("Message", "Invalid/unknown command")])]
