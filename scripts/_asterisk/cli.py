"""The command line of scripts/asterisk."""

from __future__ import annotations

import argparse
import json
import shlex
import sys
import time
from dataclasses import asdict
from pathlib import Path

from _debian.faults import Fault, PortConflict

from . import instance as instances
from .instance import Instance
from .ports import Chooser, Ports
from .program import Program, find_program

PROJECT = Path(__file__).resolve().parents[2]
HOME = PROJECT / ".asterisk"
SHIPPED = PROJECT / "asterisk"
EXIT_FAULT = 2
EXIT_NOT_RUNNING = 3
TRIES_WITH_FREE_PORTS = 5
DEFAULTS = Ports(ari=8088, ami=5038, sip=5060, rtp_first=10000, rtp_last=11999)


def main() -> int:
    options = _parser().parse_args()
    try:
        return int(options.run(options))
    except Fault as fault:
        print(f"asterisk: {fault}", file=sys.stderr)
        return EXIT_FAULT
    except KeyboardInterrupt:
        print("asterisk: interrupted", file=sys.stderr)
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="scripts/asterisk",
        description="A real Asterisk on loopback for tests, the demo and development. Uses the one on PATH "
        "if it is 20.15 or newer, else unpacks Debian's into .asterisk/ (once, without root, signatures "
        "verified).",
        epilog="Exit status: 0 done, 2 a fault (one line says what to do), 3 not running.",
    )
    commands = parser.add_subparsers(required=True, metavar="up|down|status|cli")

    def command(name: str, run: object, about: str) -> argparse.ArgumentParser:
        one = commands.add_parser(name, help=about, description=about)
        one.add_argument(
            "--state",
            type=Path,
            default=HOME / "run",
            metavar="DIR",
            help="folder of this instance (default .asterisk/run); each has its own passwords",
        )
        one.set_defaults(run=run)
        return one

    up = command("up", _up, "start it and wait until it takes calls")
    up.add_argument("--ari-port", type=_port, metavar="N", help=f"HTTP port of ARI (default {DEFAULTS.ari})")
    up.add_argument("--ami-port", type=_port, metavar="N", help=f"port of AMI (default {DEFAULTS.ami})")
    up.add_argument("--sip-port", type=_port, metavar="N", help=f"UDP port of SIP (default {DEFAULTS.sip})")
    up.add_argument(
        "--rtp-range",
        type=_range,
        metavar="A-B",
        help=f"UDP ports of media (default {DEFAULTS.rtp_first}-{DEFAULTS.rtp_last})",
    )
    up.add_argument("--free-ports", action="store_true", help="choose every port that is not given")
    up.add_argument("--json", action="store_true", help="print one JSON object, with the passwords")
    command("down", _down, "end it and remove its folder")
    status = command("status", _status, "tell whether it runs, and where")
    status.add_argument("--json", action="store_true", help="print one JSON object, with the passwords")
    cli = command("cli", _cli, "run one command of Asterisk's command line, for example: core show channels")
    cli.add_argument("words", nargs=argparse.REMAINDER, metavar="command...")
    return parser


def _port(text: str) -> int:
    port = int(text)
    if not 1 <= port <= 65535:
        raise argparse.ArgumentTypeError("a port is between 1 and 65535")
    return port


def _range(text: str) -> tuple[int, int]:
    first, _, last = text.partition("-")
    if not (first.isdecimal() and last.isdecimal()):
        raise argparse.ArgumentTypeError("give two ports, such as 10000-11999")
    bounds = _port(first), _port(last)
    if bounds[1] - bounds[0] < 8:
        raise argparse.ArgumentTypeError("a call needs four ports: give a range such as 10000-11999")
    return bounds


def _say(text: str) -> None:
    print(f"· {text}", file=sys.stderr, flush=True)


def _up(options: argparse.Namespace) -> int:
    state = options.state.resolve()
    program = find_program(HOME, _say)
    with instances.locked(state):
        running = instances.load(state)
        if running is not None and running.alive:
            _say("it runs already")
        else:
            try:
                running = _start(options, program, state, running)
            finally:
                if not any(state.iterdir()):
                    state.rmdir()
    _show(running, options.json)
    return 0


def _start(options: argparse.Namespace, program: Program, state: Path, crashed: Instance | None) -> Instance:
    """Start with the ports that are given, or those of the instance that `crashed` here, or chosen ones."""
    began = time.monotonic()
    tries = TRIES_WITH_FREE_PORTS if options.free_ports else 1
    for attempt in range(1, tries + 1):
        try:
            ports = _ports(options, crashed.ports if crashed and attempt == 1 else None)
            found = instances.start(program, SHIPPED, state, ports)
        except PortConflict:
            if attempt == tries:
                raise
        else:
            _say(f"Asterisk {found.version.split('+')[0]} is ready after {time.monotonic() - began:.1f} s")
            return found
    raise AssertionError("unreachable")


def _ports(options: argparse.Namespace, known: Ports | None) -> Ports:
    if known is not None or not options.free_ports:
        known = known or DEFAULTS
        first, last = options.rtp_range or (known.rtp_first, known.rtp_last)
        return Ports(options.ari_port or known.ari, options.ami_port or known.ami,
                     options.sip_port or known.sip, first, last)  # fmt: skip
    chooser = Chooser()
    try:
        first, last = options.rtp_range or chooser.choose_rtp()
        return Ports(options.ari_port or chooser.choose("tcp"), options.ami_port or chooser.choose("tcp"),
                     options.sip_port or chooser.choose("udp"), first, last)  # fmt: skip
    finally:
        chooser.release()


def _down(options: argparse.Namespace) -> int:
    state = options.state.resolve()
    if not state.is_dir():
        return 0
    with instances.locked(state):
        instances.stop(state)
    return 0


def _status(options: argparse.Namespace) -> int:
    found = instances.load(options.state.resolve())
    if found is None or not found.alive:
        print("{}" if options.json else "not running")
        return EXIT_NOT_RUNNING
    _show(found, options.json)
    return 0


def _cli(options: argparse.Namespace) -> int:
    found = instances.load(options.state.resolve())
    if found is None or not found.alive:
        raise Fault("it does not run", "scripts/asterisk up")
    words = options.words[1:] if options.words[:1] == ["--"] else options.words
    if not words:
        raise Fault("which command?", "for example: scripts/asterisk cli core show channels")
    sys.stdout.write(found.cli(" ".join(words)))
    return 0


def _show(found: Instance, as_json: bool) -> None:
    if as_json:
        print(json.dumps(asdict(found)))
        return
    rows = {
        "Asterisk": f"{found.version}, pid {found.pid}",
        "ARI": f"{found.ari_url}/ari, user {found.ari_user}, password in {found.ari_password_file}",
        "AMI": f"{found.ami_host}:{found.ami_port}, user {found.ami_user}, "
        f"password in {found.ami_password_file}; for campaigns {found.dialler_user}, "
        f"password in {found.dialler_password_file}; for supervision {found.panel_user}, "
        f"password in {found.panel_password_file}",
        "SIP": f"sip:600@{found.sip_host}:{found.sip_port} (UDP; any number reaches the gateway)",
        "RTP": f"{found.rtp_first} to {found.rtp_last}",
        "log": shlex.quote(found.log),
    }
    for name, value in rows.items():
        print(f"{name:<9}{value}")
