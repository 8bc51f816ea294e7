"""The real Asterisk and a SIP softphone behind the interface of `tests.contract.pbx`."""

from __future__ import annotations

import asyncio
import base64
import json
import urllib.request
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self

from tests.integration.conftest import RealAsterisk
from voicebot.softphone.call import SoftphoneCall
from voicebot.softphone.phone import Softphone


class RealPbx:
    """One test's use of the session's Asterisk. Leaving it starts an Asterisk that the test crashed."""

    def __init__(self, asterisk: RealAsterisk) -> None:
        self._asterisk = asterisk
        self._phone = Softphone((asterisk.sip_host, asterisk.sip_port))

    @property
    def settings(self) -> Mapping[str, Any]:
        return self._asterisk.settings

    async def __aenter__(self) -> Self:
        await self._phone.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._phone.__aexit__(kind, error, trace)
        if not self._asterisk.running:
            await self.start()

    def place(self, number: str, caller: str | None = None, picture: bytes = b"") -> SoftphoneCall:
        return self._phone.place(number, caller, picture)

    async def dial(self, number: str, timeout: float = 10.0, caller: str | None = None) -> SoftphoneCall:
        return await self._phone.dial(number, timeout, caller)

    def cli(self, command: str) -> str:
        """Return the answer of Asterisk's command line."""
        return self._asterisk.cli(command)

    async def left_over(self) -> list[str]:
        return [
            each["id"] for what in ("channels", "bridges") for each in await self._rest("GET", f"/{what}")
        ]

    async def hang_up_channel(self, channel_id: str) -> None:
        await self._rest("DELETE", f"/channels/{channel_id}")

    async def delete_bridge(self, bridge_id: str) -> None:
        await self._rest("DELETE", f"/bridges/{bridge_id}")

    async def crash(self) -> None:
        await asyncio.to_thread(self._asterisk.stop, crash=True)

    async def start(self) -> None:
        await asyncio.to_thread(self._asterisk.start)

    async def _rest(self, method: str, path: str) -> Any:
        """Ask Asterisk as an operator would, not through the client under test."""
        credentials = f"{self._asterisk.user}:{self._asterisk.password}".encode()
        request = urllib.request.Request(
            f"{self._asterisk.ari_url}/ari{path}",
            method=method,
            headers={"Authorization": "Basic " + base64.b64encode(credentials).decode()},
        )

        def send() -> Any:
            with urllib.request.urlopen(request, timeout=5) as reply:
                text = reply.read()
                return json.loads(text) if text else None

        return await asyncio.to_thread(send)
