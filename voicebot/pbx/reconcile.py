"""What to believe after the events websocket was away: Asterisk never replays what we missed.

`reconcile` compares what Asterisk has with what our calls hold. It is a pure function; the client fetches
the view and carries out the verdict. The same is done at start, for what a gateway that crashed left behind.
"""

from __future__ import annotations

from dataclasses import dataclass

from voicebot.ari.ids import Kind, is_ours


@dataclass(frozen=True, slots=True)
class View:
    """What Asterisk has now.

    startup_time: Asterisk's own word for when it started; another one is another Asterisk
    channels:     ids of all channels
    bridges:      ids of all bridges
    followed:     ids of the channels that our application is subscribed to
    """

    startup_time: str
    channels: frozenset[str] = frozenset()
    bridges: frozenset[str] = frozenset()
    followed: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Verdict:
    """What follows from it.

    gone:            ids that our calls hold and that are no more, to be told to them with `reason`
    orphan_channels: media channels of ours that no call holds: hang them up
    orphan_bridges:  bridges of ours that no call holds: delete them
    orphan_callers:  callers in our application that no call holds: let the dialplan go on with them
    """

    gone: frozenset[str]
    reason: str
    orphan_channels: frozenset[str]
    orphan_bridges: frozenset[str]
    orphan_callers: frozenset[str]


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
    media = frozenset(id_ for id_ in view.channels if is_ours(id_, app, Kind.MEDIA))
    bridges = frozenset(id_ for id_ in view.bridges if is_ours(id_, app, Kind.BRIDGE))
    callers = frozenset(id_ for id_ in view.followed & view.channels if not is_ours(id_, app))
    return Verdict(
        gone=live - there,
        reason="asterisk_lost" if restarted else "hung_up",
        orphan_channels=media - held,
        orphan_bridges=bridges - held,
        orphan_callers=callers - held - seen,
    )
