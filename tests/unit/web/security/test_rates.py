"""Category: unit. How often one may try to sign in."""

from __future__ import annotations

import pytest

from voicebot.web.security.rates import (
    MOST_KNOWN,
    PER_ADDRESS,
    PER_PAIR,
    PER_USER,
    WINDOW_S,
    LoginRate,
)

pytestmark = pytest.mark.unit


def fail(
    rate: LoginRate, times: int, user: str = "anna", address: str = "192.0.2.1", now: float = 0.0
) -> None:
    for _ in range(times):
        assert rate.wait_s(user, address, now) == 0
        rate.failed(user, address, now)


def test_after_some_failures_one_waits_and_then_may_try_again() -> None:
    rate = LoginRate()
    fail(rate, PER_PAIR)

    wait = rate.wait_s("anna", "192.0.2.1", 0.0)

    assert 0 < wait <= WINDOW_S / PER_PAIR
    assert rate.wait_s("anna", "192.0.2.1", float(wait)) == 0


def test_a_stranger_does_not_lock_the_user_out_elsewhere() -> None:
    rate = LoginRate()
    fail(rate, PER_PAIR, address="192.0.2.66")

    assert rate.wait_s("anna", "192.0.2.1", 0.0) == 0


def test_one_address_that_tries_many_names_waits() -> None:
    rate = LoginRate()
    for n in range(PER_ADDRESS):
        fail(rate, 1, user=f"user{n}")

    assert rate.wait_s("anna", "192.0.2.1", 0.0) > 0


def test_many_addresses_that_try_one_name_wait() -> None:
    rate = LoginRate()
    for n in range(PER_USER):
        fail(rate, 1, address=f"192.0.2.{n}")

    assert rate.wait_s("anna", "198.51.100.1", 0.0) > 0


def test_who_signs_in_starts_anew() -> None:
    rate = LoginRate()
    fail(rate, PER_PAIR - 1)
    rate.failed("anna", "192.0.2.1", 0.0)
    rate.passed("anna", "192.0.2.1")

    fail(rate, PER_PAIR)


def test_memory_is_bounded() -> None:
    rate = LoginRate()
    for n in range(MOST_KNOWN):
        rate.failed(f"user{n}", f"address{n}", 0.0)

    assert rate.known <= MOST_KNOWN
