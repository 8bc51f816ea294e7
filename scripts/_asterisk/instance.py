"""One running Asterisk: its state folder holds everything it writes, and goes away with it.

<state>/instance.json   what `up --json` prints; marks the folder as ours
<state>/ari_password    the generated passwords, one a file, readable by the owner alone
<state>/ami_password
<state>/dialler_password
<state>/panel_password
<state>/etc             our copy of asterisk/ with ports, passwords and folders filled in
<state>/log             messages.log, console.log
"""

from __future__ import annotations

import base64
import contextlib
import fcntl
import json
import os
import resource
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from _debian.faults import Fault, PortConflict

from . import ports as port_tools
from .ports import HOST, Ports
from .program import NEWER_MODULES, Program
from .settings import copy_changed

READY_TIMEOUT_S = 60
STOP_TIMEOUT_S = 8
CLI_TIMEOUT_S = 30
POLL_S = 0.02
OPEN_FILES = 65_536
"""Descriptors asked for, if the machine allows as many: a call to the bot holds nine."""
LONGEST_SOCKET_PATH = 100
"""Bytes; the kernel's limit for the path of a unix socket is 107."""
MARK = "instance.json"
PASSWORDS = ("ari_password", "ami_password", "dialler_password", "panel_password")
DIALLER = "voicebot-dialler"
"""The user of manager.conf with which campaigns place and follow their calls."""
PANEL = "voicebot-panel"
"""The user with which the gateway looks after the PBX."""


@dataclass(frozen=True)
class Instance:
    """A running Asterisk, as `up --json` prints it. Passwords are in here: keep it to yourself."""

    state: str
    pid: int
    version: str
    app: str
    ari_url: str
    ari_user: str
    ari_password: str
    ari_password_file: str
    ami_host: str
    ami_port: int
    ami_user: str
    ami_password: str
    ami_password_file: str
    sip_host: str
    sip_port: int
    rtp_first: int
    rtp_last: int
    run: str
    log: str
    command: tuple[str, ...]
    dialler_user: str = ""
    dialler_password: str = ""
    dialler_password_file: str = ""
    panel_user: str = ""
    panel_password: str = ""
    panel_password_file: str = ""

    @property
    def ari_port(self) -> int:
        return int(self.ari_url.rpartition(":")[2])

    @property
    def ports(self) -> Ports:
        return Ports(self.ari_port, self.ami_port, self.sip_port, self.rtp_first, self.rtp_last)

    @property
    def alive(self) -> bool:
        """True while the process lives (and is no stranger that got its pid)."""
        try:
            command = Path(f"/proc/{self.pid}/cmdline").read_bytes()
            return f"{self.state}/etc/asterisk.conf".encode() in command.split(b"\0")
        except OSError:
            return False

    def cli(self, command: str) -> str:
        """Run a command of Asterisk's command line. Raises Fault if there is no answer."""
        run = subprocess.run(
            [*self.command, "-rx", command], capture_output=True, text=True, errors="replace",
            check=False, timeout=CLI_TIMEOUT_S,
        )  # fmt: skip
        if run.returncode != 0:
            raise Fault(f"Asterisk does not answer on its command line: {(run.stderr or run.stdout).strip()}")
        return run.stdout

    def save(self) -> None:
        mark = Path(self.state) / MARK
        mark.touch(mode=0o600)
        mark.write_text(json.dumps(asdict(self), indent=2) + "\n")


def load(state: Path) -> Instance | None:
    """Return what was started in this state folder (it may be dead by now), None if nothing was."""
    try:
        data = json.loads((state / MARK).read_text())
        return Instance(**{**data, "command": tuple(data["command"])}) if data else None
    except (OSError, ValueError, TypeError):
        return None


@contextmanager
def locked(state: Path) -> Iterator[None]:
    """Hold the state folder for the time of the block; it is made if need be."""
    while True:
        state.mkdir(parents=True, exist_ok=True, mode=0o700)
        folder = os.open(state, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.flock(folder, fcntl.LOCK_EX)
            if state.exists() and os.fstat(folder).st_ino == state.stat().st_ino:
                yield
                return
        finally:
            os.close(folder)


def start(program: Program, shipped: Path, state: Path, ports: Ports) -> Instance:
    """Start Asterisk in an own or empty state folder and return once it is ready for calls."""
    if any(state.iterdir()) and not (state / MARK).exists():
        raise Fault(f"{state} is not empty and not one of ours", "name another folder with --state")
    for flag, (protocol, port) in ports.single().items():
        if not port_tools.is_free(protocol, port):
            who = port_tools.holder(protocol, port)
            by = f" by {who[1]} (pid {who[0]})" if who else ""
            raise PortConflict(
                f"port {port}/{protocol} is taken{by}", f"stop it, or use {flag} or --free-ports"
            )
    passwords = {name: _password(state / name) for name in PASSWORDS}
    clear(state)
    instance = _lay_out(program, shipped, state, ports, passwords)
    instance.save()
    log = Path(instance.log)
    with (log.parent / "console.log").open("ab") as console:
        process = subprocess.Popen(
            [*instance.command, "-f"], stdin=subprocess.DEVNULL, stdout=console, stderr=console, cwd=state,
            start_new_session=True, preexec_fn=_allow_many_files,
        )  # fmt: skip
    instance = Instance(**{**asdict(instance), "pid": process.pid})
    instance.save()
    try:
        _wait_until_ready(instance, process)
        for flag, (protocol, port) in ports.single().items():
            if not port_tools.holds(process.pid, protocol, port):
                raise PortConflict(
                    f"Asterisk could not bind port {port}/{protocol}", f"use {flag} or --free-ports"
                )
    except BaseException:
        _end(process.pid)
        process.wait()
        raise
    return instance


def stop(state: Path) -> bool:
    """End what runs in the state folder and remove the folder. False if nothing ran there."""
    instance = load(state)
    ran = instance is not None and instance.alive
    if ran:
        assert instance is not None
        _end(instance.pid)
    if (state / MARK).exists() or not any(state.iterdir()):
        clear(state)
        state.rmdir()
    return ran


def clear(state: Path) -> None:
    """Empty a state folder of ours."""
    if instance := load(state):
        run = Path(instance.run)
        if run.parent != state and run.name.startswith("asterisk-"):
            shutil.rmtree(run, ignore_errors=True)
    for entry in state.iterdir():
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        else:
            entry.unlink()


def _password(file: Path) -> str:
    """The password of an instance that ended without `down`, or a new one."""
    return file.read_text().strip() if file.is_file() else secrets.token_urlsafe(24)


def _lay_out(
    program: Program, shipped: Path, state: Path, ports: Ports, passwords: dict[str, str]
) -> Instance:
    folders = {name: state / name for name in ("etc", "run", "log", "lib", "spool", "data")}
    if len(str(folders["run"] / "asterisk.ctl")) > LONGEST_SOCKET_PATH:
        folders["run"] = Path(tempfile.mkdtemp(prefix="asterisk-"))
    for folder in folders.values():
        folder.mkdir(exist_ok=True, mode=0o700)
    for name in ("outgoing", "outgoing_done"):
        (folders["spool"] / name).mkdir()
    for name in ("aside", "dialled", "ended", "closed"):  # what the dialplan's fence and a dialler need
        (folders["spool"] / "voicebot" / name).mkdir(parents=True)
    # The program's data, but with our sounds.
    for entry in program.data.iterdir():
        if entry.name != "sounds":
            (folders["data"] / entry.name).symlink_to(entry)
    (folders["data"] / "sounds").symlink_to(shipped / "sounds")
    for name, password in passwords.items():
        file = state / name
        file.touch(mode=0o600)
        file.write_text(password + "\n")
    copy_changed(shipped, folders["etc"], {
        "asterisk.conf": {
            ("directories", key): value
            for key, value in {
                "astetcdir": folders["etc"], "astmoddir": program.modules, "astvarlibdir": folders["lib"],
                "astdbdir": folders["lib"], "astkeydir": folders["lib"], "astdatadir": folders["data"],
                "astagidir": folders["data"] / "agi-bin", "astspooldir": folders["spool"],
                "astrundir": folders["run"], "astlogdir": folders["log"], "astsbindir": folders["lib"],
            }.items()
        },
        "http.conf": {("general", "bindport"): ports.ari},
        "ari.conf": {("voicebot", "password"): passwords["ari_password"]},
        "manager.conf": {
            ("general", "port"): ports.ami, ("voicebot", "secret"): passwords["ami_password"],
            (DIALLER, "secret"): passwords["dialler_password"],
            (PANEL, "secret"): passwords["panel_password"],
        },
        "pjsip.conf": {("transport-udp", "bind"): f"{HOST}:{ports.sip}"},
        "rtp.conf": {("general", "rtpstart"): ports.rtp_first, ("general", "rtpend"): ports.rtp_last},
    })  # fmt: skip
    _leave_out_newer_modules(folders["etc"] / "modules.conf", program.modules)
    return Instance(
        state=str(state), pid=0, version=program.version, app="voicebot",
        ari_url=f"http://{HOST}:{ports.ari}", ari_user="voicebot", ari_password=passwords["ari_password"],
        ari_password_file=str(state / "ari_password"),
        ami_host=HOST, ami_port=ports.ami, ami_user="voicebot", ami_password=passwords["ami_password"],
        ami_password_file=str(state / "ami_password"),
        sip_host=HOST, sip_port=ports.sip, rtp_first=ports.rtp_first, rtp_last=ports.rtp_last,
        run=str(folders["run"]), log=str(folders["log"] / "messages.log"),
        command=(*program.command, "-C", str(folders["etc"] / "asterisk.conf")),
        dialler_user=DIALLER, dialler_password=passwords["dialler_password"],
        dialler_password_file=str(state / "dialler_password"),
        panel_user=PANEL, panel_password=passwords["panel_password"],
        panel_password_file=str(state / "panel_password"),
    )  # fmt: skip


def _leave_out_newer_modules(modules_conf: Path, installed: Path) -> None:
    absent = [name for name in NEWER_MODULES if not (installed / name).exists()]
    lines = [
        line for line in modules_conf.read_text().splitlines() if not any(name in line for name in absent)
    ]
    modules_conf.write_text("\n".join(lines) + "\n")


def _allow_many_files() -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    soft = OPEN_FILES if hard == resource.RLIM_INFINITY else min(hard, OPEN_FILES)
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, soft))


def _wait_until_ready(instance: Instance, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + READY_TIMEOUT_S
    control = Path(instance.run) / "asterisk.ctl"

    def wait_for(what: str, done: object) -> None:
        assert callable(done)
        while not done():
            if process.poll() is not None:
                raise Fault(f"Asterisk ended at start (status {process.returncode}): {_complaint(instance)}",
                            f"see {instance.log}")  # fmt: skip
            if time.monotonic() > deadline:
                raise Fault(f"Asterisk is not ready after {READY_TIMEOUT_S} s: {what}", f"see {instance.log}")
            time.sleep(POLL_S)

    wait_for("no control socket", control.exists)
    wait_for("not fully booted", lambda: _booted(instance))
    wait_for("ARI does not answer", lambda: _ari_answers(instance))


def _booted(instance: Instance) -> bool:
    try:
        return "fully booted" in instance.cli("core waitfullybooted")
    except (Fault, subprocess.TimeoutExpired):
        return False


def _ari_answers(instance: Instance) -> bool:
    login = base64.b64encode(f"{instance.ari_user}:{instance.ari_password}".encode()).decode()
    request = urllib.request.Request(
        f"{instance.ari_url}/ari/asterisk/ping", headers={"Authorization": f"Basic {login}"}
    )
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with direct.open(request, timeout=2) as answer:
            return bool(answer.status == 200)
    except urllib.error.HTTPError as error:
        if port_tools.holds(instance.pid, "tcp", instance.ari_port):
            raise Fault(f"ARI did not start: {_complaint(instance)}", f"see {instance.log}") from error
        raise PortConflict(
            f"{instance.ari_url} belongs to another program", "use --ari-port or --free-ports"
        ) from error
    except OSError:
        return False


def _complaint(instance: Instance) -> str:
    """The first error in the log, or the last line of the console."""
    log = Path(instance.log)
    for file, wanted in ((log, "ERROR"), (log.parent / "console.log", "")):
        with contextlib.suppress(OSError):
            lines = [line for line in file.read_text(errors="replace").splitlines() if wanted in line]
            if lines:
                return lines[0 if wanted else -1].strip()
    return "it left no message"


def _end(pid: int) -> None:
    """Ask the process to end, then make it."""
    for sign, patience_s in ((signal.SIGTERM, STOP_TIMEOUT_S), (signal.SIGKILL, STOP_TIMEOUT_S)):
        try:
            os.kill(pid, sign)
        except ProcessLookupError:
            return
        deadline = time.monotonic() + patience_s
        while time.monotonic() < deadline:
            if not _runs(pid):
                return
            time.sleep(POLL_S)
    raise Fault(f"process {pid} does not end")


def _runs(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"
