"""What to believe after the events websocket was away: Asterisk never replays what we missed.

`reconcile` compares what Asterisk has with what our calls hold. It is a pure function; the client fetches
the view and carries out the verdict. The same is done at start, for what a gateway that crashed left behind.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from voicebot.ari.ids import Kind, is_ours


@dataclass(frozen=True, slots=True)
class View:
    """What Asterisk has now.

    startup_time: Asterisk's own word for when it started; another one is another Asterisk
    channels:     ids of all channels
    bridges:      ids of all bridges
    followed:     ids of the channels that our application is subscribed to
    members:      ids of the channels in each bridge
    elsewhere:    ids of the channels that the dialplan has: answered, and in no application
    """

    startup_time: str
    channels: frozenset[str] = frozenset()
    bridges: frozenset[str] = frozenset()
    followed: frozenset[str] = frozenset()
    members: Mapping[str, frozenset[str]] = field(default_factory=dict)
    elsewhere: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Verdict:
    """What follows from it.

    gone:            ids that our calls hold and that are no more, to be told to them with `reason`
    orphan_channels: channels of our making that no call holds: hang them up
    orphan_bridges:  bridges of ours that no call holds: delete them
    orphan_callers:  callers in our application that no call holds: let the dialplan go on with them
    talks:           bridges of ours in which persons talk to each other, whom a gateway that died had brought
                     together: leave them alone, and undo it once they have hung up. Their persons, by bridge
    """

    gone: frozenset[str]
    reason: str
    orphan_channels: frozenset[str]
    orphan_bridges: frozenset[str]
    orphan_callers: frozenset[str]
    talks: Mapping[str, frozenset[str]] = field(default_factory=dict)


def reconcile(
    view: View,
    *,
    app: str,
    live: frozenset[str],
    held: frozenset[str],
    seen: frozenset[str] = frozenset(),
    startup_time: str = "",
) -> Verdict:
    """Judge what was missed.

    live: ids that our calls hold and that did exist; held: those and the ones being created just now;
    seen: callers that came since the websocket is back, whose calls may not hold them yet;
    startup_time: of the Asterisk that we lost, "" where there was none.
    """
    restarted = bool(startup_time) and startup_time != view.startup_time
    there = frozenset() if restarted else view.channels | view.bridges
    bridges = frozenset(id_ for id_ in view.bridges if is_ours(id_, app, Kind.BRIDGE))
    talks = {
        bridge: persons
        for bridge in bridges - held
        if len(persons := _persons(view.members.get(bridge, frozenset()), app)) > 1
    }
    talking = frozenset().union(*talks.values())
    # Persons whom we rang, and then gave to the dialplan, are its own, although their ids are ours.
    here = view.channels - view.elsewhere
    ours = frozenset(id_ for id_ in here if is_ours(id_, app))
    callers = frozenset(id_ for id_ in view.followed & here if not is_ours(id_, app))
    return Verdict(
        gone=live - there,
        reason="asterisk_lost" if restarted else "hung_up",
        orphan_channels=ours - held - talking,
        orphan_bridges=bridges - held - talks.keys(),
        orphan_callers=callers - held - seen - talking,
        talks=talks,
    )


def _persons(members: frozenset[str], app: str) -> frozenset[str]:
    """Return whose channels are no machinery of ours."""
    return frozenset(
        id_ for id_ in members if not (is_ours(id_, app, Kind.MEDIA) or is_ours(id_, app, Kind.SNOOP))
    )
