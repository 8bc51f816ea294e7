"""Live calls that talk by themselves, and what supervisors and browsers may do to them. For the browser tests."""

# ruff: noqa: E501
from __future__ import annotations

import asyncio
import dataclasses
import math
import random
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import numpy as np

from tests.fake_people import Noting
from voicebot.call.calls_live import LiveCall
from voicebot.call.live import Hub
from voicebot.errors import Problem, UserError
from voicebot.switchboard.supervisors.supervisors import Possible, SlotChoice, StepChoice, Visit

ROOT = Path(__file__).resolve().parents[2]
RATE = 16_000
FRAME = RATE // 50

NAMES = (
    "Sara Bell",
    "",
    "Jonas Weber",
    "Mina Park",
    "",
    "Luca Rossi",
    "Amira Haddad",
    "",
    "Tom Okafor",
    "Eva Lind",
)
TALKS = (
    (
        "table-booking", "table_booking.yaml", ("when", "offer", "name", "booked"),
        (
            ("Good evening, which day would you like to come?", "This Friday if you have something free"),
            ("And at what time?", "Around seven, or half past seven would be fine too"),
            ("For how many people?", "We are four, and a small child"),
            ("A table for five on Friday at seven thirty. Is that right?", "Yes, that is right, thank you"),
        ),
    ),
    (
        "order-status", "order_status.yaml", ("order", "shipped", "another"),
        (
            ("Please say or key in your order number.", "It is four seven one one zero two"),
            ("Your order left our house yesterday. It should be with you tomorrow before noon.", "Can I change the address"),
            ("I can do that. What is the new address?", "Twelve Mill Lane, the house behind the church"),
        ),
    ),
    (
        "appointment", "appointment.yaml", ("name", "number", "remind"),
        (
            ("What is it about?", "My heating has been making a noise since the weekend"),
            ("When may our technician come?", "Any morning but Wednesday"),
            ("Then Thursday at nine. Shall I book it?", "Please do"),
        ),
    ),
)  # fmt: skip


class FakeCalls:
    """Live calls that talk. `pace`: 1 is as people talk."""

    def __init__(self, hub: Hub, n: int, *, seed: int = 1, pace: float = 1.0) -> None:
        self._hub, self._pace = hub, pace
        self._chance = random.Random(seed)
        self._calls: dict[str, dict[str, Any]] = {}
        self._talks: dict[str, int] = {}
        self._n = 0
        for _ in range(n):
            self._begin(before_s=self._chance.uniform(0, 400), quiet=True)

    @property
    def count(self) -> int:
        return len(self.calls())

    def calls(self) -> tuple[LiveCall, ...]:
        return tuple(LiveCall(**call) for call in self._calls.values())

    def call(self, id: str, /) -> LiveCall | None:
        return LiveCall(**self._calls[id]) if id in self._calls else None

    def listen(self, call_id: str, /) -> FakeEar:
        if call_id not in self._calls:
            raise UserError(f"there is no live call {call_id}", "look at the live calls")
        return FakeEar()

    def set(self, id: str, kind: str, **values: Any) -> None:
        """Change a call, and tell."""
        if id in self._calls:
            self._calls[id].update(values)
            self._hub.publish("call", kind, id, values)

    def say(self, id: str, kind: str, data: dict[str, Any]) -> None:
        self._hub.publish("call", kind, id, data)

    def line(self, id: str, kind: str, at_ms: int, **told: Any) -> None:
        """Something happens between the turns."""
        lines = self._calls[id].get("lines", ())
        line = {"index": len(lines), "kind": kind, "at_ms": at_ms, **told}
        self._calls[id]["lines"] = (*lines, line)
        self._hub.publish("call", kind, id, line)

    def end(self, id: str, by: str = "caller") -> None:
        if self._calls.pop(id, None) is not None:
            self._hub.publish(
                "call", "ended", id, {"outcome": "done", "goal": True, "ended_by": by, "record": id}
            )

    def begin(self, **values: Any) -> str:
        """Begin one call more; `values` as of LiveCall."""
        return self._begin(0.0, False, values)

    def _begin(self, before_s: float, quiet: bool, values: dict[str, Any] | None = None) -> str:
        chance, n = self._chance, self._n
        self._n += 1
        id = f"c{n:04d}{chance.randrange(16**8):08x}"
        talk = chance.randrange(len(TALKS))
        name, file, steps, words = TALKS[talk]
        self._talks[id] = talk
        turns: list[dict[str, Any]] = []
        for step, (bot, caller) in (
            list(zip(steps, words, strict=False))[: chance.randrange(0, 3)] if quiet else ()
        ):
            turns += [self._bot(step, bot), self._caller(step, caller)]
        state = (
            chance.choices(("talking", "waiting", "with_person", "conference"), (84, 8, 6, 2))[0]
            if quiet
            else "talking"
        )
        self._calls[id] = {
            "id": id, "direction": "outbound" if n % 7 == 3 else "inbound", "caller": f"+4930{chance.randrange(10**6, 10**7)}",
            "caller_name": NAMES[n % len(NAMES)], "called": "600", "dialog": name, "dialog_file": str(ROOT / "dialogs" / file),
            "dialog_version": "8f41c2aa", "route": "600", "language": "en-US", "step": steps[min(len(turns) // 2, len(steps) - 1)],
            "state": state, "floor": "nobody", "partial": "", "turns": tuple(turns), "slots": {"people": 4} if turns else {},
            "started_at": time.time() - before_s, "latency_ms": turns[0]["latency_ms"] if turns else None,
            "recording": "on" if n % 3 == 0 else "off", "queue": "support" if state == "waiting" else "",
            "person": "Berta Klein" if state == "with_person" else "", "summary": words[0][1] if state != "talking" else "",
            "campaign": "check_up" if n % 7 == 3 else "", "faults": ("the synthesis took 4.1 s",) if n % 61 == 17 else (),
        }  # fmt: skip
        self._calls[id].update(values or {})
        if not quiet:
            self._hub.publish("call", "began", id, {"call": LiveCall(**self._calls[id]).as_dict()})
        return id

    def _bot(self, step: str, text: str) -> dict[str, Any]:
        latency = int(self._chance.lognormvariate(6.55, 0.42))
        return {"who": "bot", "step": step, "text": text, "heard": text, "start_ms": 0, "end_ms": 2000,
                "latency_ms": latency, "pause_ms": 400, "interrupted_by": None, "held": 0}  # fmt: skip

    def _caller(self, step: str, text: str) -> dict[str, Any]:
        return {"who": "caller", "kind": "speech", "step": step, "text": text, "start_ms": 2500, "end_ms": 4200,
                "confidence": round(self._chance.uniform(0.55, 0.99), 2), "engine": "whisper", "recognition_ms": 210,
                "understood": "match", "meaning": ""}  # fmt: skip

    async def live(self) -> None:
        """Let all calls go on until cancelled."""
        async with asyncio.TaskGroup() as group:
            for id in list(self._calls):
                group.create_task(self._life(id))

    async def _life(self, id: str) -> None:
        """One call after the other, on one line."""
        await asyncio.sleep(self._chance.uniform(0, 3) / self._pace)
        while True:
            if id not in self._calls:
                await asyncio.sleep(2 / self._pace)
                id = self._begin(0.0, False)
            if self._calls[id]["state"] != "talking" or self._calls[id].get("held"):
                await asyncio.sleep(1 / self._pace)
                continue
            await self._exchange(id)
            if len(self._calls.get(id, {"turns": ()})["turns"]) >= 8:
                self.end(id)

    async def _exchange(self, id: str) -> None:
        _, _, steps, words = TALKS[self._talks[id]]
        at = (len(self._calls[id]["turns"]) // 2) % len(words)
        step, (bot, caller) = steps[min(at, len(steps) - 1)], words[at]
        self.set(id, "step", step=step)
        turn = self._bot(step, bot)
        self.set(id, "floor", floor="bot")
        self.say(id, "saying", {"text": bot})
        await asyncio.sleep(len(bot) / 16 / self._pace)
        self._turn(id, turn)
        self.set(id, "floor", floor="nobody")
        await asyncio.sleep(self._chance.uniform(0.4, 1.2) / self._pace)
        self.set(id, "floor", floor="caller")
        said = caller.split()
        for n in range(1, len(said) + 1):
            if id not in self._calls:
                return
            self._calls[id]["partial"] = " ".join(said[:n])
            self.say(id, "words", {"text": " ".join(said[:n])})
            await asyncio.sleep(0.28 / self._pace)
        self._turn(id, self._caller(step, caller))
        if id in self._calls:
            self._calls[id]["partial"] = ""
            self.set(id, "slots", slots={**self._calls[id]["slots"], step: caller.split()[-1]})
            self.set(id, "floor", floor="nobody")
        await asyncio.sleep(0.8 / self._pace)

    def _turn(self, id: str, turn: dict[str, Any]) -> None:
        if id not in self._calls:
            return
        call = self._calls[id]
        call["turns"] = (*call["turns"], turn)
        if turn["who"] == "bot":
            call["latency_ms"] = turn["latency_ms"]
        self.say(id, "turn", {"index": len(call["turns"]) - 1, "turn": turn})


class FakeEar:
    """The caller a tone of 440 Hz, the bot one of 660 Hz."""

    sample_rate = 8000

    def __init__(self) -> None:
        self._open = True

    async def __aiter__(self) -> AsyncIterator[tuple[bytes, bytes]]:
        at = np.arange(160)
        n = 0
        while self._open:
            tones = [
                (6000 * np.sin(2 * math.pi * hz * (at + n * 160) / 8000)).astype("<i2").tobytes()
                for hz in (440, 660)
            ]
            yield tones[0], tones[1]
            n += 1
            await asyncio.sleep(0.02)

    def close(self) -> None:
        self._open = False


class FakeMicrophone:
    """Counts what it is fed."""

    sample_rate = RATE
    closed = False

    def __init__(self) -> None:
        self.heard: list[bytes] = []

    def feed(self, pcm: bytes, /) -> None:
        self.heard.append(pcm)

    async def close(self) -> None:
        self.closed = True


class FakeSupervisors(Noting):
    """Notes what it is told to do, and does as much of it as shows."""

    def __init__(self, calls: FakeCalls) -> None:
        super().__init__()
        self._calls = calls
        self.microphones: list[FakeMicrophone] = []
        self._visits: dict[str, Visit] = {}

    def may(self, call_id: str) -> Possible:
        call = self._calls.call(call_id)
        assert call is not None
        steps = next(talk[2] for talk in TALKS if talk[0] == call.dialog)
        return Possible(
            tuple(
                StepChoice(step, call.dialog, f"what is said at {step}", step == call.step) for step in steps
            ),
            (SlotChoice("people", call.dialog, "number", "4", True),),
        )

    def _did(self, call_id: str, what: str, by: str, **more: Any) -> None:
        self.note(what, call_id, by, *more.values())
        detail = ", ".join(map(str, more.values()))
        self._calls.line(call_id, "intervention", 0, by=by, what=what, detail=detail)

    async def say(self, call_id: str, text: str, by: str) -> None:
        self._did(call_id, "say", by, text=text)
        self._calls.say(call_id, "saying", {"text": text})

    async def correct(self, call_id: str, slot: str, value: Any, by: str) -> None:
        if slot == "people" and not str(value).isdigit():
            raise UserError(Problem(f"`{value}` is no number of people", "give a number such as 4"))
        call = self._calls.call(call_id)
        assert call is not None
        self._calls.set(call_id, "slots", slots={**call.slots, slot: value})
        self._did(call_id, "correct", by, slot=slot, value=value)

    async def jump(self, call_id: str, step: str, by: str) -> None:
        self._calls.set(call_id, "step", step=step)
        self._did(call_id, "jump", by, step=step)

    async def repeat(self, call_id: str, by: str) -> None:
        self._did(call_id, "repeat", by)

    async def hold(self, call_id: str, by: str, words: str = "") -> None:
        self._calls.set(call_id, "held", held=True)
        self._did(call_id, "hold", by)

    async def release(self, call_id: str, by: str) -> None:
        self._calls.set(call_id, "held", held=False)
        self._did(call_id, "release", by)

    async def end(self, call_id: str, by: str) -> None:
        self._did(call_id, "end", by)
        self._calls.end(call_id, "supervisor")

    async def recording(self, call_id: str, action: str, by: str) -> None:
        state = {"start": "on", "resume": "on", "pause": "paused", "stop": "off"}[action]
        self._calls.set(call_id, "recording", recording=state)
        self._did(call_id, "recording", by, action=action)

    async def transfer(self, call_id: str, to: str, kind: str, by: str) -> None:
        self._did(call_id, "transfer", by, to=to, kind=kind)

    def visits(self, call_id: str | None = None) -> tuple[Visit, ...]:
        return tuple(self._visits.values())

    async def visit(self, call_id: str, mode: Any, by: str, channel: str) -> Visit:
        self._did(call_id, "visit", by, mode=mode, channel=channel)
        self._visits["v1"] = Visit("v1", call_id, by, channel, mode, "ringing", time.time())
        return self._visits["v1"]

    async def change(self, visit_id: str, mode: Any) -> Visit:
        visit = self._visits[visit_id] = dataclasses.replace(
            self._visits[visit_id], mode=mode, state="on_line"
        )
        self._did(visit.call_id, mode, visit.by)
        return visit

    async def leave(self, visit_id: str) -> None:
        visit = self._visits.pop(visit_id)
        self._did(visit.call_id, "leave", visit.by)

    async def microphone(self, call_id: str, mode: Any, by: str) -> FakeMicrophone:
        self._did(call_id, "microphone", by, mode=mode)
        self._calls.set(call_id, "supervisors", supervisors=[by])
        self.microphones.append(FakeMicrophone())
        return self.microphones[-1]


class FakeBrowserCall:
    """A bot that hums, and says what it has heard: how loud the caller was."""

    def __init__(self, calls: FakeCalls, caller_name: str) -> None:
        self._calls = calls
        self.loudest = 0
        self.digits: list[str] = []
        self._open = True
        id = calls.begin(direction="browser", caller="", caller_name=caller_name, called="", recording="off")
        self.call = calls.call(id)
        self.id = id

    def feed(self, pcm: bytes, /) -> None:
        loud = int(np.abs(np.frombuffer(pcm, "<i2").astype(np.int32)).max(initial=0))
        if loud > 2000 and self.loudest <= 2000:
            self._calls.say(self.id, "words", {"text": "I hear you"})
        self.loudest = max(self.loudest, loud)

    def press(self, digit: str, /) -> None:
        self.digits.append(digit)
        turn = {**self._calls._caller("number", digit), "kind": "dtmf"}
        self._calls._turn(self.id, turn)

    def hang_up(self) -> None:
        if self._open:
            self._open = False
            self._calls.end(self.id)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        at, n = np.arange(FRAME), 0
        self._calls.set(self.id, "floor", floor="bot")
        self._calls._turn(
            self.id, self._calls._bot("hello", "Hello, this is the bot. What can I do for you?")
        )
        while self._open:
            yield (5000 * np.sin(2 * math.pi * 330 * (at + n * FRAME) / RATE)).astype("<i2").tobytes()
            n += 1
            await asyncio.sleep(0.02)


class FakeBrowserCalls:
    def __init__(self, calls: FakeCalls) -> None:
        self._calls = calls
        self.opened: list[FakeBrowserCall] = []

    async def open(self, dialog_or_route: str, caller_name: str = "", language: str = "") -> FakeBrowserCall:
        self.opened.append(FakeBrowserCall(self._calls, caller_name))
        return self.opened[-1]
