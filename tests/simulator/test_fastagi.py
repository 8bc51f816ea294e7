"""Category: simulator. The FastAGI server on loopback, with peers that behave, and with those that do not."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from importlib.metadata import EntryPoint
from typing import Any

import pytest
from structlog.testing import capture_logs

from voicebot.agi.command import AgiError, CallerHungUp, unquoted
from voicebot.fastagi.channel import AgiChannel
from voicebot.fastagi.functions import BlockingChannel, Functions
from voicebot.fastagi.scripts import Scripts
from voicebot.fastagi.server import FastAgiServer

pytestmark = pytest.mark.simulator

WITHIN_S = 5.0
OK = b"200 result=1\n"
Answer = Callable[[tuple[str, ...]], bytes]


async def plays(channel: AgiChannel, name: str) -> None:
    await channel.set_variable("BEFORE", name)
    await channel.stream_file("hello", "1")
    await channel.set_variable("BEHIND", name)


async def waits(channel: AgiChannel, name: str) -> None:
    await channel.wait_hung_up()


async def breaks(channel: AgiChannel, name: str) -> None:
    raise RuntimeError("a script of somebody's")


@asynccontextmanager
async def serving(**settings: Any) -> AsyncIterator[FastAgiServer]:
    scripts = Scripts()
    scripts.add("plays", plays)
    scripts.add("waits", waits)
    scripts.add("breaks", breaks)
    functions = {"sure": "sure", "plain": "plain", "bad": "bad", "slow": "slow", "gone": "nowhere"}
    entries = [EntryPoint(name, f"{__name__}:{found}", "voicebot.agi") for name, found in functions.items()]
    scripts.add("function", Functions(entries, function_s=0.3).serve)
    async with FastAgiServer(scripts, port=0, **settings) as server:
        yield server


async def until(is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(WITHIN_S):
        while not is_so():  # noqa: ASYNC110 (what is awaited tells nobody)
            await asyncio.sleep(0.001)


class Peer:
    """What Asterisk is to us."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def line(self) -> tuple[str, ...]:
        """The words of the next command; () at the end."""
        async with asyncio.timeout(WITHIN_S):
            with contextlib.suppress(ConnectionError):
                return unquoted((await self.reader.readline()).decode().rstrip("\n"))
        return ()

    async def all(
        self, answer: Callable[[tuple[str, ...]], bytes] = lambda words: OK
    ) -> list[tuple[str, ...]]:
        """Answer every command until the session ends."""
        found = []
        while words := await self.line():
            found.append(words)
            self.writer.write(answer(words))
        return found


@asynccontextmanager
async def peer(server: FastAgiServer, path: str | None = None) -> AsyncIterator[Peer]:
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    try:
        if path is not None:
            request = f"agi_network: yes\nagi_network_script: {path}\nagi_request: agi://x/{path}\n"
            writer.write(request.encode() + b"agi_callerid: 1\n\n")
        yield Peer(reader, writer)
    finally:
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()


def answers(words: tuple[str, ...]) -> bytes:
    return b"200 result=0 endpos=5\n" if words[0] == "STREAM" else OK


async def test_who_is_on_another_machine_is_known() -> None:
    found: list[bool] = []

    async def note(channel: AgiChannel, name: str) -> None:
        found.append(channel.local)

    async with serving(bind="127.0.0.1") as server:
        server.scripts.add("note", note)
        for source in ("127.0.0.1", "127.0.0.2"):  # the second stands for another machine
            reader, writer = await asyncio.open_connection("127.0.0.1", server.port, local_addr=(source, 0))
            writer.write(b"agi_network_script: note/x\nagi_request: agi://x/note/x\n\n")
            await Peer(reader, writer).all()
            writer.close()
    assert found == [True, False]


async def test_a_script_runs_and_tells_that_it_did() -> None:
    async with serving() as server, peer(server, "plays/x") as asterisk:
        said = await asterisk.all(answers)
        assert said == [
            ("SET", "VARIABLE", "BEFORE", "x"),
            ("STREAM", "FILE", "hello", "1"),
            ("SET", "VARIABLE", "BEHIND", "x"),
            ("SET", "VARIABLE", "VOICEBOT_AGI_STATUS", "ok"),
        ]
        assert server.counts == {"sessions": 1, "ok": 1}


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("nothing/x", "unknown"), ("plays", "unknown"), ("plays/x/y", "unknown"), ("", "unknown"),
        ("plays/..%2f..%2fetc", "unknown"), ("function/nobody", "unknown"), ("breaks/x", "failed"),
        ("function/bad", "failed"), ("function/slow", "failed"), ("function/gone", "failed"),
    ],
)  # fmt: skip
async def test_a_script_that_is_not_there_or_fails_is_told_politely(path: str, status: str) -> None:
    async with serving() as server, peer(server, path) as asterisk:
        assert await asterisk.all() == [("SET", "VARIABLE", "VOICEBOT_AGI_STATUS", status)]


@pytest.mark.parametrize("name", ["sure", "plain"])
async def test_functions_set_what_they_return(name: str) -> None:
    async with serving() as server, peer(server, f"function/{name}?a=b") as asterisk:
        said = [words[2:] for words in await asterisk.all()]
    assert said == [("SEEN", "b"), ("NAME", name), ("NONE", ""), ("VOICEBOT_AGI_STATUS", "ok")]


async def sure(channel: AgiChannel) -> dict[str, object]:
    await channel.set_variable("SEEN", channel.environment.query["a"])
    return {"NAME": "sure", "NONE": None}


def plain(channel: BlockingChannel) -> dict[str, object]:
    channel.set_variable("SEEN", channel.environment.query["a"])
    return {"NAME": "plain", "NONE": None}


def bad(channel: BlockingChannel) -> object:
    return ["no", "names"]


async def slow(channel: AgiChannel) -> None:
    await asyncio.Event().wait()


# Peers that do not behave: each is closed, told in one line of the log, and counted.

Attack = Callable[[Peer], Awaitable[None]]


async def says_nothing(it: Peer) -> None:
    return None


async def no_blank_line(it: Peer) -> None:
    it.writer.write(b"agi_request: agi://x/plays/x\nagi_callerid: 1\n")


async def a_megabyte(it: Peer) -> None:
    it.writer.write(b"agi_request: " + b"x" * (1 << 20) + b"\n\n")


async def many_headers(it: Peer) -> None:
    it.writer.write(b"agi_request: x\n")
    it.writer.write(b"".join(b"agi_x%d: %s\n" % (n, b"y" * 1000) for n in range(200)))


async def drips(it: Peer) -> None:
    with contextlib.suppress(ConnectionError):
        for byte in b"agi_request: agi://x/plays/x\n" * 100:
            it.writer.write(bytes((byte,)))
            await it.writer.drain()
            await asyncio.sleep(0.01)


async def speaks_http(it: Peer) -> None:
    it.writer.write(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")


async def half_closes(it: Peer) -> None:
    it.writer.write(b"agi_request: agi://x/plays/x\n")
    it.writer.write_eof()


async def binary(it: Peer) -> None:
    it.writer.write(bytes(range(256)) * 40 + b"\n\n")


@pytest.mark.parametrize(
    "attack",
    [says_nothing, no_blank_line, a_megabyte, many_headers, drips, speaks_http, half_closes, binary],
)
async def test_hostile_environments_are_closed_in_time_with_one_line(attack: Attack) -> None:
    with capture_logs() as logs:
        async with serving(environment_s=0.2) as server, peer(server) as hostile:
            began = time.monotonic()
            attacking = asyncio.ensure_future(attack(hostile))
            assert await hostile.line() == ()
            assert time.monotonic() - began < 1.0
            attacking.cancel()
            assert server.counts["faults"] == 1
            assert not server.connections
    assert [line["event"] for line in logs if line["log_level"] == "warning"] == ["AGI peer closed"]


@pytest.mark.parametrize(
    "answer",
    [
        b"", b"hello\n", b"200\n", OK + OK + OK, b"x" * 70_000, b"\xff\xfe\n",
        b"200 result=1 (" + b"y\n" * 40_000,
    ],
    ids=["none", "word", "short", "too many", "long", "binary", "endless"],
)  # fmt: skip
async def test_hostile_answers_end_the_session_and_no_other(answer: bytes) -> None:
    with capture_logs() as logs:
        async with serving(command_s=0.3) as server, peer(server, "plays/x") as hostile:
            async with peer(server, "plays/y") as honest:
                served = asyncio.create_task(honest.all(answers))
                await hostile.line()
                hostile.writer.write(answer)
                while await hostile.line():
                    pass
                assert len(await served) == 4
            assert (server.counts["faults"], server.counts["ok"]) == (1, 1)
            assert not server.connections
    told = [line["event"] for line in logs if line["log_level"] == "warning"]
    assert sorted(told) == ["AGI peer closed", "AGI script failed"]


@pytest.mark.parametrize("during", [0, 1, 2, 3])
@pytest.mark.parametrize("how", ["HANGUP", "511", "lost", "half closed"])
async def test_a_hang_up_in_the_middle_of_any_command_ends_the_script(during: int, how: str) -> None:
    async with serving(command_s=1.0) as server, peer(server, "plays/x") as asterisk:
        for _ in range(during):
            asterisk.writer.write(answers(await asterisk.line()))
        await asterisk.line()
        if how == "HANGUP":
            asterisk.writer.write(b"200 result=-1 endpos=0\nHANGUP\n")
        elif how == "511":
            asterisk.writer.write(
                b"511 Command Not Permitted on a dead channel or intercept routine\nHANGUP\n"
            )
        elif how == "lost":
            asterisk.writer.transport.abort()
        else:
            asterisk.writer.write_eof()
        after = await asterisk.all(lambda words: b"511 dead\n" if words[0] == "STREAM" else OK)
        assert all(words[:2] == ("SET", "VARIABLE") for words in after), "what works after a hang-up"
        await until(lambda: not server.connections)
        assert server.counts["faults"] == 0


async def test_a_hang_up_is_told_to_who_waits() -> None:
    async with serving() as server, peer(server, "waits/x") as asterisk:
        asterisk.writer.write(b"HANGUP\n")
        assert await asterisk.all() == [("SET", "VARIABLE", "VOICEBOT_AGI_STATUS", "ok")]


async def test_a_peer_that_never_reads_costs_a_time_out_and_no_memory() -> None:
    async def talks(channel: AgiChannel, name: str) -> None:
        for _ in range(1000):
            await channel.set_variable("V", "x" * 1900)

    async with serving(command_s=0.2) as server:
        server.scripts.add("talks", talks)
        async with peer(server, "talks/x") as hostile:
            hostile.writer.transport.pause_reading()  # type: ignore[attr-defined]
            await until(lambda: server.counts["faults"] == 1 and not server.connections)


async def test_a_flood_is_told_or_closed_and_those_before_it_are_served() -> None:
    async with serving(sessions=5) as server, contextlib.AsyncExitStack() as stack:
        first = [await stack.enter_async_context(peer(server, "waits/x")) for _ in range(5)]
        await until(lambda: len(server.connections) == 5)
        told = [await stack.enter_async_context(peer(server, "plays/x")) for _ in range(3)]
        for one in told:
            assert await one.all() == [("SET", "VARIABLE", "VOICEBOT_AGI_STATUS", "busy")]
        silent = [await stack.enter_async_context(peer(server)) for _ in range(40)]
        assert [await one.line() for one in silent[-30:]] == [()] * 30
        assert len(server.connections) <= 10
        first[0].writer.write(b"HANGUP\n")
        assert await first[0].all() == [("SET", "VARIABLE", "VOICEBOT_AGI_STATUS", "ok")]


async def test_who_may_not_connect_does_not() -> None:
    async with serving(allow=["10.0.0.0/8"]) as server, peer(server, "plays/x") as stranger:
        assert await stranger.line() == ()
        assert server.counts == {"refused": 1}


async def test_closing_the_server_ends_its_sessions() -> None:
    async with serving() as server:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(b"agi_network_script: waits/x\nagi_request: x\n\n")
        await until(lambda: len(server.connections) == 1)
    with contextlib.suppress(ConnectionResetError):  # what we sent may be unread
        assert await reader.read() == b""
    writer.close()


async def test_scripts_whose_peers_have_gone_count_until_they_end_and_end_with_the_server() -> None:
    begun: list[str] = []
    ended: list[str] = []

    async def thinks(channel: AgiChannel, name: str) -> None:
        begun.append(name)
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            ended.append(name)

    async with serving(sessions=3) as server:
        server.scripts.add("thinks", thinks)
        for number in range(12):
            async with peer(server, f"thinks/{number}"):
                await until(lambda asked=number + 1: server.counts["sessions"] == asked)
        await until(lambda: server.counts["busy"] >= 9)
        assert len(begun) == len(server.connections) == 3
        assert not ended
    assert sorted(ended) == sorted(begun)


async def test_tasks_take_turns_and_one_that_is_cancelled_costs_nobody_an_answer() -> None:
    sent: list[bytes] = []

    class Wire:
        def write(self, data: bytes) -> None:
            sent.append(data)

        def close(self) -> None: ...

    channel = AgiChannel(Wire())
    channel.feed(b"agi_request: x\n\n")
    first = asyncio.create_task(channel.variable("A"))
    second = asyncio.create_task(channel.variable("B"))
    third = asyncio.create_task(channel.variable("C"))
    await asyncio.sleep(0)
    first.cancel()
    second.cancel()
    await asyncio.sleep(0)
    assert sent == [b"GET VARIABLE A\n"]
    channel.feed(b"200 result=1 (a)\n")
    for _ in range(3):
        await asyncio.sleep(0)
    assert sent[1:] == [b"GET VARIABLE C\n"]
    channel.feed(b"200 result=1 (c)\n")
    assert await third == "c"
    channel.feed(b"200 result=1 (nobody asked)\n")
    with pytest.raises((AgiError, CallerHungUp)):
        await channel.variable("D")
