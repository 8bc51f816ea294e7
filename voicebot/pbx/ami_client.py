"""The connection to Asterisk's manager interface: actions with their answers, events as they come.

    async with AmiClient(host, port, user, secret) as ami:
        with ami.subscribe() as events:
            await ami.action(Originate(...))
            async for event in events: ...

A connection that breaks, or says nothing for PING_AFTER_S + ANSWER_TIMEOUT_S, is opened again, the first time
within FIRST_RETRY_S. Asterisk does not repeat events: whoever subscribed finds a `Missed` in their place once
there is a connection again, and after it, in its right place among the events, the list of `LiveChannels`.
"""

from __future__ import annotations

import asyncio
import os
import random
from collections.abc import Callable, Sequence
from contextlib import suppress
from types import TracebackType
from typing import Self

import structlog

from voicebot.ami.actions import Action, CoreShowChannels
from voicebot.ami.events import CoreShowChannel, Event, Listed, LiveChannels, Missed, parse
from voicebot.ami.messages import Message
from voicebot.ami.session import (
    ANSWER_TIMEOUT_S,
    GREETING_TIMEOUT_S,
    Answered,
    Arrived,
    Broken,
    Failed,
    LoggedIn,
    Output,
    Refused,
    Session,
    State,
)
from voicebot.errors import PbxError, Problem, UserError, told_by_system
from voicebot.pbx.ami_subscription import Subscription
from voicebot.pbx.link import Link, retry_delays

READ_BYTES = 16 * 1024
"""Taken in at once: 256 KiB of events, as asyncio would, keep the loop from the tick of calls for 80 ms."""
CONNECT_TIMEOUT_S = 3.0
LOGIN_TIMEOUT_S = GREETING_TIMEOUT_S + 2 * ANSWER_TIMEOUT_S
FIRST_RETRY_S = 0.5
QUEUE_EVENTS = 20_000
"""Events that may wait for one subscriber: those of more than a thousand calls."""
PREFIX_BYTES = 4

log = structlog.get_logger(__name__)


class AmiUnsure(PbxError):
    """The action was sent, but its answer never came: Asterisk may have done it, or not."""


class AmiRefused(PbxError):
    """Asterisk refused the action: it was not done. `response` is what it said."""

    def __init__(self, why: str, response: Message) -> None:
        self.response = response
        super().__init__(why)


class AmiClient:
    """One user's connection to one Asterisk, as an async context manager.

    Entering raises PbxError where nobody answers or something else than AMI does, UserError where the login
    is refused. With `patient` it raises neither, and goes on trying.

    on_link: gets every change of the connection's state with a word about why
    events:  False for a visit that only asks
    chance:  a number from 0 to 1 for each delay before another try
    lists:   what is listed besides the live channels, each as a `Listed`
    typed:   False: every event stays an UnknownEvent, with all its headers
    """

    def __init__(
        self,
        host: str,
        port: int,
        user: str,
        secret: str,
        *,
        on_link: Callable[[Link, str], None] = lambda link, why: None,
        events: bool = True,
        patient: bool = False,
        queue_events: int = QUEUE_EVENTS,
        chance: Callable[[], float] = random.random,
        lists: Sequence[Action] = (),
        typed: bool = True,
    ) -> None:
        self.link = Link.CONNECTING
        self.version = ""
        self._address = (host, port)
        self._user, self._secret = user, secret
        self._on_link = on_link
        self._events = events
        self._patient = patient
        self._queue_events = queue_events
        self._chance = chance
        self._lists = (CoreShowChannels(), *lists)
        self._typed = typed
        self._connection: _Connection | None = None
        self._subscriptions: list[Subscription] = []
        self._runner: asyncio.Task[None] | None = None

    # --- life -------------------------------------------------------------------------------------------

    async def __aenter__(self) -> Self:
        try:
            connection: _Connection | None = await self._connect()
        except (PbxError, UserError) as error:
            if not self._patient:
                raise
            connection = None
            self._tell(Link.LOST, str(error))
        self._runner = asyncio.create_task(self._run(connection), name="ami")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._runner:
            self._runner.cancel()
            with suppress(asyncio.CancelledError):
                await self._runner
        for subscription in tuple(self._subscriptions):
            subscription.end()
        self._tell(Link.CLOSED, "")

    @property
    def connected(self) -> bool:
        return self.link is Link.CONNECTED

    # --- what one does with it --------------------------------------------------------------------------

    async def action(
        self, action: Action, timeout_s: float = ANSWER_TIMEOUT_S, action_id: str = ""
    ) -> Answered:
        """Ask, and return Asterisk's answer.

        action_id: one of your own, never used before; empty: the client makes one

        Raises PbxError where Asterisk refuses it or is away: then it was not done. Raises AmiUnsure where no
        answer came although it was sent. Raises ValueError for what must not reach the wire.
        """
        connection = self._connection
        if connection is None or connection.session.state is not State.READY:
            raise PbxError(f"AMI cannot be asked for {action.name}: there is no connection to {self._where}")
        return await connection.ask(action, timeout_s, action_id)

    def subscribe(self, *, live: bool = False) -> Subscription:
        """Return all events from now on; with `live` the list of `LiveChannels` is among the first."""
        subscription = Subscription(self._queue_events, self._forget, self.refresh)
        self._subscriptions.append(subscription)
        if live:
            self.refresh()
        return subscription

    def refresh(self, *names: str) -> None:
        """Have everything listed anew for all subscribers, or only the lists of these actions.

        Each comes as an event, in its place among the others; none while there is no connection.
        """
        if self._connection is not None and self._connection.session.state is State.READY:
            for action in self._lists:
                if not names or action.name in names:
                    self._connection.fetch(action)

    # --- the connection ---------------------------------------------------------------------------------

    async def _run(self, connection: _Connection | None) -> None:
        """Hold the connection, and open it again and again."""
        delays = retry_delays(FIRST_RETRY_S, self._chance)
        try:
            while True:
                if connection is not None:
                    delays = retry_delays(FIRST_RETRY_S, self._chance)
                    why = await connection.over
                    self._connection = None
                    self._tell(Link.LOST, why)
                await asyncio.sleep(next(delays))
                try:
                    connection = await self._connect()
                except (PbxError, UserError) as error:
                    connection = None
                    log.debug("AMI is still away", why=str(error))
                else:
                    self._publish(Missed("the connection was lost"))
                    self.refresh()
        finally:
            if self._connection is not None:
                await self._connection.leave()
                self._connection = None

    async def _connect(self) -> _Connection:
        """Open a connection and log in."""
        loop = asyncio.get_running_loop()
        prefix = f"{os.urandom(PREFIX_BYTES).hex()}-"
        session = Session(
            self._user, self._secret, loop.time(), events=self._events, prefix=prefix, typed=self._typed
        )
        connection = _Connection(session, self._publish)
        host, port = self._address
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT_S):
                await loop.create_connection(lambda: connection, host, port)
        except TimeoutError as error:
            why = f"AMI does not answer at {self._where} within {CONNECT_TIMEOUT_S:g} s"
            raise PbxError(why) from error
        except OSError as error:
            raise PbxError(f"AMI cannot be reached at {self._where}: {told_by_system(error)}") from error
        try:
            async with asyncio.timeout(LOGIN_TIMEOUT_S):
                self.version = await connection.ready
        except TimeoutError as error:
            raise PbxError(f"AMI at {self._where} does not let us in in time") from error
        except UserError as error:
            raise UserError(
                Problem(
                    f"Asterisk refuses the manager user {self._user!r}: {error}",
                    "compare its ami_user and ami_password with manager.conf, and its deny/permit there with "
                    "our address; then: asterisk -rx 'manager reload'",
                )
            ) from error
        finally:
            if connection.session.state is not State.READY:
                connection.abort()
        self._connection = connection
        self._tell(Link.CONNECTED, "")
        return connection

    @property
    def _where(self) -> str:
        return f"{self._address[0]}:{self._address[1]}"

    def _publish(self, event: Event) -> None:
        for subscription in self._subscriptions:
            subscription.put(event)

    def _forget(self, subscription: Subscription) -> None:
        if subscription in self._subscriptions:
            self._subscriptions.remove(subscription)

    def _tell(self, link: Link, why: str) -> None:
        if link is not self.link:
            self.link = link
            self._on_link(link, why)


class _Connection(asyncio.Protocol):
    """One TCP connection: bytes to the session, and what it says to whom it concerns.

    ready: the protocol's version, once we are logged in
    over:  why it ended, once it has
    """

    def __init__(self, session: Session, publish: Callable[[Event], None]) -> None:
        self.session = session
        loop = asyncio.get_running_loop()
        self.ready: asyncio.Future[str] = loop.create_future()
        self.over: asyncio.Future[str] = loop.create_future()
        self._loop = loop
        self._publish = publish
        self._answers: dict[str, asyncio.Future[Answered]] = {}
        self._listing: dict[str, Action] = {}
        self._again: set[str] = set()
        self._transport: asyncio.Transport | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._gone = asyncio.Event()

    async def ask(self, action: Action, timeout_s: float, action_id: str) -> Answered:
        id_ = self.session.ask(action, self._loop.time(), timeout_s, action_id)
        answer: asyncio.Future[Answered] = self._loop.create_future()
        self._answers[id_] = answer
        self._work()
        try:
            return await answer
        finally:
            self._answers.pop(id_, None)
            self.session.forget(id_)

    def fetch(self, action: Action) -> None:
        """Have a list published, in its place among the events; again, if it is being made just now."""
        if any(each.name == action.name for each in self._listing.values()):
            self._again.add(action.name)
        elif self.session.state is State.READY:
            self._listing[self.session.ask(action, self._loop.time())] = action
            self._loop.call_soon(self._work)

    async def leave(self) -> None:
        """Log off and close."""
        self.session.leave(self._loop.time())
        self._work()
        if self._transport is not None:
            self._transport.close()
            try:
                async with asyncio.timeout(CONNECT_TIMEOUT_S):
                    await self._gone.wait()
            except TimeoutError:
                self.abort()

    def abort(self) -> None:
        self.session.lost("given up")
        self._work()
        if self._transport is not None:
            self._transport.abort()

    # --- asyncio.Protocol -------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        transport.max_size = READ_BYTES  # type: ignore[attr-defined]
        self._transport = transport
        self._work()

    def data_received(self, data: bytes) -> None:
        self.session.receive(data, self._loop.time())
        self._work()

    def connection_lost(self, error: Exception | None) -> None:
        self.session.lost(f"the connection to AMI broke: {error}" if error else "AMI hangs up on us")
        self._gone.set()
        self._work()

    # --- from the session -------------------------------------------------------------------------------

    def _work(self) -> None:
        """Do all that the session wants done now."""
        if (data := self.session.data_to_send()) and self._transport is not None:
            self._transport.write(data)
        while (output := self.session.next_output()) is not None:
            self._handle(output)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if (due := self.session.get_timer()) is not None:
            self._timer = self._loop.call_at(due, self._handle_timer)

    def _handle_timer(self) -> None:
        self.session.handle_timer(self._loop.time())
        self._work()

    def _handle(self, output: Output) -> None:
        match output:
            case Arrived(event=event):
                self._publish(event)
            case Answered(action_id=id_, listed=listed) if id_ in self._listing:
                self._listed(id_, tuple(parse(each) for each in listed), "")
            case Failed(action_id=id_, why=why) if id_ in self._listing:
                self._listed(id_, (), why)
            case Answered(action_id=id_):
                if answer := self._waiting(id_):
                    answer.set_result(output)
            case Failed(action_id=id_, why=why, late=late, response=response):
                if answer := self._waiting(id_):
                    refused = AmiRefused(why, response) if response else PbxError(why)
                    answer.set_exception(AmiUnsure(why) if late else refused)
            case LoggedIn(version=version):
                if not self.ready.done():
                    self.ready.set_result(version)
            case Refused(why=why):
                if not self.ready.done():
                    self.ready.set_exception(UserError(why))
            case Broken(why=why, unanswered=unanswered):
                self._break(why, unanswered)

    def _listed(self, id_: str, events: tuple[Event, ...], refused: str) -> None:
        action = self._listing.pop(id_)
        if action.name != CoreShowChannels.name:
            self._publish(Listed(action.name, events, refused))
        elif refused:
            log.warning("live channels cannot be listed", why=refused)
        else:
            self._publish(LiveChannels(tuple(each for each in events if isinstance(each, CoreShowChannel))))
        if action.name in self._again:
            self._again.discard(action.name)
            self.fetch(action)

    def _break(self, why: str, unanswered: tuple[str, ...]) -> None:
        for id_ in unanswered:
            if answer := self._waiting(id_):
                answer.set_exception(AmiUnsure(f"{why}; nobody knows whether Asterisk did it"))
        if not self.ready.done():
            self.ready.set_exception(PbxError(why))
            self.ready.exception()  # seen, also where nobody waits for it any more
        if not self.over.done():
            self.over.set_result(why)
        if self._transport is not None:
            self._transport.abort()

    def _waiting(self, id_: str) -> asyncio.Future[Answered] | None:
        answer = self._answers.pop(id_, None)
        return answer if answer is not None and not answer.done() else None
