"""Passwords: argon2id (RFC 9106), hashed and checked in a thread, for each takes tens of milliseconds."""

from __future__ import annotations

import asyncio

from argon2 import PasswordHasher, Type
from argon2.exceptions import Argon2Error, InvalidHashError

from voicebot.errors import Problem, UserError
from voicebot.web.aside import aside

LEAST_CHARACTERS = 10
MOST_BYTES = 1024
"""Longer ones are refused before they are hashed."""
AT_ONCE = 2
"""Hashes that are computed at the same time: each takes 64 MiB and a core."""

_hasher = PasswordHasher(time_cost=3, memory_cost=65_536, parallelism=1, type=Type.ID)
_NOBODYS = _hasher.hash("the password of nobody")
"""What is checked where there is no such user, so that it takes as long."""


class Passwords:
    """Hashes and checks, a few at a time."""

    def __init__(self) -> None:
        self._room = asyncio.Semaphore(AT_ONCE)

    async def hash(self, password: str) -> str:
        """Return the hash of a password. Raises UserError for one that is no good."""
        check_password(password)
        async with self._room:
            return await aside(_hasher.hash, password)

    async def right(self, password: str, hashed: str | None) -> bool:
        """Whether the password is the one; None: nobody's, which takes as long."""
        if len(password.encode(errors="surrogatepass")) > MOST_BYTES:
            password, hashed = "", None
        async with self._room:
            return await aside(_right, password, hashed)


def hash_password(password: str) -> str:
    """`Passwords.hash` for commands, which may wait."""
    check_password(password)
    return _hasher.hash(password)


def check_password(password: str) -> None:
    """Raise UserError for a password that is no good."""
    remedy = f"choose {LEAST_CHARACTERS} characters or more; a sentence is easy to remember"
    if len(password) < LEAST_CHARACTERS:
        raise UserError(Problem("the password is too short", remedy))
    if len(set(password)) < 4:
        raise UserError(Problem("the password is too simple", remedy))
    try:
        size = len(password.encode())
    except UnicodeEncodeError:
        raise UserError(Problem("the password is no text", remedy)) from None
    if size > MOST_BYTES:
        raise UserError(Problem("the password is too long", f"up to {MOST_BYTES} bytes"))


def _right(password: str, hashed: str | None) -> bool:
    try:
        return _hasher.verify(hashed or _NOBODYS, password.encode(errors="surrogatepass")) and bool(hashed)
    except (Argon2Error, InvalidHashError):
        return False
