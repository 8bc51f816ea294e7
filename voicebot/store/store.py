"""The store: everything about campaigns that must survive anything, in SQLite or PostgreSQL.

Every method that writes returns when what it wrote is on the disk, together with what the ledger says of it.
Writers of one process share transactions (group commit). A method raises `StoreUnavailable` within about a
second where the database is gone, locked or full; nothing of what was asked was done then, and all may be
asked again: everything here is idempotent by attempt, key, or number. Times are aware; they are kept in ms.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from functools import partial
from itertools import islice, repeat
from pathlib import Path
from typing import Any

from sqlalchemy.exc import SQLAlchemyError

from voicebot.campaign import retries
from voicebot.campaign.attempt import AttemptState, CallResult, DialResult, Disposition
from voicebot.campaign.campaign import Campaign
from voicebot.campaign.contact import Contact, ContactState
from voicebot.campaign.rules.policy import Policy, Trunk
from voicebot.config import Config
from voicebot.errors import UserError, told_by_system
from voicebot.store import campaigns, closing, contacts, looking
from voicebot.store import lists as do_not_call
from voicebot.store.auditing import audit
from voicebot.store.changes import Changes
from voicebot.store.claiming import LEASE_MS, Claim
from voicebot.store.database import Database, make_engine, parse_url, told, unopened
from voicebot.store.erasing import erase
from voicebot.store.errors import StoreUnavailable
from voicebot.store.forms import ms
from voicebot.store.histories import OPT_OUTS
from voicebot.store.limits import forgive_clock, latest_claim
from voicebot.store.migrating import migrate
from voicebot.store.panel import PanelBook
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
from voicebot.store.scrubbing import scrub
from voicebot.store.writing import Writer

PATIENCE_S = 0.9
"""So long a method waits for a database that is locked or away; a tool at a prompt may take longer."""
LEASE_S = LEASE_MS / 1000
"""So long an attempt is its dialler's without a word of it."""
FRESH_S = campaigns.FRESH_MS / 1000
"""A gateway or dialler whose last word is older counts as dead."""
LONG_S = 30.0
"""What goes through many rows may take so long."""
AUDIT_S = 7200.0
PRIVATE_FOLDER = 0o700


def in_chunks(values: Iterable[str], size: int) -> Iterator[list[str]]:
    """Yield lists of up to `size` values."""
    left = iter(values)
    while chunk := list(islice(left, size)):
        yield chunk


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
        parsed = parse_url(url, password, base)
        database = Database(make_engine(parsed, patience_s), patience_s)
        try:
            try:
                with told():
                    await migrate(database)
            except (StoreUnavailable, SQLAlchemyError) as error:
                if (mistake := unopened(error.__cause__ or error, parsed)) is not None:
                    raise mistake from error
                raise
            store = cls(database, after or retries.after)
            try:
                yield store
            finally:
                await store.close()
        finally:
            await database.close()

    def __init__(self, database: Database, after: After) -> None:
        """For `open` alone."""
        self._database = database
        self._after = after
        self._writer = Writer(database)
        self._reading = database.reading
        self._changes = Changes(database)
        self.panel = PanelBook(self._writer, database)

    async def close(self) -> None:
        """Finish what is being written. `open` does it."""
        await self._changes.close()
        await self._writer.close()

    @property
    def trouble(self) -> str:
        """Why the database could not be used when it was last asked; "" where it could."""
        return self._database.trouble

    # ------------------------------------------------------------------ campaigns

    async def create_campaign(
        self, campaign: Campaign, folder: str | Path, now: datetime, *, proof: str = ""
    ) -> CampaignRow:
        """Add a campaign as a DRAFT. The same settings again: nothing happens. Others: a draft is changed.

        Raises UserError where a campaign of the name has begun with other settings.
        """
        return await self._writer.do(
            lambda tx: campaigns.create(tx, campaign, str(folder), proof, now), gated=True
        )

    async def campaign(self, name: str) -> CampaignRow:
        """Return it. Raises UserError where there is none, naming those that there are."""
        async with self._reading() as connection:
            return await campaigns.find(connection, name)

    async def campaigns(self, *states: CampaignState) -> tuple[CampaignRow, ...]:
        """Return all in one of the `states` (none given: all), oldest first."""
        async with self._reading() as connection:
            return await campaigns.find_all(connection, states)

    async def set_state(
        self,
        name: str,
        state: CampaignState,
        why: str,
        now: datetime,
        *,
        was: CampaignState | None = None,
    ) -> CampaignRow:
        """Change the state. Once this returned with anything but RUNNING, no claim of it is under way.

        was: change it only where it is this one, so that nobody's word is overruled in between. DONE is
        refused while anybody is due, or being called. Look at the state that comes back.
        """
        return await self._writer.do(
            lambda tx: campaigns.set_state(tx, name, state, why, now, was), gated=True
        )

    async def set_proof(self, name: str, proof: str, now: datetime) -> None:
        """Keep what the proof of the campaign's dialog came to."""
        return await self._writer.do(lambda tx: campaigns.set_proof(tx, name, proof, now))

    # ------------------------------------------------------------------ contacts

    async def add_contacts(self, campaign: str, rows: Sequence[NewContact], now: datetime) -> Added:
        """Add rows, in one transaction; those whose key is known stay as they are. Up to some thousands."""
        return await self._writer.do(lambda tx: contacts.add(tx, campaign, rows, now), long_s=LONG_S)

    async def contacts(
        self,
        campaign: str,
        *,
        state: ContactState | None = None,
        after_id: int = 0,
        most: int = 1000,
    ) -> tuple[Contact, ...]:
        """Return contacts by id, a page at a time: go on with the last one's id as `after_id`."""
        async with self._reading(long_s=LONG_S) as connection:
            id = (await campaigns.find(connection, campaign)).id
            return await contacts.page(connection, id, campaign, state, after_id, most)

    async def contact(self, id: int) -> Contact | None:
        """Return one contact."""
        async with self._reading() as connection:
            return await contacts.one(connection, id)

    async def next_due(self, campaign: str) -> datetime | None:
        """Return when the next contact is due (maybe long since); None: nobody is."""
        async with self._reading() as connection:
            id = (await campaigns.find(connection, campaign)).id
            return await contacts.next_due(connection, id)

    async def release_held(self, campaign: str, now: datetime, *, keys: Sequence[str] = ()) -> int:
        """Make HELD contacts due again (no keys: all of them), as somebody decided. How many."""
        released = 0
        for page in in_chunks(keys, contacts.PAGE) if keys else repeat(()):
            n = await self._writer.do(partial(contacts.release_held, campaign=campaign, keys=page, now=now))
            released += n
            if not keys and n < contacts.PAGE:
                break
        return released

    async def refuse(self, campaign: str, keys: Sequence[str], why: str, now: datetime) -> int:
        """Take contacts that are DUE or HELD out of the campaign, for good. How many."""
        return await self._writer.do(lambda tx: contacts.refuse(tx, campaign, keys, why, now), gated=True)

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
        asked = Claim(campaign, dialler, most, now, policy, trunk, judge, int(expires_s * 1000))
        return await self._writer.do(asked, gated=True)

    async def latest_claim(self) -> datetime:
        """Return when any machine claimed last, by its clock."""
        async with self._reading() as connection:
            return await latest_claim(connection)

    async def forgive_clock(self, now: datetime) -> None:
        """Take `now` for right, after a clock had been wrong in the future."""
        return await self._writer.do(lambda tx: forgive_clock(tx, now), gated=True)

    # ------------------------------------------------------------------ progress of attempts

    async def handed(self, attempts: Iterable[str], now: datetime) -> None:
        """Asterisk has them. An attempt that is further along, or closed, stays as it is."""
        ids = list(attempts)
        await self._writer.do(lambda tx: closing.handed(tx, ids, now))

    async def dialling(self, attempt: str, at: datetime) -> None:
        """The dialplan went past its fence."""
        return await self._writer.do(lambda tx: closing.dialling(tx, attempt, at))

    async def answered(self, attempt: str, at: datetime) -> None:
        """Somebody, or something, took the call."""
        return await self._writer.do(lambda tx: closing.answered(tx, attempt, at))

    async def close_dial(self, result: DialResult, now: datetime | None = None) -> Closed:
        """Keep how the dialling ended (`now`: the result's time if None).

        Anything but ANSWERED closes the attempt, unless its call's result is known: then that counts.
        ANSWERED closes it where the result is known, and waits for it otherwise.
        """
        return await self._writer.do(lambda tx: closing.close_dial(tx, self._after, result, now or result.at))

    async def finish_call(self, result: CallResult, now: datetime | None = None) -> Closed:
        """Keep what the conversation came to; closes the attempt where the dialling's end is known.

        For an attempt that is closed without it (`give_up`) it is added to the ledger; nothing else changes.
        """
        return await self._writer.do(
            lambda tx: closing.finish_call(tx, self._after, result, now or result.ended_at)
        )

    async def give_up(
        self,
        attempt: str,
        disposition: Disposition,
        now: datetime,
        why: str = "",
        *,
        at: datetime | None = None,
    ) -> Closed:
        """Close it with what is known: by its call's result, or its dialling's end, or else `disposition`.

        at: when it was over at the latest, where that is known: its minutes count up to then
        """
        return await self._writer.do(
            lambda tx: closing.give_up(tx, self._after, attempt, disposition, now, why, at)
        )

    async def attempt(self, id: str) -> AttemptRow | None:
        """Return one attempt."""
        async with self._reading() as connection:
            return await looking.attempt(connection, id)

    async def open_attempts(
        self, *, dialler: str = "", campaign: str = "", states: Sequence[AttemptState] = ()
    ) -> tuple[AttemptRow, ...]:
        """Return the open attempts, oldest first; of one dialler, one campaign, some states, if given."""
        async with self._reading() as connection:
            return await looking.open_attempts(connection, dialler, campaign, states)

    async def renew_leases(self, dialler: str, now: datetime) -> int:
        """Keep all the dialler's open attempts its own for LEASE_S more. How many."""
        return await self._writer.do(lambda tx: closing.renew_leases(tx, dialler, now))

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
        if name == OPT_OUTS:
            raise UserError(f"`{OPT_OUTS}` is our own list", "give the list another name")
        run = await self._writer.do(lambda tx: do_not_call.begin_import(tx, name))
        new = total = 0
        open_: list[str] = []
        for chunk in in_chunks(numbers, do_not_call.CHUNK):
            fresh, hit = await self._writer.do(
                partial(do_not_call.add_numbers, name=name, numbers=chunk, run=run, now=now),
                gated=True,
                long_s=LONG_S,
            )
            new, total = new + fresh, total + len(chunk)
            open_ += hit
        counts = {"new": new, "known": total - new}
        removed = await self._writer.do(
            lambda tx: do_not_call.end_import(tx, name, run, counts, max_age_days, replace, now),
            long_s=LONG_S,
        )
        return ListImported(name, new, total - new, removed, tuple(open_))

    async def opt_out(self, number: str, how: str, now: datetime, *, attempt: str = "") -> tuple[str, ...]:
        """Keep a revocation. Returns the person's other open attempts, at whichever of their numbers: cancel
        them, in the spool as well."""
        return await self._writer.do(
            lambda tx: do_not_call.opt_out(tx, number, how, now, attempt), gated=True
        )

    async def withdraw_opt_out(self, number: str, how: str, now: datetime) -> bool:
        """Undo a revocation that was a mistake; the ledger keeps both. False: there was none."""
        return await self._writer.do(lambda tx: do_not_call.withdraw(tx, number, how, now), gated=True)

    async def revoked(self) -> frozenset[str]:
        """Return the open attempts of people who opted out, at this or another of their numbers."""
        async with self._reading() as connection:
            return await do_not_call.revoked(connection)

    async def lists(self) -> tuple[ListRow, ...]:
        """Return all do-not-call lists, our own opt-outs among them."""
        async with self._reading(long_s=LONG_S) as connection:
            return await do_not_call.all_lists(connection)

    async def blocked(
        self, numbers: Sequence[str], lists: Sequence[str] = ()
    ) -> Mapping[str, tuple[str, ...]]:
        """Return which of the numbers are on our opt-outs or one of the lists: number -> names of lists."""
        async with self._reading() as connection:
            return await do_not_call.blocked(connection, self._database, numbers, lists)

    # ------------------------------------------------------------------ who is alive

    async def gateway_alive(self, name: str, capacity: int, calls: int, now: datetime) -> None:
        """A gateway's heartbeat, every few seconds. capacity 0: it takes no more calls."""
        return await self._writer.do(lambda tx: campaigns.gateway_alive(tx, name, capacity, calls, now))

    async def gateways(self, now: datetime) -> tuple[Gateway, ...]:
        """Return the gateways that are alive (FRESH_S)."""
        async with self._reading() as connection:
            return await campaigns.gateways(connection, ms(now))

    async def room(self, now: datetime) -> int:
        """Return how many more calls may be dialled, so that each that is answered finds a gateway."""
        async with self._reading() as connection:
            return await campaigns.room(connection, ms(now))

    async def dialler_alive(self, name: str, now: datetime, detail: str = "") -> None:
        """A dialler's heartbeat."""
        return await self._writer.do(lambda tx: campaigns.dialler_alive(tx, name, detail, now))

    async def diallers(self, now: datetime) -> tuple[Dialler, ...]:
        """Return the diallers that are alive (FRESH_S)."""
        async with self._reading() as connection:
            return await campaigns.diallers(connection, ms(now))

    # ------------------------------------------------------------------ looking at it

    async def status(self, campaign: str, now: datetime) -> Status:
        """Return a campaign in numbers."""
        async with self._reading() as connection:
            return await looking.status(connection, campaign, now)

    def attempts(self, campaign: str) -> AsyncIterator[AttemptRow]:
        """Stream all attempts of a campaign, oldest first, without holding a transaction open."""
        return looking.attempts(self._database, campaign)

    def entries(self, campaign: str = "", *, kind: str = "", after_seq: int = 0) -> AsyncIterator[LedgerRow]:
        """Stream a chain of the ledger."""
        return looking.entries(self._database, campaign, kind, after_seq)

    async def why(self, number: str, campaign: str = "") -> Known:
        """Return all that is kept about a number (E.164): for `why`, and for a person's own request."""
        async with self._reading(long_s=LONG_S) as connection:
            return await looking.why(connection, self._database, number, campaign)

    async def erase(self, number: str, now: datetime) -> Erased:
        """Forget a person: payloads, values, the number itself, everywhere; the number stays uncallable.

        Bytes of it stay in the database's files until `scrub`.
        """
        return await self._writer.do(lambda tx: erase(tx, number, now), gated=True, long_s=LONG_S)

    async def scrub(self) -> None:
        """Let what was erased leave the disk: SQLite's file is written anew. PostgreSQL has its own VACUUM.

        Nobody can write meanwhile; 0.8 s for a million contacts (docs/store.md). Raises StoreUnavailable.
        """
        if not self._database.postgresql:
            await asyncio.to_thread(scrub, Path(self._database.engine.url.database or ""))

    async def note(self, campaign: str, kind: str, payload: Mapping[str, Any], now: datetime) -> int:
        """Add an entry of one's own to a campaign's ledger ("" for none). Returns its sequence number."""
        return await self._writer.do(lambda tx: campaigns.note(tx, campaign, kind, payload, now))

    async def audit(self, campaign: str, anchor: Anchor | None = None) -> Audit:
        """Check a campaign's chain ("": the one of what concerns none), and every attempt against it."""
        async with self._reading(long_s=AUDIT_S, snapshot=True) as connection:
            return await audit(connection, self._database, campaign, anchor)

    async def heads(self) -> tuple[Anchor, ...]:
        """Return the heads of all chains: keep them elsewhere as anchors."""
        async with self._reading() as connection:
            return await campaigns.heads(connection)

    @property
    def secret(self) -> bytes:
        """The key of the keyed hashes that stand for numbers, and for rows without a key of their own."""
        return self._database.secret

    def changes(self) -> AsyncIterator[None]:
        """Yield whenever a campaign's state, contacts, or an opt-out changed, in whatever process."""
        return self._changes.follow()


@asynccontextmanager
async def open_store(
    config: Config, *, after: After | None = None, patience_s: float = PATIENCE_S
) -> AsyncIterator[Store]:
    """Open the store that [store] of voicebot.toml names. Raises StoreUnavailable, UserError."""
    kept = config.store
    base = config.base / config.paths.var
    password = kept.password.get_secret_value()
    if kept.url.startswith("sqlite:"):
        try:
            base.mkdir(parents=True, exist_ok=True, mode=PRIVATE_FOLDER)
        except OSError as error:
            raise StoreUnavailable(
                f"paths.var: the folder {base} cannot be made: {told_by_system(error)}"
            ) from error
    async with Store.open(
        kept.url, password=password, base=base, after=after, patience_s=patience_s
    ) as store:
        yield store
