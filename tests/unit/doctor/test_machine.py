"""Category: unit. Versions, packages, ports, addresses: the parts of a check-up that need no PBX."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from voicebot.config import AgiConfig, Config, Limits, MediaConfig, Paths, Route
from voicebot.doctor import machine, setup
from voicebot.doctor.finding import Finding, Status, fault, ok, warning
from voicebot.doctor.report import exit_status, summary
from voicebot.doctor.versions import OLDEST, has, parse_version

pytestmark = pytest.mark.unit


def statuses(findings: list[Finding]) -> list[tuple[str, str]]:
    return [(finding.check, finding.status.value) for finding in findings]


@pytest.mark.parametrize(
    ("text", "enough"),
    [
        ("22.10.1+dfsg+~cs6.17.60671434-1", True), ("20.15.0", True), ("20.14.1", False), ("21.10.0", True),
        ("22.4.1", False), ("23.0.0", True), ("18.26.4", False), ("certified/20.7-cert5", False),
    ],
)  # fmt: skip
def test_a_release_is_judged_within_its_series(text: str, enough: bool) -> None:
    version = parse_version(text)
    assert version is not None
    assert has(OLDEST, version) is enough


def test_what_is_no_version() -> None:
    assert parse_version("GIT-master-9f3a7c1") is None


@pytest.mark.parametrize(
    ("requirement", "installed", "lack"),
    [
        ("aiohttp>=3.11", "3.14.5", ""), ("aiohttp>=3.11", "3.9.1", "aiohttp 3.9.1 is older than 3.11"),
        ("vosk>=0.3.45", None, "vosk is missing"), ("numpy>=1.26", "2.0.0rc1", ""), ("rich>=13", "13.0", ""),
    ],
)  # fmt: skip
def test_a_package_is_there_in_its_version(requirement: str, installed: str | None, lack: str) -> None:
    assert machine.lacking(requirement, lambda name: installed) == lack


def test_taken_media_ports_are_not_counted() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        even = port - port % 2
        config = Config(media=MediaConfig(first_port=even, last_port=even + 1))
        findings = machine.check_media(config)
        if port % 2 == 0:
            assert findings[0].status is Status.FAULT
            assert str(even) in findings[0].what
        else:
            assert findings[0].status is Status.WARNING, "one free port for 200 calls"


def test_too_few_media_ports_name_the_range_that_is_wide_enough() -> None:
    config = Config(media=MediaConfig(first_port=12_000, last_port=12_009), limits=Limits(calls=50))
    finding = machine.check_media(config)[0]
    assert finding.status is Status.WARNING
    assert "12100" in finding.remedy or int(finding.remedy.split("last_port to ")[1].split()[0]) > 12_100


def test_an_address_of_another_machine_cannot_be_bound() -> None:
    config = Config(media=MediaConfig(bind="192.0.2.1"))
    assert statuses(machine.check_media(config)) == [("media ports", "fault")]


def test_a_remote_asterisk_cannot_send_to_our_loopback() -> None:
    config = Config.model_validate({"asterisk": {"ari_url": "http://192.0.2.7:8088"}})
    assert ("media address", "fault") in statuses(machine.check_media(config))


def test_a_full_disk_is_a_fault(tmp_path: Path) -> None:
    config = Config(base=tmp_path, limits=Limits(reserve_mb=10**9), paths=Paths(var="not/yet/there"))
    finding = machine.check_disk(config)[0]
    assert (finding.check, finding.status) == ("disk", Status.FAULT)
    assert "reserve_mb" in finding.what


def test_too_few_open_files_are_a_fault() -> None:
    config = Config(limits=Limits(calls=10_000_000))
    assert statuses(machine.check_files(config)) == [("open files", "fault")]
    assert "ulimit -Hn" in machine.check_files(config)[0].remedy


def test_each_agi_session_counts_with_one_that_is_turned_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine.resource, "getrlimit", lambda _: (1024, 20_000))
    config = Config(agi=AgiConfig(enabled=True, sessions=10_000))
    assert statuses(machine.check_files(config)) == [("open files", "fault")]


def test_a_machine_that_wakes_us_late_is_told() -> None:
    now = [0.0]

    def oversleep(seconds: float) -> None:
        now[0] += seconds + 0.012

    finding = machine.check_clock(lambda: now[0], oversleep)[-1]
    assert finding.status is Status.WARNING
    assert "ms late" in finding.what


def test_no_routes_and_broken_dialogs_are_faults(tmp_path: Path) -> None:
    assert statuses(setup.check_routes(Config())) == [("routes", "fault")]
    (tmp_path / "bad.yaml").write_text("steps: 7\n")
    route = Route(number="600", dialog="bad.yaml")
    findings = setup.check_routes(Config(base=tmp_path, routes=(route, route)))
    assert ("routes", "warning") in statuses(findings), "a number twice"
    (tmp_path / "needy.yaml").write_text(
        "dialog: needy\nneeds: {pin: digits}\nsteps: {a: {say: Hi., end: x}}\n"
    )
    needy = Route(number="601", dialog="needy.yaml")
    told = [f.what for f in setup.check_routes(Config(base=tmp_path, routes=(needy,)))]
    assert len(told) == 1 and "needs `pin`" in told[0], "a value that nobody gives"
    broken = [finding for finding in findings if finding.check == "dialogs"]
    assert broken and all("bad.yaml" in finding.what and finding.remedy for finding in broken)


def test_a_missing_model_is_named_with_its_remedy(tmp_path: Path) -> None:
    config = Config.model_validate(
        {
            "base": tmp_path,
            "stt": {"english": {"engine": "vosk", "model": "vosk-model-nowhere"}},
            "routes": [{"number": "600", "dialog": "x.yaml"}],
        }
    )
    findings = setup.check_speech(config)
    assert ("stt.english", "fault") in statuses(findings)
    assert all(finding.remedy for finding in findings if finding.status is Status.FAULT)


def test_the_sum_and_the_exit_status() -> None:
    fine, unwise, broken = ok("a", "b"), warning("a", "b", "c"), fault("a", "b", "c")
    assert (summary([fine]), exit_status([fine])) == ("All is well.", 0)
    assert (summary([unwise, unwise]), exit_status([unwise])) == ("2 warnings; calls will work.", 0)
    assert (summary([broken, unwise]), exit_status([broken])) == ("1 fault and 1 warning.", 2)
