"""The store: everything about campaigns that must survive anything, in SQLite or PostgreSQL.

Every method that writes returns when what it wrote is on the disk, together with what the ledger says of it.
Writers of one process share transactions (group commit). A method raises `StoreUnavailable` within about a
second where the database is gone, locked or full; nothing of what was asked was done then, and all may be
asked again: everything here is idempotent by attempt, key, or number. Times are aware; they are kept in ms.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from voicebot.campaign.attempt import AttemptState, CallResult, DialResult, Disposition
from voicebot.campaign.campaign import Campaign
from voicebot.campaign.contact import Contact, ContactState
from voicebot.campaign.rules.policy import Policy, Trunk
from voicebot.config import Config
from voicebot.store.rows import (
    Added,
    After,
    Anchor,
    AttemptRow,
    Audit,
    CampaignRow,
    CampaignState,
    Claimed,
    Closed,
    Dialler,
    Erased,
    Gateway,
    Judge,
    Known,
    LedgerRow,
    ListImported,
    ListRow,
    NewContact,
    Status,
)

PATIENCE_S = 0.9
"""So long a method waits for a database that is locked or away; a tool at a prompt may take longer."""
LEASE_S = 30.0
"""So long an attempt is its dialler's without a word of it."""
FRESH_S = 15.0
"""A gateway or dialler whose last word is older counts as dead."""
ALL_LISTS = "opt-outs"
"""The list of our own opt-outs: honoured by every campaign, never stale."""


class Store:
    """One database, open. Safe for all tasks of one event loop."""

    # ------------------------------------------------------------------ opening

    @classmethod
    @asynccontextmanager
    async def open(
        cls,
        url: str,
        *,
        password: str = "",
        base: Path = Path(),
        after: After | None = None,
        patience_s: float = PATIENCE_S,
    ) -> AsyncIterator[Store]:
        """Open `sqlite:///FILE` (relative to `base`) or `postgresql://user@host/database`; migrate it.

        `after` decides what follows an attempt; None: `voicebot.campaign.retries.after`.
        Raises UserError for a url that cannot be right, a missing driver, or a database of a newer version;
        StoreUnavailable where the database does not answer.
        """
        raise NotImplementedError
        yield cls()

    # ------------------------------------------------------------------ campaigns

    async def create_campaign(
        self, campaign: Campaign, folder: str | Path, now: datetime, *, proof: str = ""
    ) -> CampaignRow:
        """Add a campaign as a DRAFT. The same settings again: nothing happens. Others: a draft is changed.

        Raises UserError where a campaign of the name has begun with other settings.
        """
        raise NotImplementedError

    async def campaign(self, name: str) -> CampaignRow:
        """Return it. Raises UserError where there is none, naming those that there are."""
        raise NotImplementedError

    async def campaigns(self, *states: CampaignState) -> tuple[CampaignRow, ...]:
        """Return all in one of the `states` (none given: all), oldest first."""
        raise NotImplementedError

    async def set_state(self, name: str, state: CampaignState, why: str, now: datetime) -> CampaignRow:
        """Change the state. Once this returned with anything but RUNNING, no claim of it is under way."""
        raise NotImplementedError

    async def set_proof(self, name: str, proof: str, now: datetime) -> None:
        """Keep what the proof of the campaign's dialog came to."""
        raise NotImplementedError

    # ------------------------------------------------------------------ contacts

    async def add_contacts(self, campaign: str, rows: Sequence[NewContact], now: datetime) -> Added:
        """Add rows, in one transaction; those whose key is known stay as they are. Up to some thousands."""
        raise NotImplementedError

    async def contacts(
        self,
        campaign: str,
        *,
        state: ContactState | None = None,
        after_id: int = 0,
        most: int = 1000,
    ) -> tuple[Contact, ...]:
        """Return contacts by id, a page at a time: go on with the last one's id as `after_id`."""
        raise NotImplementedError

    async def contact(self, id: int) -> Contact | None:
        """Return one contact."""
        raise NotImplementedError

    async def next_due(self, campaign: str) -> datetime | None:
        """Return when the next contact is due (maybe long since); None: nobody is."""
        raise NotImplementedError

    async def release_held(self, campaign: str, now: datetime, *, keys: Sequence[str] = ()) -> int:
        """Make HELD contacts due again (no keys: all of them), as somebody decided. How many."""
        raise NotImplementedError

    async def refuse(self, campaign: str, keys: Sequence[str], why: str, now: datetime) -> int:
        """Take contacts that are DUE or HELD out of the campaign, for good. How many."""
        raise NotImplementedError

    # ------------------------------------------------------------------ claiming

    async def claim(
        self,
        campaign: str,
        *,
        dialler: str,
        most: int,
        now: datetime,
        policy: Policy,
        trunk: Trunk,
        judge: Judge,
        expires_s: float = 120.0,
    ) -> Claimed:
        """Claim up to `most` contacts that are due and may be called, in one transaction, within all limits.

        Each attempt is committed with its evidence before this returns; so are refusals and deferrals.
        expires_s: after `now`, the fence dials an order no more.
        Raises ClockSetBack, StoreUnavailable.
        """
        raise NotImplementedError

    async def forgive_clock(self, now: datetime) -> None:
        """Take `now` for right, after a clock had been wrong in the future."""
        raise NotImplementedError

    # ------------------------------------------------------------------ progress of attempts

    async def handed(self, attempts: Iterable[str], now: datetime) -> None:
        """Asterisk has them. An attempt that is further along, or closed, stays as it is."""
        raise NotImplementedError

    async def dialling(self, attempt: str, at: datetime) -> None:
        """The dialplan went past its fence."""
        raise NotImplementedError

    async def answered(self, attempt: str, at: datetime) -> None:
        """Somebody, or something, took the call."""
        raise NotImplementedError

    async def close_dial(self, result: DialResult, now: datetime | None = None) -> Closed:
        """Keep how the dialling ended (`now`: the result's time if None).

        Anything but ANSWERED closes the attempt, unless its call's result is known: then that counts.
        ANSWERED closes it where the result is known, and waits for it otherwise.
        """
        raise NotImplementedError

    async def finish_call(self, result: CallResult, now: datetime | None = None) -> Closed:
        """Keep what the conversation came to; closes the attempt where the dialling's end is known.

        For an attempt that is closed without it (`give_up`) it is added to the ledger; nothing else changes.
        """
        raise NotImplementedError

    async def give_up(self, attempt: str, disposition: Disposition, now: datetime, why: str = "") -> Closed:
        """Close it with what is known: by its call's result, or its dialling's end, or else `disposition`."""
        raise NotImplementedError

    async def attempt(self, id: str) -> AttemptRow | None:
        """Return one attempt."""
        raise NotImplementedError

    async def open_attempts(
        self, *, dialler: str = "", campaign: str = "", states: Sequence[AttemptState] = ()
    ) -> tuple[AttemptRow, ...]:
        """Return the open attempts, oldest first; of one dialler, one campaign, some states, if given."""
        raise NotImplementedError

    async def renew_leases(self, dialler: str, now: datetime) -> int:
        """Keep all the dialler's open attempts its own for LEASE_S more. How many."""
        raise NotImplementedError

    async def take_over(self, dialler: str, now: datetime, most: int = 1000) -> tuple[AttemptRow, ...]:
        """Take open attempts whose lease ran out; they are `dialler`'s now, to be settled."""
        raise NotImplementedError

    # ------------------------------------------------------------------ do not call

    async def import_list(
        self,
        name: str,
        numbers: Iterable[str],
        now: datetime,
        *,
        max_age_days: int | None = None,
        replace: bool = False,
    ) -> ListImported:
        """Add numbers (E.164) to a do-not-call list. replace: numbers that are not among them leave it.

        The list counts as imported at `now` only when all is in it.
        """
        raise NotImplementedError

    async def opt_out(self, number: str, how: str, now: datetime, *, attempt: str = "") -> tuple[str, ...]:
        """Keep a revocation. Returns other open attempts on the number: cancel them, in the spool as well."""
        raise NotImplementedError

    async def withdraw_opt_out(self, number: str, how: str, now: datetime) -> bool:
        """Undo a revocation that was a mistake; the ledger keeps both. False: there was none."""
        raise NotImplementedError

    async def lists(self) -> tuple[ListRow, ...]:
        """Return all do-not-call lists, our own opt-outs among them."""
        raise NotImplementedError

    async def blocked(
        self, numbers: Sequence[str], lists: Sequence[str] = ()
    ) -> Mapping[str, tuple[str, ...]]:
        """Return which of the numbers are on our opt-outs or one of the lists: number -> names of lists."""
        raise NotImplementedError

    # ------------------------------------------------------------------ who is alive

    async def gateway_alive(self, name: str, capacity: int, calls: int, now: datetime) -> None:
        """A gateway's heartbeat, every few seconds. capacity 0: it takes no more calls."""
        raise NotImplementedError

    async def gateways(self, now: datetime) -> tuple[Gateway, ...]:
        """Return the gateways that are alive (FRESH_S)."""
        raise NotImplementedError

    async def room(self, now: datetime) -> int:
        """Return how many more calls may be dialled, so that each that is answered finds a gateway."""
        raise NotImplementedError

    async def dialler_alive(self, name: str, now: datetime, detail: str = "") -> None:
        """A dialler's heartbeat."""
        raise NotImplementedError

    async def diallers(self, now: datetime) -> tuple[Dialler, ...]:
        """Return the diallers that are alive (FRESH_S)."""
        raise NotImplementedError

    # ------------------------------------------------------------------ looking at it

    async def status(self, campaign: str, now: datetime) -> Status:
        """Return a campaign in numbers."""
        raise NotImplementedError

    def attempts(self, campaign: str) -> AsyncIterator[AttemptRow]:
        """Stream all attempts of a campaign, oldest first, without holding a transaction open."""
        raise NotImplementedError

    def entries(self, campaign: str = "", *, kind: str = "", after_seq: int = 0) -> AsyncIterator[LedgerRow]:
        """Stream a chain of the ledger."""
        raise NotImplementedError

    async def why(self, number: str, campaign: str = "") -> Known:
        """Return all that is kept about a number (E.164): for `why`, and for a person's own request."""
        raise NotImplementedError

    async def erase(self, number: str, now: datetime) -> Erased:
        """Forget a person: payloads, values, the number itself, everywhere; the number stays uncallable."""
        raise NotImplementedError

    async def note(self, campaign: str, kind: str, payload: Mapping[str, Any], now: datetime) -> int:
        """Add an entry of one's own to a campaign's ledger ("" for none). Returns its sequence number."""
        raise NotImplementedError

    async def audit(self, campaign: str, anchor: Anchor | None = None) -> Audit:
        """Check a campaign's chain ("": the one of what concerns none), and every attempt against it."""
        raise NotImplementedError

    async def heads(self) -> tuple[Anchor, ...]:
        """Return the heads of all chains: keep them elsewhere as anchors."""
        raise NotImplementedError

    def changes(self) -> AsyncIterator[None]:
        """Yield whenever a campaign's state, contacts, or an opt-out changed, in whatever process."""
        raise NotImplementedError


@asynccontextmanager
async def open_store(
    config: Config, *, after: After | None = None, patience_s: float = PATIENCE_S
) -> AsyncIterator[Store]:
    """Open the store that [store] of voicebot.toml names."""
    raise NotImplementedError
    yield Store()
