"""What one call plays: a queue of prompts, cut into frames, that can be held, resumed and cleared at any
moment.

A prompt is known by the number that its owner gave it. Numbers grow: the first samples of a higher number
queue behind those of a lower one. A prompt is *open* until `close()` says that no more samples come, so
that speech can be played while it is still being synthesised. The queue knows to the packet what the caller
really heard.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np

from voicebot.audio.frames import BYTES_PER_SAMPLE, Samples, bytes_per_frame, duration_ms, to_pcm, to_samples
from voicebot.audio.live_voice import LiveVoice, mixed

FADE_MS = 5
"""A prompt that is cut off fades out, and one that resumes fades in, over this long: no clicks."""

REMEMBERED_PROMPTS = 64
"""`heard_ms` answers for this many of the latest prompts."""


@dataclass(frozen=True, slots=True)
class PromptStarted:
    """The frame just taken is the first of this prompt."""

    prompt_id: int


@dataclass(frozen=True, slots=True)
class PromptFinished:
    """The frame just taken is the last of this prompt; it was heard to its end."""

    prompt_id: int


PlayoutEvent = PromptStarted | PromptFinished


@dataclass(frozen=True, slots=True)
class HeardPrompt:
    """How much of a prompt left for the caller before it was cleared; 0 ms if it had not begun."""

    prompt_id: int
    heard_ms: int


class _Prompt:
    """Samples of one prompt: chunks as they came, and the place of the next frame in them."""

    __slots__ = ("chunks", "furthest", "index", "offset", "open", "passed", "prompt_id", "started")

    def __init__(self, prompt_id: int) -> None:
        self.prompt_id = prompt_id
        self.chunks: list[memoryview] = []
        self.index = 0  # chunk of the next frame
        self.offset = 0  # byte in that chunk
        self.passed = 0  # bytes in the chunks before it
        self.furthest = 0  # bytes heard before the prompt went back: going back does not unhear
        self.open = True
        self.started = False

    @property
    def position(self) -> int:
        return self.passed + self.offset

    @property
    def heard(self) -> int:
        """Bytes that left for the caller, at most."""
        return max(self.furthest, self.position)

    @property
    def exhausted(self) -> bool:
        return self.index >= len(self.chunks)

    def take(self, size: int) -> bytes:
        """Return the next `size` bytes, fewer at the end of what is there."""
        pieces = []
        while size and self.index < len(self.chunks):
            chunk = self.chunks[self.index]
            piece = chunk[self.offset : self.offset + size]
            pieces.append(piece)
            size -= len(piece)
            self.offset += len(piece)
            if self.offset == len(chunk):
                self.passed += len(chunk)
                self.index += 1
                self.offset = 0
        return b"".join(pieces)

    def available(self, size: int) -> bool:
        """Whether `size` more bytes are there."""
        here = -self.offset
        for index in range(self.index, len(self.chunks)):
            here += len(self.chunks[index])
            if here >= size:
                return True
        return False

    def go_back(self, size: int) -> None:
        self.furthest = self.heard
        target = max(0, self.position - size)
        while self.index > 0 and self.passed > target:
            self.index -= 1
            self.passed -= len(self.chunks[self.index])
        self.offset = target - self.passed


class Playout:
    """The playout queue of one call at `sample_rate` Hz.

    Call `next_frame()` once a tick; then read and empty `events`. Everything else may be called at any time
    between. `underruns` counts frames of silence inside a prompt that had begun and was waiting for
    samples; `late` counts chunks that came for prompts already cleared or finished.
    """

    __slots__ = (
        "_chunk", "_cleared", "_end", "_fade_in", "_frame", "_heard", "_held", "_live", "_place", "_queue",
        "_rate", "_tail", "events", "late", "underruns",
    )  # fmt: skip

    def __init__(self, sample_rate: int) -> None:
        self._rate = sample_rate
        self._frame = bytes_per_frame(sample_rate)
        self._queue: deque[_Prompt] = deque()
        self._held = False
        self._live: tuple[LiveVoice, ...] = ()
        self._tail: bytes | None = None  # fade-out that is still owed to the caller
        self._fade_in = False
        # The stretch of the current prompt that is played without looking left or right: a chunk, the place
        # of the next frame in it, and the last place where a frame begins that does not reach its end.
        self._chunk = memoryview(b"")
        self._place = 0
        self._end = -1
        self._cleared = -1  # numbers up to here are gone
        self._heard: dict[int, int] = {}
        self.events: list[PlayoutEvent] = []
        self.underruns = 0
        self.late = 0

    @property
    def playing(self) -> int | None:
        """Number of the prompt at the head of the queue, begun or not; None if the queue is empty."""
        return self._queue[0].prompt_id if self._queue else None

    @property
    def held(self) -> bool:
        return self._held

    def join(self, voice: LiveVoice) -> None:
        """Let `voice` be heard from now on, over whatever is played."""
        self._leave_stretch()
        self._live = (*self._live, voice)

    def leave(self, voice: LiveVoice) -> None:
        """Let it be heard no more. Nothing happens where it is not heard."""
        self._live = tuple(each for each in self._live if each is not voice)

    def add(self, prompt_id: int, samples: Samples) -> bool:
        """Queue samples of a prompt, or drop them (False) if it was cleared or is finished.

        The samples are not copied: do not change them afterwards.
        """
        prompt = self._find_or_open(prompt_id)
        if prompt is None or not prompt.open:
            self.late += 1
            return False
        if len(samples):
            prompt.chunks.append(memoryview(np.ascontiguousarray(samples, dtype="<i2").data).cast("B"))
        return True

    def close(self, prompt_id: int) -> None:
        """Say that no more samples come for this prompt: it finishes when it runs dry. A prompt without any
        samples starts and finishes in its turn, on one silent frame."""
        prompt = self._find_or_open(prompt_id)
        if prompt is not None:
            prompt.open = False

    def hold(self) -> None:
        """Go silent within the prompt, until `resume()` or `clear()`."""
        self._leave_stretch()
        if not self._held:
            self._held = True
            self._tail = self._fade_out()

    def resume(self, back_ms: int = 0) -> None:
        """Go on with a held prompt, from up to `back_ms` earlier in it."""
        if self._held:
            self._held = False
            self._tail = None
            if self._queue:
                self._queue[0].go_back(back_ms * self._rate // 1000 * BYTES_PER_SAMPLE)
                self._fade_in = self._queue[0].started

    def clear(self, through: int = -1) -> tuple[HeardPrompt, ...]:
        """Drop every queued prompt, and those still to come with numbers up to `through`; say what was
        heard.
        """
        self._leave_stretch()
        if not self._held:
            self._tail = self._fade_out()
        self._held = False
        self._fade_in = False
        dropped = []
        for prompt in self._queue:
            heard = duration_ms(prompt.heard, self._rate)
            dropped.append(HeardPrompt(prompt.prompt_id, heard))
            self._remember(prompt.prompt_id, heard)
            through = max(through, prompt.prompt_id)
        self._queue.clear()
        self._cleared = max(self._cleared, through)
        return tuple(dropped)

    def heard_ms(self, prompt_id: int) -> int:
        """Return how much of a prompt the caller has heard so far; 0 for one that is unknown."""
        self._leave_stretch()
        for prompt in self._queue:
            if prompt.prompt_id == prompt_id:
                return duration_ms(prompt.heard, self._rate)
        return self._heard.get(prompt_id, 0)

    def next_frame(self) -> bytes | None:
        """Return the next frame of PCM, None for silence; what began or ended with it is in `events`."""
        place = self._place
        if place < self._end:  # the usual case
            self._place = place + self._frame
            return self._chunk[place : self._place].tobytes()
        self._leave_stretch()
        if self._live:
            return mixed([self._next_of_prompts(), *(voice.next_frame() for voice in self._live)])
        return self._next_of_prompts()

    def _next_of_prompts(self) -> bytes | None:
        if not self._queue or self._held or self._tail is not None:
            tail, self._tail = self._tail, None
            return tail
        frame = self._frame_at_edge(self._queue[0])
        if not self._live:
            self._enter_stretch()
        return frame

    def _enter_stretch(self) -> None:
        """Find what of the current prompt can be played chunk by chunk."""
        if self._queue and self._queue[0].started and not self._queue[0].exhausted:
            prompt = self._queue[0]
            self._chunk = prompt.chunks[prompt.index]
            self._place = prompt.offset
            self._end = len(self._chunk) - self._frame

    def _leave_stretch(self) -> None:
        """Tell the prompt where it is; due before anything looks at it."""
        if self._end >= 0:
            self._queue[0].offset = self._place
            self._place = 0
            self._end = -1

    def _frame_at_edge(self, prompt: _Prompt) -> bytes | None:
        """A frame at a prompt's first or last sample, across chunks, after a pause, or where samples lack."""
        if prompt.open and not prompt.available(self._frame):
            self.underruns += prompt.started
            return None
        if not prompt.started:
            prompt.started = True
            self.events.append(PromptStarted(prompt.prompt_id))
        frame: bytes | None = prompt.take(self._frame).ljust(self._frame, b"\0")
        if self._fade_in and frame:
            frame = _faded(frame, self._rate, rising=True)
            self._fade_in = False
        if not prompt.open and prompt.exhausted:
            self._queue.popleft()
            self._remember(prompt.prompt_id, duration_ms(prompt.heard, self._rate))
            self._cleared = max(self._cleared, prompt.prompt_id)
            self.events.append(PromptFinished(prompt.prompt_id))
        return frame

    def _find_or_open(self, prompt_id: int) -> _Prompt | None:
        """Return the queued prompt of this number, a new one at its place, or None if its time is over."""
        if prompt_id <= self._cleared:
            return None
        for prompt in reversed(self._queue):
            if prompt.prompt_id == prompt_id:
                return prompt
        prompt = _Prompt(prompt_id)
        self._queue.append(prompt)
        return prompt

    def _fade_out(self) -> bytes | None:
        """The few samples that come next in a prompt being heard, falling to silence; they do not count
        as heard.
        """
        if not self._queue or not self._queue[0].started:
            return None
        prompt = self._queue[0]
        index, offset, passed = prompt.index, prompt.offset, prompt.passed
        piece = prompt.take(FADE_MS * self._rate // 1000 * BYTES_PER_SAMPLE)
        prompt.index, prompt.offset, prompt.passed = index, offset, passed
        return _faded(piece, self._rate, rising=False).ljust(self._frame, b"\0") if piece else None

    def _remember(self, prompt_id: int, heard: int) -> None:
        self._heard[prompt_id] = heard
        if len(self._heard) > REMEMBERED_PROMPTS:
            del self._heard[next(iter(self._heard))]


def _faded(pcm: bytes, sample_rate: int, *, rising: bool) -> bytes:
    samples = to_samples(pcm).astype(np.float32)
    count = min(len(samples), FADE_MS * sample_rate // 1000)
    ramp = np.linspace(0, 1, count, dtype=np.float32)
    if rising:
        samples[:count] *= ramp
    else:
        samples[:count] *= ramp[::-1]
        samples[count:] = 0
    return to_pcm(samples.astype(np.int16))
