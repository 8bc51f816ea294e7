"""What the rules say to one call at one moment, with the evidence that goes into the ledger."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Ruling(StrEnum):
    """ALLOWED: dial. DEFERRED: not before `until`. REFUSED: never this contact in this campaign.

    HALTED: nobody of this campaign may be called until somebody mends what the rule names (a stale list).
    """

    ALLOWED = "allowed"
    DEFERRED = "deferred"
    REFUSED = "refused"
    HALTED = "halted"


@dataclass(frozen=True, slots=True)
class Check:
    """One rule's word. `rule` is its stable name (docs/campaign-rules.md), `why` one sentence for people."""

    rule: str
    ruling: Ruling
    why: str
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """All rules' words on calling `number`; the strictest decides.

    until:       of a deferral: not before
    legal_until: of an ALLOWED: the hours allow it up to then; None: no hours bind it
    """

    ruling: Ruling
    number: str
    checks: tuple[Check, ...]
    until: datetime | None = None
    legal_until: datetime | None = None

    @property
    def rules(self) -> tuple[str, ...]:
        """The names of the rules that stand against the call now."""
        return tuple(check.rule for check in self.checks if check.ruling is not Ruling.ALLOWED)
