"""A live call in the hands of those outside it: supervisors, and the people who have the caller."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import structlog

from voicebot.call.calls_live import CallFeed
from voicebot.call.control import Command
from voicebot.call.conversation import Conversation
from voicebot.call.people import Company
from voicebot.call.record import CallRecord, InterventionRecord
from voicebot.call.recording import Recording
from voicebot.call.recording_control import RecordingControl
from voicebot.call.stage import Stage
from voicebot.dialog.running.interpreter import Interpreter
from voicebot.errors import UserError

log = structlog.get_logger(__name__)


class CallHandle:
    """One call, seen and led from outside.

    end:          ends the call, with a reason for its record
    stage:        its leg and media, once it was answered
    recording:    its recording; None before the answer
    conversation: the run of a dialog that has the caller; None: nobody has, or people
    over:         done as soon as nobody can be heard any more; what is left is to be undone
    on_company:   are told when somebody has the caller, or nobody any more, or the call has another bridge
    taken:        done when a supervisor takes the call over, with their name;  left_alone: when they leave
    """

    def __init__(self, record: CallRecord, end: Callable[[str], None]) -> None:
        loop = asyncio.get_running_loop()
        self.id = record.id
        self.record = record
        self.end = end
        self.stage: Stage
        self.recording: RecordingControl | None = None
        self.conversation: Conversation | None = None
        self.over: asyncio.Future[None] = loop.create_future()
        self.on_company: list[Callable[[], None]] = []
        self.taken: asyncio.Future[str] = loop.create_future()
        self.left_alone: asyncio.Future[None] = loop.create_future()
        self._company: Company | None = None
        self._keeping: set[asyncio.Task[None]] = set()

    def answered(self, stage: Stage, make: Callable[[], Recording], record: bool) -> RecordingControl:
        """The call was answered. Returns what records it, now if `record`; `make` makes its file."""
        self.stage = stage
        self.recording = RecordingControl(
            record=self.record,
            port=stage.port,
            live=stage.live,
            make=make,
            ms=self._ms,
            wanted=record,
            changed=self._keep_media,
        )
        stage.live.on_ears = self._keep_media
        return self.recording

    def _ms(self) -> int:
        return self.stage.scribe.ms(self.stage.clock())

    @property
    def live(self) -> CallFeed:
        """What tells others of the call."""
        return self.stage.live

    @property
    def stands(self) -> bool:
        """Whether it was answered, and is not over."""
        return self.recording is not None and not self.over.done()

    @property
    def mind(self) -> Interpreter | None:
        """The dialog that talks to the caller; None: nobody, or people."""
        return self.conversation.interpreter if self.conversation is not None else None

    async def ask(self, command: Command) -> None:
        """Have the running dialog do something. Raises UserError where that is not possible."""
        if self.conversation is None:
            raise UserError("no bot has this call now", "say or do it yourself: barge in")
        await self.conversation.ask(command)

    def note(self, by: str, what: str, detail: str = "") -> None:
        """Write into the record what was done from outside, and tell those who watch."""
        done = InterventionRecord(at_ms=self._ms(), by=by, what=what, detail=detail)
        self.record.interventions.append(done)
        log.info("intervention", call=self.id, by=by, what=what)
        self.live.intervention(done)

    # --- taken over -------------------------------------------------------------------------------------

    @property
    def taken_over(self) -> bool:
        """Whether a supervisor has the caller, and no dialog any more."""
        return self.taken.done()

    @property
    def taken_by(self) -> str:
        """Who has taken the call over, "" for nobody."""
        return self.taken.result() if self.taken.done() else ""

    def take_over(self, by: str) -> None:
        """End the dialog, or the stay with people of ours; the call goes on until hangup or `leave_alone`."""
        if not self.taken.done():
            self.taken.set_result(by)

    def leave_alone(self) -> None:
        """Whoever took the call over has gone."""
        if not self.left_alone.done():
            self.left_alone.set_result(None)

    # --- people -----------------------------------------------------------------------------------------

    @property
    def company(self) -> Company | None:
        """The person who has the caller; None: nobody, or a bot."""
        return self._company

    @company.setter
    def company(self, company: Company | None) -> None:
        self._company = company
        self._keep_media()
        self._tell_company()

    def media_replaced(self) -> None:
        """The call's media, or its bridge, were lost and made anew: who was in it has to come again."""
        self._tell_company()

    def _tell_company(self) -> None:
        for told in tuple(self.on_company):
            told()

    def _keep_media(self) -> None:
        """Keep our media with the caller and the person who has them, while anybody needs it."""
        if self._company is not None:
            wanted = self.live.listened_to or (self.recording is not None and self.recording.state == "on")
            keeping = asyncio.create_task(self._company.keep("call", wanted), name="keeping media")
            self._keeping.add(keeping)
            keeping.add_done_callback(self._keeping.discard)
