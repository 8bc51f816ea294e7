"""People who are called: a SIP trunk's far end, where each number rings, refuses, or talks by a script.

async with Callees({"12025550142": Manner(script=[WaitForBot(), Say(Path("yes.wav"))])}) as callees:
    ...  # a trunk to 127.0.0.1:callees.port
    await callees.calls[0].over(timeout=30)
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from voicebot.errors import CallEnded
from voicebot.softphone import sdp, sip
from voicebot.softphone.call import SoftphoneCall
from voicebot.softphone.exchange import Exchange
from voicebot.softphone.script import Happened, Step, play
from voicebot.softphone.uac import Answered
from voicebot.softphone.uas import IncomingCall


@dataclass(frozen=True, slots=True)
class Manner:
    """What a number does with a call.

    refuse:  a final SIP status at once; 0: it rings
    ring_s:  how long it rings until it is answered; None: for ever
    script:  what is done then; a call whose script is over stays silent until the caller hangs up
    """

    refuse: int = 0
    ring_s: float | None = 0.2
    script: Sequence[Step] = ()


class Callees:
    """All numbers of a trunk. `manners` is by dialled number; `otherwise` for all others (404 by default).

    calls:  those that were answered, in order
    dialled: every number that was called, refused ones too, in order
    stories: what happened in each script, by number
    """

    def __init__(
        self, manners: Mapping[str, Manner], otherwise: Manner = Manner(refuse=404), host: str = "127.0.0.1"
    ) -> None:
        self.manners = dict(manners)
        self.otherwise = otherwise
        self.calls: list[SoftphoneCall] = []
        self.dialled: list[str] = []
        self.stories: dict[str, list[Happened]] = {}
        self.failures: list[str] = []
        self._host = host
        self._exchange = Exchange(host, self._invited)
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        await self._exchange.open()
        self.port: int = self._exchange.address[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)
        try:
            await self._exchange.hang_up_all()
        finally:
            self._exchange.close()

    # --- SIP --------------------------------------------------------------------------------------------

    def _invited(self, invite: sip.Request, sender: tuple[str, int]) -> None:
        call_id = invite.call_id
        local = f"{self._host}:{self.port}"
        call = SoftphoneCall("", self._host, lambda: self._exchange.hang_up(call_id))
        try:
            signalling = IncomingCall(invite, local, call.line.port, lambda: secrets.token_hex(8))
        except sdp.SdpError:
            call.line.close()
            refusal = sip.reply(invite, 488, "Not Acceptable Here", "none")
            self._exchange.send(sip.serialise(refusal), sender)
            return
        call.number = signalling.number
        self.dialled.append(signalling.number)
        self._exchange.add(call_id, signalling, call, sender)
        manner = self.manners.get(signalling.number, self.otherwise)
        if manner.refuse:
            signalling.refuse(manner.refuse, time.monotonic())
            self._exchange.flush(call_id)
            return
        signalling.ring()
        self._exchange.flush(call_id)
        if manner.ring_s is not None:
            task = asyncio.create_task(
                self._take(call_id, signalling, call, manner), name=f"callee {call.number}"
            )
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _take(
        self, call_id: str, signalling: IncomingCall, call: SoftphoneCall, manner: Manner
    ) -> None:
        """Let it ring, answer, and follow the script."""
        await asyncio.wait({call.ended}, timeout=manner.ring_s)
        if call.ended.done():
            return
        signalling.answer(time.monotonic())
        self._exchange.flush(call_id)
        call.handle(Answered(signalling.offered))
        self.calls.append(call)
        story = self.stories.setdefault(call.number, [])
        try:
            await play(call, manner.script, story.append)
        except TimeoutError as late:
            self.failures.append(f"{call.number}: {late}")
            await call.hang_up()
        except CallEnded:
            return
