"""What one call over AGI plays: prompts as pieces that Asterisk plays from files, held, resumed and cleared.

It stands in the place of `audio.playout.Playout`: the call fills it in the same way. Nothing here plays: the
call's line (`line.py`) takes a piece, has Asterisk play it, and says how far it came.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from voicebot.audio.frames import Samples, duration_ms, samples_per_frame
from voicebot.audio.playout import REMEMBERED_PROMPTS, HeardPrompt, PlayoutEvent

SAMPLE_RATE = 8000
"""Hz, of all prompts over AGI: the files are signed linear, as Asterisk's .sln."""


@dataclass(frozen=True, slots=True)
class Piece:
    """What is to be played next, without a break: `samples` from the `offset`-th on.

    start:  sample of the prompt at which `samples` begin
    """

    prompt_id: int
    samples: Samples
    start: int
    offset: int


@dataclass(slots=True)
class _Prompt:
    prompt_id: int
    chunks: list[Samples]
    position: int = 0  # samples heard
    furthest: int = 0  # before it went back
    open: bool = True
    started: bool = False

    @property
    def length(self) -> int:
        return sum(map(len, self.chunks))

    @property
    def heard_ms(self) -> int:
        return duration_ms(2 * max(self.position, self.furthest), SAMPLE_RATE)


class FilePlayout:
    """The queue. `changed` is called whenever the line has to look again; `began` and `finished` get the
    number of a prompt.

    Numbers, holding and clearing are those of `audio.playout.Playout`.
    """

    def __init__(
        self, changed: Callable[[], None], began: Callable[[int], None], finished: Callable[[int], None]
    ) -> None:
        self._changed = changed
        self._began = began
        self._finished = finished
        self._queue: deque[_Prompt] = deque()
        self._held = False
        self._cleared = -1
        self._heard: dict[int, int] = {}
        self._sounding: tuple[Samples, int] | None = None
        self.events: list[PlayoutEvent] = []
        self.underruns = 0
        self.late = 0

    # --- for the call -----------------------------------------------------------------------------------

    @property
    def playing(self) -> int | None:
        return self._queue[0].prompt_id if self._queue else None

    @property
    def held(self) -> bool:
        return self._held

    def add(self, prompt_id: int, samples: Samples) -> bool:
        prompt = self._find_or_open(prompt_id)
        if prompt is None or not prompt.open:
            self.late += 1
            return False
        if len(samples):
            prompt.chunks.append(samples)
        self._changed()
        return True

    def close(self, prompt_id: int) -> None:
        prompt = self._find_or_open(prompt_id)
        if prompt is not None:
            prompt.open = False
            self._changed()

    def hold(self) -> None:
        if not self._held:
            self._held = True
            self._changed()

    def resume(self, back_ms: int = 0) -> None:
        if self._held:
            self._held = False
            if self._queue:
                prompt = self._queue[0]
                prompt.furthest = max(prompt.furthest, prompt.position)
                prompt.position = max(0, prompt.position - back_ms * SAMPLE_RATE // 1000)
            self._changed()

    def clear(self, through: int = -1) -> tuple[HeardPrompt, ...]:
        self._held = False
        dropped = []
        for prompt in self._queue:
            dropped.append(HeardPrompt(prompt.prompt_id, prompt.heard_ms))
            self._remember(prompt)
            through = max(through, prompt.prompt_id)
        self._queue.clear()
        self._cleared = max(self._cleared, through)
        self._changed()
        return tuple(dropped)

    def heard_ms(self, prompt_id: int) -> int:
        for prompt in self._queue:
            if prompt.prompt_id == prompt_id:
                return prompt.heard_ms
        return self._heard.get(prompt_id, 0)

    # --- for the line -----------------------------------------------------------------------------------

    def next_piece(self) -> Piece | None:
        """Return what to play now; None while held, while samples are awaited, and where there is nothing."""
        while self._queue and not self._held:
            prompt = self._queue[0]
            length = prompt.length
            if prompt.position < length:
                if not prompt.started:
                    prompt.started = True
                    self._began(prompt.prompt_id)
                    if not self._queue or self._queue[0] is not prompt:
                        continue  # whoever was told has cleared it
                samples = np.concatenate(prompt.chunks)
                if prompt.open and prompt.position:  # more has come since: it is a file of its own
                    return Piece(prompt.prompt_id, samples[prompt.position :], prompt.position, 0)
                return Piece(prompt.prompt_id, samples, 0, prompt.position)
            if prompt.open:
                self.underruns += prompt.started
                return None
            self._end(prompt)
        return None

    def wants(self, piece: Piece) -> bool:
        """Whether this piece should still be played."""
        return not self._held and bool(self._queue) and self._queue[0].prompt_id == piece.prompt_id

    def played(self, piece: Piece, samples: int) -> None:
        """Say how far in its samples a piece was heard."""
        prompt = next((each for each in self._queue if each.prompt_id == piece.prompt_id), None)
        reached = piece.start + min(samples, len(piece.samples))
        if prompt is not None:
            prompt.position = reached
            if prompt is self._queue[0] and not prompt.open and prompt.position >= prompt.length:
                self._end(prompt)
        elif piece.prompt_id in self._heard:
            heard = duration_ms(2 * reached, SAMPLE_RATE)
            self._heard[piece.prompt_id] = max(self._heard[piece.prompt_id], heard)

    def sound(self, piece: Piece | None, samples: int) -> None:
        """Say what is being heard just now, and from where in it: for those who listen in."""
        self._sounding = None if piece is None else (piece.samples, samples)

    def next_frame(self) -> bytes | None:
        """Return 20 ms of what the caller hears, where somebody listens in; None for silence."""
        if self._sounding is None:
            return None
        samples, at = self._sounding
        size = samples_per_frame(SAMPLE_RATE)
        self._sounding = (samples, at + size)
        return samples[at : at + size].tobytes().ljust(2 * size, b"\0")

    def _end(self, prompt: _Prompt) -> None:
        self._queue.popleft()
        self._remember(prompt)
        self._cleared = max(self._cleared, prompt.prompt_id)
        if not prompt.started:
            self._began(prompt.prompt_id)
        self._finished(prompt.prompt_id)

    def _find_or_open(self, prompt_id: int) -> _Prompt | None:
        if prompt_id <= self._cleared:
            return None
        for prompt in reversed(self._queue):
            if prompt.prompt_id == prompt_id:
                return prompt
        prompt = _Prompt(prompt_id, [])
        self._queue.append(prompt)
        return prompt

    def _remember(self, prompt: _Prompt) -> None:
        self._heard[prompt.prompt_id] = prompt.heard_ms
        if len(self._heard) > REMEMBERED_PROMPTS:
            del self._heard[next(iter(self._heard))]
