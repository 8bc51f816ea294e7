"""Keeps the index of records up with what is written, without disturbing calls."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import suppress

import structlog

from voicebot.call.live import Hub, News
from voicebot.web.records.index import RecordIndex

log = structlog.get_logger(__name__)

LOOK_EVERY_S = 30.0
AFTER_A_CALL_S = 1.0
"""After a call has ended, for its record is written just then; more calls that end wait together."""


async def keep_up(index: RecordIndex, hub: Hub) -> None:
    """Catch up now, after each call, and every LOOK_EVERY_S, until cancelled."""
    try:
        with hub.watch("ended", topics=("call",)) as watch:
            while True:
                await asyncio.to_thread(_catch_up, index)
                with suppress(TimeoutError):
                    async with asyncio.timeout(LOOK_EVERY_S):
                        while not any(_ended(news) for news in watch.take()):
                            await watch.wait()
                        await asyncio.sleep(AFTER_A_CALL_S)
    finally:
        index.close()


def _catch_up(index: RecordIndex) -> None:
    try:
        index.open()  # it may have been deleted meanwhile
        if read := index.catch_up():
            log.debug("records indexed", count=read)
    except (OSError, sqlite3.OperationalError) as error:
        log.warning("records not indexed", error=str(error))
    except sqlite3.DatabaseError as error:
        log.warning("the index of records is broken: it is made anew", error=str(error))
        with suppress(OSError, sqlite3.Error):  # then the next look meets it again
            index.renew()


def _ended(news: object) -> bool:
    return isinstance(news, News) and news.topic == "call" and news.kind == "ended"
