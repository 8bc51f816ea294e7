"""Category: integration. The real Asterisk asks our FastAGI server, and starts our scripts itself."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import sqlite3
import sys
import urllib.parse
import urllib.request
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from tests.integration.conftest import RealAsterisk
from voicebot.agi import commands as steer
from voicebot.agi import media, speech
from voicebot.agi.catalogue import COMMANDS
from voicebot.agi.command import CallerHungUp, CommandFailed
from voicebot.fastagi.channel import AgiChannel
from voicebot.fastagi.lookups.loading import parse_lookups
from voicebot.fastagi.lookups.running import Lookups
from voicebot.fastagi.scripts import Scripts
from voicebot.fastagi.server import FastAgiServer
from voicebot.softphone.phone import Softphone

pytestmark = pytest.mark.integration

WITHIN_S = 10.0
GONE_PORT = 1
"""Nobody listens there."""
CALLER = "+12025550142"
FILE = """\
databases: {crm: "sqlite:///callers.db"}
lookups:
  caller:
    query: SELECT tier, dialog FROM callers WHERE number = :caller
    set: {VOICEBOT_VIP: tier, VOICEBOT_DIALOG: dialog}
    otherwise: {VOICEBOT_VIP: "no"}
"""

Script = Callable[[AgiChannel], Awaitable[None]]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    with sqlite3.connect(tmp_path / "callers.db") as database:
        database.execute("CREATE TABLE callers (number TEXT PRIMARY KEY, tier TEXT, dialog TEXT)")
        database.execute("INSERT INTO callers VALUES (?, 'gold \"1\" \\ x', '600')", (CALLER,))
    database.close()
    (tmp_path / "lookups.yaml").write_text(FILE)
    return tmp_path


class Dialplan:
    """Extensions of a test, in a context of its own."""

    def __init__(self, asterisk: RealAsterisk) -> None:
        self.asterisk = asterisk
        self.context = f"agi-{uuid.uuid4().hex[:8]}"

    def add(self, *applications: str, extension: str = "s") -> None:
        for number, application in enumerate(applications, 1):
            added = f'"{extension},{number},{application}" into {self.context}'
            told = self.asterisk.cli(f"dialplan add extension {added}")
            assert "added" in told, told

    def call(self, variables: Mapping[str, str] | None = None) -> None:
        """Place a call to it, whose other half waits."""
        self.add("Answer()", "Wait(60)", extension="w")
        given = {"endpoint": f"Local/s@{self.context}", "context": self.context, "extension": "w"}
        login = base64.b64encode(f"{self.asterisk.user}:{self.asterisk.password}".encode()).decode()
        request = urllib.request.Request(
            f"{self.asterisk.ari_url}/ari/channels?{urllib.parse.urlencode(given)}",
            headers={"Authorization": f"Basic {login}", "Content-Type": "application/json"},
            data=json.dumps({"variables": dict(variables or {})}).encode(),
            method="POST",
        )
        with urllib.request.urlopen(request, timeout=5) as answer:
            assert answer.status == 200

    def remove(self) -> None:
        self.asterisk.cli(f"dialplan remove context {self.context}")


@pytest.fixture
def dialplan(asterisk: RealAsterisk) -> Iterator[Dialplan]:
    made = Dialplan(asterisk)
    yield made
    made.remove()
    asterisk.cli("channel request hangup all")


@asynccontextmanager
async def serving(script: Script) -> AsyncIterator[tuple[FastAgiServer, asyncio.Queue[BaseException | None]]]:
    """A server whose script `t/x` runs `script`; the queue tells how each run ended."""
    ended: asyncio.Queue[BaseException | None] = asyncio.Queue()

    async def handler(channel: AgiChannel, name: str) -> None:
        try:
            await script(channel)
        except BaseException as error:
            ended.put_nowait(error)
            raise
        ended.put_nowait(None)

    scripts = Scripts()
    scripts.add("t", handler)
    async with FastAgiServer(scripts, port=0) as server:
        yield server, ended


async def run(dialplan: Dialplan, script: Script, variables: Mapping[str, str] | None = None) -> None:
    """Have a call of the real Asterisk run a script; raise what it raised."""
    async with serving(script) as (server, ended):
        dialplan.add(f"AGI(agi://127.0.0.1:{server.port}/t/x?a=b,one,two words)")
        await asyncio.to_thread(dialplan.call, variables)
        error = await asyncio.wait_for(ended.get(), WITHIN_S)
    if error is not None:
        raise error


def test_we_know_every_command_that_asterisk_knows(asterisk: RealAsterisk) -> None:
    rows = [line.split(None, 1) for line in asterisk.cli("agi show commands").splitlines()[1:]]
    theirs = {}
    for dead, rest in (row for row in rows if len(row) == 2 and row[0] in ("Yes", "No")):
        name = rest.split("   ")[0].strip()
        theirs[name.upper()] = dead == "Yes"
    ours = {name: command.after for name, command in COMMANDS.items()}
    assert theirs == ours


async def test_a_caller_whose_name_has_controls_is_served(asterisk: RealAsterisk) -> None:
    """Asterisk takes such names from SIP, and passes them on."""
    names: list[str] = []

    async def script(channel: AgiChannel) -> None:
        names.append(channel.environment.caller_name)
        names.append(await channel.variable("CALLERID(name)") or "")

    async with serving(script) as (server, ended), contextlib.AsyncExitStack() as stack:
        entrance = f"dialplan add extension 6998,1,AGI,agi://127.0.0.1:{server.port}/t/x into voicebot-in"
        assert "added" in asterisk.cli(entrance)
        stack.callback(asterisk.cli, "dialplan remove extension 6998@voicebot-in")
        at = (asterisk.sip_host, asterisk.sip_port)
        phone = await stack.enter_async_context(Softphone(at, caller_name="Sa\x1b[31mra"))
        call = phone.place("6998", CALLER)
        error = await asyncio.wait_for(ended.get(), WITHIN_S)
        await call.hang_up()
    assert error is None
    assert names[0] == "Sa [31mra" and names[1].startswith("Sa")


async def test_asterisk_and_we_mean_the_same(dialplan: Dialplan) -> None:
    async def script(channel: AgiChannel) -> None:
        environment = channel.environment
        assert (environment.network, environment.path, dict(environment.query)) == (
            True,
            ("t", "x"),
            {"a": "b"},
        )
        assert environment.arguments == ("one", "two words")
        assert environment.context == dialplan.context
        await channel.answer()
        assert await channel.status() == steer.ChannelState.UP
        for value in (
            "plain",
            "",
            'a "quoted" \\ value',
            "two  spaces",
            "${X} $[1+1]",
            "안녕, caller",
            "(a) b=c",
        ):
            await channel.set_variable("V", value)
            assert (await channel.variable("V") or "") == value
        assert await channel.variable("NEVER_SET") is None
        assert await channel.evaluate("${V}-${CHANNEL(language)}") == "(a) b=c-en"
        await channel.set_variables({"A": 1, "B": None, "C": True})
        assert await channel.evaluate("${A}.${B}.${C}") == "1..1"
        await channel.database_put("voicebot-test", "k", "v w")
        assert await channel.database_get("voicebot-test", "k") == "v w"
        assert await channel.database_del("voicebot-test", "k")
        assert await channel.database_get("voicebot-test", "k") is None
        await channel.noop("hello")
        await channel.verbose("hello", 1)
        await channel.set_caller_id("+12025550199", "A Name")
        assert await channel.variable("CALLERID(all)") == '"A Name" <+12025550199>'
        assert await channel.execute("NoOp", "x") == 0
        with pytest.raises(CommandFailed):
            await channel.status("No/such-channel")
        with pytest.raises(CommandFailed):
            await channel.stream_file("no-such-file")
        with pytest.raises(CommandFailed):
            await channel.ask(speech.SpeechCreate("no-such-engine"))
        assert (await channel.stream_file("voicebot/unavailable", offset=10_000)).position > 20_000
        assert await channel.wait_for_digit(50) == ""
        assert await channel.get_data("voicebot/handover", 50, 3) == media.Pressed("", True)
        assert not channel.hung_up

    await run(dialplan, script)


async def test_a_value_with_line_breaks_comes_whole(dialplan: Dialplan) -> None:
    async def script(channel: AgiChannel) -> None:
        assert await channel.variable("LINES") == "one\ntwo"

    await run(dialplan, script, variables={"__LINES": "one\ntwo"})


async def test_a_prompt_ends_when_it_is_interrupted_and_when_who_waits_is_cancelled(
    dialplan: Dialplan,
) -> None:
    async def script(channel: AgiChannel) -> None:
        loop = asyncio.get_running_loop()
        await channel.answer()
        began = loop.time()
        playing = asyncio.create_task(channel.stream_file("voicebot/unavailable"))
        await asyncio.sleep(0.3)
        channel.interrupt()
        assert (await playing).digit == ""
        playing = asyncio.create_task(channel.stream_file("voicebot/unavailable"))
        await asyncio.sleep(0.3)
        playing.cancel()
        await channel.set_variable("NEXT", "1")
        assert await channel.variable("NEXT") == "1"
        assert loop.time() - began < 2.5, "the prompt alone takes longer"

    await run(dialplan, script)


async def test_a_caller_who_hangs_up_ends_what_waits_and_variables_still_work(dialplan: Dialplan) -> None:
    async def script(channel: AgiChannel) -> None:
        await channel.answer()
        waiting = asyncio.create_task(channel.wait_for_digit(20_000))
        hanging_up = asyncio.to_thread(dialplan.asterisk.cli, "channel request hangup all")
        await hanging_up
        with pytest.raises(CallerHungUp):
            await waiting
        assert channel.hung_up
        await channel.set_variable("AFTER", "1")
        assert await channel.variable("AFTER") == "1"
        with pytest.raises(CallerHungUp):
            await channel.stream_file("voicebot/unavailable")

    await run(dialplan, script)


async def test_a_hang_up_is_told_to_who_awaits_nothing_of_asterisk(dialplan: Dialplan) -> None:
    async def script(channel: AgiChannel) -> None:
        await channel.answer()
        gone = asyncio.create_task(channel.wait_hung_up())
        await asyncio.to_thread(dialplan.asterisk.cli, "channel request hangup all")
        await asyncio.wait_for(gone, 3)
        with pytest.raises(CallerHungUp):
            await channel.wait_for_digit(1000)

    await run(dialplan, script)


async def test_a_look_up_sets_the_variables_of_the_call(dialplan: Dialplan, folder: Path) -> None:
    scripts = Scripts()
    told: asyncio.Queue[dict[str, str | None]] = asyncio.Queue()

    async def tell(channel: AgiChannel, name: str) -> None:
        names = ("VOICEBOT_LOOKUP", "VOICEBOT_VIP", "VOICEBOT_DIALOG", "AGISTATUS", "VOICEBOT_AGI_STATUS")
        told.put_nowait({each: await channel.variable(each) for each in names})

    async with Lookups(parse_lookups(FILE), folder) as lookups:
        scripts.add("lookup", lookups.serve, tells_itself=True)
        scripts.add("tell", tell)
        async with FastAgiServer(scripts, port=0) as server:
            at = f"agi://127.0.0.1:{server.port}"
            dialplan.add(
                f"Set(CALLERID(num)={CALLER})", f"AGI({at}/lookup/caller)", f"AGI({at}/tell/x)",
                "Set(CALLERID(num)=100)", f"AGI({at}/lookup/caller)", f"AGI({at}/tell/x)",
                f"AGI({at}/lookup/nobody)", f"AGI({at}/tell/x)",
            )  # fmt: skip
            await asyncio.to_thread(dialplan.call)
            found = await asyncio.wait_for(told.get(), WITHIN_S)
            none = await asyncio.wait_for(told.get(), WITHIN_S)
            unknown = await asyncio.wait_for(told.get(), WITHIN_S)
    assert found == {
        "VOICEBOT_LOOKUP": "found", "VOICEBOT_VIP": 'gold "1" \\ x', "VOICEBOT_DIALOG": "600",
        "AGISTATUS": "SUCCESS", "VOICEBOT_AGI_STATUS": None,
    }  # fmt: skip
    assert (none["VOICEBOT_LOOKUP"], none["VOICEBOT_VIP"], none["VOICEBOT_DIALOG"]) == ("none", "no", "")
    assert unknown["VOICEBOT_AGI_STATUS"] == "unknown"


async def test_a_script_that_asterisk_starts_serves_its_call(dialplan: Dialplan, folder: Path) -> None:
    program = Path(sys.executable).with_name("voicebot")
    told: asyncio.Queue[str | None] = asyncio.Queue()

    async def tell(channel: AgiChannel) -> None:
        told.put_nowait(await channel.evaluate("${VOICEBOT_LOOKUP} ${VOICEBOT_VIP} ${AGISTATUS}"))

    async with serving(tell) as (server, _):
        dialplan.add(
            f"Set(CALLERID(num)={CALLER})",
            f"AGI({program},agi,lookup,caller,--file,{folder / 'lookups.yaml'})",
            f"AGI(agi://127.0.0.1:{server.port}/t/x)",
        )
        await asyncio.to_thread(dialplan.call)
        assert await asyncio.wait_for(told.get(), 2 * WITHIN_S) == 'found gold "1" \\ x SUCCESS'


async def test_the_dialplan_goes_on_when_the_server_is_away(dialplan: Dialplan) -> None:
    told: asyncio.Queue[str | None] = asyncio.Queue()

    async def tell(channel: AgiChannel) -> None:
        told.put_nowait(await channel.variable("AGISTATUS"))

    async with serving(tell) as (gone, _):
        pass
    async with serving(tell) as (server, _):
        dialplan.add(f"AGI(agi://127.0.0.1:{gone.port}/lookup/caller)", "Set(X=${AGISTATUS})",
                     f"AGI(agi://127.0.0.1:{server.port}/t/x)")  # fmt: skip
        await asyncio.to_thread(dialplan.call)
        assert await asyncio.wait_for(told.get(), WITHIN_S) == "FAILURE"


@pytest.mark.parametrize("away", [False, True])
async def test_the_shipped_look_up_decides_where_a_call_goes(
    asterisk: RealAsterisk, folder: Path, away: bool
) -> None:
    """With the look-up's answer, or as dialled when the server is away."""
    scripts = Scripts()
    login = {"Authorization": aiohttp.encode_basic_auth(asterisk.user, asterisk.password)}
    entrance = "dialplan add extension 6999,1,Goto,voicebot-lookup,601,1 into voicebot-in"
    async with contextlib.AsyncExitStack() as stack:
        lookups = await stack.enter_async_context(Lookups(parse_lookups(FILE), folder))
        scripts.add("lookup", lookups.serve, tells_itself=True)
        async with FastAgiServer(scripts, port=0) as server:
            port = GONE_PORT if away else server.port
            asterisk.cli(f"dialplan set global VOICEBOT_AGI agi://127.0.0.1:{port}")
            assert "added" in asterisk.cli(entrance)
            stack.callback(asterisk.cli, "dialplan remove extension 6999@voicebot-in")
            ari = await stack.enter_async_context(
                aiohttp.ClientSession(f"{asterisk.ari_url}/", headers=login)
            )
            events = await stack.enter_async_context(ari.ws_connect(f"/ari/events?app={asterisk.app}"))
            phone = await stack.enter_async_context(Softphone((asterisk.sip_host, asterisk.sip_port)))
            call = phone.place("6999", CALLER)
            start = await events.receive_json(timeout=WITHIN_S)
            assert (start["type"], start["args"]) == ("StasisStart", ["601" if away else "600"])
            await call.hang_up()
