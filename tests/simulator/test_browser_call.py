"""Simulator: calls by a browser's microphone, through real sockets and the real media tick; scripted ears.

Who speaks are recorded callers, given as a browser gives them: in bursts, by a clock of its own.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.contract.talk import DIALOG, ScriptedSpeech, ScriptedStream
from voicebot.app.engine_room import EngineRoom, Watchers
from voicebot.audio.levels import level_db
from voicebot.audio.resample import resample
from voicebot.audio.wav import read_wav
from voicebot.call.browser_call import BrowserCalls, BrowserLine
from voicebot.call.browser_leg import MOST_KEYS
from voicebot.call.calls_live import LiveCalls
from voicebot.call.live import Hub, News, Watch
from voicebot.call.record import BotTurnRecord, CallRecord
from voicebot.config import Config, Route
from voicebot.dialog.model.dialog import Dialog
from voicebot.dialog.turns import Handover
from voicebot.errors import UserError
from voicebot.pbx.no_asterisk import NoAsterisk
from voicebot.speech.stt import Expectation, OnPartial, SttStream, Transcript

pytestmark = pytest.mark.simulator

CALLER = Path(__file__).resolve().parents[1] / "data" / "caller"
BURST_MS = 60
CANARY = "four two seven one"
LIMIT_S, SOON_S = 20.0, 3.0


class ToldStream(ScriptedStream):
    """Tells its words before they are asked for."""

    def __init__(self, results: list[str], on_partial: OnPartial | None) -> None:
        super().__init__(results)
        self._on_partial = on_partial

    def finish(self) -> Awaitable[Transcript]:
        if self._on_partial is not None:
            self._on_partial(self._results[0], time.time())
        return super().finish()


class ToldSpeech(ScriptedSpeech):
    asked: list[bool]
    """Of each utterance: whether anybody wanted to read it while it was spoken."""

    def open_stream(
        self,
        call_id: str,
        expectation: Expectation,
        sample_rate: int,
        on_partial: OnPartial | None = None,
    ) -> SttStream:
        self.asked.append(on_partial is not None)
        return ToldStream(self.will_hear, on_partial)


class Queue:
    """People of ours who take queues, if they could."""

    def takes(self, handover: Handover) -> bool:
        return handover.queue

    async def serve(self, presenter: Any, handover: Handover) -> None:
        pytest.fail("a browser is no telephone")


class Room:
    def __init__(self, room: EngineRoom, live: LiveCalls, config: Config, speech: ToldSpeech) -> None:
        self.live, self.speech = live, speech
        self.media = room.media
        self.calls = BrowserCalls(
            config,
            dialog=room.dialogs.fresh,
            services=lambda route: room.services(route, NoAsterisk()),
            people=Queue(),
        )


@asynccontextmanager
async def room(folder: Path, dialog: Path = DIALOG, **changes: Any) -> AsyncIterator[Room]:
    config = Config.model_validate(
        {
            "media": {"first_port": 32000, "last_port": 32998, **changes.pop("media", {})},
            "paths": {"var": str(folder)},
            "routes": [{"number": "600", "dialog": str(dialog), **changes.pop("route", {})}],
            **changes,
        }
    )
    made: list[ToldSpeech] = []

    def speech(config: Config, languages: Any) -> ToldSpeech:
        made.append(ToldSpeech(config, languages))
        made[0].asked = []
        return made[0]

    live = LiveCalls(Hub(time.time))

    def failed(id: str, error: Exception) -> None:
        pytest.fail(repr(error))

    async with EngineRoom(config, Watchers(live=live), media_failed=failed, speech=speech) as engines:
        yield Room(engines, live, config, made[0])
        assert engines.media.statistics().ports == 0, "a port was not given back"


class Browser:
    """A page with a microphone: it sends all the time, and plays what comes."""

    def __init__(self, line: BrowserLine) -> None:
        self.line = line
        self.heard: list[bytes] = []
        self._speech = b""
        self._tasks = [asyncio.create_task(self._send()), asyncio.create_task(self._play())]

    def say(self, name: str) -> None:
        wav = read_wav(CALLER / f"{name}.wav")
        self._speech += resample(wav.samples, wav.sample_rate, 16000).astype("<i2").tobytes()

    async def _send(self) -> None:
        clock = asyncio.get_running_loop().time
        due, size = clock(), 32 * BURST_MS
        while True:
            piece, self._speech = self._speech[:size], self._speech[size:]
            self.line.feed(piece.ljust(size, b"\0"))
            due += BURST_MS / 1000
            await asyncio.sleep(max(0.0, due - clock()))  # the browser's clock

    async def _play(self) -> None:
        async for frame in self.line:
            self.heard.append(frame)

    async def ended(self) -> CallRecord:
        async with asyncio.timeout(LIMIT_S):
            record = await self.line.ended()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        return record


def told_in(news: list[News]) -> str:
    """Return all words that were told, without numbers, times and ids."""
    turns = [each.data["turn"] for each in news if each.kind == "turn"]
    words = [[turn["text"], turn.get("heard"), turn.get("meaning")] for turn in turns]
    return json.dumps(
        [words, [each.data for each in news if each.kind in ("saying", "slots", "step", "fault")]]
        + [each.data["text"] for each in news if each.kind == "words"]
    ).lower()


async def until_asked(watch: Watch, step: str) -> list[News]:
    """Wait until the bot has asked at `step`; return all news up to then."""
    seen: list[News] = []
    async with asyncio.timeout(LIMIT_S):
        async for news in watch:
            assert isinstance(news, News)
            seen.append(news)
            turn = news.data.get("turn", {})
            if news.kind == "turn" and turn["who"] == "bot" and turn["step"] == step:
                return seen
    raise AssertionError


@pytest.mark.parametrize(
    "media", [{"codec": "ulaw"}, {"codec": "g722", "bind": "0.0.0.0", "advertise": "127.0.0.1"}]
)
async def test_a_conversation_by_voice_is_a_call_as_any_other(tmp_path: Path, media: dict[str, Any]) -> None:
    async with room(tmp_path, media=media, route={"record": True}) as house:
        with house.live.hub.watch() as watch:
            line = await house.calls.open("contract", "Sara\n\u202e\x1b[3m", "en-US")
            browser = Browser(line)
            await until_asked(watch, "ask")
            house.speech.will_hear.append("no")
            browser.say("no")
            record = await browser.ended()
        assert house.calls.calls == ()
        skipped = house.media.statistics().skipped  # ticks that never were, on a busy machine
    assert (record.direction, record.outcome, record.ended_by) == ("browser", "refused", "bot")
    assert (record.caller.name, record.called.number, record.faults) == ("Sara [3m", "600", [])
    assert [turn.who for turn in record.turns] == ["bot", "caller", "bot"]
    assert record.rtp["received"] > 50 and record.rtp["lost"] == record.rtp["forged"] == 0
    assert {len(frame) for frame in browser.heard} == {640}
    spoken_ms = sum(t.end_ms - t.start_ms for t in record.turns if isinstance(t, BotTurnRecord))
    loud = sum(level_db(np.frombuffer(frame, "<i2")) > -40 for frame in browser.heard)
    assert loud * 20 - 100 < spoken_ms < (loud + skipped) * 20 + 100, "the browser plays what the bot says"
    assert record.recording is not None


async def test_keys_are_keys(tmp_path: Path) -> None:
    async with room(tmp_path) as house:
        line = await house.calls.open("600")
        browser = Browser(line)
        line.press("1")
        with pytest.raises(UserError, match="no key"):
            line.press("11")
        record = await browser.ended()
    assert (record.outcome, record.goal) == ("agreed", True)


async def test_who_hangs_up_is_gone_and_so_is_who_closes_the_page(tmp_path: Path) -> None:
    async with room(tmp_path) as house:
        first, second = [Browser(await house.calls.open("600")) for _ in range(2)]
        assert len(house.live.calls()) == 2
        first.line.hang_up()
        await house.calls.close()
        records = [await first.ended(), await second.ended()]
    assert [record.ended_by for record in records] == ["caller", "shutdown"]
    assert records[0].hangup_cause == 16


async def test_without_sound_from_the_browser_time_passes_as_for_any_silent_caller(tmp_path: Path) -> None:
    async with room(tmp_path) as house:
        with house.live.hub.watch() as watch:
            line = await house.calls.open("600")
            await until_asked(watch, "ask")
            await until_asked(watch, "ask")
        line.hang_up()
        record = await line.ended()
    assert [turn.kind for turn in record.turns if turn.who == "caller"] == ["silence"]


AFTERWARDS = """
dialog: afterwards
language: en-US
timeout: 2s
pause: 400ms
slots:
  pin: {type: digits, length: 4, sensitive: true}
steps:
  pin: {ask: Your number please., fill: pin}
  more: {ask: Is there anything more?, choices: {"no": {goto: bye}}}
  bye: {say: Good bye., end: done}
"""
HANDED_ON = """\
dialog: handed
goals: [transferred]
steps: {a: {say: One moment., transfer: {%s}}}
"""


async def test_people_need_a_telephone_and_the_caller_is_told(tmp_path: Path) -> None:
    dialog = tmp_path / "handed.yaml"
    dialog.write_text(HANDED_ON % "queue: billing")
    async with room(tmp_path, dialog) as house:
        record = await Browser(await house.calls.open("handed")).ended()
    said = [turn.text for turn in record.turns]
    assert said[0] == "One moment." and "takes a telephone" in said[1]
    assert (record.outcome, record.goal, record.ended_by, record.faults) == (
        "transferred",
        True,
        "handover",
        [],
    )
    assert record.turns[1].heard == said[1]


async def test_handed_to_the_dialplan_the_call_ends_as_transferred(tmp_path: Path) -> None:
    dialog = tmp_path / "handed.yaml"
    dialog.write_text(HANDED_ON % "to: reception")
    async with room(tmp_path, dialog) as house:
        record = await Browser(await house.calls.open("handed")).ended()
    assert (record.outcome, record.goal, record.ended_by) == ("transferred", True, "handover")


async def test_the_panel_names_a_dialog_by_its_whole_path_the_route_by_one_of_its_own(tmp_path: Path) -> None:
    dialog = tmp_path / "handed.yaml"
    dialog.write_text(HANDED_ON % "to: reception")
    async with room(tmp_path, Path("handed.yaml"), base=tmp_path) as house:
        record = await Browser(await house.calls.open(str(dialog))).ended()
    assert record.outcome == "transferred"


async def test_what_is_not_there_and_what_is_too_much_is_refused_with_a_remedy(tmp_path: Path) -> None:
    async with room(tmp_path, panel={"microphone_calls": 1}) as house:
        for wanted in ("../../etc/passwd", "999", "contract.yam"):
            with pytest.raises(UserError, match=r"there is no dialog or number.*there are: 600 \(contract\)"):
                await house.calls.open(wanted)
        with pytest.raises(UserError, match="not held in ko-KR"):
            await house.calls.open("600", language="ko-KR")
        line = await house.calls.open("600")
        with pytest.raises(UserError, match=r"1 calls by microphone.*microphone_calls"):
            await house.calls.open("600")
        line.hang_up()
        await line.ended()


async def test_who_comes_at_the_same_time_is_counted(tmp_path: Path) -> None:
    async with room(tmp_path, panel={"microphone_calls": 1}) as house:
        lines = await asyncio.gather(*(house.calls.open("600") for _ in range(3)), return_exceptions=True)
        (line,) = (each for each in lines if isinstance(each, BrowserLine))
        assert sum(isinstance(each, UserError) for each in lines) == 2
        line.hang_up()
        await line.ended()


async def test_who_leaves_while_the_call_begins_leaves_no_call(tmp_path: Path) -> None:
    async with room(tmp_path) as house:
        opening = asyncio.create_task(house.calls.open("600"))
        async with asyncio.timeout(SOON_S):
            while not house.calls.calls:  # noqa: ASYNC110 - nor one that begins
                await asyncio.sleep(0)
            opening.cancel()
            while house.calls.calls:  # noqa: ASYNC110 - a call that nobody holds tells nobody
                await asyncio.sleep(0.01)


async def test_a_flood_of_keys_is_cut(tmp_path: Path) -> None:
    async with room(tmp_path) as house:
        line = await house.calls.open("600")
        for _ in range(10 * MOST_KEYS):
            line.press("1")
        assert line.call.leg is not None and line.call.leg._keys.qsize() <= MOST_KEYS
        line.hang_up()
        await line.ended()


async def test_no_call_begins_after_a_stop_that_came_while_its_dialog_was_read(tmp_path: Path) -> None:
    async with room(tmp_path) as there:
        fresh, stopping = there.calls._dialog, asyncio.Event()

        async def slow(route: Route) -> Dialog:
            stopping.set()
            return await fresh(route)

        there.calls._dialog, there.calls._accepts = slow, lambda: not stopping.is_set()
        with pytest.raises(UserError, match="no calls are taken now"):
            await there.calls.open("600")
        assert there.calls.calls == ()


async def test_a_card_number_leaves_nothing_in_news_and_ears(tmp_path: Path) -> None:
    async with room(tmp_path) as house:
        with house.live.hub.watch() as watch:
            line = await house.calls.open("600")
            browser = Browser(line)
            news = await until_asked(watch, "ask")
            sounds: list[tuple[bytes, bytes]] = []

            async def listen() -> None:
                with house.live.listen(line.call.id) as ear:
                    while some := await ear.some():
                        sounds.extend(some)

            listening = asyncio.create_task(listen())
            line.press("4")
            news += await until_asked(watch, "card")
            before = len(sounds)
            house.speech.will_hear.append(CANARY)
            browser.say("four-two-seven-one")
            news += await until_asked(watch, "agreed")
            record = await browser.ended()
            await listening
            news += [each for each in watch.take() if isinstance(each, News)]
    assert record.outcome == "agreed"
    told = told_in(news)
    assert "card number please" in told
    assert CANARY not in told and "4271" not in told
    assert house.speech.asked == [False], "the words were asked for"
    secret = [turn for turn in record.turns if turn.who == "caller" and turn.kind == "speech"]
    spoken = round((secret[0].end_ms - secret[0].start_ms) / 20)
    silent = sounds[before : before + spoken]
    assert spoken > 20
    assert not any(any(caller) or any(bot) for caller, bot in silent)
    assert any(any(bot) for _, bot in sounds[before + spoken :]), "what is harmless is heard again"


async def test_who_has_told_a_secret_is_not_read_word_by_word_any_more(tmp_path: Path) -> None:
    (tmp_path / "afterwards.yaml").write_text(AFTERWARDS)
    async with room(tmp_path, Path("afterwards.yaml"), base=tmp_path) as house:
        with house.live.hub.watch() as watch:
            line = await house.calls.open("600")
            browser = Browser(line)
            news = await until_asked(watch, "pin")
            for digit in "4271":
                line.press(digit)
            news += await until_asked(watch, "more")
            house.speech.will_hear.append("no")
            browser.say("no")
            record = await browser.ended()
            news += [each for each in watch.take() if isinstance(each, News)]
    assert record.outcome == "done"
    assert house.speech.asked == [False] and "words" not in {each.kind for each in news}
    assert "4271" not in told_in(news)


async def test_words_show_while_they_are_recognised_and_only_where_somebody_reads(tmp_path: Path) -> None:
    async with room(tmp_path) as house:
        with house.live.hub.watch() as watch:
            line = await house.calls.open("600")
            browser = Browser(line)
            await until_asked(watch, "ask")
            house.speech.will_hear.append("no")
            browser.say("no")
            await browser.ended()
            kinds = [each.kind for each in watch.take() if isinstance(each, News)]
        assert kinds.index("words") < kinds.index("turn")
        assert kinds[-1] == "ended"
        unseen = await house.calls.open("600")
        browser = Browser(unseen)
        house.speech.will_hear.append("no")
        browser.say("no")  # into the greeting
        await browser.ended()
    assert house.speech.asked == [True, False]
