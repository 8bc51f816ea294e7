"""Category: unit. Which Host headers and origins are the panel's own."""

from __future__ import annotations

import pytest

from voicebot.web.security.places import Places, loopback_host

pytestmark = pytest.mark.unit


@pytest.mark.parametrize("host", ["127.0.0.1:8090", "localhost:8090", "LOCALHOST:8090", "[::1]:8090"])
def test_the_loopback_has_several_names(host: str) -> None:
    assert Places("127.0.0.1", 8090, ()).origin_of(host) == f"http://{host.lower()}"


@pytest.mark.parametrize(
    "host",
    ["", "evil.example", "evil.example:8090", "127.0.0.1", "127.0.0.1:80", "127.0.0.1:8090.evil.example"],
)
def test_any_other_host_is_refused(host: str) -> None:
    assert Places("127.0.0.1", 8090, ()).origin_of(host) is None


def test_behind_a_proxy_its_origin_is_ours_and_https() -> None:
    places = Places("127.0.0.1", 8090, ("https://Bot.example", "http://bot.example"))

    assert places.origin_of("bot.example") == "https://bot.example"
    assert places.origin_of("bot.example:443") == "https://bot.example"
    assert places.same("bot.example", "https://bot.example")
    assert not places.same("bot.example", "http://bot.example")


@pytest.mark.parametrize(
    "origin",
    ["null", "", "http://evil.example", "http://127.0.0.1:8091", "https://127.0.0.1:8090", "http://["],
)
def test_pages_of_other_origins_are_strangers(origin: str) -> None:
    assert not Places("127.0.0.1", 8090, ()).same("127.0.0.1:8090", origin)


def test_two_names_of_ours_are_two_origins() -> None:
    assert not Places("127.0.0.1", 8090, ()).same("127.0.0.1:8090", "http://localhost:8090")


def test_bound_to_all_addresses_only_known_names_are_taken() -> None:
    places = Places("0.0.0.0", 8090, ("https://bot.example",))

    assert places.origin_of("192.0.2.7:8090") is None
    assert places.origin_of("bot.example") == "https://bot.example"


@pytest.mark.parametrize(
    ("host", "is_it"),
    [("127.0.0.1:8090", True), ("[::1]:8090", True), ("[::1]", True), ("bot.example", False)],
)
def test_what_the_local_token_may_be_sent_to(host: str, is_it: bool) -> None:
    assert loopback_host(host) is is_it
