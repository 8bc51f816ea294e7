"""One call of the scripted caller, from the caller's chair: say, press, listen, hang up."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from voicebot.errors import CallEnded
from voicebot.softphone import recording
from voicebot.softphone.hearing import BotSpeech
from voicebot.softphone.line import Line, ReceivedFrame, SentFrame
from voicebot.softphone.mouth import Mouth, Saying, speech
from voicebot.softphone.sdp import Media
from voicebot.softphone.uac import Answered, CallFailed, Ended, Event, MediaMoved, Ringing
from voicebot.softphone.video import Picture

HANGUP_GRACE_S = 2.0
"""How long we wait for the answer to our BYE or CANCEL; the call is over for us either way."""


class SoftphoneCall:
    """A call that `Softphone.dial` placed. All times are `time.monotonic()` seconds.

    dialled_at, rang_at, answered_at: when the INVITE left, the first 18x came, the 200 came (None: not yet)
    ended:  a future with the `Ended` of the call
    picture: what is sent and received of pictures, None where none are
    """

    def __init__(
        self, number: str, host: str, hang_up: Callable[[], None], picture: Picture | None = None
    ) -> None:
        self.number = number
        self.dialled_at = time.monotonic()
        self.rang_at: float | None = None
        self.answered_at: float | None = None
        self.ended_at: float | None = None
        self.ended: asyncio.Future[Ended] = asyncio.get_running_loop().create_future()
        self.line = Line(host, self._look)
        self.picture = picture
        self._hang_up = hang_up
        self._waits: list[tuple[Callable[[float], bool], asyncio.Future[float]]] = []

    # --- what was heard and sent ------------------------------------------------------------------------

    @property
    def bot_speech(self) -> BotSpeech:
        """The bot's audible segments so far."""
        return self.line.bot_speech

    @property
    def received(self) -> Sequence[ReceivedFrame]:
        return self.line.received

    @property
    def sent(self) -> Sequence[SentFrame]:
        return self.line.sent

    @property
    def keys_received(self) -> str:
        """Keys that the far side pressed."""
        return self.line.keys_received

    # --- what a caller does -----------------------------------------------------------------------------

    async def say(self, audio: bytes | Path) -> Saying:
        """Speak mu-law samples or a wav file in real time; return when the last frame has left.

        The result tells when the first frame, the first and last audible frames, and the last frame left.
        Cancelling it stops speaking at once. Raises CallEnded when the call ends meanwhile, ValueError where
        the audio is silent, UserError for a file that cannot be read.
        """
        saying = speech(recording.read_ulaw(audio) if isinstance(audio, Path) else audio)
        mouth = self._mouth
        mouth.say(saying)
        try:
            await self._until(lambda _: saying.ended_at is not None)
        except asyncio.CancelledError:
            mouth.hush(saying)
            raise
        return saying

    async def press(self, keys: str) -> float:
        """Press keys one after the other (RFC 4733); return when the last one was released.

        Raises CallEnded when the call ends meanwhile, ValueError for what is no key.
        """
        pressing = self._mouth.press(keys)
        return await self._until(lambda _: pressing.ended_at is not None)

    async def hang_up(self) -> Ended:
        """End the call, and return how it ended."""
        self._hang_up()
        try:
            async with asyncio.timeout(HANGUP_GRACE_S):
                return await asyncio.shield(self.ended)
        except TimeoutError:
            self.finish(Ended("us", reason="the far side did not confirm"))
            return self.ended.result()

    async def bot_speaks(self, timeout: float, since: float | None = None) -> float:
        """Wait until the bot begins a segment after `since` (default: now); return when it began.

        Raises TimeoutError after `timeout` seconds, CallEnded when the call ends first.
        """
        after = time.monotonic() if since is None else since
        await self._until(lambda _: self.bot_speech.first_audible(after) is not None, timeout)
        began = self.bot_speech.first_audible(after)
        assert began is not None
        return began

    async def bot_quiet(self, ms: float, timeout: float) -> float:
        """Wait until nothing was heard of the bot for `ms`; return when its last audible packet came.

        Before the bot's first word the call's beginning counts. Raises TimeoutError and CallEnded.
        """
        began = time.monotonic() if self.answered_at is None else self.answered_at

        def quiet(now: float) -> bool:
            return min(self.bot_speech.quiet_ms(now), (now - began) * 1000) >= ms

        await self._until(quiet, timeout)
        return self.bot_speech.last_audible() or began

    async def until_bot_has_spoken(self, ms: float, timeout: float) -> None:
        """Wait until the bot is in the middle of a segment that began `ms` ago. Raises as `bot_quiet`."""

        def in_flow(now: float) -> bool:
            segments = self.bot_speech.segments
            return self.bot_speech.speaking(now) and (now - segments[-1].start) * 1000 >= ms

        await self._until(in_flow, timeout)

    async def keyed(self, count: int, timeout: float) -> str:
        """Wait until the far side has pressed `count` keys in all. Raises TimeoutError, CallEnded."""
        await self._until(lambda _: len(self.keys_received) >= count, timeout)
        return self.keys_received

    async def over(self, timeout: float) -> Ended:
        """Wait until the call has ended, by whomever. Raises TimeoutError."""
        async with asyncio.timeout(timeout):
            return await asyncio.shield(self.ended)

    async def pause(self, seconds: float) -> None:
        """Stay silent for so long. Raises CallEnded when the call ends meanwhile."""
        until = time.monotonic() + seconds
        await self._until(lambda now: now >= until)

    def save_recording(self, path: Path) -> None:
        """Write both directions as a stereo wav, aligned in time: caller left, bot right."""
        recording.write_stereo(path, self.line.sent, self.line.received)

    # --- what the phone calls ---------------------------------------------------------------------------

    def tick(self, deadline: float) -> None:
        """Let 20 ms pass: send a frame, and look whether somebody's wait is over."""
        self.line.tick(deadline)
        if self.picture is not None:
            self.picture.tick()
        self._look()

    def handle(self, event: Event) -> None:
        """Take an event of the signalling."""
        now = time.monotonic()
        match event:
            case Ringing(media=media):
                self.rang_at = self.rang_at or now
                self._connect(media)
            case Answered(media=media):
                self.answered_at = now
                self._connect(media)
            case MediaMoved(media=media):
                self._connect(media)
            case Ended():
                self.finish(event)
        self._look()

    def finish(self, ended: Ended) -> None:
        """Close the line and wake everybody who waits. Idempotent."""
        if self.ended.done():
            return
        self.ended_at = time.monotonic()
        self.ended.set_result(ended)
        self.line.close()
        if self.picture is not None:
            self.picture.close()
        self._look()

    async def answered(self, timeout: float) -> None:
        """Wait for the answer. Raises CallFailed, TimeoutError."""
        try:
            await self._until(lambda _: self.answered_at is not None, timeout)
        except CallEnded as over:
            raise CallFailed(self.ended.result()) from over

    # --- parts ------------------------------------------------------------------------------------------

    @property
    def _mouth(self) -> Mouth:
        if self.ended.done():
            ended = self.ended.result()
            raise CallEnded(ended.by, ended.cause)
        if self.line.mouth is None:
            raise RuntimeError("the call has no audio yet")
        return self.line.mouth

    def _connect(self, media: Media | None) -> None:
        if media is not None:
            self.line.connect(media)
            if self.picture is not None:
                self.picture.connect(media.video)

    def _look(self) -> None:
        """Finish the waits that are over: on every packet, every tick, and every event."""
        if not self._waits:
            return
        now = time.monotonic()
        waiting, self._waits = self._waits, []
        for over, future in waiting:
            if future.done():
                continue
            if over(now):
                future.set_result(now)
            elif self.ended.done():
                ended = self.ended.result()
                future.set_exception(CallEnded(ended.by, ended.cause))
            else:
                self._waits.append((over, future))

    async def _until(self, over: Callable[[float], bool], timeout: float | None = None) -> float:
        future: asyncio.Future[float] = asyncio.get_running_loop().create_future()
        self._waits.append((over, future))
        self._look()
        async with asyncio.timeout(timeout):
            return await future
