"""What the gateway knows and tells of the calls that we placed: the store, and what stands in for it.

A database that is away for a minute leaves nobody in silence and loses nothing. What a call is about was
told here before it was dialled; what came of it is kept in a journal until the database is back.
"""

from __future__ import annotations

import asyncio
import json
from collections import OrderedDict
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import structlog
from pydantic import TypeAdapter, ValidationError

from voicebot.app.journal import Journal
from voicebot.call.outbound import Assignment
from voicebot.campaign.attempt import AttemptState, CallResult
from voicebot.campaign.campaign import Campaign
from voicebot.campaign.contact import Contact
from voicebot.config import Config, Route
from voicebot.outbound.erase import JOURNAL
from voicebot.store.errors import StoreUnavailable
from voicebot.store.rows import AttemptRow, CampaignRow
from voicebot.store.store import Store

log = structlog.get_logger(__name__)

STORE_LIMIT_S = 1.5
"""A database that has not answered by then counts as away."""
LOOK_S = 1.0
"""Between two looks at calls on their way, and at the journal."""
MOST_EXPECTED = 100_000
"""Calls that are known before they are answered."""


@dataclass(frozen=True, slots=True)
class Revocation:
    """A callee wants no more calls."""

    attempt: str
    number: str
    how: str
    at: datetime


_REVOCATION = TypeAdapter(Revocation)
_RESULT = TypeAdapter(CallResult)
_REVOKED, _FINISHED = "1-opt-out", "2-result"
"""How entries of the journal begin: revocations are replayed first."""


def journal_of(config: Config) -> Journal:
    return Journal(config.var / JOURNAL)


def routes_of(campaign: Campaign, folder: str | Path) -> tuple[Route, Route | None]:
    """Return the routes of a campaign's dialog, and of its message for machines: the same for all."""

    def route(dialog: str) -> Route:
        return Route(
            number=campaign.caller.number,
            dialog=str((Path(folder) / dialog).resolve()),
            language=campaign.language,
            stt=campaign.stt,
            tts=campaign.tts,
            voice=campaign.voice,
            record=campaign.record,
            given=dict(campaign.given),
        )

    wants_message = campaign.answering.machine == "message" and campaign.answering.message
    return route(campaign.dialog), route(campaign.answering.message) if wants_message else None


def proven_of(proof: str) -> tuple[str, str]:
    """Return the versions of dialog and message that a campaign's proof is about; "" where there is none.

    What cannot be read is no version, so that nothing is held on the strength of it.
    """
    if not proof:
        return "", ""
    try:
        told = json.loads(proof)
        return str(told["dialog"]["version"]), str(told["message"]["version"]) if "message" in told else ""
    except (ValueError, TypeError, KeyError):
        return "unreadable", "unreadable"


def assignment_of(
    attempt: str, number: str, campaign: Campaign, folder: str | Path, contact: Contact, proof: str = ""
) -> Assignment:
    """Return what a call to a contact is about. proof: of the campaign, as its row has it."""
    proven, message_proven = proven_of(proof)
    routes = routes_of(campaign, folder)
    if contact.language:
        spoken = {"language": contact.language}
        routes = (routes[0].model_copy(update=spoken), routes[1] and routes[1].model_copy(update=spoken))
    return Assignment(
        attempt=attempt,
        campaign=campaign.campaign,
        number=number,
        caller_number=campaign.caller.number,
        route=routes[0],
        answering=campaign.answering,
        zone=contact.zones[0],
        given=dict(contact.given),
        message=routes[1],
        proven=proven,
        message_proven=message_proven,
    )


class Assignments:
    """Implements `Campaigns`. Run `run()` beside the gateway; `close()` at the end.

    `cancel(attempts)` is told of other attempts on a number that was revoked: they must not be dialled.
    """

    def __init__(
        self,
        store: Store,
        journal: Journal,
        *,
        cancel: Callable[[tuple[str, ...]], None] = lambda _: None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._store = store
        self._journal = journal
        self._cancel = cancel
        self._now = now
        self._expected: OrderedDict[str, Assignment] = OrderedDict()
        self._campaigns: dict[str, CampaignRow] = {}
        self._ringing: set[str] = set()
        self._stopped_ringing = asyncio.Event()
        self._unkept: dict[str, bytes] = {}
        self._refused: set[str] = set()
        self._unusable = False
        self._pending = True  # nobody has looked yet
        self._tasks: set[asyncio.Task[Any]] = set()
        self._replaying = asyncio.Lock()

    # --- before anybody answers -------------------------------------------------------------------------

    def expect(self, assignment: Assignment) -> None:
        """Tell, before it is dialled, what a call will be about: no database is asked when it is answered."""
        self._ringing.add(assignment.attempt)
        self._know(assignment)

    def forget(self, attempt: str) -> None:
        """The attempt is closed: nobody will answer it."""
        self._expected.pop(attempt, None)
        self._ended_ringing(attempt)

    @property
    def pending(self) -> bool:
        """Whether something is in the journal that the database does not have yet: claim nothing before."""
        return self._pending or bool(self._unkept)

    # --- Campaigns --------------------------------------------------------------------------------------

    async def assignment(self, attempt: str) -> Assignment | None:
        found = self._expected.get(attempt)
        if found is None:
            try:
                async with asyncio.timeout(STORE_LIMIT_S):
                    found = await self._look_up(attempt)
            except (StoreUnavailable, TimeoutError) as error:
                log.error("an answered call is not known", attempt=attempt, why=str(error) or "time-out")
        if found is not None:
            self._spawn(self._note_answer(attempt, self._now()))
        self._ended_ringing(attempt)
        return found

    async def opted_out(self, attempt: str, number: str, how: str) -> None:
        said = Revocation(attempt, number, how, self._now())
        try:
            async with asyncio.timeout(STORE_LIMIT_S):
                await self._revoke(said)
        except Exception as error:  # whatever it is, the revocation must be kept
            _tell("opt-out", attempt, error)
            await self._keep(f"{_REVOKED}-{attempt}", _REVOCATION.dump_json(said))

    async def finished(self, result: CallResult) -> None:
        self.forget(result.attempt)
        try:
            async with asyncio.timeout(STORE_LIMIT_S):
                await self._store.finish_call(result, self._now())
        except Exception as error:
            _tell("result", result.attempt, error)
            try:
                await self._keep(f"{_FINISHED}-{result.attempt}", _RESULT.dump_json(result))
            except OSError as full:
                log.critical("result on no disk yet", attempt=result.attempt, error=str(full))

    async def quiet(self) -> None:
        while self._ringing:
            self._stopped_ringing.clear()
            await self._stopped_ringing.wait()

    def _know(self, assignment: Assignment) -> None:
        self._expected[assignment.attempt] = assignment
        if len(self._expected) > MOST_EXPECTED:
            self._expected.popitem(last=False)

    def _ended_ringing(self, attempt: str) -> None:
        self._ringing.discard(attempt)
        self._stopped_ringing.set()

    # --- the journal ------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Look ahead, and bring what is in the journal into the database, until cancelled."""
        while True:
            try:
                if self.pending:
                    await self.replay()
                await self.look_ahead()
            except StoreUnavailable:
                pass  # told by those who depend on it
            except Exception as error:  # the next look may go better
                log.exception("calls on their way not looked at", error=repr(error))
            await asyncio.sleep(LOOK_S)

    async def look_ahead(self) -> None:
        """Learn what calls are about that ring now, so that the database may be away when one is answered.

        Raises StoreUnavailable.
        """
        before = set(self._expected)
        rows = await self._store.open_attempts()
        for row in rows:
            if row.order.attempt not in self._expected and row.state is not AttemptState.ANSWERED:
                found = await self._assignment_of(row)
                if found is not None:
                    self._know(found)
        self._campaigns.clear()  # settings of a draft may change
        for attempt in before.difference(row.order.attempt for row in rows):
            self._expected.pop(attempt, None)

    async def replay(self) -> bool:
        """Try it once. True: the database has everything now."""
        async with self._replaying:
            try:
                for name, text in list(self._unkept.items()):
                    await asyncio.to_thread(self._journal.keep, name, text)
                    self._unkept.pop(name, None)
                names = await asyncio.to_thread(self._journal.names)
            except OSError as error:
                if not self._unusable:
                    log.critical("journal not usable", folder=str(self._journal.folder), error=str(error))
                self._unusable = True
                return False
            self._unusable = False
            for name in names:
                if name not in self._refused and not await self._replay_one(name):
                    return False
            self._pending = False
            return not self.pending

    async def close(self) -> None:
        """Wait for what was begun."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=STORE_LIMIT_S)

    async def _replay_one(self, name: str) -> bool:
        """Bring one entry into the database. False: it is away still."""
        try:
            text = await asyncio.to_thread(self._journal.read, name)
            async with asyncio.timeout(STORE_LIMIT_S):
                if name.startswith(_REVOKED):
                    await self._revoke(_REVOCATION.validate_json(text))
                else:
                    await self._store.finish_call(_RESULT.validate_json(text), self._now())
        except (StoreUnavailable, TimeoutError):
            return False
        except Exception as error:  # it stays where it is, for somebody to look at
            broken = isinstance(error, ValidationError)
            log.error("journal entry not taken", entry=name, broken=broken, error=repr(error))
            self._refused.add(name)
            return True
        await asyncio.to_thread(self._journal.drop, name)
        log.info("told to the database", entry=name)
        return True

    async def _keep(self, name: str, text: bytes) -> None:
        self._pending = True
        try:
            await asyncio.to_thread(self._journal.keep, name, text)
        except OSError:
            self._unkept[name] = text
            raise

    # --- the store --------------------------------------------------------------------------------------

    async def _look_up(self, attempt: str) -> Assignment | None:
        row = await self._store.attempt(attempt)
        return None if row is None or row.state is AttemptState.CLOSED else await self._assignment_of(row)

    async def _assignment_of(self, row: AttemptRow) -> Assignment | None:
        """Return what an open attempt is about; None where the callee was erased meanwhile."""
        order = row.order
        contact = await self._store.contact(row.contact)
        if contact is None or not order.number:
            return None
        campaign = self._campaigns.get(order.campaign)
        if campaign is None:
            campaign = self._campaigns[order.campaign] = await self._store.campaign(order.campaign)
        return assignment_of(
            order.attempt, order.number, campaign.settings, campaign.folder, contact, campaign.proof
        )

    async def _revoke(self, said: Revocation) -> None:
        others = await self._store.opt_out(said.number, said.how, said.at, attempt=said.attempt)
        if others:
            self._cancel(others)

    async def _note_answer(self, attempt: str, at: datetime) -> None:
        """Who else tells it may be late, or away; the result will tell it again."""
        try:
            await self._store.answered(attempt, at)
        except StoreUnavailable:
            return

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _tell(what: str, attempt: str, error: Exception) -> None:
    if isinstance(error, StoreUnavailable | TimeoutError):
        log.warning("kept in the journal until the database is back", what=what, attempt=attempt)
    else:
        log.error("kept in the journal", what=what, attempt=attempt, error=repr(error))
