"""Category: unit. Secrets, passwords, roles, and where a login may lead."""

from __future__ import annotations

import pytest

from voicebot.errors import UserError
from voicebot.web.api.session import safe_next
from voicebot.web.security import secrets
from voicebot.web.security.passwords import check_password
from voicebot.web.security.roles import Identity, Role

pytestmark = pytest.mark.unit


def test_a_page_token_belongs_to_one_session_and_does_not_tell_it() -> None:
    one, other = secrets.fresh(), secrets.fresh()

    assert secrets.csrf_of(one) != secrets.csrf_of(other)
    assert one not in secrets.csrf_of(one)
    assert secrets.key_of(one) != secrets.csrf_of(one)
    assert len(one) >= 43  # 256 bits in base64


def test_strange_texts_are_compared_not_raised() -> None:
    assert not secrets.same("\ud800", "a")
    assert not secrets.same("", "a")


@pytest.mark.parametrize("password", ["", "short", "aaaaaaaaaaaaaaaa", "x" * 2000, "long enough \ud800"])
def test_passwords_that_are_no_good(password: str) -> None:
    with pytest.raises(UserError):
        check_password(password)


@pytest.mark.parametrize(
    ("where", "leads"),
    [
        ("/calls/1?a=b", "/calls/1?a=b"),
        ("//evil.example", "/"),
        ("/\\evil.example", "/"),
        ("https://evil.example", "/"),
        ("javascript:alert(1)", "/"),
        ("/a\r\nset-cookie: x", "/"),
        ("", "/"),
    ],
)
def test_a_login_leads_to_the_panel_alone(where: str, leads: str) -> None:
    assert safe_next(where) == leads


def test_what_each_role_may_do() -> None:
    may = {role: {each for each in Role if Identity("x", role).may(each)} for role in Role}

    assert may == {
        Role.VIEWER: {Role.VIEWER},
        Role.SUPERVISOR: {Role.VIEWER, Role.SUPERVISOR},
        Role.AUTHOR: {Role.VIEWER, Role.AUTHOR},
        Role.ADMIN: set(Role),
    }
