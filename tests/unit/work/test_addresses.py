"""unit: what look-ups may reach, told by the address; names are judged by what they stand for."""

from __future__ import annotations

import socket

import pytest
from aiohttp.abc import AbstractResolver, ResolveResult

from voicebot.work.addresses import Denied, GuardedResolver, Places

pytestmark = pytest.mark.unit

INSIDE = [
    "127.0.0.1", "127.8.8.8", "10.1.2.3", "172.16.0.1", "192.168.0.1", "169.254.169.254", "100.64.0.1",
    "0.0.0.0", "224.0.0.1", "255.255.255.255", "::1", "::", "fe80::1%eth0", "fd00::1", "ff02::1",
    "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "not an address",
    "::127.0.0.1", "::ffff:0:127.0.0.1", "64:ff9b:1::7f00:1", "192.0.0.192", "fec0::1", "5f00::1", "3fff::1",
]  # fmt: skip
OUTSIDE = ["93.184.216.34", "2606:2800:220:1::1", "::ffff:93.184.216.34", "64:ff9b::5db8:d822"]


class Names(AbstractResolver):
    def __init__(self, **names: list[str]) -> None:
        self.names = names

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        return [
            ResolveResult(hostname=host, host=address, port=port, family=family, proto=0, flags=0)
            for address in self.names[host]
        ]

    async def close(self) -> None:
        return


@pytest.mark.parametrize("address", INSIDE)
def test_what_is_not_public_is_closed(address: str) -> None:
    assert not Places().admits(address)


@pytest.mark.parametrize("address", OUTSIDE)
def test_what_is_public_is_open(address: str) -> None:
    assert Places().admits(address)


def test_the_operator_opens_networks_and_nothing_beside_them() -> None:
    places = Places(["127.0.0.0/8", "fd00::/16"])
    assert places.admits("127.0.0.1")
    assert places.admits("::ffff:127.0.0.1")
    assert places.admits("fd00::1")
    assert not places.admits("10.0.0.1")
    places.check_literal("127.0.0.1")
    places.check_literal("example.com")
    with pytest.raises(Denied):
        places.check_literal("169.254.169.254")


async def test_a_name_stands_for_its_public_addresses_only_unless_the_name_is_allowed() -> None:
    names = Names(mixed=["10.0.0.1", "93.184.216.34"], inner=["10.0.0.1"])
    resolver = GuardedResolver(Places(["booking"]), names)
    assert [each["host"] for each in await resolver.resolve("mixed")] == ["93.184.216.34"]
    with pytest.raises(Denied):
        await resolver.resolve("inner")
    names.names["booking"] = ["10.0.0.1"]
    assert [each["host"] for each in await resolver.resolve("booking")] == ["10.0.0.1"]
