"""Writes down one call's conversation, turn by turn, as the call goes on."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import structlog

from voicebot.call.calls_live import CallFeed
from voicebot.call.hearing import SpeechSpan
from voicebot.call.record import (
    HIDDEN,
    BotTurnRecord,
    CallerTurnRecord,
    CallRecord,
    InterruptedBy,
    TurnRecord,
)
from voicebot.call.speaking import Spoken
from voicebot.call.work_record import work_record
from voicebot.dialog.turns import (
    CallerInput,
    HungUp,
    Keys,
    Listen,
    Silence,
    SpokenAudio,
    SpokenText,
    Understood,
    Unheard,
    Utterance,
    Work,
    WorkResult,
)

log = structlog.get_logger(__name__)

Observer = Callable[[CallRecord, TurnRecord], None]
"""Is told every turn once it is complete."""


class Scribe:
    """Keeps `record.turns`. All times given are seconds of the event loop's clock."""

    def __init__(
        self,
        record: CallRecord,
        answered_at: float,
        observer: Observer | None = None,
        live: CallFeed | None = None,
    ) -> None:
        self.record = record
        self._answered_at = answered_at
        self._observer = observer
        self._live = live
        self._bot: BotTurnRecord | None = None
        self._caller_done_at: float | None = None
        self._first_key_at: float | None = None
        self._last_key_at = 0.0
        self._silent_at: float | None = None
        self._pause_ms: int | None = None

    def ms(self, at: float) -> int:
        """Return milliseconds since the answer."""
        return round((at - self._answered_at) * 1000)

    # --- the bot ----------------------------------------------------------------------------------------

    def bot_begins(self, step: str, prompts: Sequence[Spoken]) -> None:
        self._bot = BotTurnRecord(step=step, text=_shown(prompts))
        self._first_key_at = None

    def bot_adds(self, step: str, prompts: Sequence[Spoken]) -> None:
        """The bot goes on speaking."""
        if self._bot is None:
            self.bot_begins(step, prompts)
        elif text := _shown(prompts):
            self._bot.step = step
            self._bot.text = f"{self._bot.text} {text}".strip()

    def bot_audible(self, at: float) -> None:
        if self._bot is not None and self._bot.start_ms is None:
            self._bot.start_ms = self.ms(at)
            if self._caller_done_at is not None:
                self._bot.latency_ms = round((at - self._caller_done_at) * 1000)
                self._bot.pause_ms = self._pause_ms
                self._caller_done_at = None

    def bot_held(self, at: float) -> None:
        """The prompt went silent; for good, if it is not resumed."""
        self._silent_at = at

    def bot_resumed(self) -> None:
        """The sound that held the prompt was nothing."""
        self._silent_at = None
        if self._bot is not None:
            self._bot.held += 1

    def bot_ends(
        self,
        at: float,
        *,
        heard: str | None = None,
        interrupted_by: InterruptedBy | None = None,
    ) -> None:
        """The prompts are over; `heard` is what was heard of them, None for all."""
        if self._bot is None:
            return
        bot, self._bot = self._bot, None
        hidden = HIDDEN in bot.text
        bot.heard = bot.text if heard is None or hidden else heard
        silent_at, self._silent_at = self._silent_at, None
        bot.end_ms = self.ms(silent_at or at) if bot.start_ms is not None else None
        bot.interrupted_by = interrupted_by
        if bot.text:
            self._add(bot)

    # --- the caller -------------------------------------------------------------------------------------

    def key(self, at: float) -> None:
        if self._first_key_at is None:
            self._first_key_at = at
        self._last_key_at = at

    def caller(
        self,
        given: CallerInput,
        listen: Listen,
        understood: Understood | None,
        span: SpeechSpan,
        now: float,
    ) -> None:
        """Write down what the caller did, what was listened for, and how the dialog took it."""
        if isinstance(given, HungUp):
            return
        turn = CallerTurnRecord(kind=_KINDS[type(given)], step=listen.step)
        if isinstance(given, Utterance):
            transcript = given.transcript
            turn.text, turn.confidence, turn.engine = (
                transcript.text,
                transcript.confidence,
                transcript.engine,
            )
            turn.recognition_ms = round(transcript.took_ms, 1)
        elif isinstance(given, Keys):
            turn.text = given.digits
        elif isinstance(given, Unheard):
            turn.text = ""
        if isinstance(given, Utterance | Unheard):
            turn.start_ms, turn.end_ms = self.ms(span.began_at), self.ms(span.ended_at)
            self._caller_done_at, self._pause_ms = span.ended_at, listen.pause_ms
        elif isinstance(given, Keys) and self._first_key_at is not None:
            turn.start_ms, turn.end_ms = self.ms(self._first_key_at), self.ms(self._last_key_at)
            self._caller_done_at, self._pause_ms = self._last_key_at, None
        else:
            self._caller_done_at, self._pause_ms = None, None
        if understood is not None:
            turn.understood, turn.meaning = understood.kind, understood.meaning
            if understood.sensitive:
                turn.meaning = HIDDEN if turn.meaning else ""
        if listen.sensitive or (understood is not None and understood.sensitive):
            turn.text = HIDDEN if turn.text else ""
        self._add(turn)

    def work(
        self, work: Work, result: WorkResult, understood: Understood | None, began_at: float, now: float
    ) -> None:
        """Write down what was done for the caller, and how it went."""
        self.record.work.append(work_record(work, result, understood, self.ms(began_at), self.ms(now)))

    def noise(self) -> None:
        """A sound of the caller's was taken for noise."""
        self.record.noises += 1
        if self._live is not None:
            self._live.words("", 0.0)

    def fault(self, what: str) -> None:
        self.record.faults.append(what)
        if self._live is not None:
            self._live.fault(what)

    def _add(self, turn: TurnRecord) -> None:
        self.record.turns.append(turn)
        if self._live is not None:
            self._live.turn(turn)
        if self._observer is None:
            return
        try:
            self._observer(self.record, turn)
        except Exception as error:  # an observer looks on: what fails there is no matter of the call's
            log.warning("observer failed", error=repr(error))
            self._observer = None


def _shown(prompts: Sequence[Spoken]) -> str:
    return " ".join(shown(spoken) for spoken in prompts if spoken.text)


def shown(spoken: Spoken) -> str:
    """Return what may be seen of a prompt."""
    hidden = isinstance(spoken.prompt, SpokenText | SpokenAudio) and spoken.prompt.sensitive
    return HIDDEN if hidden and spoken.text else spoken.text


_KINDS = {Utterance: "speech", Keys: "dtmf", Silence: "silence", Unheard: "unheard"}
