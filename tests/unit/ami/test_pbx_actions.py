"""Category: unit. Actions of supervision: what they send, and what never leaves."""

from __future__ import annotations

import pytest

from voicebot.ami.actions import Action
from voicebot.ami.messages import message, serialise
from voicebot.ami.pbx_actions import (
    AnyAction,
    BridgeDestroy,
    ExtensionState,
    MixMonitor,
    MixMonitorMute,
    PresenceState,
    QueuePause,
    QueueStatus,
    StopMixMonitor,
)

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    "action",
    [
        MixMonitor("PJSIP/a-1", "../../etc/passwd.wav"),
        MixMonitor("PJSIP/a-1", "a.wav,b,rm"),
        MixMonitor("/PJSIP.*/", "a.wav"),
        StopMixMonitor("/.*/"),
        MixMonitorMute("a", True),
        QueuePause("PJSIP/a\r\nAction: Command", True),
        QueuePause("PJSIP/a", True, "sales,support"),
        QueueStatus("a b"),
        BridgeDestroy("a,b"),
        ExtensionState("600", "a b"),
        PresenceState("CustomPresence"),
        AnyAction("Hangup", (("Channel", "/.*/"),)),
        AnyAction("Ping", (("ActionID", "1"),)),
        AnyAction("Ping", (("Action", "Command"),)),
        AnyAction("Ping Pong"),
        AnyAction("Ping", (("A B", "1"),)),
        AnyAction("Originate", variables=(("A", "1,B=2"),)),
        AnyAction("Originate", variables=(("FILE(/x)", "1"),)),
        AnyAction("Originate", (("Variable", "FILE(/x)=1"),)),
    ],
)
def test_what_asterisk_would_misread_is_refused(action: Action) -> None:
    with pytest.raises(ValueError):
        action.headers()


def test_a_line_break_in_a_value_never_reaches_the_wire() -> None:
    action = AnyAction("Ping", (("X", "1\r\nAction: Command"),))
    with pytest.raises(ValueError, match="control character"):
        serialise(message("Action", action.name, action.headers()))


def test_what_is_sent() -> None:
    assert QueuePause("PJSIP/a", True, "sales", "lunch").headers() == [
        ("Interface", "PJSIP/a"),
        ("Paused", "true"),
        ("Queue", "sales"),
        ("Reason", "lunch"),
    ]
    assert MixMonitorMute("PJSIP/a-1", False).headers()[-1] == ("State", "0")
    assert AnyAction("Originate", (("Channel", "PJSIP/a"),), (("A", "1"),)).headers() == [
        ("Channel", "PJSIP/a"),
        ("Variable", "A=1"),
    ]


@pytest.mark.parametrize(
    ("action", "dangerous"),
    [
        (AnyAction("Ping"), False),
        (AnyAction("command"), True),
        (AnyAction("UpdateConfig"), True),
        (AnyAction("Originate", (("Application", "Echo"),)), False),
        (AnyAction("Originate", (("application", " TrySystem"),)), True),
    ],
)
def test_what_can_do_harm_is_known(action: AnyAction, dangerous: bool) -> None:
    assert bool(action.danger) is dangerous
