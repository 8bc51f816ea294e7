"""What a supervisor can do to a live call: say, correct, jump, hold, end, record, barge in, take over.

Everything here raises `UserError` with a remedy where it is not possible (no such call, step or slot; the
call is in no state for it), and is written into the call's record with who did it. Who may do it is the
caller's matter: the panel's roles.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterable
from typing import Literal, Protocol

import structlog

from voicebot.call.call import Call
from voicebot.call.control import Command, Correct, GiveTo, Jump, Repeat, Say
from voicebot.call.handle import CallHandle
from voicebot.call.record import HIDDEN
from voicebot.call.recording_control import RecordingAction
from voicebot.config import Config
from voicebot.dialog.running.interventions import Possible, SlotChoice, StepChoice
from voicebot.dialog.turns import Handover
from voicebot.errors import UserError
from voicebot.switchboard.departing import Departing
from voicebot.switchboard.supervisors.microphone import Microphone
from voicebot.switchboard.supervisors.modes import Mode, Presence
from voicebot.switchboard.supervisors.phone import PhoneVisit, Visit

__all__ = [
    "Microphone",
    "Mode",
    "Possible",
    "RecordingAction",
    "SlotChoice",
    "StepChoice",
    "Supervisors",
    "Visit",
]

EARLY_FAILURE_S = 0.3
"""A telephone that cannot be rung at all is known to be so by then."""

log = structlog.get_logger(__name__)


class Transfers(Protocol):
    """Who moves callers that are with people: the queues."""

    async def transfer(
        self, call_id: str, to: str, kind: Literal["blind", "attended"], by: str = ""
    ) -> None: ...


class Supervisors:
    """The hands of supervisors.

    calls:     all that live, however they came
    transfers: moves callers who are with people; None: nobody does
    """

    def __init__(
        self, calls: Callable[[], Iterable[Call]], transfers: Callable[[], Transfers | None] = lambda: None
    ) -> None:
        self._calls = calls
        self._transfers = transfers
        self._presences: dict[str, Presence] = {}
        self._visits: dict[str, PhoneVisit] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._departing = Departing()

    # --- the bot ----------------------------------------------------------------------------------------

    def may(self, call_id: str) -> Possible:
        """Return what the call's dialog can be told: steps to jump to, slots to correct. Raises UserError."""
        call = self._call(call_id)
        return call.mind.possible() if call.mind is not None else Possible()

    async def say(self, call_id: str, text: str, by: str) -> None:
        """Have the bot say a sentence in its own voice; then it asks its question again."""
        call = self._call(call_id)
        await self._ask(call, Say(text), by, "say", " ".join(text.split()))

    async def correct(self, call_id: str, slot: str, value: object, by: str) -> None:
        """Put a slot right, in words or as a value of its type (dates as ISO 8601); None: ask it again."""
        call = self._call(call_id)
        open_ = {choice.name for choice in self.may(call_id).slots if not choice.sensitive}
        shown = "unknown" if value is None else str(value)[:100] if slot in open_ else HIDDEN
        await self._ask(call, Correct(slot, value), by, "correct", f"{slot} = {shown}")

    async def jump(self, call_id: str, step: str, by: str) -> None:
        """Have the dialog go on at another step."""
        await self._ask(self._call(call_id), Jump(step), by, "jump", step)

    async def repeat(self, call_id: str, by: str) -> None:
        """Have the bot ask again."""
        await self._ask(self._call(call_id), Repeat(), by, "repeat", "")

    async def hold(self, call_id: str, by: str, words: str = "") -> None:
        """Let the bot fall silent and deaf, after `words`; it goes on by itself after five minutes."""
        call = self._call(call_id)
        await self._presence(call).hold(by, True, words)

    async def release(self, call_id: str, by: str) -> None:
        """Let it go on: it asks its question again."""
        call = self._call(call_id)
        await self._presence(call).hold(by, False)

    async def _ask(self, call: CallHandle, command: Command, by: str, what: str, detail: str) -> None:
        await call.ask(command)
        call.note(by, what, detail)

    # --- the call ---------------------------------------------------------------------------------------

    async def end(self, call_id: str, by: str) -> None:
        """Hang up."""
        call = self._call(call_id)
        call.note(by, "end")
        call.end("supervisor")

    async def recording(self, call_id: str, action: RecordingAction, by: str) -> None:
        """Start, pause, resume or stop the recording. What is sensitive is never in it."""
        call = self._call(call_id)
        if call.recording is None:
            raise UserError("this call cannot be recorded", "it begins just now: try again")
        if action not in ("start", "pause", "resume", "stop"):
            raise UserError(f"a recording cannot `{action}`", "one of: start, pause, resume, stop")
        call.recording.do(action)
        call.note(by, "recording", action)

    async def transfer(self, call_id: str, to: str, kind: Literal["blind", "attended"], by: str) -> None:
        """Give the caller to `queue:NAME`, `conference:NAME`, or an extension of [voicebot-handover]."""
        call = self._call(call_id)
        if call.mind is not None:
            if kind == "attended":
                raise UserError(
                    "a bot cannot announce a caller", "transfer blind; or take the call over first"
                )
            handover = _handover(call.stage.services.config, to)
            await self._ask(call, GiveTo(handover), by, "transfer", to)
            return
        transfers = self._transfers()
        if call.taken_over or transfers is None:
            raise UserError("nobody can give this caller on", "a bot or a person must have the call")
        await transfers.transfer(call_id, to, kind, by)
        call.note(by, "transfer", f"{to} ({kind})")

    # --- being there ------------------------------------------------------------------------------------

    async def microphone(self, call_id: str, mode: Mode, by: str) -> Microphone:
        """Speak by the browser: `barge`, `take_over`, or `whisper` to the person who has the call.

        Close it when the browser has gone: the bot goes on then; a call that was taken over ends.
        """
        microphone = Microphone(self._presence(self._call(call_id)), mode, by)
        await microphone.open()
        return microphone

    async def visit(self, call_id: str, mode: Mode, by: str, channel: str = "") -> Visit:
        """Ring a supervisor's telephone, and put them on the call in this mode once they answer.

        channel: one of [supervision.phones] or an agent's; empty: that of `by`
        """
        call = self._call(call_id)
        channel = _telephone(call.stage.services.config, by, channel)
        if not call.stage.leg.bridge_id:  # by the browser's microphone, by AGI
            raise UserError("this call is in no bridge of ours", "listen by the browser")
        if any(visit.view.call_id == call_id and visit.channel == channel for visit in self._visits.values()):
            raise UserError("this telephone is on the call already, or rings", "change its mode, or answer")
        presence = self._presence(call)
        presence.check(mode, by)
        visit = PhoneVisit(presence, mode, by, channel, self._departing)
        self._visits[visit.id] = visit
        task = asyncio.create_task(self._hold(visit, call), name=f"visit {visit.id}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        await asyncio.wait({task}, timeout=EARLY_FAILURE_S)
        if task.done() and visit.failure is not None:
            raise visit.failure
        return visit.view

    async def _hold(self, visit: PhoneVisit, call: CallHandle) -> None:
        try:
            await visit.run()
        except Exception:  # a mistake of ours costs this visit, and nothing else
            log.exception("visit failed", visit=visit.id)
        finally:
            self._visits.pop(visit.id, None)
            if visit.failure is not None:
                log.warning("visit over", visit=visit.id, by=visit.by, why=str(visit.failure))
                why = visit.failure.problems[0]
                call.live.visit_failed(visit.id, why.what, why.remedy)

    async def change(self, visit_id: str, mode: Mode) -> Visit:
        """Be there in another mode; so do the keys 1 to 4 of the telephone itself."""
        visit = self._visit(visit_id)
        await visit.change(mode)
        return visit.view

    async def leave(self, visit_id: str) -> None:
        """Hang up a supervisor's telephone."""
        self._visit(visit_id).leave()

    def visits(self, call_id: str | None = None) -> tuple[Visit, ...]:
        """Return who is on calls by telephone, or is being rung."""
        return tuple(v.view for v in self._visits.values() if call_id is None or v.view.call_id == call_id)

    async def quiet(self) -> None:
        """The gateway stops: who has taken a call over by telephone talks on without us, if unrecorded."""
        self._departing.begin()

    async def depart(self) -> None:
        """Draining is over: whoever speaks to a caller by telephone talks on without us; others leave."""
        await self._departing.finish()

    async def close(self) -> None:
        """The house closes: hang up all telephones."""
        for visit in tuple(self._visits.values()):
            visit.leave()
        if self._tasks:
            await asyncio.wait(self._tasks)

    # --- finding ----------------------------------------------------------------------------------------

    def _call(self, call_id: str) -> CallHandle:
        for call in self._calls():
            if call.id == call_id and call.handle.stands:
                return call.handle
        raise UserError(f"there is no live call {call_id}", "it may have ended: look at the live calls")

    def _visit(self, visit_id: str) -> PhoneVisit:
        if (visit := self._visits.get(visit_id)) is None:
            raise UserError(f"there is no visit {visit_id}", "it may be over: look who is on the call")
        return visit

    def _presence(self, call: CallHandle) -> Presence:
        presence = self._presences.get(call.id)
        if presence is None:
            presence = self._presences[call.id] = Presence(call)
            call.over.add_done_callback(lambda _: self._presences.pop(call.id, None))
        return presence


def _telephone(config: Config, by: str, channel: str) -> str:
    """Return which telephone to ring: nobody can have any number dialled."""
    phones = config.supervision.phones
    known = {*phones.values(), *(agent.channel for agent in config.agents.values())}
    channel = channel or phones.get(by, "")
    if not channel:
        raise UserError(f"no telephone of {by} is known", f'add `{by} = "PJSIP/..."` to [supervision.phones]')
    if channel not in known:
        raise UserError(f"{channel} is no telephone of ours", "add it to [supervision.phones]")
    return channel


def _handover(config: Config, to: str) -> Handover:
    kind, _, name = to.rpartition(":")
    if kind == "queue":
        if config.queues and name not in config.queues:
            raise UserError(f"there is no queue `{name}`", f"queues: {', '.join(config.queues)}")
        return Handover(name, queue=True)
    if kind == "conference":
        if name not in config.conferences:
            known = ", ".join(config.conferences) or "none"
            raise UserError(f"there is no conference `{name}`", f"conferences: {known}")
        return Handover(name, conference=True)
    if kind or not re.fullmatch(r"[A-Za-z0-9_+*#-]{1,64}", name):
        raise UserError(
            f"a caller cannot be given to `{to[:80]}`", "give queue:NAME, conference:NAME, or an extension"
        )
    return Handover(name)
