"""Category: unit. Parts of conferences: who may be invited, what is said in which language, what is seen."""

from __future__ import annotations

import pytest

from voicebot.config import Config
from voicebot.errors import UserError
from voicebot.switchboard.conferences.callers import route_of
from voicebot.switchboard.conferences.phonebook import Entry, KnownPhones
from voicebot.switchboard.conferences.texts import _ENGLISH, _KOREAN, spoken_language, words
from voicebot.switchboard.conferences.views import empty_view

pytestmark = pytest.mark.unit


def config(**sections: object) -> Config:
    asterisk = {"ari_url": "http://127.0.0.1:8088", "ari_user": "u", "ari_password": "p", "app": "voicebot"}
    return Config.model_validate({"asterisk": asterisk, **sections})


def test_agents_and_supervisors_may_be_invited_and_nobody_else() -> None:
    phones = KnownPhones(
        config(
            agents={"anna": {"channel": "PJSIP/anna", "name": "Anna Lee"}, "ben": {"channel": "PJSIP/ben"}},
            supervision={"phones": {"cleo": "PJSIP/cleo"}},
        )
    )
    assert phones.telephone("anna") == phones.telephone("PJSIP/anna") == Entry("PJSIP/anna", "Anna Lee")
    assert phones.telephone("ben").name == "ben"
    assert phones.telephone("cleo") == Entry("PJSIP/cleo", "cleo")
    for who in ("PJSIP/trunk/sip:+15551234567@carrier", "+15551234567", "Local/1@voicebot-in", ""):
        with pytest.raises(UserError, match="may not be invited") as refused:
            phones.telephone(who)
        assert "anna, ben, cleo" in refused.value.problems[0].remedy


def test_every_sentence_is_there_in_every_language_and_english_stands_in() -> None:
    assert _KOREAN.keys() == _ENGLISH.keys()
    assert words("comes", "en-GB", "Anna") == "Anna joins."
    assert words("comes", "ko-KR", "{name}") == "{name} 님이 들어왔습니다."
    assert words("locked", "fr-FR") == words("locked", "en-US")
    assert (spoken_language("fr-FR"), spoken_language("ko-KR")) == ("en-US", "ko-KR")


def test_an_empty_room_is_seen_with_its_rules_and_ready_for_json() -> None:
    of = config(conferences={"weekly": {"muted": "guests", "most": 5}})
    view = empty_view("weekly", of.conferences["weekly"]).as_dict()
    assert (view["title"], view["muted_rule"], view["most"], view["since_at"]) == (
        "weekly",
        "guests",
        5,
        None,
    )
    assert view["participants"] == ()


def test_a_gateway_without_routes_still_has_a_voice_for_its_rooms() -> None:
    assert route_of(config()).tts == "english"
    routes = [{"number": "600", "dialog": "a.yaml"}, {"number": "601", "dialog": "b.yaml"}]
    assert route_of(config(routes=routes)).dialog == "a.yaml"
