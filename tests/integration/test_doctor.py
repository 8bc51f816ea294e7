"""Category: integration. What can be wrong with a PBX, done to a real one, and what the doctor says of it."""

from __future__ import annotations

import re
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from tests.integration.conftest import RealAsterisk
from voicebot.config import AsteriskConfig, Config, DiallingConfig, MediaConfig, Route
from voicebot.config.people import SupervisionConfig
from voicebot.doctor.ami import check_ami, check_supervision
from voicebot.doctor.ari import AriVisit, check_ari
from voicebot.doctor.finding import Finding, Status

pytestmark = pytest.mark.integration


def configuration(pbx: RealAsterisk, codec: str = "ulaw", **changes: Any) -> Config:
    return Config(
        asterisk=AsteriskConfig.model_validate({**pbx.settings, **changes}),
        media=MediaConfig.model_validate({"codec": codec}),
        routes=(Route(number="600", dialog="x.yaml"),),
    )


def dialling(config: Config) -> Config:
    return config.model_copy(update={"dialling": DiallingConfig(enabled=True)})


async def examine(config: Config) -> dict[str, Finding]:
    """The PBX's part of the check-up, by check; where a check has several findings, the worst."""
    async with AriVisit(config.asterisk) as ari:
        findings = [*await check_ari(config, ari), *await check_ami(config)]
    severity = [Status.OK, Status.WARNING, Status.FAULT]
    for finding in findings:
        assert finding.remedy or finding.status is Status.OK, f"no remedy: {finding}"
    return {found.check: found for found in sorted(findings, key=lambda each: severity.index(each.status))}


@asynccontextmanager
async def changed(pbx: RealAsterisk, name: str, old: str, new: str, reload: str) -> AsyncIterator[None]:
    """Change a configuration file for a while."""
    file = pbx.state / "etc" / name
    before = file.read_text()
    after = re.sub(old, new, before, flags=re.MULTILINE)
    assert after != before
    file.write_text(after)
    pbx.cli(reload)
    try:
        yield
    finally:
        file.write_text(before)
        pbx.cli(reload)


async def test_a_sound_pbx_has_no_fault(pbx: RealAsterisk) -> None:
    found = await examine(configuration(pbx))
    assert {check: finding for check, finding in found.items() if finding.status is not Status.OK} == {}
    assert set(found) == {
        "ARI", "version", "ARI user", "application", "modules", "AMI", "AMI rights", "dialplan",
    }  # fmt: skip


async def test_asterisk_is_down() -> None:
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))  # bound but not listening: refused, and nobody else can take it
        port = reserved.getsockname()[1]
        asterisk = {"ari_url": f"http://127.0.0.1:{port}", "ami_port": port, "ami_password": "x"}
        found = await examine(Config.model_validate({"asterisk": asterisk}))
    assert {check: finding.status for check, finding in found.items()} == {
        "ARI": Status.FAULT, "AMI": Status.FAULT,
    }  # fmt: skip
    assert "scripts/asterisk up" in found["ARI"].remedy


async def test_the_wrong_ari_password(pbx: RealAsterisk) -> None:
    found = await examine(configuration(pbx, ari_password="wrong"))
    assert found["ARI"].status is Status.FAULT
    assert "password" in found["ARI"].what
    assert found["dialplan"].status is Status.OK, "what AMI can tell does not suffer"


async def test_a_read_only_ari_user(pbx: RealAsterisk) -> None:
    async with changed(pbx, "ari.conf", r"^read_only = no", "read_only = yes", "module reload res_ari.so"):
        found = await examine(configuration(pbx))
    assert found["ARI user"].status is Status.FAULT
    assert "read_only = no" in found["ARI user"].remedy


async def test_another_gateway_has_the_name(pbx: RealAsterisk) -> None:
    login = {"Authorization": aiohttp.encode_basic_auth(pbx.user, pbx.password)}
    async with (
        aiohttp.ClientSession(headers=login) as http,
        http.ws_connect(f"{pbx.ari_url}/ari/events?app={pbx.app}"),
    ):
        found = await examine(configuration(pbx))
    assert found["application"].status is Status.WARNING
    assert pbx.app in found["application"].what


@pytest.mark.parametrize(
    ("module", "codec"),
    [("res_ari_playbacks.so", "ulaw"), ("chan_rtp.so", "ulaw"), ("codec_g722.so", "g722")],
)
async def test_a_module_is_not_loaded(pbx: RealAsterisk, module: str, codec: str) -> None:
    pbx.cli(f"module unload {module}")
    try:
        found = await examine(configuration(pbx, codec))
    finally:
        pbx.cli(f"module load {module}")
    assert found["modules"].status is Status.FAULT
    assert module in found["modules"].what
    assert f"load = {module}" in found["modules"].remedy


async def test_ari_is_not_loaded_at_all(pbx: RealAsterisk) -> None:
    async with changed(pbx, "ari.conf", r"^enabled = yes", "enabled = no", "module reload res_ari.so"):
        found = await examine(configuration(pbx))
    assert found["ARI"].status is Status.FAULT
    assert "ari.conf" in found["ARI"].remedy


async def test_https_to_a_port_without_tls(pbx: RealAsterisk) -> None:
    found = await examine(configuration(pbx, ari_url=pbx.ari_url.replace("http:", "https:")))
    assert found["ARI"].status is Status.FAULT
    assert "TLS" in found["ARI"].what


async def test_something_else_listens_there(pbx: RealAsterisk) -> None:
    async def hello(request: web.Request) -> web.Response:
        return web.json_response({"hello": "world"})

    application = web.Application()
    application.router.add_get("/{anything:.*}", hello)
    runner = web.AppRunner(application)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        port = runner.addresses[0][1]
        found = await examine(configuration(pbx, ari_url=f"http://127.0.0.1:{port}"))
    finally:
        await runner.cleanup()
    assert found["ARI"].status is Status.FAULT
    assert "not as ARI" in found["ARI"].what


async def test_ari_is_asked_on_the_port_of_ami(pbx: RealAsterisk) -> None:
    found = await examine(configuration(pbx, ari_url=f"http://127.0.0.1:{pbx.settings['ami_port']}"))
    assert found["ARI"].status is Status.FAULT
    assert "HTTP" in found["ARI"].what


async def test_the_wrong_ami_password(pbx: RealAsterisk) -> None:
    found = await examine(configuration(pbx, ami_password="wrong"))
    assert found["AMI"].status is Status.FAULT
    assert "manager.conf" in found["AMI"].remedy


async def test_no_ami_password_leaves_the_dialplan_unchecked(pbx: RealAsterisk) -> None:
    found = await examine(configuration(pbx, ami_password=""))
    assert found["AMI"].status is Status.WARNING
    assert "dialplan" not in found


@pytest.mark.parametrize(
    ("rights", "named"), [("all", "command, config, system"), ("reporting,config", "config")]
)
async def test_a_manager_user_with_too_many_rights(pbx: RealAsterisk, rights: str, named: str) -> None:
    async with changed(pbx, "manager.conf", r"^write = .*", f"write = {rights}", "manager reload"):
        found = await examine(configuration(pbx))
    assert found["AMI rights"].status is Status.WARNING
    assert f"holds {named}:" in found["AMI rights"].what


async def test_a_manager_user_that_may_not_see_the_dialplan(pbx: RealAsterisk) -> None:
    async with changed(pbx, "manager.conf", r"^write = .*", "write = originate", "manager reload"):
        found = await examine(configuration(pbx))
    assert found["dialplan"].status is Status.WARNING
    assert "reporting" in found["dialplan"].remedy


async def test_the_dialler_needs_rights_of_its_own(pbx: RealAsterisk) -> None:
    found = await examine(dialling(configuration(pbx)))
    assert "may not place calls" in found["AMI rights"].what


async def test_the_shipped_dialler_has_just_the_rights_it_needs(pbx: RealAsterisk) -> None:
    user, password = pbx.facts["dialler_user"], pbx.facts["dialler_password"]
    found = await examine(dialling(configuration(pbx, ami_user=user, ami_password=password)))
    assert {name: found[name].status for name in ("AMI", "AMI rights", "dialplan")} == {
        "AMI": Status.OK, "AMI rights": Status.OK, "dialplan": Status.OK,
    }  # fmt: skip


def supervised(pbx: RealAsterisk, **changes: str) -> Config:
    given = {"ami_user": pbx.facts["panel_user"], "ami_password": pbx.facts["panel_password"], **changes}
    settings = SupervisionConfig.model_validate(given)
    return configuration(pbx).model_copy(update={"supervision": settings})


async def test_the_shipped_user_of_supervision_is_right(pbx: RealAsterisk) -> None:
    assert await check_supervision(configuration(pbx)) == []
    (found,) = await check_supervision(supervised(pbx))
    assert found.status is Status.OK
    assert "nothing else" in found.what


@pytest.mark.parametrize(
    ("rights", "status", "named"),
    [
        ("all", Status.WARNING, "command, config, system"),
        ("call,system", Status.WARNING, "system: whoever"),
        ("call", Status.FAULT, "may not list channels"),
        ("reporting,agent", Status.OK, "not hang up, dial"),
    ],
)
async def test_the_rights_of_supervision(pbx: RealAsterisk, rights: str, status: Status, named: str) -> None:
    async with changed(pbx, "manager.conf", r"^write = .*", f"write = {rights}", "manager reload"):
        found = (await check_supervision(supervised(pbx)))[0]
    assert found.status is status
    assert named in found.what


async def test_supervision_without_its_context_or_its_password(pbx: RealAsterisk) -> None:
    *_, context = await check_supervision(supervised(pbx, dial_context="nowhere"))
    assert context.status is Status.WARNING
    assert "[nowhere]" in context.what
    (refused,) = await check_supervision(supervised(pbx, ami_password="wrong"))
    assert refused.status is Status.FAULT


async def test_who_does_not_dial_needs_no_right_to(pbx: RealAsterisk) -> None:
    user, password = pbx.facts["dialler_user"], pbx.facts["dialler_password"]
    found = await examine(configuration(pbx, ami_user=user, ami_password=password))
    assert "holds originate" in found["AMI rights"].what


async def test_campaigns_without_the_fence_are_a_fault(pbx: RealAsterisk) -> None:
    async with changed(pbx, "extensions.conf", r"^\[voicebot-dial\]", "[other]", "dialplan reload"):
        found = await examine(dialling(configuration(pbx)))
    assert found["dialplan"].status is Status.FAULT
    assert "no [voicebot-dial]" in found["dialplan"].what


async def test_the_dialplan_leads_elsewhere(pbx: RealAsterisk) -> None:
    found = await examine(configuration(pbx, app="another"))
    assert found["dialplan"].status is Status.FAULT
    assert "Stasis(another" in found["dialplan"].remedy


async def test_the_dialplan_has_no_fallback(pbx: RealAsterisk) -> None:
    goto = r"^ same => n,Goto\(voicebot-unavailable,s,1\)$"
    async with changed(pbx, "extensions.conf", goto, "", "dialplan reload"):
        found = await examine(configuration(pbx))
    assert found["dialplan"].status is Status.WARNING
    assert "nothing follows" in found["dialplan"].what


async def test_the_dialplan_does_not_know_a_number(pbx: RealAsterisk) -> None:
    every = r"^exten => _\[\+\*#0-9\]!"
    async with changed(pbx, "extensions.conf", every, "exten => _7XX", "dialplan reload"):
        found = await examine(configuration(pbx))
    assert found["dialplan"].status is Status.WARNING
    assert "600" in found["dialplan"].what
