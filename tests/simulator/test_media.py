"""Simulator: the real media loop and sockets on loopback, against peers, strangers and faults."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
import pytest
import pytest_asyncio

from voicebot.audio import g711
from voicebot.errors import UserError
from voicebot.media.clock import TickClock
from voicebot.media.loop import MediaLoop, PortsExhausted
from voicebot.media.port import HeardFrame, MediaPort
from voicebot.rtp.packet import RtpPacket, TelephoneEvent, parse
from voicebot.rtp.session import TELEPHONE_EVENT

pytestmark = pytest.mark.simulator

PATIENCE_S = 5.0
LOUD = np.full(160, 4000, dtype=np.int16)


class LevelVad:
    """Says speech to everything that is loud."""

    hangover_ms = 0

    def is_speech(self, frame: bytes, sample_rate: int) -> bool:
        return np.frombuffer(frame, dtype="<i2").any().item()


@dataclass
class Listener:
    """Writes down what it hears; `until` waits for a moment without sleeping."""

    frames: list[HeardFrame] = field(default_factory=list)
    prompts: list[tuple[str, int]] = field(default_factory=list)
    keys: str = ""
    then: Callable[[], None] | None = None
    fault: Exception | None = None
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    def heard(self, frame: HeardFrame) -> None:
        self.frames.append(frame)
        self.changed.set()
        if self.then is not None:
            self.then()
        if self.fault is not None:
            raise self.fault

    def prompt_started(self, prompt_id: int, at: float) -> None:
        self.prompts.append(("started", prompt_id))

    def prompt_finished(self, prompt_id: int, at: float) -> None:
        self.prompts.append(("finished", prompt_id))

    def keyed(self, digit: str) -> None:
        self.keys += digit

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while not condition():
                self.changed.clear()
                await self.changed.wait()

    async def ticks(self, count: int) -> None:
        goal = len(self.frames) + count
        await self.until(lambda: len(self.frames) >= goal)


class Peer:
    """A caller's side: one socket, one stream."""

    def __init__(self, ssrc: int = 77) -> None:
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.socket.setblocking(False)
        self.ssrc = ssrc
        self.sequence = 65530  # it wraps soon

    @property
    def address(self) -> tuple[str, int]:
        host, port = self.socket.getsockname()
        return host, port

    def send(self, port: MediaPort, samples: np.ndarray = LOUD) -> None:
        payload = g711.encode(samples).tobytes()
        self.send_packet(port, payload, 0)

    def send_packet(self, port: MediaPort, payload: bytes, kind: int) -> None:
        packet = RtpPacket(kind, self.sequence & 0xFFFF, self.sequence * 160, self.ssrc, payload)
        self.sequence += 1
        self.socket.sendto(packet.serialize(), (port.host, port.port))

    def received(self) -> list[RtpPacket]:
        packets = []
        try:
            while True:
                packets.append(parse(self.socket.recv(2048)))
        except BlockingIOError:
            return packets


@dataclass
class Call:
    port: MediaPort
    listener: Listener
    peer: Peer

    async def talk(self, frames: int, samples: np.ndarray = LOUD) -> None:
        """Send one frame in each tick."""
        for _ in range(frames):
            self.peer.send(self.port, samples)
            await self.listener.ticks(1)

    def loud(self) -> int:
        return sum(frame.speech and not frame.lost for frame in self.listener.frames)


@pytest_asyncio.fixture
async def media() -> AsyncIterator[MediaLoop]:
    loop = MediaLoop("127.0.0.1", 31000, 32998, lambda call, error: failures.append((call, error)))
    failures.clear()
    loop.start()
    try:
        yield loop
    finally:
        loop.stop()
        await loop.stopped


failures: list[tuple[str, Exception]] = []


def open_call(media: MediaLoop, name: str = "one", codec: str = "ulaw", *, connect: bool = True) -> Call:
    listener = Listener()
    call = Call(media.open_port(name, codec, vad=LevelVad(), listener=listener), listener, Peer())
    if connect:
        call.port.connect(*call.peer.address)
    return call


async def test_time_passes_before_anything_arrives_and_silence_is_sent_once_the_peer_is_known(
    media: MediaLoop,
) -> None:
    call = open_call(media, connect=False)
    await call.listener.ticks(3)
    assert all(frame.lost and not frame.speech and frame.level_db < -95 for frame in call.listener.frames)
    assert call.peer.received() == []
    call.port.connect(*call.peer.address)
    await call.listener.ticks(4)
    sent = call.peer.received()
    assert len(sent) >= 3
    assert sent[0].marker and not sent[1].marker
    assert [packet.sequence - sent[0].sequence for packet in sent] == list(range(len(sent)))
    assert {packet.timestamp - sent[0].timestamp for packet in sent[:3]} == {0, 160, 320}
    assert {packet.payload for packet in sent} == {b"\xff" * 160}


async def test_the_caller_is_heard_bit_for_bit_and_across_the_wrap(media: MediaLoop) -> None:
    call = open_call(media)
    await call.talk(30)
    heard = [frame for frame in call.listener.frames if not frame.lost]
    assert len(heard) >= 28
    assert all(frame.pcm == g711.decode(g711.encode(LOUD)).tobytes() for frame in heard)
    assert heard[-1].speech
    assert heard[-1].level_db == pytest.approx(-18.2, abs=0.2)
    assert all(later.at > sooner.at for sooner, later in pairwise(heard))
    figures = call.port.statistics()
    assert (figures.lost, figures.forged, figures.malformed) == (0, 0, 0)
    assert json.dumps(figures.as_dict())


async def test_prompts_go_out_whole_and_tell_when(media: MediaLoop) -> None:
    call = open_call(media)
    await call.listener.ticks(2)
    prompt = np.arange(480, dtype=np.int16) * 50
    call.port.playout.add(1, prompt)
    call.port.playout.close(1)
    await call.listener.until(lambda: ("finished", 1) in call.listener.prompts)
    await call.listener.ticks(1)
    assert call.listener.prompts == [("started", 1), ("finished", 1)]
    payloads = b"".join(packet.payload for packet in call.peer.received())
    assert g711.encode(prompt).tobytes() in payloads


async def test_forged_packets_are_counted_and_never_heard(media: MediaLoop) -> None:
    call = open_call(media)
    await call.talk(5)
    call.listener.frames.clear()
    stranger, liar = Peer(ssrc=77), Peer(ssrc=666)
    stranger.sequence = call.peer.sequence
    quiet = np.zeros(160, dtype=np.int16)
    for _ in range(10):
        stranger.send(call.port)  # another port of the same host, with the right SSRC
        packet = RtpPacket(0, 9, 9, 666, g711.encode(LOUD).tobytes())
        call.peer.socket.sendto(packet.serialize(), (call.port.host, call.port.port))  # another SSRC
        await call.talk(1, quiet)
    await call.listener.until(lambda: call.port.statistics().forged == 20)
    assert liar.received() == []
    assert call.loud() == 0


async def test_malformed_packets_are_counted(media: MediaLoop) -> None:
    call = open_call(media)
    await call.talk(5)
    for data in (b"", b"\x80", b"x" * 172, b"\x00" * 172):
        call.peer.socket.sendto(data, (call.port.host, call.port.port))
    await call.listener.until(lambda: call.port.statistics().malformed >= 3)
    before = call.loud()
    await call.talk(5)
    assert call.loud() - before >= 4


async def test_a_flood_on_one_port_does_not_hurt_another_call(media: MediaLoop) -> None:
    victim, other = open_call(media, "victim"), open_call(media, "other")
    stranger = Peer()
    await victim.talk(5)
    await other.talk(5)
    before = other.loud()
    for _ in range(20):
        for _ in range(300):
            stranger.socket.sendto(b"\x80" + bytes(171), (victim.port.host, victim.port.port))
        victim.peer.send(victim.port)
        other.peer.send(other.port)
        await other.listener.ticks(1)
    await other.listener.ticks(2)
    figures = victim.port.statistics()
    assert figures.forged + figures.flooded > 1000
    assert other.loud() - before >= 19
    assert (
        victim.port.statistics().received >= 23
    )  # nor the victim itself: strangers have a queue of their own


async def test_a_flood_by_the_peer_itself_is_bounded_and_counted(media: MediaLoop) -> None:
    call, other = open_call(media), open_call(media, "other")
    await call.talk(3)
    for _ in range(200):
        call.peer.send(call.port)
    await other.talk(5)
    figures = call.port.statistics()
    assert figures.flooded > 0
    assert figures.flooded + figures.received <= 203
    assert other.loud() >= 3
    before = call.loud()
    await call.talk(10)  # nothing of the flood is left to be heard late
    assert call.loud() - before >= 7


async def test_each_of_many_calls_hears_its_own_caller(media: MediaLoop) -> None:
    calls = [open_call(media, str(number)) for number in range(140)]  # more than one group
    voices = [np.full(160, 200 * (number + 1), dtype=np.int16) for number in range(len(calls))]
    last = calls[-1]
    for step in range(12):
        for call, voice in zip(calls, voices, strict=True):
            if call.port.open:
                call.peer.send(call.port, voice)
                call.port.playout.add(1, voice)
        if step == 6:
            calls[3].port.close()
            calls[133].port.close()
        await last.listener.ticks(1)
    await last.listener.ticks(2)
    for number, (call, voice) in enumerate(zip(calls, voices, strict=True)):
        sound = g711.decode(g711.encode(voice)).tobytes()
        heard = [frame.pcm for frame in call.listener.frames if frame.speech and not frame.lost]
        assert len(heard) >= (4 if number in (3, 133) else 9)
        assert set(heard) == {sound}
        said = {packet.payload for packet in call.peer.received()}
        assert said <= {b"\xff" * 160, g711.encode(voice).tobytes()}
        assert call.port.statistics().malformed == call.port.statistics().forged == 0


async def test_keys_arrive_once(media: MediaLoop) -> None:
    call = open_call(media)
    await call.talk(5)
    for key, stamp in ((4, 900_000), (2, 901_600)):
        for end in (False, False, True, True, True):
            event = TelephoneEvent(key, end, 10, 400).serialize()
            packet = RtpPacket(TELEPHONE_EVENT, call.peer.sequence & 0xFFFF, stamp, 77, event)
            call.peer.sequence += 1
            call.peer.socket.sendto(packet.serialize(), (call.port.host, call.port.port))
            await call.listener.ticks(1)
    assert call.listener.keys == "42"
    await call.talk(3)
    assert call.port.statistics().delay_ms == 0


async def test_a_fault_in_one_call_closes_that_port_and_no_other(media: MediaLoop) -> None:
    sick, well = open_call(media, "sick"), open_call(media, "well")
    await well.listener.ticks(1)
    sick.listener.fault = RuntimeError("a bug in a call")
    await well.listener.ticks(3)
    assert [(call, str(error)) for call, error in failures] == [("sick", "a bug in a call")]
    assert not sick.port.open
    heard = len(sick.listener.frames)
    await well.talk(3)
    assert len(sick.listener.frames) == heard
    assert well.loud() >= 1
    assert not media.stopped.done()


async def test_a_call_may_be_closed_from_within_its_own_listener(media: MediaLoop) -> None:
    call, other = open_call(media), open_call(media, "other")
    call.listener.then = call.port.close
    await other.listener.ticks(3)
    assert len(call.listener.frames) == 1
    assert not call.port.open
    assert failures == []
    call.port.close()
    call.port.connect("127.0.0.1", 9)
    assert media.statistics().ports == 1


async def test_both_sides_are_tapped_frame_by_frame(media: MediaLoop) -> None:
    call = open_call(media)
    tapped: list[tuple[bytes, bytes]] = []

    def take(caller: bytes, bot: bytes) -> None:
        tapped.append((caller, bot))

    call.port.add_tap(take)
    call.port.playout.add(1, np.full(320, 1000, dtype=np.int16))
    call.port.playout.close(1)
    await call.talk(8)
    call.port.remove_tap(take)
    count = len(tapped)
    await call.listener.ticks(2)
    assert len(tapped) == count
    assert sum(np.frombuffer(bot, "<i2").any() for _, bot in tapped) == 2
    assert sum(np.frombuffer(caller, "<i2").any() for caller, _ in tapped) >= 6


async def test_ports_are_even_and_run_out_with_a_clear_word() -> None:
    media = MediaLoop("127.0.0.1", 30990, 30995)
    media.start()
    ports = [media.open_port(str(number), "ulaw", vad=LevelVad(), listener=Listener()) for number in range(3)]
    assert sorted(port.port for port in ports) == [30990, 30992, 30994]
    with pytest.raises(PortsExhausted, match="all media ports"):
        media.open_port("more", "ulaw", vad=LevelVad(), listener=Listener())
    ports[1].close()
    assert media.open_port("again", "ulaw", vad=LevelVad(), listener=Listener()).port == 30992
    media.stop()
    media.stop()


async def test_two_gateways_never_share_a_port(media: MediaLoop) -> None:
    call = open_call(media)
    neighbour = MediaLoop("127.0.0.1", call.port.port, call.port.port + 1)
    with pytest.raises(PortsExhausted):
        neighbour.open_port("two", "ulaw", vad=LevelVad(), listener=Listener())


async def test_what_is_configured_wrongly_is_said_clearly(media: MediaLoop) -> None:
    with pytest.raises(UserError, match="codec opus"):
        media.open_port("x", "opus", vad=LevelVad(), listener=Listener())
    elsewhere = MediaLoop("203.0.113.1", 31000, 31010)
    with pytest.raises(UserError, match="cannot be bound"):
        elsewhere.open_port("x", "ulaw", vad=LevelVad(), listener=Listener())


async def test_a_peer_that_is_not_there_yet_is_sent_to_all_the_same(media: MediaLoop) -> None:
    call = open_call(media)
    host, port = call.peer.address
    call.peer.socket.close()
    await call.listener.ticks(5)
    back = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    back.setblocking(False)
    back.bind((host, port))
    await call.listener.ticks(5)
    assert len(back.recv(2048)) == 172


async def test_a_late_tick_skips_and_hears_what_was_missed(media: MediaLoop) -> None:
    call = open_call(media)
    await call.talk(10)
    call.peer.received()
    heard = len(call.listener.frames)
    for _ in range(6):
        call.peer.send(call.port)
    loop = asyncio.get_running_loop()
    until = loop.time() + 0.13
    while loop.time() < until:  # something holds the event loop
        pass
    await call.listener.ticks(1)
    assert len(call.listener.frames) - heard >= 6
    assert all(frame.speech for frame in call.listener.frames[heard : heard + 6])
    await call.listener.ticks(1)
    sent = call.peer.received()
    assert len(sent) <= 3  # no burst
    steps = [(later.timestamp - sooner.timestamp) % 2**32 for sooner, later in pairwise(sent)]
    assert all(later.sequence - sooner.sequence in (1, -65535) for sooner, later in pairwise(sent))
    assert all(step % 160 == 0 for step in steps)
    assert media.statistics().skipped >= 5


async def test_the_clock_keeps_absolute_time() -> None:
    ticks: list[int] = []
    done = asyncio.Event()

    def tick(skipped: int, lateness: float) -> None:
        ticks.append(1 + skipped)
        if sum(ticks) >= 25:
            done.set()

    clock = TickClock(tick)
    loop = asyncio.get_running_loop()
    began = loop.time()
    clock.start()
    await asyncio.wait_for(done.wait(), PATIENCE_S)
    took = loop.time() - began
    clock.stop()
    clock.stop()
    assert took == pytest.approx(sum(ticks) * 0.02, abs=0.015)


@pytest.mark.parametrize("codec", ["alaw", "slin", "g722"])
async def test_a_prompt_comes_back_through_every_codec(media: MediaLoop, codec: str) -> None:
    """Two calls are each other's peer: what one plays the other hears."""
    one, two = open_call(media, "one", codec, connect=False), open_call(media, "two", codec, connect=False)
    one.port.connect(two.port.host, two.port.port)
    two.port.connect(one.port.host, one.port.port)
    rate = one.port.sample_rate
    assert rate == (16000 if codec == "g722" else 8000)
    time = np.arange(rate) / rate
    prompt = (6000 * np.sin(2 * np.pi * 440 * time)).astype(np.int16)
    one.port.playout.add(1, prompt)
    one.port.playout.close(1)
    await one.listener.until(lambda: ("finished", 1) in one.listener.prompts)
    await two.listener.ticks(5)
    frames = [frame.pcm for frame in two.listener.frames if not frame.lost]  # a tick that was late costs some
    heard = np.frombuffer(b"".join(frames), dtype="<i2")
    first, last = np.flatnonzero(np.abs(heard) > 1000)[[0, -1]]
    loud = heard[first : last - 400].astype(float)
    missing = len(two.listener.frames) - len(frames)
    assert len(loud) > len(prompt) - 800 - missing * rate // 50
    spectrum = np.abs(np.fft.rfft(loud * np.hanning(len(loud))))
    assert np.argmax(spectrum) * rate / len(loud) == pytest.approx(440, abs=2)
    assert np.sqrt(np.mean(loud**2)) == pytest.approx(6000 / np.sqrt(2), rel=0.05)


async def test_a_fault_of_the_loop_itself_is_known(media: MediaLoop, monkeypatch: pytest.MonkeyPatch) -> None:
    call = open_call(media)
    monkeypatch.setattr(media._strangers, "drain", lambda tick: 1 / 0)
    async with asyncio.timeout(PATIENCE_S):
        with pytest.raises(ZeroDivisionError):
            await asyncio.shield(media.stopped)
    assert not call.port.open
    media.stopped = asyncio.get_running_loop().create_future()
    media.stopped.set_result(None)
