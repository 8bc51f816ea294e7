"""Runs look-ups: asks, keeps answers for a while, and says which variables the channel gets."""

from __future__ import annotations

import json
import os
import re
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import date, datetime
from datetime import time as time_of_day
from pathlib import Path
from typing import Any, Literal, Self

import structlog
from yarl import URL

from voicebot.agi.command import LONGEST_LINE
from voicebot.dialog.turns import Fetch
from voicebot.errors import UserError
from voicebot.fastagi.channel import AgiChannel, as_value
from voicebot.fastagi.lookups.asking import Asked, DatabaseFailed, statement
from voicebot.fastagi.lookups.databases import open_database
from voicebot.fastagi.lookups.model import Lookup, LookupFile, Request
from voicebot.fastagi.lookups.parameters import Parameters, environment_name, fill, places
from voicebot.fastagi.scripts import UnknownScript
from voicebot.work.fetching import Fetcher

log = structlog.get_logger(__name__)

STATUS = "VOICEBOT_LOOKUP"
"""The variable that tells how it went: found, none, failed."""
MOST_KEPT = 10_000
"""Answers that are kept, of all look-ups together."""
LONGEST_VALUE = LONGEST_LINE // 2
"""Bytes of a variable: each may need a backslash."""
_CONTROLS = re.compile(r"[\x00-\x1f\x7f]+")
NOT_FOUND = (404, 410)

Status = Literal["found", "none", "failed"]


class Failed(Exception):
    """The look-up did not come to an answer. The text says why, without values of a call."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a look-up went. variables: what the channel gets, all of `set`. why: of `failed`, for the log."""

    status: Status
    variables: Mapping[str, str]
    why: str = ""
    cached: bool = False


class Lookups:
    """The look-ups of a file; an async context manager, which holds their connections.

    base: the folder that relative files start from. environment: of the process. allow: places beside the
    public internet that `fetch` may ask (as `fetch.allow` of voicebot.toml). clock: seconds, for tests.
    """

    def __init__(
        self,
        file: LookupFile,
        base: Path,
        *,
        environment: Mapping[str, str] | None = None,
        allow: Iterable[str] = (),
        fetcher: Fetcher | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._file = file
        self._base = base
        self._environment = os.environ if environment is None else environment
        self._fetcher = fetcher or Fetcher(allow)
        self._clock = clock
        self._kept: OrderedDict[tuple[str, ...], tuple[float, Outcome]] = OrderedDict()
        self._databases: dict[str, Asked] = {}
        self._closing = AsyncExitStack()
        self._plans = {name: _plan(lookup, file) for name, lookup in file.lookups.items()}

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self._file.lookups)

    @property
    def unguarded(self) -> tuple[str, ...]:
        """Databases that are kept from writing by nothing but their user's rights."""
        return tuple(name for name, database in self._databases.items() if not database.guarded)

    async def __aenter__(self) -> Self:
        """Raises UserError where a driver or a password is missing. Connects to nothing yet."""
        try:
            for name, settings in self._file.databases.items():
                database = open_database(name, settings, self._base, self._environment)
                self._databases[name] = database
                self._closing.push_async_callback(database.close)
        except UserError:
            await self._closing.aclose()
            raise
        await self._closing.enter_async_context(self._fetcher)
        return self

    async def __aexit__(self, *error: object) -> None:
        await self._closing.aclose()

    async def serve(self, channel: AgiChannel, name: str) -> None:
        """Run agi://host/lookup/<name> for a call: set its variables. Raises UnknownScript."""
        outcome = await self.look_up(name, Parameters(channel.environment))
        await channel.set_variables({**outcome.variables, STATUS: outcome.status})

    async def look_up(self, name: str, given: Mapping[str, str]) -> Outcome:
        """Run a look-up with the parameters of a call. Raises UnknownScript, nothing else of its own."""
        plan = self._plans.get(name)
        if plan is None:
            raise UnknownScript("no such look-up")
        lookup = plan.lookup
        key = (name, *(given.get(need, "") for need in plan.asks))
        if lookup.cache and (kept := self._keep(key)) is not None:
            return kept
        began = self._clock()
        try:
            missing = [need for need in lookup.needs if need not in given]
            if missing:
                raise Failed(f"the URL has no {', '.join(missing)}")
            found = await self._ask(name, plan, given)
            outcome = _outcome(lookup, found)
        except Failed as error:
            outcome = Outcome("failed", _defaults(lookup), str(error))
            took_ms = round((self._clock() - began) * 1000)
            log.warning("look-up failed", lookup=name, why=str(error), took_ms=took_ms)
        if lookup.cache and outcome.status != "failed":
            self._kept[key] = (self._clock() + lookup.cache / 1000, outcome)
            if len(self._kept) > MOST_KEPT:
                self._kept.popitem(last=False)
        return outcome

    def _keep(self, key: tuple[str, ...]) -> Outcome | None:
        kept = self._kept.get(key)
        if kept is None:
            return None
        if kept[0] < self._clock():
            del self._kept[key]
            return None
        return kept[1]

    async def _ask(self, name: str, plan: _Plan, given: Mapping[str, str]) -> Any:
        """Return a row, the JSON of a reply, or None for neither. Raises Failed."""
        lookup = plan.lookup
        if lookup.fetch is not None:
            return await self._fetch(name, lookup, lookup.fetch, given)
        values = {need: given.get(need, "") for need in plan.asks}
        try:
            return await self._databases[plan.database].first(plan.statement, values, lookup.timeout / 1000)
        except DatabaseFailed as error:
            raise Failed(f"the database: {error}") from error

    async def _fetch(self, name: str, lookup: Lookup, request: Request, given: Mapping[str, str]) -> Any:
        secrets = self._environment
        try:
            url = URL(fill(request.get or request.post, given, secrets, as_part=True), encoded=True)
            if request.query:
                query = {key: fill(value, given, secrets) for key, value in request.query.items()}
                url = url.extend_query(query)
        except ValueError as error:
            raise Failed("the address is no address of the web") from error
        body = None
        if request.body:
            filled = {key: fill(value, given, secrets) for key, value in request.body.items()}
            body = json.dumps(filled, ensure_ascii=False).encode()
        headers = tuple((key, fill(value, given, secrets)) for key, value in request.headers.items())
        fetched = await self._fetcher.fetch(
            Fetch(
                step=f"look-up {name}",
                method="GET" if request.get else "POST",
                url=str(url),
                headers=headers,
                body=body,
                content_type="application/json" if body else "",
                timeout_ms=lookup.timeout,
                retries=request.retries,
                sensitive=True,
            )
        )
        if fetched.status is None:
            raise Failed(f"the web service: {fetched.error}")
        if fetched.status in NOT_FOUND or fetched.status == 204:
            return None
        if not 200 <= fetched.status < 300:
            raise Failed(f"the web service answers {fetched.status}")
        if isinstance(fetched.body, str):
            raise Failed("the reply is no JSON")
        return fetched.body or None


@dataclass(frozen=True, slots=True)
class _Plan:
    """What is known of a look-up before a call. asks: parameters that it uses."""

    lookup: Lookup
    asks: tuple[str, ...]
    database: str
    statement: Any


def _plan(lookup: Lookup, file: LookupFile) -> _Plan:
    if lookup.fetch is not None:
        request = lookup.fetch
        texts = [request.get, request.post]
        texts += [value for part in (request.query, request.headers, request.body) for value in part.values()]
        names = dict.fromkeys(
            place for each in texts for place in places(each) if not environment_name(place)
        )
        return _Plan(lookup, tuple(names), "", None)
    asked = statement(lookup.query)
    database = lookup.database or next(iter(file.databases), "")
    return _Plan(lookup, tuple(asked.compile().params), database, asked)


def _defaults(lookup: Lookup) -> dict[str, str]:
    return {variable: lookup.otherwise.get(variable, "") for variable in lookup.set}


def _outcome(lookup: Lookup, found: Any) -> Outcome:
    """Return which variables the channel gets. Raises Failed for a column that is not there."""
    if found is None:
        return Outcome("none", _defaults(lookup))
    variables = {}
    for variable, place in lookup.set.items():
        value = _at(found, place, strict=lookup.fetch is None)
        written = _written(value)
        if len(written.encode()) > LONGEST_VALUE:
            raise Failed(f"{variable} would be longer than {LONGEST_VALUE} bytes")
        variables[variable] = written if value is not None else lookup.otherwise.get(variable, "")
    return Outcome("found", variables)


def _at(found: Any, place: str, *, strict: bool) -> Any:
    """Return the value of a column, or at a place such as items.0.name in a reply."""
    if strict:
        if place not in found:
            raise Failed(f"the query has no column {place}")
        return found[place]
    for part in place.split("."):
        if isinstance(found, dict):
            found = found.get(part)
        elif isinstance(found, list) and part.isdecimal() and int(part) < len(found):
            found = found[int(part)]
        else:
            return None
    return found


def _written(value: Any) -> str:
    """Return a value as the dialplan has it, on one line."""
    if isinstance(value, str) and value.isprintable():
        return value.strip()
    if isinstance(value, datetime | date | time_of_day):
        text = value.isoformat()
    elif isinstance(value, bytes):
        text = value.decode("utf-8", "replace")
    elif isinstance(value, dict | list):
        text = json.dumps(value, ensure_ascii=False)
    else:
        text = as_value(value)
    return _CONTROLS.sub(" ", text).strip()
