"""Asterisk as a whole, watched over its manager interface: who is connected to whom, and what is stuck.

    async with PbxWatch(config, hub, held=ari.held) as pbx:
        pbx.state().channels
        await pbx.dial("PJSIP/anna", "+12025550142", by="anna")

docs/pbx-watch.md tells what it sees and does. News of topic `pbx`, all with the id `asterisk`:

changed   what is new since the last news, at most every PUBLISH_S: see `PbxTracker.take_changes`
link      {connected, since_at, trouble}; after `connected` and after a gap `changed` tells the differences
warnings  {warnings: [...]}, all of them, when they are others than before
hung_up   {channel, why}: a leg of ours that nobody held
dialled   {id, channel, number, by, answered}: whether the telephone of a click-to-dial was answered
"""

from __future__ import annotations

import asyncio
import re
import secrets
import time
from collections.abc import Callable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from types import TracebackType
from typing import Literal, Self

import structlog

from voicebot.ami.actions import Action, Hangup, Originate
from voicebot.ami.events import Missed, OriginateResponse
from voicebot.ami.pbx_actions import (
    BridgeDestroy,
    CoreSettings,
    CoreStatus,
    MixMonitor,
    MixMonitorMute,
    QueuePause,
    StopMixMonitor,
)
from voicebot.call.live import Hub
from voicebot.config import Config
from voicebot.errors import PbxError, Problem, UserError
from voicebot.pbx.ami_client import AmiClient
from voicebot.pbx.ami_subscription import Subscription
from voicebot.pbx.link import Link
from voicebot.supervision.state import PbxChannel, PbxState, Stuck, plain
from voicebot.supervision.tracker import PbxTracker
from voicebot.supervision.watchdog import Limits, WatchDog
from voicebot.switchboard.watch.dialling import ClickRules
from voicebot.switchboard.watch.lists import LISTS, PHONES, lists_to_renew

PUBLISH_S = 0.2
LOOK_S = 1.0
"""How often the watch-dog looks."""
RELIST_S = 30.0
"""How often all is listed anew: no event tells applications, or that a bridge was left empty."""
PHONES_S = 3.0
"""Shortest time between two lists of telephones, when many register at once."""
AT_ONCE = 50
"""Events taken before others get their turn."""
RING_MS = 30_000
EARLY_FAILURE_S = 0.3
"""A telephone that cannot be rung at all is known to be so by then."""
TRY_AGAIN_S = 10.0
"""Before a leg that would not end is hung up again."""
CLICK_CAUSE = 16
ID = "asterisk"

log = structlog.get_logger(__name__)

Monitoring = Literal["start", "stop", "pause", "resume"]


@dataclass(frozen=True, slots=True)
class _Click:
    """A call that somebody places by their telephone; `answered`: whether that telephone was."""

    channel: str
    number: str
    by: str
    answered: asyncio.Future[bool]


class PbxWatch:
    """Live state of one Asterisk, and what a supervisor does to it; an async context manager.

    Entering never fails for Asterisk's sake: it is tried again and again. Without `supervision.ami_user` the
    watch sees nothing, and whatever it is asked to do raises a UserError that says so.

    held:    ids of the channels and bridges that calls, agents' offers and the like hold now
    clock:   seconds of the epoch
    limits:  of the watch-dog; None: those of the configuration
    """

    def __init__(
        self,
        config: Config,
        hub: Hub,
        held: Callable[[], AbstractSet[str]],
        *,
        clock: Callable[[], float] = time.time,
        limits: Limits | None = None,
        look_s: float = LOOK_S,
    ) -> None:
        settings = self._settings = config.supervision
        self._asterisk = config.asterisk
        self._caller = config.dialling.caller
        self._hub, self._held, self._clock, self._look_s = hub, held, clock, look_s
        self._rules = ClickRules(config)
        self._dog = WatchDog(limits or Limits(settings.stuck_after_s, settings.unowned_after_s))
        self._tracker = PbxTracker(self._asterisk.app)
        self._ami: AmiClient | None = None
        self._events: Subscription | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._warnings: tuple[Stuck, ...] = ()
        self._connected = False
        self._since_at = clock()
        self._trouble = "" if settings.ami_user else "there is no user for supervision in voicebot.toml"
        self._version, self._started_at = "", 0.0
        self._listed_at, self._phones_at = float("-inf"), float("-inf")
        self._tried: dict[str, float] = {}
        self._clicks: dict[str, _Click] = {}

    async def __aenter__(self) -> Self:
        if not self._settings.ami_user:
            return self
        asterisk = self._asterisk
        self._ami = AmiClient(
            asterisk.ami_host,
            asterisk.ami_port,
            self._settings.ami_user,
            self._settings.ami_password.get_secret_value(),
            on_link=self._linked,
            patient=True,
            lists=LISTS,
        )
        self._events = self._ami.subscribe()
        await self._ami.__aenter__()
        self._list()
        for work in (self._follow(self._events), self._publish(), self._watch()):
            self._start(work)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        tasks = tuple(self._tasks)
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)
        if self._ami is not None:
            await self._ami.__aexit__(kind, error, trace)
            self._ami = None

    # --- looking ----------------------------------------------------------------------------------------

    def state(self) -> PbxState:
        """Return how the PBX looks now."""
        tracker = self._tracker
        channels, bridges = tracker.channels, tracker.bridges
        there = {each.id for each in channels} | {each.id for each in bridges}
        return PbxState(
            configured=bool(self._settings.ami_user),
            connected=self._connected,
            since_at=self._since_at,
            trouble=self._trouble,
            version=self._version,
            started_at=self._started_at,
            events=tracker.events,
            channels=channels,
            bridges=bridges,
            endpoints=tracker.endpoints,
            queues=tracker.queues,
            registrations=tracker.registrations,
            warnings=tuple(each for each in self._warnings if each.id in there),
            hidden=tracker.hidden,
        )

    def presence(self, channel: str) -> str:
        """Return the state of a telephone (`PJSIP/anna`) as an Endpoint has it.

        `unknown` where nothing is known of it, and as long as there is no connection to Asterisk.
        """
        return self._tracker.presence(channel) if self._connected else "unknown"

    # --- doing: all raise UserError with a remedy -------------------------------------------------------

    async def dial(self, channel: str, number: str, by: str) -> str:
        """Ring `channel` (`PJSIP/anna`), and when it is answered call `number`. Returns the leg's id.

        The telephone must be an agent's or a supervisor's, the number one that may be dialled. Whether it was
        answered later than EARLY_FAILURE_S is told by the news `dialled`.
        """
        self._rules.check_phone(channel)
        self._rules.check_number(number)
        if self.presence(channel) == "unavailable":
            remedy = "switch the telephone on, or let it register with Asterisk"
            raise UserError(f"the telephone was not reached: {channel} is not registered", remedy)
        self._client()  # before it counts
        self._rules.count(by, self._clock())
        id_ = f"click-{secrets.token_hex(16)}"
        variables = {"VOICEBOT_CALLER": self._caller} if self._caller else {}
        caller = number if re.fullmatch(r"\+?[0-9]{3,15}", number) else ""
        action = Originate(
            channel,
            self._settings.dial_context,
            number,
            timeout_ms=RING_MS,
            caller_number=caller,
            caller_name=f"Call {number}",
            variables=variables,
            ids=(id_, f"{id_}-2"),
        )
        click = self._clicks[id_] = _Click(channel, number, by, asyncio.get_running_loop().create_future())
        try:
            await self._do(action, "originate", action_id=id_)
        except BaseException:
            del self._clicks[id_]
            raise
        log.info("click-to-dial", by=by, telephone=channel, number=number, channel=id_)
        await asyncio.wait({click.answered}, timeout=EARLY_FAILURE_S)
        if click.answered.done() and not click.answered.result():
            raise UserError(f"the telephone was not reached: {channel}", "is it registered, and free?")
        return id_

    async def hang_up(self, channel: str, by: str) -> None:
        """End a channel, by its name or id."""
        found = self._find(channel)
        await self._do(Hangup(found.name, CLICK_CAUSE), "call")
        log.info("channel hung up", by=by, channel=found.name)

    async def queue_pause(
        self, queue: str, member: str, paused: bool, reason: str = "", by: str = ""
    ) -> None:
        """Pause a member of one of Asterisk's own queues, or let it take calls again; "": of all queues."""
        await self._do(QueuePause(member, paused, queue, reason), "agent")
        log.info("member of a queue paused" if paused else "member takes calls again", by=by, member=member)

    async def monitor(self, channel: str, action: Monitoring, by: str = "") -> None:
        """Pause, resume or stop what MixMonitor records of a channel.

        To `start` one takes the right `system`, with which programs can be run: the shipped user does not
        hold it, and the dialplan starts recordings instead.
        """
        name = self._find(channel).name
        match action:
            case "start":
                await self._do(MixMonitor(name, f"{secrets.token_hex(8)}.wav"), "system")
            case "stop":
                await self._do(StopMixMonitor(name), "call")
            case "pause" | "resume":
                await self._do(MixMonitorMute(name, action == "pause"), "call")
            case _:
                raise UserError(
                    Problem(f"{action!r} cannot be done with a recording", "start, stop, pause, resume")
                )
        log.info("recording", by=by, channel=name, action=action)

    def _find(self, channel: str) -> PbxChannel:
        self._client()
        if found := self._tracker.channel(channel):
            return found
        raise UserError(Problem(f"there is no channel {channel[:120]!r}", "it may have ended; look again"))

    def _client(self) -> AmiClient:
        """Return the connection. Raises UserError where there is none."""
        if not self._settings.ami_user:
            raise UserError(
                Problem(
                    "there is no supervision by AMI",
                    "set supervision.ami_user and ami_password_file in voicebot.toml; see docs/pbx-watch.md",
                )
            )
        if self._ami is None or not self._connected:
            raise UserError(Problem(f"Asterisk cannot be asked: {self._trouble}", "it is tried again; wait"))
        return self._ami

    async def _do(self, action: Action, right: str, action_id: str = "") -> None:
        """Ask for an action. Raises UserError where it is refused, or its values are impossible."""
        try:
            await self._client().action(action, action_id=action_id)
        except ValueError as error:
            raise UserError(Problem(f"Asterisk would misread it: {error}", "give a plain name")) from error
        except PbxError as error:
            remedy = "it may have ended, or is away: look again"
            if "permission denied" in str(error).lower():
                remedy = f"grant write = {right} to [{self._settings.ami_user}] in manager.conf"
            elif "Interface not found" in str(error):
                remedy = "name a queue of Asterisk's, and one of its members as it names them"
            raise UserError(Problem(str(error), remedy)) from error

    # --- what goes on -----------------------------------------------------------------------------------

    def _linked(self, link: Link, why: str) -> None:
        connected = link is Link.CONNECTED
        changed = connected is not self._connected
        self._connected, self._trouble = connected, why
        if changed:
            self._since_at = self._clock()
        if connected:
            self._start(self._introduce())
        if link is not Link.CLOSED:
            if connected:
                log.info("Asterisk is watched")
            else:
                log.warning("Asterisk is out of sight", why=why)
            data = {"connected": connected, "since_at": self._since_at, "trouble": why}
            self._hub.publish("pbx", "link", ID, data)

    async def _introduce(self) -> None:
        """Learn which Asterisk it is, and since when it runs."""
        ami = self._ami
        if ami is None:
            return
        try:
            settings = (await ami.action(CoreSettings())).response
            status = (await ami.action(CoreStatus())).response
        except PbxError as error:
            log.debug("Asterisk does not say who it is", why=str(error))
            return
        self._version = settings.get("AsteriskVersion").partition("+")[0]
        began = f"{status.get('CoreStartupDate')} {status.get('CoreStartupTime')}"
        try:
            self._started_at = time.mktime(time.strptime(began, "%Y-%m-%d %H:%M:%S"))
        except ValueError:
            self._started_at = 0.0

    async def _follow(self, events: Subscription) -> None:
        """Take events as they come."""
        taken = 0
        async for event in events:
            now = self._clock()
            self._tracker.event(event, now)
            match event:
                case Missed():
                    self._listed_at = now
                case OriginateResponse(action_id=id_) if click := self._clicks.pop(id_, None):
                    click.answered.set_result(event.succeeded)
                    told = {"channel": click.channel, "number": click.number, "by": click.by}
                    self._hub.publish("pbx", "dialled", ID, {"answered": event.succeeded, "id": id_, **told})
            taken += 1
            if taken % AT_ONCE == 0:
                await asyncio.sleep(0)

    async def _publish(self) -> None:
        """Tell watchers what changed, in one piece of news for all that happened meanwhile."""
        while True:
            await asyncio.sleep(PUBLISH_S)
            if changes := self._tracker.take_changes(self._hub.wants("pbx", "changed")):
                self._hub.publish("pbx", "changed", ID, changes)

    async def _watch(self) -> None:
        """Look for what is stuck, and list anew what events do not tell."""
        while True:
            await asyncio.sleep(self._look_s)
            if not self._connected or self._ami is None:
                continue
            now = self._clock()
            if now - self._listed_at >= RELIST_S:
                self._list()
            elif now - self._phones_at >= PHONES_S and self._tracker.unsure_of_phones:
                self._phones_at = now
                self._ami.refresh(PHONES)
            if self._tracker.complete:
                await self._look(now)

    def _list(self) -> None:
        assert self._ami is not None, "we watch"
        self._listed_at = self._clock()
        self._tracker.asked()
        self._ami.refresh(*lists_to_renew(self._tracker.hidden))

    async def _look(self, now: float) -> None:
        tracker = self._tracker
        found = self._dog.warnings(tracker.channels, tracker.bridges, self._held(), now)
        if {(each.id, each.code) for each in found} != {(each.id, each.code) for each in self._warnings}:
            self._hub.publish("pbx", "warnings", ID, {"warnings": [plain(each) for each in found]})
        self._warnings = found
        if self._settings.hang_up_unowned:
            lost = [each for each in found if each.code == "unowned"]
            self._tried = {each.id: self._tried[each.id] for each in lost if each.id in self._tried}
            for each in lost:
                if now - self._tried.get(each.id, float("-inf")) >= TRY_AGAIN_S:
                    self._tried[each.id] = now
                    await self._clear(each)

    async def _clear(self, lost: Stuck) -> None:
        """End a leg of ours that nobody holds, or a bridge of ours with nobody in it."""
        if lost.id in self._held():
            return
        bridge = lost.channel == lost.id
        if bridge and any(each.id == lost.id and each.channels for each in self._tracker.bridges):
            return
        try:
            await self._do(BridgeDestroy(lost.id) if bridge else Hangup(lost.channel, CLICK_CAUSE), "call")
        except UserError as error:
            log.warning("a leg of ours that nobody holds cannot be ended", leg=lost.channel, why=str(error))
            return
        log.warning("ended what was ours and nobody's", leg=lost.channel, why=lost.why, age_ms=lost.age_ms)
        self._hub.publish("pbx", "hung_up", ID, {"channel": lost.channel, "why": lost.why})

    def _start(self, work: object) -> None:
        assert asyncio.iscoroutine(work)
        task: asyncio.Task[None] = asyncio.create_task(work, name="pbx watch")
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()):
            log.error("the watch over Asterisk has a fault", exc_info=error)
