"""Secrets of 256 bits: sessions, tokens, links. The store keeps their hashes alone. Pure but for chance."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from pathlib import Path

from voicebot.files import write_whole

BYTES = 32
TOKEN_FOLDER, TOKEN_FILE, ADDRESS_FILE = "panel", "token", "address"
PRIVATE_FILE, PRIVATE_FOLDER = 0o600, 0o700


def fresh() -> str:
    """Return a new secret, fit for a cookie and an address."""
    return secrets.token_urlsafe(BYTES)


def key_of(secret: str) -> str:
    """Return what the store keeps of a secret. It is random: no salt, no slow hash is needed."""
    return hashlib.sha256(secret.encode(errors="replace")).hexdigest()


def csrf_of(session: str) -> str:
    """Return the token that a page of this session sends along with every change.

    Made from the session's secret, which pages cannot read and others do not have: nothing to store.
    """
    return hmac.new(session.encode(errors="replace"), b"csrf", hashlib.sha256).hexdigest()


def same(one: str, other: str) -> bool:
    """Whether two secrets are equal, in constant time."""
    return hmac.compare_digest(one.encode(errors="replace"), other.encode(errors="replace"))


def token_file(var: Path) -> Path:
    """Return where the local token is kept: who may read it is admin, from this machine."""
    return var / TOKEN_FOLDER / TOKEN_FILE


def address_file(var: Path) -> Path:
    """Return where a running panel tells its address, for commands beside it."""
    return var / TOKEN_FOLDER / ADDRESS_FILE


def write_way_in(var: Path, token: str, address: str) -> None:
    """Keep a local token and where the panel is, readable for the gateway's user alone. Raises OSError."""
    token_file(var).parent.mkdir(parents=True, exist_ok=True, mode=PRIVATE_FOLDER)
    for path, text in ((token_file(var), f"{token}\n"), (address_file(var), address)):
        write_whole(path, text.encode(), mode=PRIVATE_FILE)
