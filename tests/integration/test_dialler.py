"""Category: integration. The dialler places calls through the real Asterisk, by call file and by AMI."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from conftest import RealAsterisk

from tests.integration.machines import campaign, people
from voicebot.app.campaigns import dial
from voicebot.campaign.attempt import Disposition
from voicebot.campaign.campaign import Campaign
from voicebot.campaign.contact import ContactState
from voicebot.config import Config
from voicebot.store.rows import AttemptRow, CampaignState, NewContact
from voicebot.store.store import Store, open_store

pytestmark = pytest.mark.integration

CALLEES = {
    "busy": ("Hangup(17)",),
    "full": ("Hangup(34)",),
    "talks": ("Answer", "Wait(1)", "Hangup"),
}
NUMBERS = {name: f"+1202555{n:04d}" for n, name in enumerate(CALLEES, 101)}


@pytest.fixture(scope="module")
def callees(asterisk: RealAsterisk) -> Iterator[None]:
    """Somebody behind each number, in the dialplan."""
    for name, steps in CALLEES.items():
        exten = NUMBERS[name].removeprefix("+")
        for priority, step in enumerate(steps, 1):
            asterisk.cli(f"dialplan add extension {exten},{priority},{step} into callees")
    asterisk.cli("dialplan add extension _1303X!,1,Hangup(17) into callees")
    yield
    asterisk.cli("dialplan remove context callees")


def config_of(asterisk: RealAsterisk, folder: Path, *, ami: bool = True) -> Config:
    facts = asterisk.facts
    settings = {
        **asterisk.settings,
        "ami_user": facts["dialler_user"],
        "ami_password": facts["dialler_password"] if ami else "",
    }
    return Config.model_validate(
        {
            "asterisk": settings,
            "paths": {"var": str(folder)},
            "store": {"url": f"sqlite:///{folder / 'store.db'}"},
            "dialling": {
                "enabled": True,
                "spool": str(asterisk.state / "spool"),
                "prefixes": ["+1"],
                "calls_per_second": 200,
                "concurrent": 200,
            },
            "trunks": {
                "main": {"dial": "Local/{digits}@callees", "calls_per_second": 200, "concurrent": 200}
            },
            "base": folder,
        }
    )


@asynccontextmanager
async def campaign_of(config: Config, settings: Campaign, rows: list[NewContact]) -> AsyncIterator[Store]:
    """A store with a running campaign, and a gateway that is said to live."""
    now = datetime.now(UTC)
    async with open_store(config) as store:
        await store.create_campaign(settings, config.base, now)
        await store.add_contacts(settings.campaign, rows, now)
        await store.set_state(settings.campaign, CampaignState.RUNNING, "test", now)
        await store.gateway_alive("gateway", 1000, 0, now)
        yield store


async def until_done(store: Store, name: str, within_s: float) -> None:
    async with asyncio.timeout(within_s):
        while (await store.campaign(name)).state is not CampaignState.DONE:
            await store.gateway_alive("gateway", 1000, 0, datetime.now(UTC))
            await asyncio.sleep(0.1)


async def until(true: Callable[[], Awaitable[bool]], within_s: float = 10) -> None:
    async with asyncio.timeout(within_s):
        while True:
            if await true():
                return
            await asyncio.sleep(0.02)


async def _more_than(store: Store, count: int) -> bool:
    return len(await attempts_of(store, "test")) > count


async def _none_open(store: Store) -> bool:
    return not await store.open_attempts()


async def attempts_of(store: Store, name: str) -> list[AttemptRow]:
    return [row async for row in store.attempts(name)]


@pytest.mark.parametrize(("way", "ami"), [("callfile", True), ("callfile", False), ("originate", True)])
async def test_calls_come_to_what_the_callees_do(
    asterisk: RealAsterisk, callees: None, tmp_path: Path, way: str, ami: bool
) -> None:
    config = config_of(asterisk, tmp_path, ami=ami)
    async with campaign_of(config, campaign("test", way=way), people(*NUMBERS.values())) as store:
        stopping = asyncio.Event()
        dialler = asyncio.create_task(dial(config, store, stopping))
        await until_done(store, "test", 40)
        stopping.set()
        await dialler
        became = {row.order.number: row.disposition for row in await attempts_of(store, "test")}
        assert became == {
            NUMBERS["busy"]: Disposition.BUSY,
            NUMBERS["full"]: Disposition.CONGESTION,
            NUMBERS["talks"]: Disposition.ABANDONED,  # nobody of ours was there
        }
        assert (await store.audit("test")).sound
    spool = asterisk.state / "spool"
    assert list((spool / "outgoing").iterdir()) == []
    assert list((spool / "outgoing_done").iterdir()) == []
    assert list((spool / "voicebot" / "ended").iterdir()) == []


async def test_pause_takes_back_what_is_not_dialled_and_resume_goes_on(
    asterisk: RealAsterisk, callees: None, tmp_path: Path
) -> None:
    config = config_of(asterisk, tmp_path)
    numbers = [f"+1303555{n:04d}" for n in range(100, 160)]
    slow = campaign("test", pacing={"calls_per_second": 10, "concurrent": 100, "trunk_failures": 1})
    async with campaign_of(config, slow, people(*numbers)) as store:
        stopping = asyncio.Event()
        dialler = asyncio.create_task(dial(config, store, stopping))
        await until(lambda: _more_than(store, 10))
        await store.set_state("test", CampaignState.PAUSED, "test", datetime.now(UTC))
        at_pause = len(await attempts_of(store, "test"))
        await until(lambda: _none_open(store))
        await asyncio.sleep(1.0)
        assert len(await attempts_of(store, "test")) == at_pause
        await store.set_state("test", CampaignState.RUNNING, "test", datetime.now(UTC))
        await until_done(store, "test", 30)
        stopping.set()
        await dialler
        called = Counter(row.order.number for row in await attempts_of(store, "test"))
        assert set(called) == set(numbers)
        states = {contact.state for contact in await store.contacts("test")}
        assert states == {ContactState.DONE}
