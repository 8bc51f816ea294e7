"""A house for tests of the web layer: 200 calls that go on talking, queues, rooms, a PBX; nothing is real.

async with fake_house(tmp_path) as house: ...        # signs in: anna/admin, sam/supervisor, vera/viewer,
                                                     # otto/author; PASSWORD for all of them
house.talk()                                         # one step of everybody's conversation
"""

from __future__ import annotations

import asyncio
import math
import random
import struct
import sys
import time
import wave
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from tests.fake_people import FakeConferences, FakePbx, FakeQueues, Noting
from voicebot.app.dialogs import DialogState
from voicebot.call.calls_live import CallFeed, LiveCalls
from voicebot.call.live import Hub
from voicebot.call.record import (
    BotTurnRecord,
    CallerTurnRecord,
    CallRecord,
    DialogReference,
    Party,
    folder_for,
    write_record,
)
from voicebot.config import Config, load_config
from voicebot.errors import Problem, UserError
from voicebot.store.store import open_store
from voicebot.switchboard.supervisors.supervisors import Possible, SlotChoice, StepChoice, Visit
from voicebot.web.house import Condition, House, Part
from voicebot.web.security.passwords import hash_password
from voicebot.web.serving import panel_beside

PASSWORD = "a quiet harbour"
USERS = {"anna": "admin", "sam": "supervisor", "vera": "viewer", "otto": "author"}
_HASH = ""
DIALOGS = Path(__file__).parent.parent / "dialogs"
RATE = 8000
FRAME = RATE // 50

_TALK = (
    ("bot", "welcome", "Good morning, this is the surgery of Dr Hale. How can I help you?"),
    ("caller", "welcome", "I would like to make an appointment"),
    ("bot", "day", "Gladly. Which day would suit you?"),
    ("caller", "day", "next Tuesday in the morning if that is possible"),
    ("bot", "hour", "On Tuesday there is nine o'clock, and half past ten. Which one would you like?"),
    ("caller", "hour", "half past ten please"),
    ("bot", "name", "And your name, please?"),
    ("caller", "name", "Katherine Winterbourne"),
    ("bot", "confirm", "Tuesday at half past ten, for Katherine Winterbourne. Is that right?"),
    ("caller", "confirm", "yes that is right thank you"),
)
_LEARNT = {"day": "2026-11-24", "hour": "10:30", "name": "Katherine Winterbourne"}


class FakeEar:
    """A tone from each side, until closed."""

    sample_rate = RATE

    def __init__(self) -> None:
        self.open = True

    async def __aiter__(self) -> AsyncIterator[tuple[bytes, bytes]]:
        at = 0
        while self.open:
            yield _tone(440, at), _tone(660, at)
            at += FRAME
            await asyncio.sleep(0.02)

    def close(self) -> None:
        self.open = False


def _tone(hertz: float, at: int, count: int = FRAME) -> bytes:
    samples = (round(6000 * math.sin(math.tau * hertz * (at + n) / RATE)) for n in range(count))
    return struct.pack(f"<{count}h", *samples)


class FakeCalls(LiveCalls):
    """Real views of calls that nobody holds."""

    def __init__(self, hub: Hub) -> None:
        super().__init__(hub)
        self.ears: list[FakeEar] = []

    def listen(self, call_id: str) -> Any:
        if self.call(call_id) is None:
            raise UserError(f"there is no live call {call_id}", "it may have ended: look at the live calls")
        ear = FakeEar()
        self.ears.append(ear)
        return ear


@dataclass
class Talk:
    """One simulated call: a word or a turn at each step."""

    feed: CallFeed
    at: int = 0
    words: int = 0
    step: str = "welcome"
    slots: dict[str, object] = field(default_factory=dict)
    language: str = "en-US"

    def on(self, chance: random.Random) -> None:
        """One step further."""
        who, self.step, text = _TALK[self.at % len(_TALK)]
        elapsed = int((time.time() - self.feed.record.started_at.timestamp()) * 1000)
        self.feed.moved()
        if who == "bot":
            self.feed.floor("bot")
            self.feed.saying(text)
            turn: Any = BotTurnRecord(
                step=self.step,
                text=text,
                heard=text,
                start_ms=elapsed,
                end_ms=elapsed + 2500,
                latency_ms=chance.randint(350, 1400),
                pause_ms=300,
            )
        else:
            said = text.split()
            self.feed.floor("caller")
            if self.words < len(said):
                self.words += 1
                self.feed.words(" ".join(said[: self.words]), time.time())
                return
            if self.step in _LEARNT:
                self.slots[self.step] = _LEARNT[self.step]
            turn = CallerTurnRecord(
                kind="speech",
                step=self.step,
                text=text,
                start_ms=elapsed,
                end_ms=elapsed + 1500,
                confidence=0.93,
                engine="vosk",
                recognition_ms=80,
                understood="match",
            )
        self.words = 0
        self.at += 1
        self.feed.record.turns.append(turn)
        self.feed.turn(turn)


class FakeMicrophone:
    """Counts what it is fed."""

    sample_rate = RATE
    closed = False

    def __init__(self, call_id: str, mode: Any, by: str) -> None:
        self.call_id, self.mode, self.by = call_id, mode, by
        self.fed = 0

    def feed(self, pcm: bytes) -> None:
        self.fed += len(pcm)

    async def close(self) -> None:
        self.closed = True


class FakeSupervisors(Noting):
    """Notes, and knows the steps and slots of the surgery's dialog."""

    def __init__(self, calls: FakeCalls) -> None:
        super().__init__()
        self.calls = calls
        self.microphones: list[FakeMicrophone] = []
        self._visits: dict[str, Visit] = {}

    def may(self, call_id: str) -> Possible:
        steps = tuple(dict.fromkeys(step for _, step, _ in _TALK))
        return Possible(
            tuple(StepChoice(step, step.title(), step == "day") for step in steps),
            (
                SlotChoice("day", "date", "2026-11-24", True),
                SlotChoice("hour", "time", "10:30", True),
                SlotChoice("name", "name"),
                SlotChoice("pin", "digits", sensitive=True),
            ),
        )

    async def say(self, call_id: str, text: str, by: str) -> None:
        self.note("say", call_id, text, by)

    async def correct(self, call_id: str, slot: str, value: object, by: str) -> None:
        if slot not in _LEARNT:
            raise UserError(f"the dialog has no slot `{slot}`", f"it has {', '.join(_LEARNT)}")
        self.note("correct", call_id, slot, value, by)

    async def jump(self, call_id: str, step: str, by: str) -> None:
        if step not in {each for _, each, _ in _TALK}:
            raise UserError(f"the dialog has no step `{step}`", "look at what is possible")
        self.note("jump", call_id, step, by)

    async def repeat(self, call_id: str, by: str) -> None:
        self.note("repeat", call_id, by)

    async def hold(self, call_id: str, by: str, words: str = "") -> None:
        self.note("hold", call_id, words, by)

    async def release(self, call_id: str, by: str) -> None:
        self.note("release", call_id, by)

    async def end(self, call_id: str, by: str) -> None:
        self.note("end", call_id, by)
        if (feed := self.calls.feed(call_id)) is not None:
            feed.record.outcome = feed.record.ended_by = "supervisor"
            feed.end()

    async def recording(self, call_id: str, action: Any, by: str) -> None:
        self.note("recording", call_id, action, by)
        if (feed := self.calls.feed(call_id)) is not None:
            feed.recording({"start": "on", "resume": "on", "pause": "paused", "stop": "off"}[action])  # type: ignore[arg-type]

    async def transfer(self, call_id: str, to: str, kind: Any, by: str) -> None:
        self.note("transfer", call_id, to, kind, by)

    async def visit(self, call_id: str, mode: Any, by: str, channel: str) -> Visit:
        self.note("visit", call_id, mode, by, channel)
        visit = Visit(f"v{len(self._visits) + 1}", call_id, by, channel, mode, "ringing", time.time())
        self._visits[visit.id] = visit
        return visit

    async def change(self, visit_id: str, mode: Any) -> Visit:
        if visit_id not in self._visits:
            raise UserError(f"there is no visit {visit_id}", "it may be over")
        self._visits[visit_id] = replace(self._visits[visit_id], mode=mode)
        return self._visits[visit_id]

    async def leave(self, visit_id: str) -> None:
        if self._visits.pop(visit_id, None) is None:
            raise UserError(f"there is no visit {visit_id}", "it may be over")

    def visits(self, call_id: str | None = None) -> tuple[Visit, ...]:
        return tuple(v for v in self._visits.values() if call_id in (None, v.call_id))

    async def microphone(self, call_id: str, mode: Any, by: str) -> FakeMicrophone:
        self.note("microphone", call_id, mode, by)
        self.microphones.append(FakeMicrophone(call_id, mode, by))
        return self.microphones[-1]


class FakeBrowserCall:
    """Says back what it hears."""

    def __init__(self, call_id: str) -> None:
        self.call = SimpleNamespace(id=call_id)
        self.keys = ""
        self.hung_up = False
        self._frames: asyncio.Queue[bytes | None] = asyncio.Queue()

    def feed(self, pcm: bytes) -> None:
        self._frames.put_nowait(pcm)

    def press(self, digit: str) -> None:
        self.keys += digit

    def hang_up(self) -> None:
        self.hung_up = True
        self._frames.put_nowait(None)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while (frame := await self._frames.get()) is not None:
            yield frame


class FakeBrowserCalls:
    def __init__(self) -> None:
        self.opened: list[FakeBrowserCall] = []

    async def open(self, dialog_or_route: str, caller_name: str = "", language: str = "") -> FakeBrowserCall:
        if dialog_or_route == "nothing":
            raise UserError("there is no dialog `nothing`", "look at the dialogs")
        self.opened.append(FakeBrowserCall(f"b{len(self.opened):015x}"))
        return self.opened[-1]


@dataclass
class FakeHouse(House):
    """A house whose parts are simulated; see the module."""

    talks: list[Talk] = field(default_factory=list)
    chance: random.Random = field(default_factory=lambda: random.Random(7))

    def begin_call(self, n: int) -> Talk:
        """One more call."""
        record = CallRecord(
            id=f"{n:016x}",
            started_at=datetime.now(UTC) - timedelta(seconds=self.chance.randint(1, 300)),
            caller=Party(number=f"+1202555{n:04}", name=("Katherine W", "", "Dr Kim")[n % 3]),
            called=Party(number="100"),
            dialog=DialogReference(
                name="appointment", file=str(DIALOGS / "appointment.yaml"), version="2f1c", language="en-US"
            ),
            stt="english",
            tts="english",
        )
        live: Any = self.calls
        feed = live.begin(record, route="100")
        talk = Talk(feed, at=self.chance.randrange(len(_TALK)))
        feed.follow(talk)
        self.talks.append(talk)
        return talk

    def talk(self, share: float = 1.0) -> None:
        """A word or a turn of (a share of) everybody."""
        for talk in self.talks:
            if self.chance.random() < share:
                talk.on(self.chance)

    async def go_on(self, tick_s: float = 0.1, share: float = 0.1) -> None:
        """Talk until cancelled."""
        while True:
            self.talk(share)
            await asyncio.sleep(tick_s)


def fake_records(var: Path, count: int, audio: Iterable[int] = (0,)) -> list[CallRecord]:
    """Write records of past calls, the newest first; those of `audio` have a recording."""
    chance, records = random.Random(3), []
    for n in range(count):
        started = datetime.now(UTC) - timedelta(minutes=17 * n + 1)
        turns: list[Any] = []
        for m, (who, step, text) in enumerate(_TALK):
            at = m * 3000
            if who == "bot":
                turns.append(
                    BotTurnRecord(
                        step=step, text=text, heard=text, start_ms=at, end_ms=at + 2000, latency_ms=600
                    )
                )
            else:
                turns.append(
                    CallerTurnRecord(kind="speech", step=step, text=text, start_ms=at, end_ms=at + 1500)
                )
        record = CallRecord(
            id=f"a{n:015x}",
            started_at=started,
            ended_at=started + timedelta(seconds=30),
            duration_ms=30_000 + n,
            caller=Party(number=f"+1202556{n:04}", name="Katherine"),
            called=Party(number="100"),
            dialog=DialogReference(name=("appointment", "delivery")[n % 2], file="dialogs/appointment.yaml"),
            outcome=chance.choice(("booked", "hangup", "no_slot")),
            goal=n % 3 == 0,
            ended_by="bot",
            slots=dict(_LEARNT),
            turns=turns,
        )
        if n in audio:
            path = folder_for(var, started) / f"{record.id}.wav"
            path.parent.mkdir(parents=True, exist_ok=True)
            _recording(path)
            record.recording = path.name
        write_record(var, record)
        records.append(record)
    return records


def _recording(path: Path, seconds: int = 5) -> None:
    """Write a stereo wav: the caller left, the bot right."""
    count = RATE * seconds
    left, right = _tone(440, 0, count), _tone(660, 0, count)
    both = b"".join(left[n : n + 2] + right[n : n + 2] for n in range(0, 2 * count, 2))
    with wave.open(str(path), "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(both)


def fake_config(var: Path, **flags: Any) -> Config:
    """Return a configuration that writes into `var` and listens at a free port."""
    file = var / "voicebot.toml"
    var.mkdir(parents=True, exist_ok=True)
    if not file.exists():
        file.write_text(
            f'[paths]\nvar = "{var}"\n[panel]\nport = 0\n'
            f'[[routes]]\nnumber = "100"\ndialog = "{DIALOGS}/appointment.yaml"\n'
        )
    return load_config(file, {}, {name.replace("__", "."): value for name, value in flags.items()})


def _condition() -> Condition:
    parts = (
        Part("asterisk", "ok", figures={"version": "22.10.1"}),
        Part("stt.english", "ok", figures={"workers": 2}),
        Part("tts.english", "degraded", "one worker of two is being replaced"),
        Part("disk", "ok", figures={"free_mb": 51_200}),
        Part("event loop", "ok", figures={"lag_ms": 0.8}),
    )
    return Condition(True, "", parts, 200, 500, 0.8)


def bare_house() -> House:
    """A house with nothing in it, for what needs no loop: routes, the API's description."""
    hub = Hub(time.time)
    return House(Config(base=Path("/nowhere")), hub, LiveCalls(hub))


@asynccontextmanager
async def fake_house(var: Path, calls: int = 200, **flags: Any) -> AsyncIterator[FakeHouse]:
    """A house with live calls, an empty store with four users, and everything else."""
    global _HASH
    _HASH = _HASH or hash_password(PASSWORD)
    config = fake_config(var, **flags)
    hub = Hub(time.time)
    live = FakeCalls(hub)
    since = datetime.now(UTC)
    broken = Problem(
        "no such step: `bey`", "did you mean `bye`?", str(DIALOGS / "delivery.yaml"), 12, 9, "step"
    )
    async with open_store(config) as store:
        for name, role in USERS.items():
            if await store.panel.user(name) is None:
                await store.panel.add_user(name, role, _HASH, since)
        house = FakeHouse(
            config=config,
            hub=hub,
            calls=live,
            store=store,
            supervisors=FakeSupervisors(live),
            queues=FakeQueues(hub),
            conferences=FakeConferences(hub),
            pbx=FakePbx(),
            browser_calls=FakeBrowserCalls(),
            condition=_condition,
            dialogs=lambda: (
                DialogState(str(DIALOGS / "appointment.yaml"), "2f1c", since),
                DialogState(str(DIALOGS / "delivery.yaml"), "77ab", since, (broken,)),
            ),
        )
        for n in range(calls):
            house.begin_call(n)
        yield house


async def _serve(var: Path, port: int) -> None:
    if not (var / "calls").exists():
        fake_records(var, 300, audio=range(300))
    async with (
        fake_house(var, **{"panel.port": port}) as house,
        panel_beside(house.config, house) as at,
    ):
        print(f"{at}  {', '.join(USERS)}: {PASSWORD}", flush=True)
        await house.go_on()


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        asyncio.run(_serve(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 0))
