"""Outbound campaigns, wired: the store, Asterisk's spool, AMI, and the dialler between them."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Callable
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

import structlog

from voicebot.campaign.rules.judge import judge
from voicebot.config import Config
from voicebot.errors import UserError
from voicebot.outbound.dialler import Dialler
from voicebot.outbound.dialler_ami import AmiWatch
from voicebot.outbound.dialler_hands import CallFileHands, Hands, OriginateHands
from voicebot.outbound.dialler_spool import sole_dialler
from voicebot.outbound.permits import policy_of, trunk_of
from voicebot.outbound.spool import Spool
from voicebot.outbound.spool_health import SpoolUnavailable
from voicebot.pbx.ami_client import AmiClient
from voicebot.pbx.link import Link
from voicebot.store.errors import StoreUnavailable
from voicebot.store.store import Store, open_store

STANDBY_S = 1.0
"""How often a dialler tries that waits for another one to leave the spool, or for the database."""

log = structlog.get_logger(__name__)


async def run_dialler(config: Config) -> None:
    """Dial for all running campaigns until SIGTERM or SIGINT: `voicebot campaign dial`.

    Raises UserError for a configuration with which nothing can be dialled. A database or an AMI that is away
    is waited for.
    """
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    try:
        async with AsyncExitStack() as stack:
            store = await patient_store(config, stack, stopping)
            if store is not None:
                await dial(config, store, stopping)
    finally:
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)


async def dial(
    config: Config,
    store: Store,
    stopping: asyncio.Event,
    holds_back: Callable[[str], str] = lambda campaign: "",
    linger: asyncio.Event | None = None,
) -> None:
    """Dial until `stopping` is set: what was begun is handed over, then this returns. Raises UserError.

    holds_back: why nobody of a campaign may be called yet, by its name; "" where they may. For a gateway in
                the same process that is not ready.
    linger:     set when that gateway has ended: until then its calls are followed to their end.
    """
    spool = await asyncio.to_thread(spool_of, config)
    async with AsyncExitStack() as stack:
        name = await _hold(spool, stack, stopping)
        if name is None:
            return
        hands: dict[str, Hands] = {"callfile": CallFileHands(spool)}
        watch: AmiWatch | None = None
        if ami := await _ami_of(config, stack):
            watch = AmiWatch(ami, _now)
            hands["originate"] = OriginateHands(ami, watch.following)
        dialler = Dialler(
            store,
            spool,
            hands,
            name=name,
            policy=policy_of(config),
            trunk_of=lambda campaign: trunk_of(config, campaign),
            judge=judge,
            longest_call=timedelta(seconds=config.limits.call_s),
            live=watch.live if watch else None,
            holds_back=holds_back,
        )
        log.info("dialler runs", dialler=name, spool=str(spool.folder), ami=ami is not None)
        tasks = [asyncio.create_task(_stop_with(dialler, stopping), name="stop dialler")]
        if watch is not None:
            tasks.append(asyncio.create_task(watch.run(dialler.book, dialler.pursuit), name="ami events"))
        try:
            await dialler.run(linger)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


async def _stop_with(dialler: Dialler, stopping: asyncio.Event) -> None:
    await stopping.wait()
    dialler.stop()


def spool_of(config: Config) -> Spool:
    """Return the spool, ready. Raises UserError: better told at once than waited for."""
    spool = Spool(Path(config.resolve(config.dialling.spool)))
    try:
        spool.prepare()
    except SpoolUnavailable as error:
        raise UserError(error.problems) from error
    return spool


async def _hold(spool: Spool, stack: AsyncExitStack, stopping: asyncio.Event) -> str | None:
    """Become this spool's only dialler, once there is no other. None: told to stop before."""
    told = False
    while not stopping.is_set():
        attempt = contextlib.ExitStack()
        name = attempt.enter_context(sole_dialler(spool.dialled))
        if name is not None:
            stack.push(attempt.pop_all())
            return name
        attempt.close()
        if not told:
            log.warning("another dialler works on this spool: waiting for it to end", spool=str(spool.folder))
            told = True
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(STANDBY_S):
                await stopping.wait()
    return None


async def _ami_of(config: Config, stack: AsyncExitStack) -> AmiClient | None:
    """Return the connection to AMI, which may be away; None where none is set up."""
    asterisk = config.asterisk
    if not asterisk.ami_password.get_secret_value():
        return None

    def tell(link: Link, why: str) -> None:
        if link is Link.LOST:
            log.warning("AMI is away: what becomes of calls is read from the spool", why=why)
        elif link is Link.CONNECTED:
            log.info("AMI is there")

    ami = AmiClient(
        asterisk.ami_host,
        asterisk.ami_port,
        asterisk.ami_user,
        asterisk.ami_password.get_secret_value(),
        on_link=tell,
        patient=True,
    )
    return await stack.enter_async_context(ami)


async def patient_store(config: Config, stack: AsyncExitStack, stopping: asyncio.Event) -> Store | None:
    """Open the store, once its database is there. None: told to stop before."""
    told = False
    while not stopping.is_set():
        try:
            return await stack.enter_async_context(open_store(config))
        except StoreUnavailable as error:
            if not told:
                log.error("the database is away: waiting for it", why=str(error))
                told = True
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(STANDBY_S):
                await stopping.wait()
    return None


def _now() -> datetime:
    return datetime.now(UTC)
