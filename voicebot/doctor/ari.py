"""Is Asterisk there, is it new enough, does it let us in, and is our name free?"""

from __future__ import annotations

import asyncio
import ssl
from dataclasses import dataclass
from typing import Any

import aiohttp

from voicebot.config import AsteriskConfig, Config
from voicebot.doctor.finding import Finding, fault, ok, warning
from voicebot.doctor.versions import OLDEST, WEBSOCKET_MEDIA, has, parse_version
from voicebot.errors import told_by_system

ANSWER_TIMEOUT_S = 5.0
CHECK = "ARI"
NEEDED_MODULES = (
    "app_stasis.so",
    "bridge_simple.so",
    "bridge_softmix.so",
    "chan_rtp.so",
    "codec_alaw.so",
    "codec_ulaw.so",
    "res_ari_applications.so",
    "res_ari_asterisk.so",
    "res_ari_bridges.so",
    "res_ari_channels.so",
    "res_ari_events.so",
    "res_ari_playbacks.so",
    "res_http_websocket.so",
    "res_rtp_asterisk.so",
    "res_stasis.so",
)
MODULES_OF_CODECS = {"g722": "codec_g722.so"}
LEAVING_MODULE = "func_dialplan.so"
"""By it we ask whether the dialplan can take persons who talk when the gateway stops."""
NO_CHANNEL = "voicebot-doctor-asks-for-no-channel"


@dataclass(frozen=True, slots=True)
class _Reply:
    status: int
    body: Any


class AriVisit:
    """Asks ARI a few questions, as an async context manager."""

    def __init__(self, config: AsteriskConfig) -> None:
        self._config = config

    async def __aenter__(self) -> AriVisit:
        login = aiohttp.encode_basic_auth(self._config.ari_user, self._config.ari_password.get_secret_value())
        self._http = aiohttp.ClientSession(
            headers={"Authorization": login}, timeout=aiohttp.ClientTimeout(total=ANSWER_TIMEOUT_S)
        )
        return self

    async def __aexit__(self, *error: object) -> None:
        await self._http.close()

    async def ask(self, path: str, method: str = "GET") -> _Reply:
        """Return status and decoded body (None where it is no JSON). Raises what aiohttp raises."""
        async with self._http.request(method, f"{self._config.ari_url}/ari{path}") as reply:
            try:
                body = await reply.json(content_type=None)
            except ValueError:
                body = None
            return _Reply(reply.status, body)


async def check_ari(config: Config, ari: AriVisit) -> list[Finding]:
    """Look at everything that ARI can tell. A first fault that hides the rest ends the list."""
    try:
        info = await ari.ask("/asterisk/info")
        if refusal := _refusal(config.asterisk, info):
            return [refusal]
        findings = [ok(CHECK, f"{config.asterisk.ari_url} lets {config.asterisk.ari_user!r} in")]
        findings += _check_version(info.body)
        findings += _check_write_access(config.asterisk, await ari.ask(f"/channels/{NO_CHANNEL}", "DELETE"))
        findings += _check_app(config.asterisk, await ari.ask(f"/applications/{config.asterisk.app}"))
        findings += _check_modules(config, await ari.ask("/asterisk/modules"))
    except (aiohttp.ClientError, TimeoutError, asyncio.IncompleteReadError) as error:
        return [_unreachable(config.asterisk, error)]
    return findings


def _unreachable(asterisk: AsteriskConfig, error: Exception) -> Finding:
    url = asterisk.ari_url
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return fault(
            CHECK,
            f"the certificate of {url} is not trusted: {error.certificate_error}",
            "give Asterisk a certificate of a CA this machine trusts (tlscertfile in http.conf), "
            "or name its CA in SSL_CERT_FILE",
        )
    if isinstance(error, aiohttp.ClientSSLError) or isinstance(error.__cause__, ssl.SSLError):
        return fault(
            CHECK,
            f"{url} does not speak TLS",
            "use http:// in asterisk.ari_url, or set tlsenable = yes in http.conf",
        )
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return fault(CHECK, f"the host of {url} is not known", "correct asterisk.ari_url")
    if isinstance(error, aiohttp.ClientConnectorError):
        return fault(
            CHECK,
            f"Asterisk cannot be reached at {url}: {told_by_system(error.os_error)}",
            "start Asterisk (scripts/asterisk up), set enabled = yes and bindport in http.conf, "
            "or correct asterisk.ari_url",
        )
    if isinstance(error, TimeoutError):
        return fault(
            CHECK,
            f"{url} does not answer within {ANSWER_TIMEOUT_S:g} s",
            "look at firewall and address (asterisk.ari_url), and whether Asterisk hangs",
        )
    return fault(
        CHECK,
        f"{url} does not speak HTTP as ARI does: {error}",
        "correct asterisk.ari_url; a port with TLS wants https://",
    )


def _refusal(asterisk: AsteriskConfig, info: _Reply) -> Finding | None:
    if info.status == 401:
        return fault(
            CHECK,
            f"Asterisk refuses the user {asterisk.ari_user!r}: wrong name or password",
            "compare asterisk.ari_user and ari_password with the section of that name in ari.conf, "
            "then: asterisk -rx 'module reload res_ari'",
        )
    if info.status == 404:
        return fault(
            CHECK,
            f"the server at {asterisk.ari_url} has no ARI",
            "load res_ari.so and its modules and set enabled = yes in ari.conf, or correct asterisk.ari_url",
        )
    if info.status != 200 or not isinstance(info.body, dict) or "system" not in info.body:
        return fault(
            CHECK,
            f"{asterisk.ari_url} answers {info.status}, and not as ARI does",
            "correct asterisk.ari_url: another service may listen there",
        )
    return None


def _check_version(info: Any) -> list[Finding]:
    text = str(info["system"].get("version", ""))
    version = parse_version(text)
    if version is None:
        return [
            warning("version", f"Asterisk calls itself {text!r}", "20.15, 21.10, 22.5 or newer is needed")
        ]
    if not has(OLDEST, version):
        return [fault("version", f"Asterisk {text} is too old", "update to 20.15, 22.5 or newer")]
    features = "with" if has(WEBSOCKET_MEDIA, version) else "without"
    return [ok("version", f"Asterisk {text}, {features} media over websockets (not used; RTP is)")]


def _check_write_access(asterisk: AsteriskConfig, reply: _Reply) -> list[Finding]:
    if reply.status == 403:
        return [
            fault(
                "ARI user",
                f"{asterisk.ari_user!r} may only read",
                "set read_only = no for it in ari.conf, then: asterisk -rx 'module reload res_ari'",
            )
        ]
    return [ok("ARI user", f"{asterisk.ari_user!r} may make channels and bridges")]


def _check_app(asterisk: AsteriskConfig, reply: _Reply) -> list[Finding]:
    if reply.status == 404:
        return [ok("application", f"the name {asterisk.app!r} is free")]
    return [
        warning(
            "application",
            f"a gateway is connected as {asterisk.app!r}",
            "right if it is this gateway; for a second one set another asterisk.app and Stasis() of "
            "that name, else the two take each other's calls",
        )
    ]


def _check_modules(config: Config, reply: _Reply) -> list[Finding]:
    if reply.status != 200 or not isinstance(reply.body, list):
        return [
            warning(
                "modules",
                f"Asterisk does not list its modules ({reply.status})",
                "load res_ari_asterisk.so to have them checked",
            )
        ]
    running = {module["name"] for module in reply.body if module.get("status") == "Running"}
    needed = [*NEEDED_MODULES, *(["res_agi.so"] if config.agi.enabled else [])]
    if module := MODULES_OF_CODECS.get(config.media.codec):
        needed.append(module)
    missing = [name for name in needed if name not in running]
    if missing:
        loads = ", ".join(f"load = {name}" for name in missing)
        return [
            fault(
                "modules",
                f"not loaded: {', '.join(missing)}",
                f"add to modules.conf: {loads}; then: asterisk -rx 'module load {missing[0]}' (and so on)",
            )
        ]
    findings = [ok("modules", f"all {len(needed)} that the gateway needs are running")]
    if config.queues and LEAVING_MODULE not in running:
        what = f"not loaded: {LEAVING_MODULE}, so callers and agents cannot be left to the dialplan"
        findings.append(warning("modules", what, f"add to modules.conf: load = {LEAVING_MODULE}"))
    return findings
