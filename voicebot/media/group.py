"""The calls of one codec, handled together as the rows of arrays: how they hear, and how they speak."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from itertools import repeat

import numpy as np

from voicebot.audio.frames import BYTES_PER_SAMPLE, samples_per_frame, silence, to_samples
from voicebot.audio.levels import levels_db
from voicebot.media.codecs import Codec
from voicebot.media.doors import MAX_DATAGRAM_BYTES
from voicebot.media.port import HeardFrame, MediaPort
from voicebot.rtp.lockstep import Lockstep
from voicebot.rtp.sending import OutgoingStreams, Payloads

QUIET_DB = -57.0
"""A frame below this level is no speech on any telephone (the end-pointer would not take it for speech
either), so
the detector need not be asked: most of a call is silence."""

_make_heard_frame = partial(tuple.__new__, HeardFrame)
"""HeardFrame._make, but without a call into Python."""

CallFailed = Callable[[MediaPort, Exception], None]


class CodecGroup:
    """Ports that share a codec object.

    When a port comes, goes, or is connected a new group is made, and the old one `dissolve`d. Each tick:
    `speak()`, `read()`, then everything else that has come is brought to the ports, then `sort()`, and
    `hear()` once, or once for every tick that is caught up with.
    """

    def __init__(self, codec: Codec, ports: Sequence[MediaPort], failed: CallFailed) -> None:
        self.codec = codec
        self._failed = failed
        self.ports = tuple(ports)
        self._frame_bytes = samples_per_frame(codec.sample_rate) * BYTES_PER_SAMPLE
        self._no_payload = np.frombuffer(codec.silence, dtype=np.uint8)
        self._silence = silence(codec.sample_rate)
        self._lockstep = Lockstep([port.session for port in ports], codec.payload_bytes)
        for row, port in enumerate(ports):
            port.joined(self, row)
        # What every tick calls, looked up once.
        self._reads = [port.read for port in ports]
        self._detectors = [port.vad.is_speech for port in ports]
        self._listeners = [port.listener.heard for port in ports]
        self._speakers = [port for port in ports if port.connected]
        self._playouts = [port.playout for port in self._speakers]
        self._next_frames = [port.playout.next_frame for port in self._speakers]
        self._sends = [port.write for port in self._speakers]
        self._outgoing = OutgoingStreams([port.outgoing for port in self._speakers], codec.payload_bytes)
        self._tapped = [(row, port) for row, port in enumerate(ports) if port.taps]
        self._stale = False  # another group has taken over; some port may be closed
        # One tick's:
        self._datagrams: list[bytes] = []  # the first one of each port
        self._payloads: Payloads = np.empty(0, dtype=np.uint8)
        self._others: list[int] = []  # rows out of step: their payloads come from their sessions
        self._speech = [False] * len(ports)  # who spoke last
        self._said: list[bytes] = []  # by the speakers
        self._heard = b""  # everybody's PCM, and that of the tick before
        self._heard_before = b""

    def dissolve(self) -> None:
        """Leave all sessions and streams as if each had been alone."""
        self._stale = True
        self._lockstep.leave_all()
        self._outgoing.leave()

    # --- hearing ---------------------------------------------------------------------------------------

    def read(self) -> None:
        """Read one datagram of every port: all that a healthy call has."""
        datagrams = []
        for read in self._reads:
            try:
                datagrams.append(read(MAX_DATAGRAM_BYTES))
            except OSError:  # nothing there; or an ICMP message that nobody listens (yet)
                datagrams.append(b"")
        self._datagrams = datagrams

    def sort(self, tick: int) -> None:
        """Find the calls whose packet is the one they wait for; give the others' to their sessions."""
        self._payloads, self._others = self._lockstep.compare(self._datagrams, tick)
        for row in self._others:
            self._lockstep.leave(row)
            try:
                self.ports[row].receive(self._datagrams[row], tick)
            except Exception as error:
                self._failed(self.ports[row], error)
        self._datagrams = []  # given back now, their memory serves what follows

    def hear(self, at: float, behind: int) -> None:
        """Let every call hear one frame, `behind` frames before the latest."""
        payloads, missing = self._take_others(behind)
        samples = self.codec.decode(payloads)
        lost = [False] * len(self.ports)
        for row in missing:
            lost[row] = True
            samples[row] = self.ports[row].fill_gap(self._history(row))
        levels = levels_db(samples)
        self._heard_before, self._heard = self._heard, samples.tobytes()
        self._tell(levels, lost, at)
        self._tap([] if behind else self._said)  # in ticks that were skipped nothing was said

    def _take_others(self, behind: int) -> tuple[Payloads, list[int]]:
        """Return the payloads with those of calls out of step put in, and the rows that have none."""
        if not self._others:
            return self._payloads, self._others
        payloads = self._payloads.copy()
        missing = []
        for row in self._others:
            payload = self.ports[row].take(not self._speech[row], behind)
            if payload is None:
                missing.append(row)
                payloads[row] = self._no_payload
            else:
                payloads[row] = np.frombuffer(payload, dtype=np.uint8)
            if not behind:
                self._lockstep.join(row)
        return payloads, missing

    def _tell(self, levels: list[float], lost: list[bool], at: float) -> None:
        """Hand each call its frame."""
        heard, size = self._heard, self._frame_bytes
        frames = [heard[start : start + size] for start in range(0, len(heard), size)]
        # First all detectors, then all listeners: each loop's code stays in the processor's cache.
        self._speech = verdicts = self._detect(frames, levels)
        news = map(_make_heard_frame, zip(frames, verdicts, levels, lost, repeat(at), strict=False))
        for row, (listen, frame) in enumerate(zip(self._listeners, news, strict=True)):
            if self._stale and not self.ports[row].open:
                continue
            try:
                listen(frame)
            except Exception as error:
                self._failed(self.ports[row], error)

    def _detect(self, frames: list[bytes], levels: list[float]) -> list[bool]:
        """Ask each call's detector about its frame."""
        rate = self.codec.sample_rate
        verdicts: list[bool] = []
        while len(verdicts) < len(frames):
            done = len(verdicts)
            try:
                for is_speech, frame, level in zip(
                    self._detectors[done:], frames[done:], levels[done:], strict=True
                ):
                    verdicts.append(level > QUIET_DB and is_speech(frame, rate))
            except Exception as error:
                self._failed(self.ports[len(verdicts)], error)
                verdicts.append(False)
        return verdicts

    def _history(self, row: int) -> bytes:
        """The last two frames that a call heard."""
        part = self._part(row)
        return self._heard_before[part] + self._heard[part]

    def _part(self, row: int) -> slice:
        return slice(row * self._frame_bytes, (row + 1) * self._frame_bytes)

    def leave(self, row: int) -> None:
        """Bring a port's session and outgoing stream up to date."""
        if not self._stale:
            self._lockstep.leave(row)
            self._outgoing.leave()

    # --- speaking --------------------------------------------------------------------------------------

    def speak(self, at: float, skipped: int) -> None:
        """Let every call that has a peer say one frame."""
        quiet = self._silence
        frames = [next_frame() or quiet for next_frame in self._next_frames]
        if frames:
            samples = to_samples(b"".join(frames)).reshape(len(frames), -1)
            if skipped:
                self._outgoing.skip(skipped)
            packets = self._outgoing.packets(self.codec.encode(samples))
            for row, (send, packet) in enumerate(zip(self._sends, packets, strict=True)):
                try:
                    send(packet)
                except (
                    OSError
                ):  # no room in the socket, an ICMP message that nobody listens there, or just closed
                    self._speakers[row].count_unsent()
            self._report_prompts(at)
        self._said = frames

    def _report_prompts(self, at: float) -> None:
        for port, playout in zip(self._speakers, self._playouts, strict=True):
            if playout.events:
                try:
                    port.report_prompts(at)
                except Exception as error:
                    self._failed(port, error)

    def _tap(self, said_frames: list[bytes]) -> None:
        """Give both sides' frames to recordings, and to those who listen in."""
        if not self._tapped:
            return
        said = dict(zip(self._speakers, said_frames, strict=False))
        for row, port in self._tapped:
            if port.taps and port.open:
                heard, bot = self._heard[self._part(row)], said.get(port, self._silence)
                try:
                    for tap in port.taps:
                        tap(heard, bot)
                except Exception as error:
                    self._failed(port, error)
