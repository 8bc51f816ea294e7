"""Category: integration. Logging in to a real AMI, and the limits of a line that our core relies on."""

from __future__ import annotations

import pytest

from tests.integration.conftest import RealAsterisk
from voicebot.ami.messages import LONGEST_LINE
from voicebot.errors import PbxError
from voicebot.pbx.ami_login import AmiLogin

pytestmark = pytest.mark.integration


def login(pbx: RealAsterisk, secret: str | None = None) -> AmiLogin:
    known = pbx.settings
    return AmiLogin(known["ami_host"], known["ami_port"], known["ami_user"], secret or known["ami_password"])


async def test_a_list_comes_whole(asterisk: RealAsterisk) -> None:
    async with login(asterisk) as ami:
        _, steps = await ami.ask("ShowDialPlan", Context="voicebot-in")
        response, none = await ami.ask("Ping")
    assert [step.get("Application") for step in steps] == ["NoOp", "Stasis", "Goto"]
    assert (response.get("Ping"), none) == ("Pong", [])


async def test_a_wrong_secret_is_told_from_an_absent_server(asterisk: RealAsterisk) -> None:
    visit = login(asterisk, "wrong")
    with pytest.raises(PbxError, match="Authentication failed"):
        await visit.__aenter__()
    assert visit.refused


async def test_an_action_without_the_right_is_refused(asterisk: RealAsterisk) -> None:
    async with login(asterisk) as ami:
        for action in ("Command", "Originate", "UpdateConfig"):
            with pytest.raises(PbxError, match="Permission denied"):
                await ami.ask(action)


async def test_asterisk_reads_the_longest_line_that_we_send(asterisk: RealAsterisk) -> None:
    async with login(asterisk) as ami:
        response, _ = await ami.ask("Getvar", Variable="x" * (LONGEST_LINE - len("Variable: ")))
        assert len(response.get("Variable")) == LONGEST_LINE - len("Variable: ")
