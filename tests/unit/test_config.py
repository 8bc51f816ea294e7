"""unit: configuration from file, environment and flags; every mistake at once, with its line."""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path

import pytest

from voicebot.app.reference import configuration_reference
from voicebot.config import load_config, zone_of
from voicebot.errors import UserError

pytestmark = pytest.mark.unit

ROOT = Path(__file__).parents[2]
MISTAKEN = """\
[asterisk]
ari_url = "127.0.0.1:8088"
ari_pasword_file = "x"

[media]
first_port = 99

[stt.english]
engine = "wisper"

[[routes]]
number = "600"
dialog = "a.yaml"

[[routes]]
number = "six"
dialog = "a.yaml"
"""


def write(folder: Path, text: str) -> Path:
    path = folder / "voicebot.toml"
    path.write_text(text)
    return path


def test_flags_win_over_the_environment_which_wins_over_the_file(tmp_path: Path) -> None:
    path = write(tmp_path, '[asterisk]\nari_url = "http://file:1"\nari_user = "file"\napp = "file"\n')
    config = load_config(
        path,
        {"VOICEBOT_ASTERISK__ARI_USER": "environment", "VOICEBOT_ASTERISK__APP": "environment"},
        {"asterisk.app": "flag", "asterisk.ari_url": None},
    )
    asterisk = config.asterisk
    assert (asterisk.ari_url, asterisk.ari_user, asterisk.app) == ("http://file:1", "environment", "flag")


def test_every_mistake_is_told_at_once_with_its_line(tmp_path: Path) -> None:
    with pytest.raises(UserError) as caught:
        load_config(write(tmp_path, MISTAKEN), {})
    lines = {problem.line: problem for problem in caught.value.problems}
    assert set(lines) == {2, 3, 6, 9, 16}
    assert "ari_password_file" in lines[3].remedy
    assert "vosk" in lines[9].what


def test_a_mistake_from_outside_the_file_names_where_it_comes_from(tmp_path: Path) -> None:
    path = write(tmp_path, "[limits]\ncalls = 5\n")
    with pytest.raises(UserError) as caught:
        load_config(path, {"VOICEBOT_LIMITS__CALLS": "many"}, {"asterisk.ari_url": "foo"})
    assert {problem.where for problem in caught.value.problems} == {"VOICEBOT_LIMITS__CALLS", "--ari-url"}


def test_dialogs_that_are_named_get_free_numbers_unless_they_have_one(tmp_path: Path) -> None:
    path = write(tmp_path, '[[routes]]\nnumber = "601"\ndialog = "served.yaml"\nvoice = "en+f3"\n')
    new = [tmp_path / name for name in ("a.yaml", "served.yaml", "b.yaml", "a.yaml")]
    config = load_config(path, {}, dialogs=new)
    assert [(route.number, config.base / route.dialog) for route in config.routes] == [
        ("601", tmp_path / "served.yaml"),
        ("600", tmp_path / "a.yaml"),
        ("602", tmp_path / "b.yaml"),
    ]
    assert config.routes[0].voice == "en+f3"


def test_a_secret_may_live_in_a_file_of_its_own_and_is_not_shown(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("hush\n")
    path = write(tmp_path, f'[asterisk]\nari_password_file = "{tmp_path / "secret"}"\n')
    config = load_config(path, {})
    assert config.asterisk.ari_password.get_secret_value() == "hush"
    assert "hush" not in repr(config)


@pytest.mark.parametrize(
    ("text", "where", "what"),
    [
        ("[asterisk\n", ":1", "TOML"),
        ('[asterisk]\nari_password_file = "/nowhere/at/all"\n', "", "cannot be read"),
        ('[[routes]]\nnumber = "1"\ndialog = "x.yaml"\nstt = "latin"\n', ":4", "stt.latin"),
        ('[media]\ncodec = "alaw"\nbind = "0.0.0.0"\n', ":1", "media.advertise"),
        ("[media]\nfirst_port = 13000\n", ":1", "above first_port"),
        ('[agents.Anna]\nchannel = "PJSIP/anna"\n', ":1", "agents.Anna: must be 1 to 64 small letters"),
        ('[agents.anna]\nchannel = "anna"\n', ":2", "agents.anna.channel: must be a channel"),
        ('[queues.q]\naccept_key = "*"\n', ":2", "queues.q.accept_key: must be one digit"),
    ],
)
def test_a_file_that_cannot_be_used_says_why(tmp_path: Path, text: str, where: str, what: str) -> None:
    with pytest.raises(UserError) as caught:
        load_config(write(tmp_path, text), {})
    assert what in str(caught.value)
    assert where in str(caught.value)


@pytest.mark.parametrize(
    ("text", "name", "what"),
    [
        ("asterisk = 3\n", "VOICEBOT_ASTERISK__ARI_URL", "asterisk.ari_url"),
        ('[[routes]]\nnumber = "1"\ndialog = "d"\n', "VOICEBOT_ROUTES__0__NUMBER", "routes.0.number"),
        ('log_level = "info"\n', "VOICEBOT_LOG_LEVEL__X", "log_level.x"),
    ],
)
def test_an_environment_that_fits_no_table_is_a_mistake(
    tmp_path: Path, text: str, name: str, what: str
) -> None:
    with pytest.raises(UserError, match=what):
        load_config(write(tmp_path, text), {name: "1"})


def test_a_password_file_that_is_no_text_is_a_mistake(tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UserError, match="ari_password_file"):
        load_config(write(tmp_path, '[asterisk]\nari_password_file = "secret"\n'), {})


@pytest.mark.parametrize("number", ["_[9-0]X", "_[!]X", "_[]X", "_[2X", "_2]X"])
def test_a_pattern_that_no_number_could_be_held_against_is_a_mistake(tmp_path: Path, number: str) -> None:
    with pytest.raises(UserError, match="number"):
        load_config(write(tmp_path, f'[[routes]]\nnumber = "{number}"\ndialog = "d.yaml"\n'), {})


def test_a_named_file_that_is_missing_is_a_mistake_but_none_at_all_is_not(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no such configuration file"):
        load_config(tmp_path / "missing.toml", {})
    assert load_config(None, {"VOICEBOT_CONFIG": str(tmp_path / "missing.toml")}).limits.calls > 0


def test_the_key_of_a_language_model_comes_from_the_environment_or_a_file(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("from-file\n")
    both = '[llm]\nurl = "http://127.0.0.1:1/v1"\nkey_env = "KEY"\nkey_file = "key"\n'
    assert load_config(write(tmp_path, both), {"KEY": "from-env"}).llm.key.get_secret_value() == "from-env"
    only_file = both.replace('key_env = "KEY"\n', "")
    assert load_config(write(tmp_path, only_file), {}).llm.key.get_secret_value() == "from-file"
    with pytest.raises(UserError, match="KEY is not set in the environment"):
        load_config(write(tmp_path, both), {})
    assert "from-env" not in repr(load_config(write(tmp_path, both), {"KEY": "from-env"}))


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ('[fetch]\nallow = ["http://booking"]', "neither scheme, port nor path"),
        ('[fetch]\nallow = ["10.0.0.0/99"]', "neither an address nor a network"),
        ('[llm]\nurl = "127.0.0.1:1"', "must look like"),
        ('[dialogs]\ntimezone = "Europe/Atlantis"', "no time zone"),
        ('[[routes]]\nnumber = "1"\ndialog = "d"\ntimezone = "../etc"', "no time zone"),
        ('[dialogs]\nenv = ["a b"]', "no name of an environment variable"),
        ('[dialogs]\nenv = ["VOICEBOT_ASTERISK__ARI_PASSWORD"]', "may be a secret"),
    ],
)
def test_settings_of_dialogs_are_checked(tmp_path: Path, text: str, why: str) -> None:
    with pytest.raises(UserError, match=why):
        load_config(write(tmp_path, text + "\n"), {})


def test_a_call_goes_by_its_routes_clock(tmp_path: Path) -> None:
    first = '[[routes]]\nnumber = "1"\ndialog = "d"\n'
    routes = first + '[[routes]]\nnumber = "2"\ndialog = "d"\ntimezone = "Asia/Seoul"\n'
    config = load_config(write(tmp_path, '[dialogs]\ntimezone = "Europe/Berlin"\n' + routes), {})
    assert [str(zone_of(config, route)) for route in config.routes] == ["Europe/Berlin", "Asia/Seoul"]
    config = load_config(write(tmp_path, routes), {})
    assert datetime(2027, 7, 1, tzinfo=zone_of(config, config.routes[0])).utcoffset() is not None


def test_each_language_of_a_route_has_its_own_ears_and_voice(tmp_path: Path) -> None:
    text = """
    [stt.english]
    engine = "whisper"
    [stt.korean]
    engine = "vosk"
    [tts.english]
    engine = "piper"
    [[routes]]
    number = "1"
    dialog = "d.yaml"
    voice = "joe"
    [routes.languages.ko-KR]
    stt = "korean"
    tts = "KOREAN"
    """
    with pytest.raises(UserError, match=r"no \[tts.korean\]"):
        load_config(write(tmp_path, text.replace("KOREAN", "korean")), {})
    more = text.replace("KOREAN", "korean") + '[tts.korean]\nengine = "espeak"\n'
    (route,) = load_config(write(tmp_path, more), {}).routes
    for language, expected in [
        ("en-US", ("english", "english", "joe")),
        ("ko-KR", ("korean", "korean", "")),
        ("ko", ("korean", "korean", "")),
    ]:
        speech = route.speech(language)
        assert (speech.stt, speech.tts, speech.voice) == expected
    with pytest.raises(UserError, match="no tag of a language"):
        load_config(write(tmp_path, more.replace("ko-KR", "Korean")), {})


PAGES = [ROOT / "README.md", ROOT / "models" / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
EXAMPLES = [
    (page, text)
    for page in PAGES
    for text in re.findall(r"```toml\n(.*?)```", page.read_text(), re.S)
    if not text.startswith("[project")  # of a pyproject.toml
]


@pytest.mark.parametrize(("page", "text"), EXAMPLES, ids=lambda value: getattr(value, "name", ""))
def test_every_example_of_the_docs_is_a_configuration(tmp_path: Path, page: Path, text: str) -> None:
    load_config(write(tmp_path, text), {}, secrets=False)


def test_the_reference_in_the_docs_is_made_from_the_models() -> None:
    assert configuration_reference() in (ROOT / "docs" / "configuration.md").read_text()


def test_agents_of_strange_queues_and_queues_of_strange_trunks_are_told_with_their_lines(
    tmp_path: Path,
) -> None:
    file = tmp_path / "voicebot.toml"
    file.write_text(
        '[queues.support]\ncall_back_trunk = "mian"\n[trunks.main]\ndial = "PJSIP/{number}@t"\n'
        '[agents.anna]\nchannel = "anna"\nqueues = ["suport"]\n'
    )
    with pytest.raises(UserError) as told:
        load_config(file, {})
    assert [(problem.line, problem.what) for problem in told.value.problems] == [
        (2, "queues.support.call_back_trunk: there is no [trunks.mian]"),
        (6, "agents.anna.channel: must be a channel, technology and name: PJSIP/anna"),
        (7, "agents.anna.queues: there is no [queues.suport]"),
    ]
