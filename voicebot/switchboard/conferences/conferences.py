"""All conferences of this gateway, for dialogs that hand callers over, and for those who look after them.

    conferences = Conferences(config, services, hub, dialog_of=..., phonebook=...)
    taker = ConferenceTaker(conferences)         # asked by `People`
    conferences.rooms(); await conferences.mute("weekly", participant_id)

What concerns a room that is empty, or a participant who is not there, is refused with `UserError`. Every
change is published as news of topic `conference`, id = the room's name: `changed {room}`, `talking
{participant, talking}`, `not_reached {who, by, what, remedy}` of who was invited in vain and, when a
conference is over, `ended {recordings}`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import structlog

from voicebot.ari.events import Event
from voicebot.call.live import Hub
from voicebot.call.people import Presenter
from voicebot.call.services import Services
from voicebot.conference.participant import Participant
from voicebot.conference.room import Commands, NotThere, Refused
from voicebot.config import ConferenceConfig, Config, Route
from voicebot.dialog.model.dialog import Dialog
from voicebot.dialog.turns import Handover
from voicebot.errors import UserError
from voicebot.switchboard.conferences.bot import RoomBot
from voicebot.switchboard.conferences.callers import route_of, serve
from voicebot.switchboard.conferences.invited import Invitation
from voicebot.switchboard.conferences.phonebook import KnownPhones, Phonebook
from voicebot.switchboard.conferences.room import BOT, LiveRoom
from voicebot.switchboard.conferences.views import InvitationView, RoomView, empty_view, view_of

LONGEST_ANNOUNCEMENT = 500
"""Characters."""

log = structlog.get_logger(__name__)


class Conferences:
    """Every configured room, and who is in it.

    services:  the process as a call on a route sees it; only once Asterisk and engines are there
    dialog_of: finds the dialog that shall sit in a room, with its route; raises UserError
    phonebook: who may be invited; agents and supervisors of the configuration where nothing is given
    """

    def __init__(
        self,
        config: Config,
        services: Callable[[Route], Services],
        hub: Hub,
        *,
        dialog_of: Callable[[str], Awaitable[tuple[Route, Dialog]]] | None = None,
        phonebook: Phonebook | None = None,
    ) -> None:
        self._config = config
        self._services = services
        self._hub = hub
        self._dialog_of = dialog_of
        self._phonebook = phonebook or KnownPhones(config)
        self._live: dict[str, LiveRoom] = {}
        self._bots: dict[LiveRoom, tuple[RoomBot, asyncio.Task[None]]] = {}
        self._invitations: dict[str, dict[str, Invitation]] = {}
        self._tasks: set[asyncio.Task[Any]] = set()

    # --- how things stand -------------------------------------------------------------------------------

    def rooms(self) -> tuple[RoomView, ...]:
        """Return all configured conferences, also those that nobody is in."""
        return tuple(self._view(name) for name in self._config.conferences)

    def configured(self, name: str) -> ConferenceConfig:
        """Return a room's settings. Raises UserError for a name that is not configured."""
        try:
            return self._config.conferences[name]
        except KeyError:
            known = ", ".join(self._config.conferences) or "none"
            raise UserError(
                f"there is no conference {name}", f"known are: {known}; add [conferences.{name}]"
            ) from None

    def live(self, name: str) -> LiveRoom | None:
        """Return the room if somebody is in it."""
        room = self._live.get(name)
        return room if room is not None and not room.room.over else None

    def _view(self, name: str) -> RoomView:
        ringing = self._invitations.get(name, {}).values()
        invitations: tuple[InvitationView, ...] = tuple(each.view for each in ringing if each.rings)
        room = self.live(name)
        if room is None:
            return empty_view(name, self._config.conferences[name], invitations)
        bot = self._bots.get(room)
        return view_of(room, bot[0].dialog if bot is not None else "", invitations)

    # --- what can be done -------------------------------------------------------------------------------

    async def mute(self, room: str, participant: str) -> None:
        if participant == BOT:
            raise UserError("the bot of a conference cannot be muted", "remove it, and add it again later")
        self._with(room, participant, lambda live: live.room.mute(participant))

    async def unmute(self, room: str, participant: str) -> None:
        self._with(room, participant, lambda live: live.room.unmute(participant))

    async def mute_all(self, room: str) -> None:
        """Mute all guests, and those to come; hosts go on speaking."""
        live = self._need(room)
        live.do(live.room.mute_all())

    async def unmute_all(self, room: str) -> None:
        live = self._need(room)
        live.do(live.room.unmute_all())

    async def kick(self, room: str, participant: str) -> None:
        """Show a participant the door; a caller is told."""
        if participant == BOT:
            await self.remove_bot(room)
            return
        self._with(room, participant, lambda live: live.room.kick(participant))

    async def lock(self, room: str) -> None:
        """Let no more guests in."""
        live = self._need(room)
        live.do(live.room.lock())

    async def unlock(self, room: str) -> None:
        live = self._need(room)
        live.do(live.room.lock(False))

    async def announce(self, room: str, text: str) -> None:
        """Let all hear these words, in the voice of the room."""
        words = "".join(c for c in " ".join(text.split()) if c.isprintable())
        if not words or len(words) > LONGEST_ANNOUNCEMENT:
            raise UserError(
                f"an announcement has 1 to {LONGEST_ANNOUNCEMENT} characters, not {len(words)}",
                "say it in some sentences",
            )
        self._need(room).say(words)

    async def record(self, room: str, on: bool) -> None:
        """Begin or end to record; all are told."""
        live = self._need(room)
        live.do(live.room.record(on))

    async def invite(self, room: str, channel_or_number: str, by: str, host: bool = False) -> str:
        """Ring a telephone; who answers is in, also where nobody else is. Returns the invitation's id."""
        self.configured(room)
        phone = self._phonebook.telephone(channel_or_number)
        if any(each.channel == phone.channel for each in self._invitations.get(room, {}).values()):
            raise UserError(f"{channel_or_number} was invited already", "wait: it rings, or has joined")
        services = self._services(route_of(self._config))

        def sit(who: Participant) -> LiveRoom:
            route = route_of(self._config)
            live = self.open(room, services, route, route.language)
            live.sit(who, who.id)
            return live

        shown = self.configured(room).title or room
        invitation = Invitation(services, phone, channel_or_number, by, host, shown, sit, self.notice)
        self._invitations.setdefault(room, {})[invitation.id] = invitation
        try:
            await invitation.ring()
        except BaseException:
            self._invitations[room].pop(invitation.id)
            raise
        self._publish(room)
        self._spawn(self._attend(room, invitation))
        return invitation.id

    async def _attend(self, room: str, invitation: Invitation) -> None:
        try:
            await invitation.attend()
        finally:
            self._invitations[room].pop(invitation.id)
            self._publish(room)
            if (failure := invitation.failure) is not None:
                why = failure.problems[0]
                data = {"who": invitation.view.who, "by": invitation.view.by, "what": why.what}
                self._hub.publish("conference", "not_reached", room, {**data, "remedy": why.remedy})

    async def add_bot(self, room: str, dialog: str) -> None:
        """Let a dialog sit in the room: it hears all, and answers what its present step expects."""
        live = self._need(room)
        if live in self._bots:
            raise UserError(f"there is a bot in {room} already", "remove it first")
        if self._dialog_of is None:
            raise UserError("no dialogs are in service here", "start the gateway with a route")
        route, found = await self._dialog_of(dialog)
        live = self._need(room)
        if live in self._bots:
            raise UserError(f"there is a bot in {room} already", "remove it first")
        bot = RoomBot(live, route, found, self._services(route))
        try:
            seat = live.sit(Participant(BOT, name=found.name, bot=True))
        except Refused as refused:
            raise UserError(f"the conference {room} is {refused.why}", "look how it stands") from refused
        task = self._spawn(bot.run())
        self._bots[live] = (bot, task)
        task.add_done_callback(lambda _: self._bot_gone(live))  # also one that never began
        seat.over.add_done_callback(lambda _: task.cancel())
        self._publish(room)

    def _bot_gone(self, live: LiveRoom) -> None:
        self._bots.pop(live, None)
        live.leave(BOT)

    async def remove_bot(self, room: str) -> None:
        """Send the bot away; what it learnt is in its record."""
        live = self._need(room)
        hosted = self._bots.get(live)
        if hosted is None:
            raise UserError(f"there is no bot in {room}", "add one with a dialog")
        hosted[1].cancel()
        await asyncio.wait({hosted[1]})

    async def end(self, room: str) -> None:
        """End the conference; callers are told."""
        live = self._need(room)
        live.do(live.room.end())

    async def quiet(self) -> None:
        """Return once nobody is in a conference: telephones that were invited are no calls of the gateway."""
        while self._live:
            await next(iter(self._live.values())).closed.wait()

    async def close(self) -> None:
        """End all conferences, and leave nothing of them. Due before the link to Asterisk ends."""
        for live in tuple(self._live.values()):
            await live.close()
        for task in self._tasks:
            if not task.cancelling():  # bots were told already, and write their records
                task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)

    # --- for participants -------------------------------------------------------------------------------

    def open(self, name: str, services: Services, route: Route, language: str) -> LiveRoom:
        """Return the room, made anew if nobody is in it. Raises UserError where that cannot be."""
        live = self.live(name)
        if live is None:
            config = self.configured(name)
            live = LiveRoom(name, config, services, route, language or "en-US", self._changed)
            self._live[name] = live
        return live

    def notice(self, room: LiveRoom, participant: str, event: Event) -> None:
        """Take an event of a participant's channel."""
        if room.notice(participant, event) and participant in room.room:
            talking = room.room.of(participant).talking
            data = {"participant": participant, "talking": talking}
            self._hub.publish("conference", "talking", room.name, data)

    # --- parts ------------------------------------------------------------------------------------------

    def _need(self, name: str) -> LiveRoom:
        self.configured(name)
        live = self.live(name)
        if live is None:
            raise UserError(f"nobody is in the conference {name}", "wait until somebody has joined")
        return live

    def _with(self, name: str, participant: str, change: Callable[[LiveRoom], Commands]) -> None:
        live = self._need(name)
        try:
            live.do(change(live))
        except NotThere as error:
            raise UserError(
                f"{participant} is not in the conference {name}", "they may have left: look who is there"
            ) from error

    def _changed(self, live: LiveRoom) -> None:
        if live.closed.is_set():
            if self._live.get(live.name) is live:
                del self._live[live.name]
            data = {"recordings": list(live.recordings)}
            self._hub.publish("conference", "ended", live.name, data)
        self._publish(live.name)

    def _publish(self, name: str) -> None:
        if self._hub.wants("conference", "changed"):
            self._hub.publish("conference", "changed", name, {"room": self._view(name).as_dict()})

    def _spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)
        return task

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("conference task failed", error=repr(error))


class ConferenceTaker:
    """What `People` asks: whether a hand-over is to a conference of ours, and to see to the caller then."""

    def __init__(self, conferences: Conferences) -> None:
        self._conferences = conferences

    def takes(self, handover: Handover) -> bool:
        if not handover.conference:
            return False
        try:
            self._conferences.configured(handover.destination)
        except UserError as error:
            log.warning("a dialog wants an unknown conference", why=str(error))
            return False
        return True

    async def serve(self, presenter: Presenter, handover: Handover) -> Handover | None:
        """Let the caller take part. Returns None when they come back: their call is over then."""
        await serve(self._conferences, presenter, handover)
        return None
