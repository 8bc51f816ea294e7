"""Category: unit. What comes along with a caller decides how they are queued."""

from __future__ import annotations

import pytest

from voicebot.acd.weighing import Rule, weigh

pytestmark = pytest.mark.unit

GOLD = Rule("tier == 'gold'", priority=3)
BIG = Rule("amount > 1000 and not insured", priority=2, skills=("claims",))


@pytest.mark.parametrize(
    ("context", "priority", "skills"),
    [
        ({"tier": "gold"}, 4, ("billing",)),
        ({"tier": "gold", "amount": "1500", "insured": "false"}, 6, ("billing", "claims")),
        ({"amount": "1500", "insured": "true"}, 1, ("billing",)),
        ({}, 1, ("billing",)),
    ],
)
def test_rules_add_to_what_the_dialog_said(
    context: dict[str, str], priority: int, skills: tuple[str, ...]
) -> None:
    assert weigh((GOLD, BIG), context, 1, ("billing",)) == (priority, skills)


def test_a_priority_stays_within_its_bounds() -> None:
    assert weigh((Rule("yes", 9),), {}, 9, ())[0] == 10
    assert weigh((Rule("yes", -9),), {}, 2, ())[0] == 0
