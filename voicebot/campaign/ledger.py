"""The ledger's chain: each entry's hash holds the one before it, so that no change or loss is unseen.

What an entry tells about a person is its payload. Only the payload's digest, made with a salt of the entry's
own, goes into the hash: payload and salt can be erased, and the chain verifies still, while nobody can find
out by guessing what was there. All else of an entry (`SEALED`) goes into the hash as it is; a number appears
there only under a key (`number_key`), which cannot be turned back without the store's secret.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

NUMBER_KEY_CHARACTERS = 32
"""128 bits in hex: no two of all telephone numbers meet by chance."""
_SEALED_FORM = 1
"""What is hashed begins with the number of its form, so that a later form cannot be taken for an earlier."""


@dataclass(frozen=True, slots=True)
class Telling:
    """What is to be told, before it has a place in a chain.

    at:         Unix time in ms
    attempt:    its id; empty: concerns none
    number_key: of the number it is about; empty: it is about nobody
    rule:       the rules or the disposition that it is about: stays when the payload is erased
    """

    at: int
    kind: str
    payload: Mapping[str, Any] | None = None
    attempt: str = ""
    contact: int | None = None
    number_key: str = ""
    rule: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """A link of a chain. seq counts from 1. payload, salt: None where there is none, or it was erased."""

    seq: int
    at: int
    kind: str
    attempt: str
    contact: int | None
    number_key: str
    rule: str
    payload: str | None
    salt: str | None
    digest: str
    hash: str


def canonical(value: object) -> str:
    """Return the one JSON text of a value: keys sorted, no spaces, no NaN. Raises ValueError, TypeError."""
    return _canonical(value)


_canonical = json.JSONEncoder(
    sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
).encode


def number_key(secret: bytes, number: str) -> str:
    """Return a number's key: the same for the same number, worth nothing without the secret."""
    return hmac.new(secret, number.encode(), hashlib.sha256).hexdigest()[:NUMBER_KEY_CHARACTERS]


def genesis(campaign: str) -> str:
    """Return what stands in the place of a hash before a chain's first entry."""
    return hashlib.sha256(f"voicebot ledger {campaign}".encode()).hexdigest()


def digest_of(salt: str, payload: str) -> str:
    """Return a payload's digest."""
    return hashlib.sha256(f"{salt}:{payload}".encode()).hexdigest()


def hash_of(
    previous: str,
    seq: int,
    at: int,
    kind: str,
    attempt: str,
    contact: int | None,
    number_key: str,
    rule: str,
    digest: str,
) -> str:
    """Return the hash of an entry that follows the one with the hash `previous`."""
    sealed = _canonical([_SEALED_FORM, previous, seq, at, kind, attempt, contact, number_key, rule, digest])
    return hashlib.sha256(sealed.encode()).hexdigest()


def link(previous: str, seq: int, telling: Telling, salt: str) -> Entry:
    """Return the entry that follows `previous`. salt: chance, in hex, of this entry alone."""
    payload = None if telling.payload is None else _canonical(telling.payload)
    digest = "" if payload is None else digest_of(salt, payload)
    return Entry(
        seq,
        telling.at,
        telling.kind,
        telling.attempt,
        telling.contact,
        telling.number_key,
        telling.rule,
        payload,
        None if payload is None else salt,
        digest,
        hash_of(
            previous,
            seq,
            telling.at,
            telling.kind,
            telling.attempt,
            telling.contact,
            telling.number_key,
            telling.rule,
            digest,
        ),
    )


class Chain:
    """Follows a chain from its beginning and says what is wrong with each entry.

    head, seq: of the last entry that it was given; erased: how many had lost their payload
    """

    def __init__(self, campaign: str) -> None:
        self.head = genesis(campaign)
        self.seq = 0
        self.erased = 0

    def follow(self, entry: Entry) -> list[str]:
        """Return what is wrong with the next entry; the chain goes on behind it as it is written."""
        problems = []
        if entry.seq != self.seq + 1:
            problems.append(f"entry {self.seq + 1} is missing: entry {entry.seq} comes next")
        expected = hash_of(
            self.head,
            entry.seq,
            entry.at,
            entry.kind,
            entry.attempt,
            entry.contact,
            entry.number_key,
            entry.rule,
            entry.digest,
        )
        if entry.hash != expected:
            problems.append(f"entry {entry.seq} was changed, or what came before it: its hash does not fit")
        if entry.payload is None or entry.salt is None:
            if entry.payload is not None or entry.salt is not None:
                problems.append(f"entry {entry.seq} has lost its payload or its salt, but not both")
            elif entry.digest:
                self.erased += 1
        elif not entry.digest or digest_of(entry.salt, entry.payload) != entry.digest:
            problems.append(f"the payload of entry {entry.seq} was changed: its digest does not fit")
        self.head = entry.hash
        self.seq = entry.seq
        return problems
