"""The calls that live now, as others see them: how things stand, what changes, and their sound.

    live = LiveCalls(hub)                # one a process; `Services.live`
    feed = live.begin(record, ...)       # the call tells by it what happens; `Stage.live`
    ...
    with hub.watch() as watch:           # first the watch, then how things stand, then every change
        calls = live.calls()

A call only notes what it does anyway. What others see is put together when somebody looks, and news are made
only while somebody watches. Nothing sensitive gets here: `•••` stands for it, or nothing at all.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, Literal, Protocol

from pydantic_core import to_jsonable_python

from voicebot.call.lines import LineKind, Lines
from voicebot.call.listening import Ear
from voicebot.call.live import Hub
from voicebot.call.privacy import Privacy
from voicebot.call.record import BotTurnRecord, CallRecord, InterventionRecord, TurnRecord
from voicebot.errors import UserError
from voicebot.media.port import MediaPort

Floor = Literal["bot", "caller", "nobody"]
State = Literal["talking", "waiting", "with_person", "conference", "taken_over"]
RecordingState = Literal["off", "on", "paused"]
Direction = Literal["inbound", "outbound", "browser"]


@dataclass(frozen=True, slots=True)
class LiveCall:
    """How one call stands. Times `*_at` in seconds of the epoch; ready for JSON by `as_dict()`.

    route:        the number patterns of its route
    state:        talks to a dialog; waits in a queue; is with a person; in a conference; a supervisor has it
    floor:        who talks now
    partial:      the words that are being recognised
    turns:        those that are complete, as in the call's record
    lines:        what happened between them, the latest: what supervisors did, faults, another language; each
                  with its `index`, `kind`, and `at_ms` as turns have it
    slots:        what was learnt, nothing sensitive
    latency_ms:   of the bot's last reply
    recording:    `paused` by a supervisor; silence in sensitive steps is no pause
    supervisors:  names of those who are on the call
    person:       who has the call, where `with_person`
    queue:        where it waits or was taken from; the conference's name in a conference
    summary:      what the person is told about the call
    held:         the bot is silent and deaf, since a supervisor wants it so
    """

    id: str
    direction: Direction
    caller: str
    caller_name: str
    called: str
    dialog: str
    dialog_file: str
    dialog_version: str
    route: str
    language: str
    step: str
    state: State
    floor: Floor
    partial: str
    turns: tuple[dict[str, Any], ...]
    slots: dict[str, Any]
    started_at: float
    latency_ms: int | None
    recording: RecordingState
    supervisors: tuple[str, ...] = ()
    person: str = ""
    queue: str = ""
    summary: str = ""
    campaign: str = ""
    faults: tuple[str, ...] = ()
    held: bool = False
    lines: tuple[dict[str, Any], ...] = ()

    def as_dict(self, *, turns: bool = True) -> dict[str, Any]:
        """Return it for JSON. For lists of many calls `turns` False leaves the conversation out, but for what
        each side said last: `last_heard`, `last_said`."""
        names = (each.name for each in fields(self))
        told = {name: getattr(self, name) for name in names if turns or name not in ("turns", "lines")}
        if not turns:
            told["last_heard"], told["last_said"] = self._last("caller"), self._last("bot")
        return told

    def _last(self, who: str) -> str:
        return next((str(turn.get("text") or "") for turn in reversed(self.turns) if turn["who"] == who), "")


class Mind(Protocol):
    """What is told of a running dialog: the interpreter."""

    @property
    def step(self) -> str: ...

    @property
    def slots(self) -> dict[str, object]: ...

    @property
    def language(self) -> str: ...


class LiveCalls:
    """All calls that live now. Lives on the event loop's thread."""

    def __init__(self, hub: Hub) -> None:
        self.hub = hub
        self._feeds: dict[str, CallFeed] = {}

    @property
    def count(self) -> int:
        """How many there are."""
        return len(self._feeds)

    def calls(self) -> tuple[LiveCall, ...]:
        """Return how all calls stand, the oldest first."""
        return tuple(feed.view() for feed in self._feeds.values())

    def call(self, id: str) -> LiveCall | None:
        """Return how one call stands, None where there is none (any more)."""
        feed = self._feeds.get(id)
        return feed.view() if feed is not None else None

    def feed(self, id: str) -> CallFeed | None:
        """Return what tells of a call: for those who change its state."""
        return self._feeds.get(id)

    def listen(self, call_id: str) -> Ear:
        """Return a call's sound from now on. Raises UserError where there is no such call."""
        feed = self._feeds.get(call_id)
        if feed is None:
            raise UserError(f"there is no live call {call_id}", "it may have ended: look at the live calls")
        return feed.listen()

    def begin(self, record: CallRecord, *, route: str = "", privacy: Privacy | None = None) -> CallFeed:
        """Tell of a call that begins; its feed tells what follows, up to `end()`."""
        feed = CallFeed(self, record, route, privacy or Privacy())
        self._feeds[record.id] = feed
        self.hub.publish("call", "began", record.id, {"call": feed.view().as_dict()})
        return feed

    def forget(self, id: str) -> None:
        self._feeds.pop(id, None)


@dataclass(slots=True)
class _Stand:
    """What nobody else knows of a call. step, language, slots: of the dialog that it had."""

    step: str = ""
    language: str = ""
    state: State = "talking"
    floor: Floor = "nobody"
    partial: str = ""
    recording: RecordingState = "off"
    supervisors: tuple[str, ...] = ()
    held: bool = False
    person: str = ""
    queue: str = ""
    summary: str = ""
    slots: dict[str, Any] = field(default_factory=dict)
    lines: Lines = field(default_factory=Lines)


class CallFeed:
    """One call tells by it what happens. No method raises or waits; each costs microseconds at most."""

    def __init__(self, calls: LiveCalls, record: CallRecord, route: str, privacy: Privacy) -> None:
        self.record = record
        self.privacy = privacy
        self._calls = calls
        self._hub = calls.hub
        self._route = route
        self._stand = _Stand()
        self._mind: Mind | None = None
        self._spoken = ""  # the language, as far as it was told
        self._told: tuple[str, dict[str, Any]] | None = ("", {})  # step and slots; None: nobody watched since
        self._turns: list[dict[str, Any]] = []  # of the record's, as far as anybody has looked
        self._port: MediaPort | None = None
        self._ears: set[Ear] = set()
        self.on_ears: Callable[[], None] = lambda: None
        """Is told when somebody listens, or nobody any more."""

    @property
    def read(self) -> bool:
        """Whether anybody reads the caller's words while they are spoken."""
        return self._hub.wants("call", "words")

    @property
    def is_held(self) -> bool:
        """Whether a supervisor has made the bot fall silent."""
        return self._stand.held

    @property
    def in_conference(self) -> bool:
        return self._stand.state == "conference"

    # --- how it stands ----------------------------------------------------------------------------------

    def view(self) -> LiveCall:
        record, stand, mind = self.record, self._stand, self._mind
        bots = (turn for turn in reversed(record.turns) if isinstance(turn, BotTurnRecord))
        return LiveCall(
            id=record.id,
            direction=record.direction,
            caller=record.caller.number,
            caller_name=record.caller.name,
            called=record.called.number,
            dialog=record.dialog.name,
            dialog_file=record.dialog.file,
            dialog_version=record.dialog.version,
            route=self._route,
            language=self.language,
            step=mind.step if mind is not None else stand.step,
            state=stand.state,
            floor=stand.floor,
            partial=stand.partial,
            turns=self._known_turns(),
            slots=_jsonable(mind.slots) if mind is not None else dict(stand.slots),
            started_at=record.started_at.timestamp(),
            latency_ms=next((turn.latency_ms for turn in bots if turn.latency_ms is not None), None),
            recording=stand.recording,
            supervisors=stand.supervisors,
            person=stand.person,
            queue=stand.queue,
            summary=stand.summary,
            campaign=record.outbound.campaign if record.outbound is not None else "",
            faults=tuple(record.faults),
            held=stand.held,
            lines=stand.lines.latest,
        )

    @property
    def language(self) -> str:
        """The one that the call is held in."""
        if self._mind is not None:
            return self._mind.language
        return self._stand.language or self.record.dialog.language

    def _known_turns(self) -> tuple[dict[str, Any], ...]:
        for turn in self.record.turns[len(self._turns) :]:
            self._turns.append(turn.model_dump(mode="json"))
        return tuple(self._turns)

    # --- what changes -----------------------------------------------------------------------------------

    def follow(self, mind: Mind | None) -> None:
        """A dialog begins, or (None) has ended: what it has learnt stays."""
        if mind is None and self._mind is not None:
            self._stand.step, self._stand.slots = self._mind.step, _jsonable(self._mind.slots)
            self._stand.language = self._mind.language
        self._mind = mind
        if mind is not None and not self._spoken:
            self._spoken = mind.language

    def moved(self) -> None:
        """The dialog has gone on: perhaps to another step, perhaps it has learnt something."""
        if self._mind is None:
            return
        if self._mind.language != self._spoken:
            self._spoken = self._mind.language
            self._tell_line("language", {"language": self._spoken})
        if not (self._hub.wants("call", "step") or self._hub.wants("call", "slots")):
            self._told = None
            return
        step, slots = self._mind.step, _jsonable(self._mind.slots)
        before, self._told = self._told, (step, slots)
        if before is None or step != before[0]:
            self._tell("step", {"step": step})
        if before is None or slots != before[1]:
            self._tell("slots", {"slots": slots})

    def floor(self, floor: Floor) -> None:
        """Another one talks now."""
        if floor != self._stand.floor:
            self._stand.floor = floor
            self._tell("floor", {"floor": floor})

    def words(self, text: str, had_at: float) -> None:
        """So far the caller has been understood to say this; `had_at`: when the recogniser had it (epoch)."""
        if text == self._stand.partial or (text and self.privacy.secret):
            return
        self._stand.partial = text
        self._tell("words", {"text": text, "had_at": had_at})

    def saying(self, text: str) -> None:
        """The caller begins to hear a prompt."""
        if text:
            self._tell("saying", {"text": text})

    def turn(self, turn: TurnRecord) -> None:
        """A turn of the record is complete."""
        self._stand.partial = "" if turn.who == "caller" else self._stand.partial
        turns = self._known_turns()  # now: who comes to look must not make all calls wait
        if self._hub.wants("call", "turn"):
            self._tell("turn", {"index": len(turns) - 1, "turn": turns[-1]})

    def state(
        self, state: State, *, person: str | None = None, queue: str | None = None, summary: str | None = None
    ) -> None:
        """Somebody else has the call, or it waits; what is None stays as it was."""
        if state in ("with_person", "conference"):
            self.privacy.met()
        stand = self._stand
        stand.state = state
        stand.person = stand.person if person is None else person
        stand.queue = stand.queue if queue is None else queue
        stand.summary = stand.summary if summary is None else summary
        self._tell(
            "state",
            {"state": state, "person": stand.person, "queue": stand.queue, "summary": stand.summary},
        )

    def recording(self, recording: RecordingState) -> None:
        if recording != self._stand.recording:
            self._stand.recording = recording
            self._tell("recording", {"recording": recording})

    def supervisors(self, names: Sequence[str]) -> None:
        """These are on the call now."""
        self._stand.supervisors = tuple(names)
        self._tell("supervisors", {"supervisors": list(names)})

    def visit_failed(self, visit: str, what: str, remedy: str) -> None:
        """A supervisor's telephone was not reached, or could not stay on the call."""
        self._tell("visit_failed", {"visit": visit, "what": what, "remedy": remedy})

    def held(self, held: bool) -> None:
        """The bot falls silent and deaf, or goes on."""
        if held != self._stand.held:
            self._stand.held = held
            self._tell("held", {"held": held})

    def intervention(self, done: InterventionRecord) -> None:
        """A supervisor did something; it is in the record already."""
        self._tell_line("intervention", done.model_dump(mode="json"), done.at_ms)

    def fault(self, text: str) -> None:
        """Something went wrong on our side; it is in the record already."""
        self._tell_line("fault", {"text": text})

    def end(self) -> None:
        """The call has ended, and its record is complete. Idempotent."""
        if self._calls.feed(self.record.id) is not self:
            return
        self.detach()
        self._calls.forget(self.record.id)
        record = self.record
        self._tell(
            "ended",
            {
                "outcome": record.outcome,
                "goal": record.goal,
                "ended_by": record.ended_by,
                "record": record.id,
            },
        )

    def _tell_line(self, kind: LineKind, told: dict[str, Any], at_ms: int | None = None) -> None:
        """Tell what stands between the turns, and keep it for those who come later."""
        since_ms = round((self._hub.now() - self.record.started_at.timestamp()) * 1000)
        self._tell(kind, self._stand.lines.add(kind, since_ms if at_ms is None else at_ms, told))

    def _tell(self, kind: str, data: dict[str, Any]) -> None:
        self._hub.publish("call", kind, self.record.id, data)

    @property
    def listened_to(self) -> bool:
        return bool(self._ears)

    # --- sound ------------------------------------------------------------------------------------------

    def attach(self, port: MediaPort) -> None:
        """The call can be heard."""
        self._port = port

    def detach(self) -> None:
        """It cannot be heard any more: those who listened are told."""
        for ear in tuple(self._ears):
            ear.close()
        self._port = None

    def listen(self) -> Ear:
        """Raises UserError where there is nothing to hear."""
        port = self._port
        if port is None or not port.open:
            raise UserError("this call cannot be heard", "it begins or ends just now: look again")
        ear = Ear(port.sample_rate, self.privacy, self._leave)
        self._ears.add(ear)
        port.add_tap(ear.take)
        self.on_ears()
        return ear

    def _leave(self, ear: Ear) -> None:
        self._ears.discard(ear)
        if self._port is not None:
            self._port.remove_tap(ear.take)
        self.on_ears()


def _jsonable(slots: Mapping[str, object]) -> dict[str, Any]:
    known: dict[str, Any] = to_jsonable_python(dict(slots), fallback=str)
    return known
