"""Category: unit. What a campaign may not ask for under its profile, and the page that tells the rules."""

from __future__ import annotations

from pathlib import Path

import pytest

from voicebot.campaign.campaign import Campaign
from voicebot.campaign.rules.catalogue import CATALOGUE, rules_reference
from voicebot.campaign.rules.law import PROFILES
from voicebot.campaign.rules.profiles import profile_problems

pytestmark = pytest.mark.unit

PAGE = Path(__file__).parents[4] / "docs" / "campaign-rules.md"


def found(**given: object) -> list[tuple[str, bool]]:
    whole = {
        "campaign": "autumn",
        "dialog": "reminder.yaml",
        "profile": "us",
        "caller": {"number": "+12025550100", "business": "Green Street Clinic"},
        "trunk": "main",
    }
    problems = profile_problems(Campaign.model_validate({**whole, **given}))
    assert all(problem.what and problem.remedy for problem, _ in problems)
    return [(problem.code.removeprefix("profile."), grave) for problem, grave in problems]


COLUMNS = {"consent_scope": "scope", "consent_written": "written"}
EARLY = {"abandoned": {"after": "1d"}, "machine": {"after": "2h"}}
SELLS = {"purpose": "telemarketing", "columns": COLUMNS, "do_not_call": ["national"]}


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({}, []),
        (SELLS, []),
        ({"profile": "uk", "region": "GB"}, []),
        ({"windows": [{"from": "07:00", "to": "22:00"}]}, [("windows", False)]),
        ({"windows": [{"from": "21:00", "to": "22:00"}]}, [("windows", False), ("windows", True)]),
        ({"region": "GB"}, [("region", False)]),
        ({"pacing": {"abandoned_brake": 0.03}}, [("abandonment", False)]),
        ({"limits": {"per_number": 4}}, [("frequency", False)]),
        ({"limits": {"per_number": 1, "per_number_days": 7}}, [("frequency", False)]),
        ({"limits": {"per_number": 1, "per_number_days": 10}}, []),
        ({"profile": "eu", "region": "DE"}, [("ai_notice", True)]),
        ({"profile": "eu", "region": "DE", "ai_notice": ["automated assistant"]}, []),
        ({**SELLS, "do_not_call": []}, [("do_not_call", False)]),
        ({**SELLS, "columns": {}}, [("consent", True)]),
        ({**SELLS, "consent": "all", "consent_note": "members"}, [("consent", True)]),
        (
            {"profile": "uk", "region": "GB", "retries": EARLY},
            [("after_abandoned", False), ("after_machine", False)],
        ),
    ],
)
def test_contradictions_are_told(given: dict[str, object], told: list[tuple[str, bool]]) -> None:
    assert found(**given) == told


def test_every_figure_of_a_profile_has_its_source() -> None:
    for profile in PROFILES.values():
        for name in ("exempt", "after_abandoned", "after_machine", "list_days"):
            assert (getattr(profile, name) is None) == (name not in profile.sources)
        assert {"informational", "telemarketing", "ring_s", "abandoned_stop"} <= profile.sources.keys()


def test_the_page_tells_every_rule() -> None:
    made = PAGE.read_text(encoding="utf-8").partition("<!-- made by scripts/references -->")[2].strip()
    assert made == rules_reference(), "run scripts/references"
    assert all(f"`{info.rule}`" in made for info in CATALOGUE)
