"""The jitter buffer: packets in as they come, one frame out a tick, no later than needed.

There is no fixed delay. On a clean network a packet is taken in the tick in which it arrived. What makes
the delay grow is a packet that comes after its slot: the buffer goes back to it, so from then on everything
is later by that much, and the same lateness hurts no more. What makes it shrink is the measured jitter (RFC
3550, 6.4.1): frames that are spare for a while beyond what the jitter asks for are left out, in silence if
there is any. Clock drift is the same thing slowed down, and needs no rule of its own.
"""

from __future__ import annotations

from voicebot.audio.frames import FRAME_MS

MAX_DELAY_FRAMES = 2
"""Frames that may wait for their tick; older ones are dropped. So nobody is heard more than 40 ms late
for it.
"""

MAX_HELD_FRAMES = 50
"""Bound on memory while ticks are caught up with: one second."""

SHRINK_AFTER_TICKS = 250
"""A frame that was spare for so long (5 s) is left out at the next silent one,"""
SHRINK_ANYWAY_TICKS = 750
"""or after so long (15 s) even in speech."""

JITTER_FACTOR = 3.0
"""The delay that covers nearly all packets, in units of the measured jitter."""

NO_AUDIO = b""
"""Payload of a packet that takes a sequence number but no time (a telephone-event)."""

REMEMBERED_GAPS = 64


class JitterBuffer:
    """One source's packets, by extended sequence number.

    `duplicates`, `late` (came after a later one was played) and `dropped` (left out to catch up) are counts.
    """

    __slots__ = (
        "_gaps",
        "_held",
        "_highest",
        "_next",
        "_played",
        "_spare",
        "dropped",
        "duplicates",
        "late",
        "longest",
    )

    def __init__(self) -> None:
        self.duplicates = 0
        self.late = 0
        self.dropped = 0
        self.longest = 0
        self.reset()

    def reset(self) -> None:
        """Forget all packets: the source has changed. Counts stay."""
        self._held: dict[int, bytes] = {}
        self._next = -1  # number to play at this tick
        self._played = -1  # number played last
        self._highest = -1
        self._spare = 0  # ticks in a row at whose end more was held than the jitter asks for
        self._gaps: dict[int, None] = {}  # numbers passed without having come, oldest first

    @property
    def depth(self) -> int:
        """Frames that wait beyond this tick: the delay that the buffer adds."""
        return max(0, self._highest - self._next + 1) if self._held else 0

    @property
    def in_step(self) -> bool:
        """Whether nothing is missing: all that came has been played, or waits in order."""
        held = self._held
        return (
            self._played >= 0
            and self._played + 1 == self._next
            and len(held) == self._highest - self._played
            and NO_AUDIO not in held.values()
        )

    def waiting(self) -> list[bytes]:
        """Return the payloads held, in order."""
        return [self._held[sequence] for sequence in sorted(self._held)]

    def step(self, packets: int, waiting: list[bytes], jitter_ms: float) -> None:
        """Take so many packets, one a tick and in step, of which these still wait."""
        self._highest += packets
        self._next += packets
        self._played += packets
        self._held = dict(enumerate(waiting, self._next))
        self._spare = self._spare + packets if len(waiting) > _wanted(jitter_ms) else 0

    def put(self, sequence: int, payload: bytes) -> None:
        """Take a packet. `payload` is kept as it is; NO_AUDIO for one that carries no audio."""
        if sequence <= self._played:
            self._put_too_late(sequence)
            return
        held = self._held
        if sequence in held:
            self.duplicates += 1
            return
        held[sequence] = payload
        if sequence > self._highest:
            self._highest = sequence
        if sequence < self._next or self._next < 0:
            self._next = sequence  # late, but nothing after it was played: go back to it
        if len(held) > MAX_HELD_FRAMES:
            self._drop_oldest()

    def take(self, jitter_ms: float, quiet: bool = False, behind: int = 0) -> bytes | None:
        """Return the payload for this tick, None where it has not come.

        quiet:   nobody speaks just now: a frame may be left out unheard
        behind:  ticks that the caller will catch up with right after this one
        """
        held = self._held
        while self._highest - self._next - behind > MAX_DELAY_FRAMES:
            self._drop_oldest()
        payload = held.pop(self._next, None)
        if payload is None or payload is NO_AUDIO or self._next != self._played + 1:
            payload = self._take_unusual(payload, jitter_ms)
        else:
            self._played = self._next
            self._next += 1
        if held:
            self._trim(jitter_ms, quiet, behind)
        else:
            self._spare = 0
        return payload

    def _take_unusual(self, payload: bytes | None, jitter_ms: float) -> bytes | None:
        """The next packet is missing, follows a gap, or carries no audio."""
        while payload is NO_AUDIO:
            self._pass()
            payload = self._held.pop(self._next, None)
        if payload is not None:
            self._pass()
            return payload
        if self._next < 0:
            return None
        if self._held and self._highest - self._next < _wanted(jitter_ms):
            return None  # others are there, but it may still come within the usual jitter: wait
        self._next += 1
        return None

    def _pass(self) -> None:
        """Play (or skip, without audio) the next number, remembering what is missing before it."""
        if self._played >= 0:
            for gap in range(max(self._played + 1, self._next - REMEMBERED_GAPS), self._next):
                self._gaps[gap] = None
            while len(self._gaps) > REMEMBERED_GAPS:
                del self._gaps[next(iter(self._gaps))]
        self._played = self._next
        self._next += 1

    def _put_too_late(self, sequence: int) -> None:
        if sequence in self._gaps:
            del self._gaps[sequence]
            self.late += 1
        else:
            self.duplicates += 1

    def _trim(self, jitter_ms: float, quiet: bool, behind: int) -> None:
        """Leave frames out where more wait than needed."""
        depth = self.depth - behind
        self.longest = max(self.longest, depth)
        self._spare = self._spare + 1 if depth > _wanted(jitter_ms) else 0
        if self._spare >= SHRINK_ANYWAY_TICKS or (quiet and self._spare >= SHRINK_AFTER_TICKS):
            self._drop_oldest()
            self._spare = 0

    def _drop_oldest(self) -> None:
        """Leave out the next number, come or not."""
        if self._held.pop(self._next, None):
            self.dropped += 1
        self._pass()


def _wanted(jitter_ms: float) -> int:
    """Frames of delay that this jitter asks for; none on a clean network."""
    return min(MAX_DELAY_FRAMES, int(JITTER_FACTOR * jitter_ms / FRAME_MS + 0.5))
