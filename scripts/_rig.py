"""A whole set-up for demo and benches: real Asterisk and the gateway, on free ports, in a folder of its own.

    async with Rig(tell=print) as rig:
        async with rig.phone() as phone:
            call = await phone.dial("600")

Leaving the context ends both and removes the folder, unless `keep()` was called.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import socket
import sys
import tempfile
import tomllib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from voicebot.softphone import Softphone

PROJECT = Path(__file__).resolve().parents[1]
CONFIG = PROJECT / "voicebot.toml"
ASTERISK = PROJECT / "scripts" / "asterisk"
READY = "voicebot ready"
PANEL = "panel: "
READY_TIMEOUT_S = 180.0
"""Loading models, and the first time rendering every prompt."""
STOP_TIMEOUT_S = 15.0
MEDIA_PORTS = 400
FOLLOW_S = 0.05
"""How often we look whether the gateway has written something."""
LOG_TAIL_LINES = 15

Tell = Callable[[str], None]


def _ignore(_: str) -> None:
    return


class RigFault(Exception):
    """The set-up does not come up; the text says what the failing part said."""


class Rig:
    """Asterisk and gateway, started by entering and stopped by leaving.

    config:    the voicebot.toml to take over; its addresses, ports and folders are replaced
    routes:    in place of the configuration's own; dialog paths as in the file
    changes:   more settings, by dotted name: {"limits.calls": 5}
    folder:    where to live; a temporary folder by default
    cache:     folder of rendered prompts that outlives the rig; None: none does
    arguments: more flags of `voicebot serve`
    tell:      is told of progress, a line each; `heard` gets the gateway's output, a line each
    """

    def __init__(
        self,
        *,
        config: Path = CONFIG,
        routes: Sequence[Mapping[str, Any]] | None = None,
        changes: Mapping[str, Any] | None = None,
        folder: Path | None = None,
        cache: Path | None = PROJECT / "var" / "cache",
        arguments: Sequence[str] = (),
        tell: Tell = _ignore,
        heard: Tell = _ignore,
    ) -> None:
        self._config, self._routes, self._changes = config, routes, dict(changes or {})
        self._temporary = folder is None
        self._folder = folder
        self._cache = cache
        self._arguments = arguments
        self._tell, self._heard = tell, heard
        self._kept = False
        self._gateway: asyncio.subprocess.Process | None = None
        self._follower: asyncio.Task[None] | None = None
        self._ready = asyncio.Event()
        self.asterisk: dict[str, Any] = {}
        self.panel = ""
        """Its address, once the gateway has told it."""

    # --- what a user of the rig wants -------------------------------------------------------------------

    @property
    def folder(self) -> Path:
        assert self._folder is not None, "enter the rig first"
        return self._folder

    @property
    def sip(self) -> tuple[str, int]:
        """Where to dial."""
        return str(self.asterisk["sip_host"]), int(self.asterisk["sip_port"])

    @property
    def config_file(self) -> Path:
        """The voicebot.toml that the gateway runs with."""
        return self.folder / "voicebot.toml"

    @property
    def var(self) -> Path:
        """Call records and recordings."""
        return self.folder / "var"

    @property
    def gateway_log(self) -> Path:
        return self.folder / "gateway.log"

    @property
    def gateway_output(self) -> Path:
        return self.folder / "gateway.out"

    @property
    def gateway_pid(self) -> int:
        assert self._gateway is not None, "the gateway was not started"
        return self._gateway.pid

    def phone(self) -> Softphone:
        """Return a softphone that dials this Asterisk; use it as an async context manager."""
        return Softphone(self.sip)

    def records(self) -> list[dict[str, Any]]:
        """Return the records of all finished calls, the oldest first."""
        paths = self.var.glob("calls/*/*.json")
        return [json.loads(path.read_text()) for path in sorted(paths, key=lambda path: path.stat().st_mtime)]

    async def panel_link(self) -> str:
        """Return a link that signs in to the panel once, "" where there is none."""
        ask = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "voicebot", "panel", "link", "--config", str(self.config_file)),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
        told, _ = await ask.communicate()
        return next((word for word in told.decode().split() if word.startswith("http")), "")

    def keep(self) -> None:
        """Leave all running and the folder in place."""
        self._kept = True

    # --- start and stop ---------------------------------------------------------------------------------

    async def __aenter__(self) -> Self:
        self._folder = self._folder or Path(tempfile.mkdtemp(prefix="voicebot-"))
        self._folder.mkdir(parents=True, exist_ok=True)
        try:
            await self.start_asterisk()
            self._write_config()
            await self.start_gateway()
        except BaseException:
            await self._undo()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._kept:
            await self._end_following()
            return
        await self._undo()

    async def start_asterisk(self) -> None:
        """Start Asterisk by scripts/asterisk. Raises RigFault."""
        state = str(self.folder / "asterisk")
        up = await asyncio.create_subprocess_exec(
            *(sys.executable, str(ASTERISK), "up", "--state", state, "--free-ports", "--json"),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        assert up.stdout is not None
        assert up.stderr is not None
        said: list[str] = []
        answer, _ = await asyncio.gather(up.stdout.read(), self._forward(up.stderr, said.append, self._tell))
        if await up.wait():
            raise RigFault("\n".join(said) or "scripts/asterisk up failed")
        self.asterisk = json.loads(answer)

    async def start_gateway(self) -> None:
        """Start `voicebot serve` and return when it takes calls. Raises RigFault with the end of its log."""
        self._ready.clear()
        # A file and no pipe: the gateway goes on writing when it is kept and we are gone.
        with self.gateway_log.open("ab") as log, self.gateway_output.open("ab") as output:
            self._gateway = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "voicebot", "serve", "--config", str(self.config_file)),
                *self._arguments,
                cwd=self.folder,
                env={name: value for name, value in os.environ.items() if not name.startswith("VOICEBOT_")},
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=log,
                start_new_session=True,  # Ctrl-C ends us, and we end the gateway in good order
            )
        self._follower = asyncio.create_task(self._follow(self.gateway_output.stat().st_size))
        ended = asyncio.create_task(self._gateway.wait())
        ready = asyncio.create_task(self._ready.wait())
        try:
            await asyncio.wait({ended, ready}, timeout=READY_TIMEOUT_S, return_when=asyncio.FIRST_COMPLETED)
        finally:
            ended.cancel()
            ready.cancel()
        if not self._ready.is_set():
            tail = self.gateway_log.read_text(errors="replace").splitlines()[-LOG_TAIL_LINES:]
            raise RigFault("\n".join(["the gateway does not start", *tail]))

    async def stop_gateway(self) -> int:
        """Ask the gateway to end (SIGTERM), wait for it, and return its exit status."""
        assert self._gateway is not None, "the gateway was not started"
        if self._gateway.returncode is None:
            self._gateway.send_signal(signal.SIGTERM)
            try:
                await asyncio.wait_for(self._gateway.wait(), STOP_TIMEOUT_S)
            except TimeoutError:
                self._tell("the gateway does not end; it is killed")
                os.killpg(self._gateway.pid, signal.SIGKILL)
                await self._gateway.wait()
        await self._end_following()
        assert self._gateway.returncode is not None
        return self._gateway.returncode

    async def _undo(self) -> None:
        try:
            if self._gateway is not None:
                await self.stop_gateway()
        finally:
            state = self.folder / "asterisk"
            if state.exists():
                down = await asyncio.create_subprocess_exec(
                    sys.executable, str(ASTERISK), "down", "--state", str(state)
                )
                await down.wait()
            if self._temporary:
                shutil.rmtree(self.folder, ignore_errors=True)

    async def _forward(self, stream: asyncio.StreamReader, *takers: Tell) -> None:
        while line := await stream.readline():
            for take in takers:
                take(line.decode(errors="replace").rstrip("\n"))

    async def _follow(self, start: int) -> None:
        """Hand on what the gateway writes, line by line."""
        with self.gateway_output.open(errors="replace") as output:
            output.seek(start)
            part = ""
            while True:
                part += output.readline()
                if part.endswith("\n"):
                    if part.startswith(READY):
                        self._ready.set()
                    if part.startswith(PANEL):
                        self.panel = part.removeprefix(PANEL).split()[0]
                    self._heard(part.rstrip("\n"))
                    part = ""
                else:
                    await asyncio.sleep(FOLLOW_S)

    async def _end_following(self) -> None:
        if self._follower is not None:
            await asyncio.sleep(2 * FOLLOW_S)  # let it hand on the last lines
            self._follower.cancel()
            await asyncio.gather(self._follower, return_exceptions=True)
            self._follower = None

    # --- configuration ----------------------------------------------------------------------------------

    def _write_config(self) -> None:
        settings = tomllib.loads(self._config.read_text())
        names = ("ari_url", "ari_user", "app", "ami_host", "ami_port", "ami_user")
        secrets = ("ari_password_file", "ami_password_file")
        settings["asterisk"] = {name: self.asterisk[name] for name in (*names, *secrets)} | {
            "ami_user": self.asterisk["dialler_user"],
            "ami_password_file": self.asterisk["dialler_password_file"],
        }
        settings["supervision"] = settings.get("supervision", {}) | {
            "ami_user": self.asterisk["panel_user"],
            "ami_password_file": self.asterisk["panel_password_file"],
        }
        settings["panel"] = settings.get("panel", {}) | {"port": 0}
        settings["agi"] = settings.get("agi", {}) | {"port": 0}
        settings["dialling"] = {"spool": str(self.folder / "asterisk" / "spool")}
        first = _free_udp_port()
        settings["media"] = settings.get("media", {}) | {
            "first_port": first,
            "last_port": min(first + MEDIA_PORTS, 65534),
        }
        base = self._config.parent
        models = base / settings.get("paths", {}).get("models", "models")
        settings["paths"] = {"var": str(self.var), "models": str(models)}
        if self._routes is not None:
            settings["routes"] = [dict(route) for route in self._routes]
        for route in settings.get("routes", []):
            route["dialog"] = str(base / route["dialog"])
        for dotted, value in self._changes.items():
            *parents, last = dotted.split(".")
            table = settings
            for parent in parents:
                table = table.setdefault(parent, {})
            table[last] = value
        self.config_file.write_text(to_toml(settings))
        if self._cache is not None:
            self._cache.mkdir(parents=True, exist_ok=True)
            self.var.mkdir(exist_ok=True)
            if not (self.var / "cache").exists():
                (self.var / "cache").symlink_to(self._cache.resolve(), target_is_directory=True)


def to_toml(settings: Mapping[str, Any], prefix: str = "") -> str:
    """Write settings as TOML: scalars and lists of them, tables, arrays of tables."""
    lines, tables = [], []
    for name, value in settings.items():
        key = f"{prefix}{name}"
        if isinstance(value, Mapping):
            tables.append(f"\n[{key}]\n" + to_toml(value, f"{key}."))
        elif isinstance(value, list | tuple) and value and isinstance(value[0], Mapping):
            tables += [f"\n[[{key}]]\n" + to_toml(item, f"{key}.") for item in value]
        else:
            # JSON's strings, numbers, booleans and lists of them are TOML's too.
            lines.append(f"{name} = {json.dumps(value)}\n")
    return "".join(lines + tables)


def _free_udp_port() -> int:
    """Return an even port from which on the gateway may look for free ones itself."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return min(int(probe.getsockname()[1]), 65534 - MEDIA_PORTS) & ~1
