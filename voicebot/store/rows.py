"""What goes into the store and comes out of it, beside the pure types of `voicebot.campaign`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol

from voicebot.campaign.attempt import AttemptState, CallResult, DialResult, Disposition, Order
from voicebot.campaign.campaign import Campaign
from voicebot.campaign.contact import Consent, Contact, ContactState
from voicebot.campaign.rules.history import Abandonment, History, Today
from voicebot.campaign.rules.policy import Policy
from voicebot.campaign.verdict import Check, Verdict

Judge = Callable[[Campaign, Policy, Contact, History, datetime], Verdict]
"""`voicebot.campaign.rules.judge.judge`, or what stands for it in a test."""


class Next(Protocol):
    """What becomes of a contact after an attempt. number_index: which of its numbers comes next.

    asked: when the callee wanted the next call; None where they did not ask for it
    """

    @property
    def state(self) -> ContactState: ...
    @property
    def due(self) -> datetime | None: ...
    @property
    def number_index(self) -> int: ...
    @property
    def asked(self) -> datetime | None: ...


class After(Protocol):
    """`voicebot.campaign.retries.after`, or what stands for it in a test: pure, decides what comes next.

    past: what became of all the contact's dialled attempts, oldest first, this one included
    """

    def __call__(
        self,
        campaign: Campaign,
        contact: Contact,
        number: str,
        disposition: Disposition,
        call_back: datetime | None,
        now: datetime,
        past: Sequence[Disposition] = (),
    ) -> Next: ...


class CampaignState(StrEnum):
    """Only a RUNNING campaign's contacts are claimed.

    DRAFT: never started. STOPPED: by somebody, for good. DONE: nobody is left to call.
    HALTED: a rule forbids all calls until somebody mends what it names.
    """

    DRAFT = "draft"
    RUNNING = "running"
    PAUSED = "paused"
    STOPPED = "stopped"
    DONE = "done"
    HALTED = "halted"


@dataclass(frozen=True, slots=True)
class CampaignRow:
    """A campaign as it is kept. folder: what its paths are relative to. why: what brought it to its state.

    proof: what the proof of its dialog came to (a JSON text of the prover's); empty: never proven
    """

    id: int
    name: str
    settings: Campaign
    folder: str
    state: CampaignState
    why: str
    proof: str
    created_at: datetime
    changed_at: datetime


@dataclass(frozen=True, slots=True)
class NewContact:
    """A row to be imported. See `Contact`; `key` is unique in the campaign, numbers are E.164.

    asked: the callee asked for a call at `due`
    """

    key: str
    numbers: tuple[str, ...]
    zones: tuple[str, ...]
    due: datetime
    given: Mapping[str, Any] = field(default_factory=dict)
    consent: Consent | None = None
    language: str = ""
    priority: int = 0
    asked: bool = False
    line: int | None = None


@dataclass(frozen=True, slots=True)
class Added:
    """new: rows that were added. known: rows whose key the campaign had; they stay as they were."""

    new: int
    known: int


@dataclass(frozen=True, slots=True)
class Claimed:
    """What one claim came to. All of it is on the disk.

    refused:  contacts that a rule forbids to call, for good
    deferred: contacts that may be called later
    halted:   the rule that halted the campaign
    state:    the campaign's, after the claim
    more:     due contacts are left that limits would allow: claim again at once
    limit:    what kept it from claiming more: `campaign`, `trunk`, `all` (concurrent calls), `rate`,
              `calls_a_day`, `minutes_a_day`; empty: nothing
    wait_s:   so long until that limit may allow another call, where it is known
    """

    orders: tuple[Order, ...] = ()
    refused: int = 0
    deferred: int = 0
    halted: Check | None = None
    state: CampaignState = CampaignState.RUNNING
    more: bool = False
    limit: str = ""
    wait_s: float = 0.0


@dataclass(frozen=True, slots=True)
class AttemptRow:
    """An attempt as it is kept.

    order:       all that is needed to hand it over again under its id; `number` and `dial` empty: erased
    lease_until: so long nobody but `dialler` looks after it
    dial, call:  the two halves of its end, as far as they are known
    """

    order: Order
    contact: int
    state: AttemptState
    dialler: str
    trunk: str
    claimed_at: datetime
    lease_until: datetime
    handed_at: datetime | None = None
    dialling_at: datetime | None = None
    answered_at: datetime | None = None
    dial: DialResult | None = None
    call: CallResult | None = None
    disposition: Disposition | None = None
    closed_at: datetime | None = None
    minutes: int = 0


@dataclass(frozen=True, slots=True)
class Closed:
    """What telling an end came to.

    known:       the attempt exists
    closed:      it is closed now, or was before
    fresh:       it was this that closed it
    disposition: None while it is open
    contact:     the contact's state after it
    due:         when the contact is to be called again
    """

    attempt: str
    known: bool = True
    closed: bool = False
    fresh: bool = False
    disposition: Disposition | None = None
    contact: ContactState | None = None
    due: datetime | None = None


@dataclass(frozen=True, slots=True)
class Status:
    """A campaign in numbers, kept up to date with every change: cheap to ask for.

    contacts:     by state
    dispositions: closed attempts by disposition
    open:         open attempts by state
    outcomes:     conversations by the dialog's outcome
    rules:        how often each rule stood against a call, by `ruling:rule`
    calls, minutes: by day (UTC, ISO date)
    answered_by_hour, calls_by_hour: by hour of day (UTC, "00" to "23")
    next_due:     when the next contact is due; None: nobody is
    """

    name: str
    state: CampaignState
    why: str
    contacts: Mapping[ContactState, int]
    dispositions: Mapping[Disposition, int]
    open: Mapping[AttemptState, int]
    outcomes: Mapping[str, int]
    goals: int
    rules: Mapping[str, int]
    calls: Mapping[str, int]
    minutes: Mapping[str, int]
    calls_by_hour: Mapping[str, int]
    answered_by_hour: Mapping[str, int]
    today: Today
    abandonment_30_days: Abandonment
    abandonment_today: Abandonment
    next_due: datetime | None


@dataclass(frozen=True, slots=True)
class ListImported:
    """new, known, removed: numbers. open: attempts on new numbers that are on their way, to be cancelled."""

    name: str
    new: int
    known: int
    removed: int = 0
    open: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ListRow:
    """A do-not-call list. Our own opt-outs are the list `opt-outs`, which is never stale."""

    name: str
    imported_at: datetime
    max_age_days: int | None
    numbers: int


@dataclass(frozen=True, slots=True)
class Gateway:
    """A gateway that takes answered calls. capacity: calls at the most; calls: those it has."""

    name: str
    seen_at: datetime
    capacity: int
    calls: int


@dataclass(frozen=True, slots=True)
class Dialler:
    """A process that dials. detail: what it says of itself, for `status`."""

    name: str
    seen_at: datetime
    detail: str


@dataclass(frozen=True, slots=True)
class LedgerRow:
    """An entry of the ledger, for people. payload: None where it was erased, or there never was any."""

    campaign: str
    seq: int
    at: datetime
    kind: str
    attempt: str
    contact: int | None
    rule: str
    payload: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True)
class Anchor:
    """A chain's head at some time: kept elsewhere, it proves that the chain up to it was not rewritten."""

    campaign: str
    seq: int
    hash: str


@dataclass(frozen=True, slots=True)
class Audit:
    """What checking a chain came to. problems: empty where all is well; entries: how many were checked."""

    campaign: str
    entries: int
    attempts: int
    erased: int
    head: Anchor
    problems: tuple[str, ...]

    @property
    def sound(self) -> bool:
        return not self.problems


@dataclass(frozen=True, slots=True)
class Known:
    """All that is kept about one number.

    lists: do-not-call lists that hold it
    """

    number: str
    contacts: tuple[Contact, ...]
    attempts: tuple[AttemptRow, ...]
    entries: tuple[LedgerRow, ...]
    opted_out: datetime | None
    lists: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Erased:
    """cancel: attempts that are on their way still. Their rows are erased, their call files are not."""

    contacts: int
    attempts: int
    entries: int
    cancel: tuple[str, ...] = ()
