"""Sound by websockets: listening in, a supervisor's microphone, a call by the browser's microphone.

Who asks is known, and may, before a connection is accepted; the guard has looked at its origin.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from typing import Annotated, Any, Literal

import numpy as np
import structlog
from fastapi import APIRouter, Query, WebSocket, WebSocketDisconnect
from starlette.websockets import WebSocketState

from voicebot.errors import Problem, UserError
from voicebot.media.browser_peer import BROWSER_RATE
from voicebot.web.naming import dialog_or_number
from voicebot.web.problems import body
from voicebot.web.security.needs import Author, Supervisor, Viewer, doorkeeper_of, house_of
from voicebot.web.security.roles import Identity

log = structlog.get_logger(__name__)

sockets = APIRouter()

FRAMES_A_MESSAGE = 3
"""Frames of 20 ms that listeners get at once: 50 messages a second would cost more than the sound."""
MOST_EARS, MOST_EARS_OF_ONE = 60, 20
"""Who listens at the same time, and how often one person: each is sent 17 messages a second."""
SLOW_S = 10.0
STILL_EVERY_S = 15.0
CLOSED_EVERY_S = 0.1
MOST_MESSAGE_BYTES = 32_000
"""A second of sound."""
REFUSED, OVER, SIGNED_OUT = 4404, 1000, 4401
KEYS = frozenset("0123456789*#ABCD")


class _Over(Exception):
    """A connection ends. Its arguments: code, and what is told before."""


@sockets.websocket("/calls/{call_id}/listen")
async def listen(socket: WebSocket, call_id: str, who: Viewer, mono: bool = False) -> None:
    """Both sides of a call, 16-bit little-endian, caller left and bot right (`mono`: both in one).

    First a text: `{type: "ready", sample_rate, channels}`; at the end `{type: "ended"}`.
    """
    house, ears = house_of(socket), socket.app.state.ears
    try:
        if ears.total() >= MOST_EARS or ears[who.name] >= MOST_EARS_OF_ONE:
            raise UserError("too many listen already", "leave a call that you listen to, or try again soon")
        ear = house.calls.listen(call_id)
    except UserError as error:
        await _turn_away(socket, error)
        return
    _noted(socket, who, "listen", call_id)

    async def send() -> None:
        await _tell(socket, {"type": "ready", "sample_rate": ear.sample_rate, "channels": 1 if mono else 2})
        gathered: list[tuple[bytes, bytes]] = []
        async for frames in ear:
            gathered.append(frames)
            if len(gathered) >= FRAMES_A_MESSAGE:
                sound = _mixed(gathered) if mono else _interleaved(gathered)
                gathered.clear()
                async with asyncio.timeout(SLOW_S):
                    await socket.send_bytes(sound)
        raise _Over(OVER, {"type": "ended"})

    ears[who.name] += 1
    try:
        await _converse(socket, who, send, _ignore)
    finally:
        ears[who.name] -= 1
        ear.close()


@sockets.websocket("/calls/{call_id}/microphone")
async def microphone(
    socket: WebSocket,
    call_id: str,
    who: Supervisor,
    mode: Annotated[Literal["barge", "take_over", "whisper"], Query()] = "barge",
) -> None:
    """A supervisor's voice in a call: 16-bit little-endian mono at the rate that `ready` tells."""
    house = house_of(socket)
    if house.supervisors is None or not house.config.panel.microphone:
        await _turn_away(socket, UserError("microphones are off", "set panel.microphone = true"))
        return
    try:
        voice = await house.supervisors.microphone(call_id, mode, who.name)
    except UserError as error:
        await _turn_away(socket, error)
        return
    _noted(socket, who, "microphone", call_id, {"mode": mode})

    async def send() -> None:
        await _tell(socket, {"type": "ready", "sample_rate": voice.sample_rate, "channels": 1})
        while not voice.closed:  # noqa: ASYNC110  # a supervisor's microphone tells nobody
            await asyncio.sleep(CLOSED_EVERY_S)
        raise _Over(OVER, {"type": "ended"})

    async def take(message: bytes | dict[str, Any]) -> None:
        if isinstance(message, bytes):
            voice.feed(message)
        elif message.get("type") == "hangup":
            raise _Over(OVER, {"type": "ended"})

    try:
        await _converse(socket, who, send, take)
    finally:
        await voice.close()


@sockets.websocket("/browser-call")
async def browser_call(
    socket: WebSocket,
    who: Author,
    dialog: Annotated[str, Query(max_length=200)] = "",
    language: Annotated[str, Query(pattern=r"^[A-Za-z-]{0,20}$")] = "",
) -> None:
    """A call by the browser's microphone: 16-bit little-endian mono, 16 kHz, both ways.

    `dialog`: the name of a dialog in service, or a number of a route. Texts from the browser:
    `{type: "key", digit}`, `{type: "hangup"}`; from us `{type: "ready", call, sample_rate}`, `{type:
    "ended"}`.
    """
    house = house_of(socket)
    if house.browser_calls is None or not house.config.panel.microphone:
        await _turn_away(socket, UserError("calls by microphone are off", "set panel.microphone = true"))
        return
    try:
        call = await house.browser_calls.open(dialog_or_number(house, dialog), who.name, language)
    except UserError as error:
        await _turn_away(socket, error)
        return
    id = call.call.id
    _noted(socket, who, "browser_call", id, {"dialog": dialog})

    async def send() -> None:
        await _tell(socket, {"type": "ready", "call": id, "sample_rate": BROWSER_RATE, "channels": 1})
        async for frame in call:
            async with asyncio.timeout(SLOW_S):
                await socket.send_bytes(frame)
        raise _Over(OVER, {"type": "ended"})

    async def take(message: bytes | dict[str, Any]) -> None:
        if isinstance(message, bytes):
            call.feed(message)
        elif message.get("type") == "key" and (digit := str(message.get("digit"))) in KEYS:
            call.press(digit)
        elif message.get("type") == "hangup":
            call.hang_up()

    try:
        await _converse(socket, who, send, take)
    finally:
        call.hang_up()


# --- what they have in common ---------------------------------------------------------------------------


async def _ignore(message: bytes | dict[str, Any]) -> None:
    """Listeners have nothing to say."""


async def _converse(
    socket: WebSocket,
    who: Identity,
    send: Callable[[], Coroutine[Any, Any, None]],
    take: Callable[[bytes | dict[str, Any]], Awaitable[None]],
) -> None:
    """Accept, and go on both ways until one side, the call, the session or the panel ends."""
    await socket.accept()
    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(send(), name="socket out")
            group.create_task(_receive(socket, take), name="socket in")
            group.create_task(_welcome(socket, who), name="socket welcome")
    except* _Over as over:
        code, told = _first(over).args
        with suppress(RuntimeError, WebSocketDisconnect, TimeoutError):
            if told:
                await _tell(socket, told)
            if socket.application_state is WebSocketState.CONNECTED:
                await socket.close(code)
    except* (WebSocketDisconnect, TimeoutError, RuntimeError) as left:
        error = _first(left)
        if isinstance(error, RuntimeError) and "websocket" not in str(error).lower():
            raise


async def _receive(socket: WebSocket, take: Callable[[bytes | dict[str, Any]], Awaitable[None]]) -> None:
    while True:
        message = await socket.receive()
        if message["type"] == "websocket.disconnect":
            raise WebSocketDisconnect(message.get("code", 1006))
        sound, text = message.get("bytes"), message.get("text")
        if sound is not None:
            if len(sound) > MOST_MESSAGE_BYTES or len(sound) % 2:
                raise _Over(1009, {"type": "error", **body([Problem("frames of 16-bit sound, up to 1 s")])})
            await take(sound)
        elif text is not None:
            try:
                told = json.loads(text)
            except (ValueError, RecursionError):
                told = None
            if not isinstance(told, dict):
                raise _Over(1007, {"type": "error", **body([Problem("texts are JSON objects")])})
            await take(told)


async def _welcome(socket: WebSocket, who: Identity) -> None:
    """End it when the session or the panel ends."""
    closing: asyncio.Event = socket.app.state.closing
    while True:
        with suppress(TimeoutError):
            async with asyncio.timeout(STILL_EVERY_S):
                await closing.wait()
            raise _Over(1001, None)
        if not await doorkeeper_of(socket).still(who):
            raise _Over(SIGNED_OUT, {"type": "signed_out"})


async def _turn_away(socket: WebSocket, error: UserError) -> None:
    """Say why there is nothing: browsers learn nothing of a connection that is not accepted."""
    await socket.accept()
    with suppress(RuntimeError, WebSocketDisconnect):
        await _tell(socket, {"type": "error", **body(error.problems)})
        await socket.close(REFUSED)


async def _tell(socket: WebSocket, told: dict[str, Any]) -> None:
    async with asyncio.timeout(SLOW_S):
        await socket.send_text(json.dumps(told))


def _noted(
    socket: WebSocket, who: Identity, what: str, target: str, detail: dict[str, Any] | None = None
) -> None:
    address = doorkeeper_of(socket).address(socket)
    socket.app.state.journal.note(who, what, target, detail or {}, address)


def _interleaved(frames: list[tuple[bytes, bytes]]) -> bytes:
    left = np.frombuffer(b"".join(one for one, _ in frames), "<i2")
    right = np.frombuffer(b"".join(other for _, other in frames), "<i2")
    return np.stack((left, right), axis=1).tobytes()


def _mixed(frames: list[tuple[bytes, bytes]]) -> bytes:
    left = np.frombuffer(b"".join(one for one, _ in frames), "<i2").astype(np.int32)
    right = np.frombuffer(b"".join(other for _, other in frames), "<i2")
    mixed: bytes = np.clip(left + right, -32768, 32767).astype("<i2").tobytes()
    return mixed


def _first(group: BaseExceptionGroup[Any]) -> BaseException:
    first: BaseException = group
    while isinstance(first, BaseExceptionGroup):
        first = first.exceptions[0]
    return first
