"""Category: unit. Chats: a dialog never runs on the event loop, which has the tick of all calls."""

from __future__ import annotations

import threading
from types import SimpleNamespace
from typing import Any

import pytest

from voicebot.config import Config
from voicebot.web.chat import Chat, Chats

pytestmark = pytest.mark.unit


class Talk:
    """A dialog that looks something up once."""

    ended, turns = False, ()

    def __init__(self) -> None:
        self.waits_for: object = None
        self.threads: list[threading.Thread] = []

    def take(self, event: object) -> None:
        self.threads.append(threading.current_thread())
        self.waits_for = None if event == "found" else SimpleNamespace()


async def test_a_dialog_runs_in_threads_when_it_is_spoken_to_and_when_a_look_up_has_ended(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    chats, talk = Chats(Config()), Talk()
    monkeypatch.setattr(chats, "_work", lambda work: "found")
    fake: Any = talk
    await chats.say(Chat("c", "booking", "anna", fake, True, 0.0), "hello")
    assert len(talk.threads) == 2 and threading.current_thread() not in talk.threads
