"""Category: integration. The dialplan's fence on a real Asterisk: how calls end, and who is never called."""

from __future__ import annotations

import asyncio
import os
import random
import secrets
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import aiohttp
import pytest

from tests.integration.mortal import MortalAsterisk, an_order
from tests.simulator.pbx.ami_callee import HOST, Callees, Manner
from voicebot.campaign.callfile import compose
from voicebot.campaign.fence import for_attempt
from voicebot.outbound.spool import Handing, Traces, call_file_name
from voicebot.softphone import sip

pytestmark = pytest.mark.integration

SETTLES_WITHIN_S = 15.0
NUMBER = "+12025550142"
KILLS = 20


@pytest.fixture(scope="module")
def pbx(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MortalAsterisk]:
    instance = MortalAsterisk(tmp_path_factory.mktemp("fence") / "pbx")
    instance.start()
    try:
        yield instance
    finally:
        instance.down()


def new() -> str:
    return secrets.token_hex(16)


def hand_over(pbx: MortalAsterisk, attempt: str, dial: str, **order: float | bool) -> None:
    wanted = an_order(attempt, dial, **order)  # type: ignore[arg-type]
    (result,) = pbx.spool.hand_over([Handing(call_file_name(attempt), for_attempt(wanted), wanted.due)])
    assert result.handed, result.problem


async def until(look: Callable[[], bool]) -> None:
    async with asyncio.timeout(SETTLES_WITHIN_S):
        while not look():  # noqa: ASYNC110 (another process makes it true)
            await asyncio.sleep(0.02)


async def settled(pbx: MortalAsterisk, attempt: str) -> Traces:
    """What is left once Asterisk has archived the file, and the fence its word on the end."""

    def over() -> bool:
        traces = pbx.spool.traces(attempt)
        return bool(traces.done) and (traces.ended is not None or traces.journal is None)

    await until(over)
    return pbx.spool.traces(attempt)


@pytest.mark.parametrize(
    ("manner", "status", "cause", "code"),
    [
        (Manner(refuse=404), "CHANUNAVAIL", 1, 404),
        (Manner(refuse=486), "BUSY", 17, 486),
        (Manner(refuse=480), "NOANSWER", 19, 480),
        (Manner(refuse=603), "CHANUNAVAIL", 21, 603),
        (Manner(refuse=503), "CONGESTION", 34, 503),
        (Manner(refuse=500), "CHANUNAVAIL", 38, 500),
        (Manner(refuse=488), "CHANUNAVAIL", 58, 488),
        (Manner(), "NOANSWER", 19, None),
        (Manner(answer_s=0, hang_up_s=0.2), "ANSWER", 16, None),
    ],
)
async def test_how_a_call_ended_is_kept(
    pbx: MortalAsterisk, manner: Manner, status: str, cause: int, code: int | None
) -> None:
    attempt = new()
    async with Callees(otherwise=manner) as callees:
        hand_over(pbx, attempt, f"PJSIP/caller/sip:{NUMBER}@127.0.0.1:{callees.port}", ring_s=1)
        left = await settled(pbx, attempt)
        assert len(callees.invited) == 1
    assert left.ended is not None and left.journal is not None and left.journal.dialled
    assert (left.ended.status, left.ended.cause) == (status, cause)
    if code is not None:
        assert left.ended.sip == code
    assert left.done == ("Completed" if status == "ANSWER" else "Expired")
    assert abs((datetime.now(UTC) - left.ended.at).total_seconds()) < SETTLES_WITHIN_S


class Forwarding(Callees):
    """Everybody has forwarded their calls to a number that nobody has judged."""

    def _ring(self, invite: sip.Request, peer: tuple[str, int]) -> None:
        self.invited.append(self._number(invite))
        away = [("Contact", f"<sip:+19005550100@{HOST}:{self.port}>")]
        self._send(sip.reply(invite, 302, "Moved Temporarily", "forwarding", away), peer)


async def test_a_forwarded_call_is_not_followed(pbx: MortalAsterisk) -> None:
    attempt = new()
    async with Forwarding() as callees:
        hand_over(pbx, attempt, f"PJSIP/caller/sip:{NUMBER}@{HOST}:{callees.port}", ring_s=5)
        left = await settled(pbx, attempt)
        assert callees.invited == [NUMBER]
    assert left.ended is not None and not left.ended.answered
    assert left.journal is not None and left.journal.answered_at is None


async def test_a_person_who_answers_while_no_gateway_is_there_is_told(pbx: MortalAsterisk) -> None:
    attempt = new()
    hand_over(pbx, attempt, "Local/stay{id}@callees")
    left = await settled(pbx, attempt)
    assert left.ended is not None and left.journal is not None
    assert (left.ended.status, left.journal.unserved) == ("ANSWER", "FAILED")
    assert left.ended.answered_ms is not None and left.ended.answered_ms > 2000, "the sentence was played"
    assert left.journal.answered_at is not None


@pytest.mark.parametrize("who", ["us", "them", "given back"])
async def test_an_answered_call_comes_to_the_gateway_and_its_end_is_kept(
    pbx: MortalAsterisk, who: str
) -> None:
    attempt = new()
    login = {"Authorization": aiohttp.encode_basic_auth(pbx.user, pbx.password)}
    async with (
        aiohttp.ClientSession(f"{pbx.ari_url}/", headers=login) as ari,
        ari.ws_connect(f"/ari/events?app={pbx.app}") as events,
    ):
        hand_over(pbx, attempt, "Local/take{id}@callees" if who == "them" else "Local/stay{id}@callees")
        start = await events.receive_json(timeout=SETTLES_WITHIN_S)
        assert start["type"] == "StasisStart"
        assert start["args"][:2] == ["campaign", attempt]
        if who == "us":
            await ari.delete(f"/ari/channels/{start['channel']['id']}")
        elif who == "given back":
            await ari.post(f"/ari/channels/{start['channel']['id']}/continue")
        left = await settled(pbx, attempt)
    assert left.ended is not None and left.journal is not None
    assert (left.ended.status, left.done) == ("ANSWER", "Completed")
    assert left.ended.cause == (41 if who == "given back" else 16)
    assert left.journal.unserved == ("SUCCESS" if who == "given back" else "")


async def test_asterisk_listens_first_where_it_is_asked_to(pbx: MortalAsterisk) -> None:
    """The callee says nothing, which AMD takes for a machine."""
    attempt = new()
    hand_over(pbx, attempt, "Local/stay{id}@callees", ask_amd=True)

    def judged() -> bool:
        journal = pbx.spool.traces(attempt).journal
        return journal is not None and journal.amd_status != ""

    await until(judged)
    left = pbx.spool.traces(attempt)
    assert left.journal is not None
    assert left.journal.amd_status in ("MACHINE", "NOTSURE") and left.journal.amd_cause


async def test_whoever_hangs_up_on_the_spools_side_ends_it_as_cancelled(pbx: MortalAsterisk) -> None:
    """WaitTime is over before the dialplan's own ring time."""
    attempt = new()
    file = replace(for_attempt(an_order(attempt, "Local/bell{id}@callees")), wait_time=1)
    pbx.spool.hand_over([Handing(call_file_name(attempt), file)])
    left = await settled(pbx, attempt)
    assert left.ended is not None and left.ended.status == "CANCEL"
    assert pbx.called(attempt) == 1


async def test_too_late_is_not_dialled(pbx: MortalAsterisk) -> None:
    attempt = new()
    hand_over(pbx, attempt, "Local/take{id}@callees", expires_s=-1)
    left = await settled(pbx, attempt)
    assert left.ended is not None and left.ended.status == "expired" and not left.ended.dialled
    assert left.journal is not None and left.journal.word == "expired" and left.dialled_at is None
    assert pbx.called(attempt) == 0


async def test_an_attempt_is_dialled_once_however_often_it_comes(pbx: MortalAsterisk) -> None:
    """Three files for each attempt at the same moment, and one more after the end."""
    attempts = [new() for _ in range(20)]
    handings = [
        Handing(f"{number}-{attempt}.call", for_attempt(an_order(attempt, "Local/take{id}@callees")))
        for number in range(3)
        for attempt in attempts
    ]
    assert all(result.handed for result in pbx.spool.hand_over(handings))
    await until(lambda: not any(pbx.spool.entries()))
    for attempt in attempts:
        hand_over(pbx, attempt, "Local/take{id}@callees")
    for attempt in attempts:
        left = await settled(pbx, attempt)
        assert pbx.called(attempt) == 1
        assert left.journal is not None and left.journal.again == 3, "two at once, one later"
        assert left.ended is not None and left.ended.status == "ANSWER", (
            "what was held says nothing of the end"
        )


async def test_where_nothing_can_be_noted_nothing_is_dialled(pbx: MortalAsterisk) -> None:
    attempt = new()
    aside = pbx.spool.aside / call_file_name(attempt)
    aside.write_text(compose(for_attempt(an_order(attempt, "Local/take{id}@callees"))))
    away = pbx.spool.dialled.with_name("away")
    pbx.spool.dialled.rename(away)
    try:
        aside.rename(pbx.spool.outgoing / aside.name)  # the spool itself would hand nothing over now
        await until(lambda: (pbx.spool.done / aside.name).exists())
    finally:
        away.rename(pbx.spool.dialled)
    assert pbx.called(attempt) == 0
    left = pbx.spool.traces(attempt)
    assert left.journal is None and left.ended is None and left.done == "Expired"


async def test_a_full_disk_lets_nobody_through(pbx: MortalAsterisk) -> None:
    """/dev/full takes no byte."""
    attempt = new()
    (pbx.spool.dialled / attempt).symlink_to("/dev/full")
    hand_over(pbx, attempt, "Local/take{id}@callees")
    await until(lambda: "Status:" in (pbx.spool.done / call_file_name(attempt)).read_text()
                if (pbx.spool.done / call_file_name(attempt)).exists() else False)  # fmt: skip
    (pbx.spool.dialled / attempt).unlink()
    assert pbx.called(attempt) == 0


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("VOICEBOT_DIAL", "Local/take{id}@callees,5,gU(callees)"),
        ("VOICEBOT_DIAL", "Local/take{id}@callees&Local/take{id}@callees"),
        ("VOICEBOT_DIAL", "${{SHELL(touch {touched})}}"),
        ("VOICEBOT_DIAL", 'Local/take{id}@callees"'),
        ("VOICEBOT_DIAL", ""),
        ("VOICEBOT_EXPIRES", "1] | [1"),
        ("VOICEBOT_EXPIRES", ""),
        ("VOICEBOT_EXPIRES", "99999999999999999999"),
        ("VOICEBOT_RING", "5,g"),
        ("VOICEBOT_RING", ""),
    ],
)
async def test_what_is_more_than_a_number_is_not_dialled(
    pbx: MortalAsterisk, tmp_path: Path, name: str, value: str
) -> None:
    attempt, touched = new(), tmp_path / "touched"
    wicked = value.format(id=attempt, touched=touched)
    file = for_attempt(an_order(attempt, "Local/take{id}@callees"))
    text = compose(file).replace(f"{name}={file.variable(name)}\n", f"{name}={wicked}\n")
    aside = pbx.spool.aside / call_file_name(attempt)
    aside.write_text(text)
    aside.rename(pbx.spool.outgoing / aside.name)
    left = await settled(pbx, attempt)
    assert left.ended is not None and left.ended.status == "malformed"
    assert left.journal is not None and left.journal.word == "malformed"
    assert pbx.called(attempt) == 0 and not touched.exists()


@pytest.mark.parametrize("extension", ["../../../etc/passwd", "a" * 31, "A" * 32, "a" * 33])
async def test_an_id_that_is_none_leaves_nothing(pbx: MortalAsterisk, extension: str) -> None:
    file = for_attempt(an_order(new(), "Local/take1@callees"))
    name = f"{new()}.call"
    pbx.spool.hand_over([Handing(name, replace(file, channel=f"Local/{extension}@voicebot-dial/n"))])
    before = set(pbx.spool.dialled.iterdir())
    await until(lambda: (pbx.spool.done / name).exists())
    assert set(pbx.spool.dialled.iterdir()) == before
    assert pbx.called("1") == 0


@pytest.mark.parametrize("special", ["failed", "e", "a", "fax", "h"])
def test_what_asterisk_tries_by_itself_is_no_attempt(pbx: MortalAsterisk, special: str) -> None:
    for context in ("voicebot-dial", "voicebot-answered", "voicebot-ended"):
        assert "There is no existence of" in pbx.cli(f"dialplan show {special}@{context}")


async def test_taken_back_or_called_but_never_both(pbx: MortalAsterisk) -> None:
    """Files are taken back while Asterisk reads them."""
    chance = random.Random(4)
    in_time = 0
    attempts = [new() for _ in range(60)]
    for attempt in attempts:
        hand_over(pbx, attempt, "Local/busy{id}@callees")
        time.sleep(chance.uniform(0, 0.003))  # noqa: ASYNC251 (Asterisk runs meanwhile)
        cancelled = pbx.spool.cancel_attempt(attempt, datetime.now(UTC))
        in_time += cancelled.in_time
        if not cancelled.in_time:
            await settled(pbx, attempt)
        assert pbx.called(attempt) == (0 if cancelled.in_time else 1)
    await until(lambda: not any(pbx.spool.entries()) and pbx.channels() == 0)
    assert sum(pbx.called(attempt) for attempt in attempts) == len(attempts) - in_time


async def test_killed_and_started_again_asterisk_calls_nobody_twice(pbx: MortalAsterisk) -> None:
    """SIGKILL with calls in flight, at random moments, also while it boots. RetryTime is 1 s, so that
    Asterisk itself dials again at once whatever was in flight: only the fence is between."""
    chance = random.Random(1)
    attempts: list[str] = []
    for kill in range(KILLS):
        batch = [new() for _ in range(6)]
        attempts += batch
        callees = ("Local/take{id}@callees", "Local/stay{id}@callees", "Local/bell{id}@callees")
        pbx.spool.hand_over(
            Handing(
                call_file_name(attempt),
                replace(
                    for_attempt(an_order(attempt, chance.choice(callees), expires_s=600, ring_s=2)),
                    retry_time=1,
                ),
            )
            for attempt in batch
        )
        time.sleep(chance.uniform(0, 0.02) if kill % 3 else chance.uniform(0, 0.3))  # noqa: ASYNC251
        pbx.kill()
        if kill % 4 == 3:
            pbx.spawn()
            time.sleep(chance.uniform(0.9, 1.3))  # noqa: ASYNC251 (it begins to read the spool after 1 s)
            pbx.kill()
        pbx.revive()
        if kill % 4 == 0:
            await until(lambda batch=batch: _all_begun(pbx, batch))  # type: ignore[misc]
    pbx.spool.hand_over([Handing("last.call", for_attempt(an_order(new(), "Local/busy{id}@callees")))])
    await until(lambda: not any(pbx.spool.entries()))
    held = 0
    for attempt in attempts:
        left = pbx.spool.traces(attempt)
        assert left.journal is not None, "lost"
        assert pbx.called(attempt) <= 1, "called twice"
        assert left.journal.word == "dial"
        held += left.journal.again
    assert held > KILLS, "Asterisk came again, or nothing was proven"
    assert os.getpid() != pbx.process_id


def _all_begun(pbx: MortalAsterisk, attempts: list[str]) -> bool:
    return all(pbx.spool.traces(attempt).journal is not None for attempt in attempts)
