"""Where the panel may be seen: its origins, and the Host headers that belong to them. Pure."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from urllib.parse import urlsplit

LOOPBACK = ("localhost", "127.0.0.1", "[::1]")
ANYWHERE = ("0.0.0.0", "::", "")


class Places:
    """The panel's own origins. Any other Host is refused: a name that an attacker let point to us (DNS
    rebinding) would make their page ours."""

    def __init__(self, bind: str, port: int, origins: Iterable[str]) -> None:
        own = list(LOOPBACK) if _loopback(bind) or bind in ANYWHERE else []
        if bind not in ANYWHERE:
            own.append(f"[{bind}]" if ":" in bind else bind)
        hosts = [f"http://{host}:{port}" for host in own]
        self.origins = frozenset(_normal(each) for each in (*origins, *hosts))
        self._by_host: dict[str, str] = {}
        for origin in sorted(self.origins):  # https comes after http, and wins
            self._by_host[origin.partition("://")[2]] = origin

    def origin_of(self, host: str) -> str | None:
        """Return the origin that a Host header means; None: not ours."""
        host = host.lower()
        return self._by_host.get(host) or self._by_host.get(_without_port(host))

    def same(self, host: str, origin: str) -> bool:
        """Whether a page of `origin` is the one that was loaded from `host`."""
        try:
            return _normal(origin) == self.origin_of(host)
        except ValueError:
            return False


def loopback_host(host: str) -> bool:
    """Whether a Host header names this machine's loopback."""
    name = host.rpartition(":")[0] if not host.endswith("]") and ":" in host else host
    return name.lower() in LOOPBACK


def _without_port(host: str) -> str:
    for port in (":443", ":80"):
        if host.endswith(port):
            return host.removesuffix(port)
    return host


def _normal(origin: str) -> str:
    """Return an origin as browsers send it: without a default port. Raises ValueError for none."""
    parts = urlsplit(origin.strip().lower())
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(f"{origin!r} is no origin")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    default = {"http": 80, "https": 443}[parts.scheme]
    return f"{parts.scheme}://{host}" + (f":{parts.port}" if parts.port and parts.port != default else "")


def _loopback(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return address == "localhost"
