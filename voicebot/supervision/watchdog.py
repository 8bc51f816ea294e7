"""What is stuck in a PBX: channels that should be over, legs of ours that nobody holds. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from voicebot.supervision.state import PbxBridge, PbxChannel, Stuck, WarningCode

IDLE_S = 120.0
"""So long may a channel that is up have neither a bridge nor an application."""
LONELY_S = 300.0
"""So long may somebody be alone in a bridge; music on hold is a bridge of its own kind."""
UNANSWERED_S = 240.0
"""So long may a channel ring; nothing that we dial rings longer."""
_WAITING_ROOM = "holding_bridge"
_IDLE_APPLICATIONS = ("", "AppDial", "AppDial2", "AppQueue")
"""Of a channel that no dialplan runs: it only makes sense in a bridge."""
_OURS = "Stasis"
"""Of a channel that we have."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How long is too long, in seconds."""

    stuck_after_s: float = 7200.0
    unowned_after_s: float = 30.0
    idle_s: float = IDLE_S
    lonely_s: float = LONELY_S
    unanswered_s: float = UNANSWERED_S


class WatchDog:
    """Finds what is stuck. Remembers since when a leg of ours has been nobody's."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._unowned: dict[str, float] = {}

    def warnings(
        self,
        channels: Sequence[PbxChannel],
        bridges: Sequence[PbxBridge],
        held: AbstractSet[str],
        now: float,
        applications_known: bool = True,
    ) -> tuple[Stuck, ...]:
        """Return what is stuck at `now`, the oldest first; one warning a channel or bridge.

        held: ids that calls hold now. applications_known: whether channels were listed of late, so that the
        applications are right.
        """
        rooms = {each.id for each in bridges if each.ours}
        ours = {each.id for each in channels if each.ours and not _given_away(each, rooms)} | rooms
        nobodys = ours - held
        self._unowned = {id_: self._unowned.get(id_, now) for id_ in nobodys}
        found = [*self._unowned_legs(channels, bridges, now)]
        seen = {each.id for each in found}
        answered = {each.linked_id for each in channels if each.state == "Up"}
        found += [
            stuck
            for channel in channels
            if channel.id not in seen and (stuck := self._channel(channel, answered, applications_known, now))
        ]
        names = {each.id: each.name for each in channels}
        found += [
            stuck
            for bridge in bridges
            if bridge.id not in seen and (stuck := self._bridge(bridge, names, held, now))
        ]
        return tuple(sorted(found, key=lambda stuck: -stuck.age_ms))

    def _unowned_legs(
        self, channels: Iterable[PbxChannel], bridges: Iterable[PbxBridge], now: float
    ) -> Iterable[Stuck]:
        after = self._limits.unowned_after_s
        for channel in channels:
            since = self._unowned.get(channel.id)
            if since is not None and now - since >= after:
                why = f"a {channel.ours} leg of the gateway's that no call holds"
                yield _stuck(channel, why, now - since, "unowned")
        for bridge in bridges:
            since = self._unowned.get(bridge.id)
            if since is not None and now - since >= after:
                why = f"a bridge of the gateway's that no call holds, with {_so_many(bridge)} in it"
                yield Stuck(bridge.id, why, _ms(now - since), "unowned", bridge.id)

    def _channel(
        self, channel: PbxChannel, answered: AbstractSet[str], applications_known: bool, now: float
    ) -> Stuck | None:
        limits, age = self._limits, now - channel.state_since_at
        if channel.state != "Up" and age >= limits.unanswered_s:
            if channel.linked_id in answered and channel.linked_id != channel.id:
                why = f"is {channel.state} though its call has been answered"
            else:
                why = f"is {channel.state}, and was neither answered nor ended"
            return _stuck(channel, why, age, "half_answered")
        idle = now - max(channel.state_since_at, channel.bridge_since_at)
        if (
            channel.state == "Up"
            and not channel.bridge_id
            and applications_known
            and channel.application in _IDLE_APPLICATIONS
            and idle >= limits.idle_s
        ):
            return _stuck(channel, "is up, but in no bridge and in no application", idle, "idle")
        if age >= limits.stuck_after_s:
            where = f" in {channel.application}" if channel.application else ""
            return _stuck(channel, f"has been {channel.state}{where} without a change", age, "old")
        return None

    def _bridge(
        self, bridge: PbxBridge, names: dict[str, str], held: AbstractSet[str], now: float
    ) -> Stuck | None:
        age = now - bridge.changed_at
        alone = len(bridge.channels) == 1 and bridge.technology != _WAITING_ROOM and bridge.id not in held
        if not alone or age < self._limits.lonely_s:
            return None
        who = names.get(bridge.channels[0], bridge.channels[0])
        return Stuck(bridge.id, f"{who} is alone in this bridge", _ms(age), "lonely_bridge", bridge.id)


def _given_away(channel: PbxChannel, rooms: AbstractSet[str]) -> bool:
    """Whether a person whom we rang is the dialplan's: it runs something, or has put them into a bridge."""
    elsewhere = bool(channel.bridge_id) and channel.bridge_id not in rooms
    runs = channel.application not in (*_IDLE_APPLICATIONS, _OURS)
    return channel.ours == "person" and channel.state == "Up" and (elsewhere or runs)


def _stuck(channel: PbxChannel, why: str, age_s: float, code: WarningCode) -> Stuck:
    return Stuck(channel.name, why, _ms(age_s), code, channel.id)


def _ms(seconds: float) -> int:
    return int(seconds * 1000)


def _so_many(bridge: PbxBridge) -> str:
    count = len(bridge.channels)
    return {0: "nobody", 1: "one channel"}.get(count, f"{count} channels")
