"""Users of the panel, their sessions, tokens and links, and the log of what they did.

Secrets come as hashes: who reads the database can use none of them. Times are aware.
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from sqlalchemy import Row, Select, delete, func, insert, select, update

from voicebot.errors import UserError
from voicebot.store import tables
from voicebot.store.database import Database
from voicebot.store.forms import aware, maybe_aware, ms
from voicebot.store.panel_rows import PanelAction, PanelSession, PanelToken, PanelUser
from voicebot.store.writing import Tx, Writer

_u = tables.panel_users.c
_s = tables.panel_sessions.c
_t = tables.panel_tokens.c
_l = tables.panel_links.c
_a = tables.panel_audit.c

MOST_SESSIONS = 20
"""Of one user; a new one ends the oldest."""


class PanelBook:
    """`Store.panel`. Raises StoreUnavailable as every method of the store does."""

    def __init__(self, writer: Writer, database: Database) -> None:
        self._writer = writer
        self._reading = database.reading

    # ------------------------------------------------------------------ users

    async def add_user(self, name: str, role: str, password: str, now: datetime) -> None:
        """Add a user. Raises UserError where there is one of the name."""

        async def add(tx: Tx) -> None:
            if await tx.row(select(_u.name).where(_u.name == name)):
                raise UserError(f"there is a user `{name}` already", "give them another password or role")
            values = {"name": name, "role": role, "password": password, "created_at": ms(now)}
            await tx.run(insert(tables.panel_users).values(values))

        await self._writer.do(add)

    async def change_user(self, name: str, *, role: str = "", password: str = "") -> None:
        """Change what is given. Another password ends the user's sessions. Raises UserError: no such user."""

        async def change(tx: Tx) -> None:
            values = {k: v for k, v in (("role", role), ("password", password)) if v}
            if await tx.run(update(tables.panel_users).where(_u.name == name).values(values)) == 0:
                raise _no_user(name)
            if password:
                await tx.run(delete(tables.panel_sessions).where(_s.name == name))

        await self._writer.do(change)

    async def remove_user(self, name: str) -> None:
        """Remove a user and their sessions. Raises UserError: no such user."""

        async def remove(tx: Tx) -> None:
            if await tx.run(delete(tables.panel_users).where(_u.name == name)) == 0:
                raise _no_user(name)
            await tx.run(delete(tables.panel_sessions).where(_s.name == name))
            await tx.run(delete(tables.panel_links).where(_l.name == name))

        await self._writer.do(remove)

    async def user(self, name: str) -> PanelUser | None:
        async with self._reading() as connection:
            row = (await connection.execute(_users().where(_u.name == name))).first()
        return None if row is None else _user_of(row)

    async def users(self) -> tuple[PanelUser, ...]:
        """Return all, by name."""
        async with self._reading() as connection:
            return tuple(_user_of(row) for row in await connection.execute(_users().order_by(_u.name)))

    # ------------------------------------------------------------------ sessions

    async def begin_session(self, session: PanelSession) -> None:
        """Keep a new session; its `role` stands only for a person who is no user. Old ones are swept out."""

        async def begin(tx: Tx) -> None:
            at = ms(session.began_at)
            await tx.run(delete(tables.panel_sessions).where(_s.ends_at <= at))
            older = select(_s.key).where(_s.name == session.name).order_by(_s.began_at.desc())
            for row in (await tx.rows(older))[MOST_SESSIONS - 1 :]:
                await tx.run(delete(tables.panel_sessions).where(_s.key == row.key))
            values = {
                "key": session.key,
                "name": session.name,
                "role": session.role,
                "began_at": at,
                "seen_at": ms(session.seen_at),
                "ends_at": ms(session.ends_at),
                "address": session.address,
                "browser": session.browser,
            }
            await tx.run(insert(tables.panel_sessions).values(values))
            await tx.run(update(tables.panel_users).where(_u.name == session.name).values(signed_in_at=at))

        await self._writer.do(begin)

    async def session(self, key: str) -> PanelSession | None:
        """Return a session whose user is still there, with the role that they have now."""
        async with self._reading() as connection:
            row = (await connection.execute(_sessions().where(_s.key == key))).first()
        return None if row is None else _session_of(row)

    async def sessions(self, name: str = "") -> tuple[PanelSession, ...]:
        """Return the sessions of a user, or of all, newest first."""
        query = _sessions().order_by(_s.began_at.desc())
        async with self._reading() as connection:
            return tuple(
                map(_session_of, await connection.execute(query.where(_s.name == name) if name else query))
            )

    async def seen(self, key: str, now: datetime) -> None:
        """A session is used."""
        statement = update(tables.panel_sessions).where(_s.key == key).values(seen_at=ms(now))
        await self._writer.do(lambda tx: tx.run(statement))

    async def end_session(self, key: str) -> None:
        """End one session, if it is there."""
        await self._writer.do(lambda tx: tx.run(delete(tables.panel_sessions).where(_s.key == key)))

    async def end_sessions(self, name: str) -> int:
        """End all sessions of a user; how many."""
        return await self._writer.do(lambda tx: tx.run(delete(tables.panel_sessions).where(_s.name == name)))

    # ------------------------------------------------------------------ tokens and links

    async def add_token(self, name: str, key: str, role: str, now: datetime) -> None:
        """Add a machine's token by its hash. Raises UserError where there is one of the name."""

        async def add(tx: Tx) -> None:
            if await tx.row(select(_t.name).where(_t.name == name)):
                raise UserError(f"there is a token `{name}` already", "remove it first")
            values = {"name": name, "key": key, "role": role, "created_at": ms(now)}
            await tx.run(insert(tables.panel_tokens).values(values))

        await self._writer.do(add)

    async def remove_token(self, name: str) -> None:
        """Raises UserError: no such token."""
        if await self._writer.do(lambda tx: tx.run(delete(tables.panel_tokens).where(_t.name == name))) == 0:
            raise UserError(f"there is no token `{name}`", "see `voicebot panel token list`")

    async def token(self, key: str) -> PanelToken | None:
        async with self._reading() as connection:
            row = (await connection.execute(select(tables.panel_tokens).where(_t.key == key))).first()
        return None if row is None else PanelToken(row.name, row.role, aware(row.created_at))

    async def tokens(self) -> tuple[PanelToken, ...]:
        """Return all, by name."""
        async with self._reading() as connection:
            rows = await connection.execute(select(tables.panel_tokens).order_by(_t.name))
            return tuple(PanelToken(row.name, row.role, aware(row.created_at)) for row in rows)

    async def add_link(self, key: str, name: str, role: str, ends_at: datetime) -> None:
        """Keep a link by which `name` may sign in once. role: of a person who is no user."""
        values = {"key": key, "name": name, "role": role, "ends_at": ms(ends_at)}
        await self._writer.do(lambda tx: tx.run(insert(tables.panel_links).values(values)))

    async def take_link(self, key: str, now: datetime) -> tuple[str, str] | None:
        """Use up a link; return its name and role, None where it is no good (any more)."""

        async def take(tx: Tx) -> tuple[str, str] | None:
            row = await tx.row(
                delete(tables.panel_links).where(_l.key == key).returning(_l.name, _l.role, _l.ends_at)
            )
            await tx.run(delete(tables.panel_links).where(_l.ends_at <= ms(now)))
            return None if row is None or row.ends_at <= ms(now) else (row.name, row.role)

        return await self._writer.do(take)

    # ------------------------------------------------------------------ what was done

    async def note(self, action: PanelAction) -> None:
        """Keep what somebody did."""
        values = {
            "at": ms(action.at),
            "who": action.who,
            "what": action.what,
            "target": action.target,
            "detail": json.dumps(action.detail, ensure_ascii=False),
            "address": action.address,
            "status": action.status,
        }
        await self._writer.do(lambda tx: tx.run(insert(tables.panel_audit).values(values)))

    async def actions(
        self, *, who: str = "", what: str = "", before: int | None = None, most: int = 100
    ) -> tuple[PanelAction, ...]:
        """Return what was done, newest first; before: an id, to go on from."""
        query = select(tables.panel_audit).order_by(_a.id.desc()).limit(most)
        if who:
            query = query.where(_a.who == who)
        if what:
            query = query.where(_a.what == what)
        if before is not None:
            query = query.where(_a.id < before)
        async with self._reading() as connection:
            return tuple(map(_action_of, await connection.execute(query)))


def _no_user(name: str) -> UserError:
    return UserError(f"there is no user `{name}`", "see `voicebot panel user list`")


def _users() -> Select[Any]:
    count = (
        select(func.count())
        .select_from(tables.panel_sessions)
        .where(_s.name == _u.name)
        .correlate(tables.panel_users)
        .scalar_subquery()
    )
    return select(tables.panel_users, count.label("sessions"))


def _sessions() -> Select[Any]:
    """Sessions with the role that counts; without those of users who are gone."""
    joined = tables.panel_sessions.outerjoin(tables.panel_users, _s.name == _u.name)
    return (
        select(tables.panel_sessions, func.coalesce(_u.role, _s.role).label("now_role"))
        .select_from(joined)
        .where((_s.role != "") | _u.name.is_not(None))
    )


def _user_of(row: Row[Any]) -> PanelUser:
    return PanelUser(
        row.name, row.role, row.password, aware(row.created_at), maybe_aware(row.signed_in_at), row.sessions
    )


def _session_of(row: Row[Any]) -> PanelSession:
    return PanelSession(
        row.key,
        row.name,
        row.role or row.now_role,
        aware(row.began_at),
        aware(row.seen_at),
        aware(row.ends_at),
        row.address,
        row.browser,
    )


def _action_of(row: Row[Any]) -> PanelAction:
    return PanelAction(
        aware(row.at),
        row.who,
        row.what,
        row.target,
        json.loads(row.detail),
        row.address,
        row.status,
        row.id,
    )
