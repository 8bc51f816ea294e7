"""Unit: an operator at a prompt, with a voicebot.toml, a dialog, a campaign file and a table."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

from click.testing import Result
from typer.testing import CliRunner

from tests.contract.clocks import DAY, where
from voicebot.campaign.rules.judge import judge
from voicebot.cli import app
from voicebot.config import load_config
from voicebot.errors import UserError
from voicebot.outbound.permits import policy_of, trunk_of
from voicebot.store.rows import Claimed
from voicebot.store.store import Store, open_store

T = TypeVar("T")

CONFIG = """\
[dialling]
calls_per_second = 100
prefixes = ["+1", "+49"]
caller = "+12025550100"
business = "Green Street Clinic"
trunk = "main"
[trunks.main]
dial = "PJSIP/{number}@main"
calls_per_second = 100
"""
DIALOG = """\
dialog: visit
outbound: true
goals: [coming]
needs: {first_name: name}
slots: {coming: yes_no}
steps:
  hello:
    say: Hello, this is the automated assistant of Green Street Clinic, 202 555 0100.
    ask: "{first_name}, will you come tomorrow?"
    fill: coming
    goto: {coming: coming, not_coming: else}
  coming: {say: See you then. Goodbye., end: coming}
  not_coming: {say: Thank you. Goodbye., end: not_coming}
"""
CAMPAIGN = """\
campaign: visit
dialog: visit.yaml
profile: us
caller: {number: "+12025550100", business: Green Street Clinic}
trunk: main
columns: {number: phone, key: id, zone: zone, consent_at: agreed, consent_by: who, given: {first_name: name}}
windows: [{from: "08:00", to: "21:00"}]
pacing: {calls_per_second: 100}
"""
PLACE, DAY_ZONE = where(DAY)
SARA, TOM, EVE = f"{PLACE}41", f"{PLACE}42", f"{PLACE}43"
STEPS = 4
STEP = timedelta(seconds=0.5)
"""Together less than what counts as a clock that was set back."""


class Operator:
    """Types commands in `folder`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.config = folder / "voicebot.toml"
        self.config.write_text(CONFIG)
        (folder / "visit.yaml").write_text(DIALOG)
        (folder / "visit.campaign.yaml").write_text(CAMPAIGN)
        self.table([(SARA, "Sara"), (TOM, "Tom"), (EVE, "Eve")])

    def table(self, people: Sequence[tuple[str, str]], zone: str = "", name: str = "people.csv") -> Path:
        """Write contacts."""
        rows = [
            f"{n},{number},{person},{zone or DAY_ZONE},2026-01-15,the desk"
            for n, (number, person) in enumerate(people)
        ]
        (self.folder / name).write_text("\n".join(["id,phone,name,zone,agreed,who", *rows, ""]))
        return self.folder / name

    def run(self, *words: str, text: str | None = None) -> Result:
        """Type `voicebot WORDS`. Paths are absolute."""
        return CliRunner().invoke(app, [*words, "--config", str(self.config)], input=text)

    def campaign(self, *words: str, text: str | None = None) -> Result:
        """Type `voicebot campaign WORDS`."""
        return self.run("campaign", *words, text=text)

    def told(self, *words: str) -> Any:
        """Type it with --json; return what it prints."""
        result = self.campaign(*words, "--json")
        assert result.exception is None or result.exit_code == 1, result.exception
        return json.loads(result.stdout)

    def refused(self, *words: str) -> str:
        """Type what is a mistake; return what is told of it."""
        result = self.run(*words)
        assert isinstance(result.exception, UserError), result.output
        return str(result.exception)

    def ready(self) -> None:
        """A campaign with three contacts, running."""
        for words in (
            ("create", str(self.folder / "visit.campaign.yaml")),
            ("import", "visit", str(self.folder / "people.csv")),
            ("start", "visit"),
        ):
            result = self.campaign(*words)
            assert result.exit_code == 0, (words, result.output, result.exception)

    def store(self, work: Callable[[Store], Awaitable[T]]) -> T:
        """Do something with the store that a dialler would."""

        async def opened() -> T:
            async with open_store(load_config(self.config)) as store:
                return await work(store)

        return asyncio.run(opened())

    def claim(self) -> Claimed:
        """Claim all of `visit` as a dialler does, by the real rules: in four steps, for calls are paced."""
        config, now = load_config(self.config), datetime.now(UTC)

        async def work(store: Store) -> Claimed:
            settings = (await store.campaign("visit")).settings
            policy, trunk = policy_of(config), trunk_of(config, settings)
            parts = [
                await store.claim(
                    "visit",
                    dialler="test",
                    most=10,
                    now=now + step * STEP,
                    policy=policy,
                    trunk=trunk,
                    judge=judge,
                )
                for step in range(STEPS)
            ]
            return Claimed(
                orders=tuple(order for part in parts for order in part.orders),
                refused=sum(part.refused for part in parts),
                deferred=sum(part.deferred for part in parts),
            )

        return self.store(work)
