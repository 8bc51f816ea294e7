"""Category: simulator. What hostile requests bring: paths that lead out, large bodies, strange texts."""

from __future__ import annotations

import json
import os
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest

from tests.house import DIALOGS, fake_records
from tests.simulator.web.panel import Served, served
from voicebot.errors import UserError
from voicebot.web.records.paths import record_path, recording_path

pytestmark = pytest.mark.simulator

TRICKS = ["..", ".", "..%2f..%2fetc%2fpasswd", "%2e%2e%2f", "a%00b", "a.json", "A", "x" * 65, "é", "a%5cb"]


@pytest.mark.parametrize("trick", TRICKS)
@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/history/{}",
        "/api/v1/history/{}/recording",
        "/api/v1/history/{}/peaks",
        "/api/v1/dialogs/{}/picture.svg",
        "/api/v1/dialogs/{}",
        "/static/{}",
        "/static/{}/../../app.py",
    ],
)
def test_paths_that_lead_out(panel: Served, path: str, trick: str) -> None:
    plain = HTTPConnection(panel.at.removeprefix("http://"), timeout=10)  # it leaves paths as they are
    raw = quote(path.format(trick), safe="/%")
    plain.request("GET", raw, headers={"authorization": f"Bearer {panel.token}"})
    answer = plain.getresponse()
    plain.close()
    assert answer.status in (404, 405, 422)


def test_a_record_that_names_another_file_shows_nothing(tmp_path: Path) -> None:
    record = fake_records(tmp_path, 1)[0]
    path = record_path(tmp_path, record.id)
    assert path is not None
    secret = tmp_path / "secret.wav"
    secret.write_bytes(b"RIFF")
    link = path.with_name("link.wav")
    link.symlink_to(secret)
    others = tmp_path / "calls" / "2020-01-01" / "other.wav"  # of another caller
    others.parent.mkdir()
    others.write_bytes(b"RIFF")

    names = (
        "../../secret.wav",
        str(secret),
        "link.wav",
        "../2020-01-01/other.wav",
        str(others),
        "..",
        "",
        None,
    )
    for name in (*names, 7, path.name):
        assert recording_path(path, name, tmp_path) is None
    assert recording_path(path, f"{record.id}.wav", tmp_path) is not None


def test_a_record_that_is_a_link_is_none(tmp_path: Path) -> None:
    fake_records(tmp_path, 1)
    outside = tmp_path / "outside.json"
    outside.write_text("{}")
    day = next((tmp_path / "calls").iterdir())
    (day / "stolen.json").symlink_to(outside)
    assert record_path(tmp_path, "stolen") is None


@pytest.mark.parametrize("chunked", [False, True])
def test_bodies_of_a_megabyte(panel: Served, chunked: bool) -> None:
    large = json.dumps({"text": "x" * 1_000_000}).encode()
    content = iter([large[n : n + 65_536] for n in range(0, len(large), 65_536)]) if chunked else large
    headers = {"authorization": f"Bearer {panel.token}", "content-type": "application/json"}
    try:
        answer = httpx.post(
            f"{panel.at}/api/v1/calls/0000000000000000/say", content=content, headers=headers, timeout=10
        )
    except httpx.WriteError:  # refused while it still wrote
        return
    assert answer.status_code == 413
    assert answer.json()["problems"]


def test_a_login_form_of_a_megabyte(panel: Served) -> None:
    try:
        answer = httpx.post(
            f"{panel.at}/login", content=b"name=" + b"x" * 1_000_000, headers={"origin": panel.at}
        )
    except httpx.WriteError:
        return
    assert answer.status_code == 413


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b'{"text": 1}', b'{"text": "\\ud800"}', b"\xff"])
def test_bodies_that_are_none(panel: Served, body: bytes) -> None:
    headers = {"authorization": f"Bearer {panel.token}", "content-type": "application/json"}
    answer = httpx.post(f"{panel.at}/api/v1/calls/0000000000000000/say", content=body, headers=headers)
    assert answer.status_code in (400, 422), answer.text
    assert answer.json()["problems"][0]["what"]


def test_a_dialog_may_be_as_large_as_a_file(panel: Served) -> None:
    headers = {"authorization": f"Bearer {panel.token}"}
    text = (DIALOGS / "appointment.yaml").read_text() + "# " + "x" * 900_000
    answer = httpx.post(f"{panel.at}/api/v1/dialogs/check", json={"text": text}, headers=headers, timeout=20)
    assert answer.status_code == 200
    assert answer.json()["runs"], answer.text[:500]


def test_a_draft_reads_no_files_of_this_machine(panel: Served, tmp_path: Path) -> None:
    secret = tmp_path / "secret.yaml"
    secret.write_text("dialog: swordfish\n")
    relative = os.path.relpath(secret, "/")
    for include in (str(secret), f"../{relative}", "/etc/passwd"):
        text = f"dialog: x\nlanguage: en-US\nsteps:\n  a:\n    call: {{dialog: {include}}}\n    goto: end\n"
        answer = httpx.post(
            f"{panel.at}/api/v1/dialogs/check",
            json={"text": text},
            headers={"authorization": f"Bearer {panel.token}"},
        )
        assert "swordfish" not in answer.text
        assert "root:" not in answer.text
        assert not answer.json()["runs"]


def test_a_taken_port_is_told_with_a_remedy(tmp_path: Path) -> None:
    with served(tmp_path / "a", 0) as panel:
        port = int(panel.at.rpartition(":")[2])
        with (
            pytest.raises(UserError, match=r"panel\.port"),
            served(tmp_path / "b", 0, **{"panel.port": port}),
        ):
            pass


def test_the_local_token_is_private_and_goes_with_the_panel(tmp_path: Path) -> None:
    file = tmp_path / "panel" / "token"
    with served(tmp_path, 0):
        assert file.stat().st_mode & 0o077 == 0
    assert not file.exists()


@pytest.mark.parametrize("path", ["/api/v1/session", "/api/v1/users/anna"])
def test_what_an_address_takes_is_told_whole(panel: Served, path: str) -> None:
    told = httpx.request("PUT", panel.at + path, headers={"authorization": f"Bearer {panel.token}"})
    assert told.status_code == 405
    expected = {"/api/v1/session": "DELETE, GET, POST", "/api/v1/users/anna": "DELETE, PATCH"}
    assert told.headers["allow"] == expected[path]


@pytest.mark.parametrize("on", [1, "yes", "false", None])
def test_yes_and_no_are_nothing_else(panel: Served, on: object) -> None:
    headers = {"authorization": f"Bearer {panel.token}"}
    told = httpx.post(f"{panel.at}/api/v1/conferences/lobby/record", json={"on": on}, headers=headers)
    assert told.status_code == 422


@pytest.mark.parametrize("what", ["move", "give", "drop", "transfer", "complete", "cancel", "swap"])
def test_calls_that_no_queue_knows_are_not_there(panel: Served, what: str) -> None:
    bodies = {"move": {"position": 1}, "give": {"agent": "anna"}, "transfer": {"to": "100", "kind": "blind"}}
    headers = {"authorization": f"Bearer {panel.token}"}
    path = f"{panel.at}/api/v1/queues/calls/nobody/{what}"

    answer = httpx.post(path, json=bodies.get(what), headers=headers)

    assert answer.status_code == 404
    assert answer.json()["problems"][0]["what"] == "there is no call nobody"


def test_a_head_is_a_get_without_its_body(panel: Served) -> None:
    headers = {"authorization": f"Bearer {panel.token}"}
    for path, status in (("/health/live", 200), ("/api/v1/calls", 200), ("/api/v1/calls/nobody", 404)):
        head, got = (
            httpx.request(method, panel.at + path, headers=headers, timeout=5) for method in ("HEAD", "GET")
        )
        assert head.status_code == got.status_code == status
        assert head.content == b""
        assert head.headers["content-type"] == got.headers["content-type"]
    for path in ("/api/v1/events", "/link/secret"):
        assert httpx.head(panel.at + path, headers=headers, timeout=5).status_code == 405
