"""Chats with dialogs, in writing: the chat box of the panel. A dialog runs in a thread, never on the loop."""

from __future__ import annotations

import asyncio
import os
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic import BaseModel, Field

from voicebot.authoring.conversation.conversation import Conversation
from voicebot.authoring.conversation.live import LiveWorker
from voicebot.authoring.conversation.written import Order, as_json, read_line
from voicebot.config import Config
from voicebot.dialog.loading.files import load_dialog
from voicebot.dialog.running.needs import given_values
from voicebot.dialog.turns import Work, WorkResult
from voicebot.errors import UserError
from voicebot.web.aside import aside

MOST, MOST_OF_ONE = 100, 10
"""Chats at once; the oldest ends."""
IDLE_S = 1800.0
MOST_TURNS = 500
MOST_ASKING = 2
"""Look-ups at the same time: they may be slow, and others need the panel's threads as well."""
MOST_WORK = 20
"""Look-ups in a row, for one thing that was said."""


class Understood(BaseModel):
    """How something was taken."""

    kind: str
    meaning: str = ""
    slot: str = ""
    confidence: float | None = None


class ChatTurn(BaseModel):
    """What the caller did, and what the bot made of it."""

    caller: str | None = Field(None, description="As it is written in a chat; null at the beginning.")
    bot: str
    understood: Understood | None = None
    slots: dict[str, str] = Field(description="What has been learnt by now.")
    changed: dict[str, str] = Field(description="What this turn changed; empty texts: forgotten.")
    path: list[str] = Field(description="Steps that it came to.")
    then: str = Field(description="`listen`, `wait` (for some work), `end`, `handover`.")
    work: str = Field("", description="What it waits for.")
    outcome: str = ""
    goal: bool = False
    to: str = Field("", description="Where the caller is handed over to.")


@dataclass(eq=False, slots=True)
class Chat:
    """One. live: services are really asked."""

    id: str
    dialog: str
    owner: str
    talk: Conversation
    live: bool
    used_at: float
    shown: int = 0
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    @property
    def ended(self) -> bool:
        return self.talk.ended


class Chats:
    """All chats of a panel. clock: monotonic seconds."""

    def __init__(self, config: Config, clock: Callable[[], float] = time.monotonic) -> None:
        self._config = config
        self._clock = clock
        self._chats: OrderedDict[str, Chat] = OrderedDict()
        self._asking = asyncio.Semaphore(MOST_ASKING)

    async def begin(
        self,
        name: str,
        file: Path,
        given: Mapping[str, object],
        language: str,
        live: bool,
        owner: str,
    ) -> tuple[Chat, list[ChatTurn]]:
        """Begin one. Raises UserError for a dialog that cannot run, or is given what it does not need."""
        talk = await aside(self._begin, file, given, language)
        chat = Chat(secrets.token_urlsafe(12), name, owner, talk, live, self._clock())
        self._make_room(owner)
        self._chats[chat.id] = chat
        return chat, await self._go_on(chat)

    def get(self, id: str, owner: str) -> Chat | None:
        """Return one's own."""
        chat = self._chats.get(id)
        if chat is None or chat.owner != owner:
            return None
        if self._clock() - chat.used_at > IDLE_S:
            del self._chats[id]
            return None
        chat.used_at = self._clock()
        self._chats.move_to_end(id)
        return chat

    async def say(self, chat: Chat, text: str) -> list[ChatTurn]:
        """Return the turns that follow. Raises UserError for what is no order, or not possible now."""
        async with chat.lock:
            if chat.ended:
                raise UserError("the conversation is over", "begin a new one")
            if len(chat.talk.turns) >= MOST_TURNS:
                raise UserError("the conversation is very long", "begin a new one")
            event = read_line(text, chat.talk.waits_for)
            if isinstance(event, Order):
                raise UserError(f"/{event.name} is for the command line", "see /help of voicebot dialog chat")
            await aside(chat.talk.take, event)
            return await self._go_on(chat)

    def end(self, chat: Chat) -> None:
        self._chats.pop(chat.id, None)

    def _begin(self, file: Path, given: Mapping[str, object], language: str) -> Conversation:
        dialog = load_dialog(file)
        if strange := given.keys() - dialog.file.needs.keys():
            raise UserError(
                f"the dialog does not need `{min(strange)}`",
                f"it needs {', '.join(dialog.file.needs) or 'nothing'}",
            )
        if language and language not in dialog.languages:
            raise UserError(f"the dialog is not held in {language}", f"in {', '.join(dialog.languages)}")
        names = self._config.dialogs.env
        return Conversation(
            dialog,
            given_values(dialog, given),
            started=datetime.now(UTC),
            language=language or None,
            environment={name: os.environ[name] for name in names if name in os.environ},
        )

    async def _go_on(self, chat: Chat) -> list[ChatTurn]:
        if chat.live:
            for _ in range(MOST_WORK):
                work = chat.talk.waits_for
                if work is None:
                    break
                async with self._asking:
                    result = await aside(self._work, work)
                await aside(chat.talk.take, result)
        before: Any = chat.talk.turns[chat.shown - 1].slots if chat.shown else {}
        told = []
        for turn in chat.talk.turns[chat.shown :]:
            told.append(ChatTurn.model_validate(as_json(turn, before)))
            before = turn.slots
        chat.shown = len(chat.talk.turns)
        return told

    def _work(self, work: Work) -> WorkResult:
        with LiveWorker(self._config) as worker:
            return worker(work)

    def _make_room(self, owner: str) -> None:
        own = [id for id, chat in self._chats.items() if chat.owner == owner]
        for id in own[: max(0, len(own) - MOST_OF_ONE + 1)]:
            del self._chats[id]
        while len(self._chats) >= MOST:
            self._chats.popitem(last=False)
