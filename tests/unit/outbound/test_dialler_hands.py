"""Category: unit. What becomes of an Originate that AMI refuses, does not answer, or cannot be asked for."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any, cast

import pytest

from tests.unit.outbound.test_dialler_recovery import CLAIMED_AT, ORDER
from voicebot.campaign.following import Following, Unclear
from voicebot.errors import PbxError
from voicebot.outbound.dialler_hands import Given, OriginateHands
from voicebot.pbx.ami_client import AmiClient, AmiUnsure

pytestmark = pytest.mark.unit


class Ami:
    """Answers every action with an error, and may be away after it."""

    def __init__(self, error: Exception | None, away: bool) -> None:
        self.connected, self._error, self._away = True, error, away

    async def action(self, action: object, timeout_s: float = 1.0, action_id: str = "") -> Any:
        assert action_id == ORDER.attempt
        self.connected = not self._away
        if self._error:
            raise self._error


def hand(error: Exception | None, *, away: bool = False) -> tuple[Given, Following]:
    following = Following()
    hands = OriginateHands(cast(AmiClient, Ami(error, away)), following)
    (given,) = asyncio.run(hands.hand([ORDER], CLAIMED_AT))
    return given, following


def test_what_asterisk_refuses_is_wrong_in_itself_and_what_ami_never_got_is_not() -> None:
    refused, following = hand(PbxError("no"))
    assert (refused.handed, refused.never, refused.certain, following.expected) == (
        False,
        True,
        False,
        frozenset(),
    )
    unasked, following = hand(PbxError("AMI broke"), away=True)
    assert (unasked.handed, unasked.never, unasked.certain, following.expected) == (
        False,
        False,
        True,
        frozenset(),
    )
    malformed = OriginateHands(cast(AmiClient, Ami(None, False)), Following())
    (given,) = asyncio.run(malformed.hand([replace(ORDER, dial="PJSIP/1,20")], CLAIMED_AT))
    assert given.never


def test_an_originate_without_an_answer_is_followed_until_it_is_clear_that_nothing_came_of_it() -> None:
    unsure, following = hand(AmiUnsure("?"), away=True)
    assert unsure.handed and following.expected == {ORDER.attempt}
    (progress,) = following.settle(CLAIMED_AT + timedelta(minutes=1))
    assert isinstance(progress, Unclear) and progress.attempt == ORDER.attempt
