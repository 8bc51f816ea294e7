"""Where look-ups may go: the public internet, and what the operator allows besides.

A name is resolved once an attempt, the addresses are judged, and the connection goes to one of exactly those:
a name that points elsewhere a moment later gains nothing.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterable

from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
"""An IPv4 address in the last 32 bits (RFC 6052)."""
UNICAST = ipaddress.IPv6Network("2000::/3")
"""All of IPv6 that is assigned to the public internet (IANA)."""
RESERVED = (ipaddress.ip_network("192.0.0.0/24"), ipaddress.ip_network("3fff::/20"))
"""For protocols (RFC 6890) and documents (RFC 9637), whatever Python's tables say of them."""


class Denied(Exception):
    """The place is not open to look-ups. The text says so without the address that a name stood for."""


class Places:
    """The places that may be asked. `allow`: addresses, networks and host names, as in `fetch.allow`."""

    def __init__(self, allow: Iterable[str] = ()) -> None:
        self._names: set[str] = set()
        self._networks: list[Network] = []
        for place in allow:
            try:
                self._networks.append(ipaddress.ip_network(place, strict=False))
            except ValueError:
                self._names.add(place.lower().rstrip("."))

    def admits_name(self, host: str) -> bool:
        """Whether this name was allowed, whatever it stands for."""
        return host.lower().rstrip(".") in self._names

    def admits(self, address: str) -> bool:
        """Whether this address is public, or allowed."""
        try:
            found = ipaddress.ip_address(address.partition("%")[0])
        except ValueError:
            return False
        inner = _inner(found)
        if any(each in network for network in self._networks for each in {found, inner}):
            return True
        return all(map(_is_public, {found, inner}))

    def check_literal(self, host: str) -> None:
        """Refuse a host that is an address by itself, which no resolver sees. Raises Denied."""
        try:
            ipaddress.ip_address(host.partition("%")[0])
        except ValueError:
            return
        if not self.admits(host):
            raise Denied("the address is not public; `fetch.allow` can open it")


def _is_public(address: Address) -> bool:
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        return True  # the inner one decides
    if address.version == 6 and address not in UNICAST and address not in NAT64:
        return False  # such as ::127.0.0.1 (RFC 4291, 2.5.5.1) or a NAT of somebody's own (RFC 8215)
    return address.is_global and not address.is_multicast and not any(address in each for each in RESERVED)


def _inner(address: Address) -> Address:
    """Return the IPv4 address that an IPv6 one stands for, else itself."""
    if isinstance(address, ipaddress.IPv6Address):
        if address in NAT64:
            return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        return address.ipv4_mapped or address.sixtofour or address
    return address


class GuardedResolver(AbstractResolver):
    """Resolves names to the addresses that may be asked, and to no others."""

    def __init__(self, places: Places, resolver: AbstractResolver | None = None) -> None:
        self._places = places
        self._resolver = resolver or ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Return where `host` is. Raises OSError where it is nowhere, Denied where it may not be asked."""
        found = await self._resolver.resolve(host, port, family)
        if self._places.admits_name(host):
            return found
        admitted = [each for each in found if self._places.admits(each["host"])]
        if found and not admitted:
            raise Denied("the name stands for an address that is not public; `fetch.allow` can open it")
        return admitted

    async def close(self) -> None:
        await self._resolver.close()
