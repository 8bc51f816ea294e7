"""Knows who comes: signs people in and out, and tells by a cookie or a token who asks."""

from __future__ import annotations

import asyncio
import ipaddress
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import structlog
from starlette.requests import HTTPConnection
from starlette.responses import Response

from voicebot.store.errors import StoreUnavailable
from voicebot.store.panel_rows import PanelSession
from voicebot.store.store import Store
from voicebot.web.house import House
from voicebot.web.problems import Trouble
from voicebot.web.security import secrets
from voicebot.web.security.passwords import Passwords
from voicebot.web.security.places import Places, loopback_host
from voicebot.web.security.rates import LoginRate
from voicebot.web.security.roles import LOCAL, Identity, Role

log = structlog.get_logger(__name__)

COOKIE = "voicebot_session"
SECURE_COOKIE = f"__Host-{COOKIE}"
"""Over https: browsers take it from our host alone, and send it back so (RFC 6265bis, 4.1.3)."""
FRESH_S = 2.0
"""What was known of a session or token so recently is not asked again: so soon does a sign-out by the
command line count."""
STALE_S = 600.0
"""Where the database is away, who was in stays in for so long."""
SEEN_EVERY_S = 60.0
MOST_KNOWN = 1000
BEARER = "Bearer "


@dataclass(slots=True)
class _Known:
    """What the store said. at: when (monotonic)"""

    session: PanelSession | None
    identity: Identity | None
    at: float
    noted: float


class Doorkeeper:
    """One for a panel. wall: the time of day in seconds of the epoch."""

    def __init__(
        self, house: House, places: Places, local_token: str, wall: Callable[[], float] = time.time
    ) -> None:
        self.house = house
        self.places = places
        self.passwords = Passwords()
        self._rate = LoginRate()
        self._local_token = local_token
        self._wall = wall
        self._known: OrderedDict[str, _Known] = OrderedDict()
        self._noting: set[asyncio.Task[None]] = set()

    @property
    def store(self) -> Store:
        """Raises Trouble while there is none."""
        if self.house.store is None:
            raise Trouble(503, "the database is away", "try again in a moment", {"Retry-After": "5"})
        return self.house.store

    def now(self) -> datetime:
        return datetime.fromtimestamp(self._wall(), UTC)

    # --- signing in -------------------------------------------------------------------------------------

    async def sign_in(self, connection: HTTPConnection, name: str, password: str) -> tuple[str, Identity]:
        """Return a new session's secret and who it is. Raises Trouble: 401 wrong, 429 too often."""
        return await self._begin(connection, await self.check(connection, name, password), "")

    async def check(self, connection: HTTPConnection, name: str, password: str) -> str:
        """Return the name of the user whose password it is. Raises Trouble: 401 wrong, 429 too often."""
        name, address, now = name.strip().lower()[:64], self.address(connection), time.monotonic()
        if wait := self._rate.wait_s(name, address, now):
            what = "too many attempts to sign in"
            remedy = f"wait {wait} s, or make a link by `voicebot panel link`"
            raise Trouble(429, what, remedy, {"Retry-After": str(wait)})
        self._rate.failed(name, address, now)  # before anything is awaited: many at once count as many
        user = await self.store.panel.user(name)
        right = await self.passwords.right(password, user.password if user else None)
        if user is None or not right:
            log.warning("sign-in refused", user=name, address=address)
            remedy = "`voicebot panel user password NAME` sets a new one"
            raise Trouble(401, "name or password is wrong", remedy)
        self._rate.passed(name, address)
        return user.name

    async def use_link(self, connection: HTTPConnection, secret: str) -> tuple[str, Identity]:
        """Sign in by a link, once. Raises Trouble where it is no good (any more)."""
        taken = await self.store.panel.take_link(secrets.key_of(secret), self.now())
        if taken is None:
            raise Trouble(404, "this link is no good any more", "make a new one by `voicebot panel link`")
        return await self._begin(connection, *taken)

    async def _begin(self, connection: HTTPConnection, name: str, role: str) -> tuple[str, Identity]:
        secret, now = secrets.fresh(), self.now()
        ends = now + timedelta(hours=self.house.config.panel.session_hours)
        browser = connection.headers.get("user-agent", "")[:200]
        key = secrets.key_of(secret)
        session = PanelSession(key, name, role, now, now, ends, self.address(connection), browser)
        await self.store.panel.begin_session(session)
        identity = await self._of_session(secret, key)
        if identity is None:
            raise Trouble(404, f"there is no user `{name}`", "see `voicebot panel user list`")
        log.info("signed in", user=name, address=session.address)
        return secret, identity

    async def sign_out(self, identity: Identity) -> None:
        if identity.session:
            await self.store.panel.end_session(identity.session)
            self._known.pop(identity.session, None)

    async def sign_out_everywhere(self, name: str) -> int:
        """End all sessions of a user; how many."""
        ended = await self.store.panel.end_sessions(name)
        self.forget()
        return ended

    def forget(self) -> None:
        """Ask the store about everybody anew: users, roles or tokens have changed."""
        self._known.clear()

    # --- cookies ----------------------------------------------------------------------------------------

    def secure(self, connection: HTTPConnection) -> bool:
        """Whether the browser sees us over https."""
        origin = self.places.origin_of(connection.headers.get("host", ""))
        return bool(origin and origin.startswith("https:"))

    def give_cookie(self, connection: HTTPConnection, response: Response, secret: str) -> None:
        secure = self.secure(connection)
        response.set_cookie(
            SECURE_COOKIE if secure else COOKIE,
            secret,
            max_age=self.house.config.panel.session_hours * 3600,
            path="/",
            secure=secure,
            httponly=True,
            samesite="strict",
        )

    def take_cookie(self, connection: HTTPConnection, response: Response) -> None:
        secure = self.secure(connection)
        response.delete_cookie(
            SECURE_COOKIE if secure else COOKIE, path="/", secure=secure, httponly=True, samesite="strict"
        )

    # --- who asks ---------------------------------------------------------------------------------------

    async def who(self, connection: HTTPConnection) -> Identity | None:
        """Return who asks, None: nobody that we know. Raises Trouble where that cannot be told now."""
        given = connection.headers.get("authorization", "")
        if given:
            return await self._of_token(connection, given)
        secret = connection.cookies.get(SECURE_COOKIE if self.secure(connection) else COOKIE, "")
        return await self._of_session(secret, secrets.key_of(secret)) if secret else None

    async def still(self, identity: Identity) -> bool:
        """Whether who has a stream open would still be let in.

        While the database is away nobody can have been sent off, and they may be in the middle of a call:
        they stay to the end of their session.
        """
        try:
            if identity.session:
                known = await self._known_session(identity.session)
            elif identity.token:
                known = await self._known_token(identity.token)
            else:
                return True
        except (StoreUnavailable, Trouble):
            return not identity.sessions_end_at or self._wall() < identity.sessions_end_at
        return known is not None and known.identity is not None and known.identity.role is identity.role

    async def _of_session(self, secret: str, key: str) -> Identity | None:
        known = await self._known_session(key)
        if known is None or known.session is None or known.identity is None:
            return None
        self._note_seen(key, known)
        session = known.session
        return Identity(
            session.name, known.identity.role, secrets.csrf_of(secret), key, session.ends_at.timestamp()
        )

    async def _known_session(self, key: str) -> _Known | None:
        clock = time.monotonic()
        known = self._known.get(key)
        if known is None or clock - known.at > FRESH_S:
            try:
                session = await self.store.panel.session(key)
            except (StoreUnavailable, Trouble):
                if known is None or clock - known.at > STALE_S:
                    raise
            else:
                role = Role(session.role) if session else None
                identity = Identity(session.name, role, session=key) if session and role else None
                known = _Known(session, identity, clock, known.noted if known else clock)
                self._keep(key, known)
        if known is None or known.session is None:
            return None
        idle = timedelta(minutes=self.house.config.panel.idle_minutes)
        now, session = self.now(), known.session
        return known if now < session.ends_at and now - session.seen_at < idle else None

    def _keep(self, key: str, known: _Known) -> None:
        self._known[key] = known
        self._known.move_to_end(key)
        while len(self._known) > MOST_KNOWN:
            self._known.popitem(last=False)

    def _note_seen(self, key: str, known: _Known) -> None:
        """Tell the store now and then that a session is used."""
        clock = time.monotonic()
        fresh = (
            known.session is not None and (self.now() - known.session.seen_at).total_seconds() < SEEN_EVERY_S
        )
        if fresh or clock - known.noted < SEEN_EVERY_S / 2:
            return
        known.noted = clock
        task = asyncio.create_task(self._seen(key), name="session seen")
        self._noting.add(task)
        task.add_done_callback(self._noting.discard)

    async def _seen(self, key: str) -> None:
        try:
            await self.store.panel.seen(key, self.now())
        except (StoreUnavailable, Trouble) as error:
            log.warning("session not noted", error=str(error))

    async def _of_token(self, connection: HTTPConnection, given: str) -> Identity | None:
        if not given.startswith(BEARER):
            return None
        token = given.removeprefix(BEARER).strip()
        if self._local_token and secrets.same(token, self._local_token):
            return Identity(LOCAL, Role.ADMIN) if self._from_here(connection) else None
        return (await self._known_token(secrets.key_of(token))).identity

    async def _known_token(self, key: str) -> _Known:
        clock = time.monotonic()
        known = self._known.get(key)
        if known is None or clock - known.at > FRESH_S:
            found = await self.store.panel.token(key)
            identity = Identity(f"token:{found.name}", Role(found.role), token=key) if found else None
            known = _Known(None, identity, clock, clock)
            self._keep(key, known)
        return known

    def _from_here(self, connection: HTTPConnection) -> bool:
        """Whether a request comes from this machine itself, and not through a proxy on it."""
        proxied = any(name in connection.headers for name in ("x-forwarded-for", "forwarded", "via"))
        return (
            not proxied
            and loopback_host(connection.headers.get("host", ""))
            and connection.client is not None
            and is_loopback(connection.client.host)
        )

    def address(self, connection: HTTPConnection) -> str:
        """Return the browser's address; of a proxy on this machine, what it says."""
        address = connection.client.host if connection.client else ""
        through = connection.headers.get("x-forwarded-for", "")
        if through and self.house.config.panel.origins and is_loopback(address):
            last = through.rpartition(",")[2].strip()
            try:
                return str(ipaddress.ip_address(last))
            except ValueError:
                return address
        return address

    async def close(self) -> None:
        """Finish what is being noted."""
        if self._noting:
            await asyncio.wait(self._noting, timeout=1.0)


def is_loopback(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False
