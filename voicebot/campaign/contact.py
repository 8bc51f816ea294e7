"""Somebody to call, with what we may and must know about them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any


class ContactState(StrEnum):
    """DUE: to be called when `due` comes. BUSY: an attempt is open. The rest is final, or waits for a person.

    DONE:     reached, or as often tried as retries allow
    REFUSED:  a rule forbids to call them, for good
    HELD:     a crash hides whether they were called; `campaign release` decides
    """

    DUE = "due"
    BUSY = "busy"
    DONE = "done"
    REFUSED = "refused"
    HELD = "held"


@dataclass(frozen=True, slots=True)
class Consent:
    """The record that lets us call (47 CFR 64.1200): who agreed, when, to what, and how it is known.

    scope: `informational`, or `telemarketing`, which covers both and must be written
    """

    at: datetime
    by: str
    scope: str = "informational"
    written: bool = False
    source: str = ""


@dataclass(frozen=True, slots=True)
class Contact:
    """One row of a campaign.

    key:          the operator's own id of the row; unique in the campaign, so that an import can be repeated
    numbers:      E.164, the one to try first in front
    zones:        time zones that the callee may be in, by number and address; never empty
    given:        values for the dialog's `needs`
    due:          not to be called before
    asked:        the time for which the callee asked for this call (a wake-up call, a call-back), None where
                  they did not; `due` may be later, after a call that could not be placed
    attempts:     how many were dialled, over all numbers
    """

    id: int
    campaign: str
    key: str
    numbers: tuple[str, ...]
    zones: tuple[str, ...]
    due: datetime
    state: ContactState = ContactState.DUE
    given: Mapping[str, Any] = field(default_factory=dict)
    consent: Consent | None = None
    language: str = ""
    priority: int = 0
    attempts: int = 0
    asked: datetime | None = None
    line: int | None = None
