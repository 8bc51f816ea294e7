"""unit: dialogs that are saved while calls go on. The files are real, in a temporary folder."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import pytest
import structlog

from voicebot.app import dialogs as module
from voicebot.app.dialogs import DialogStore
from voicebot.config import Config, Route
from voicebot.dialog.model.dialog import Dialog
from voicebot.errors import UserError

pytestmark = pytest.mark.unit

HELLO = "dialog: hello\nsteps:\n  hi: {say: SAID, end: done}\n"
BAD = "dialog: hello\nsteps:\n  hi: {say: Hello., goto: nowhere}\n"


class Office:
    """A folder with dialogs, and the store that serves them."""

    def __init__(self, folder: Path, *routes: dict[str, object]) -> None:
        self.folder = folder
        self.swapped: list[tuple[Route, Dialog]] = []
        given = routes or ({"number": "600", "dialog": "hello.yaml"},)
        paths = {"var": str(folder / "var")}
        self.config = Config.model_validate({"routes": given, "paths": paths, "base": folder})
        self.store = DialogStore(self.config, swapped=self.swapped.extend)

    def save(self, text: str, name: str = "hello.yaml", age_s: float = 10.0) -> Path:
        """Save a file that was written `age_s` ago, so that it has settled."""
        path = self.folder / name
        path.write_text(text)
        then = path.stat().st_mtime - age_s
        os.utime(path, (then, then))
        return path

    async def said(self, number: int = 0) -> str:
        """Return what the first step says in a call that begins now."""
        dialog = await self.store.fresh(self.config.routes[number])
        return next(iter(dialog.steps.values())).say[0].text

    @property
    def problems(self) -> list[str]:
        return [problem.code for problem in self.store.states[0].problems]


@pytest.fixture
def office(tmp_path: Path) -> Office:
    office = Office(tmp_path)
    office.save(HELLO.replace("SAID", "one"))
    office.store.load()
    return office


async def test_a_saved_file_is_live_for_the_next_call_and_calls_keep_theirs(office: Office) -> None:
    begun = await office.store.fresh(office.config.routes[0])
    office.save(HELLO.replace("SAID", "two"), age_s=5)
    assert await office.said() == "two"
    assert next(iter(begun.steps.values())).say[0].text == "one"
    assert [route.number for route, _ in office.swapped] == ["600"]
    assert await office.said() == "two"
    assert len(office.swapped) == 1


async def test_a_bad_file_keeps_the_old_one_and_the_operator_is_told_once(office: Office) -> None:
    office.save(BAD, age_s=5)
    with structlog.testing.capture_logs() as logs:
        assert await office.said() == "one"
        assert await office.said() == "one"
    (entry,) = [entry for entry in logs if entry["log_level"] == "error"]
    assert "nowhere" in str(entry["problems"])
    assert "hello.yaml:3:" in str(entry["problems"])
    state = json.loads(office.config.dialog_state.read_text())
    assert "nowhere" in state["dialogs"][0]["problems"][0]
    assert state["dialogs"][0]["version"] == office.store.states[0].version
    office.save(HELLO.replace("SAID", "three"), age_s=4)
    assert await office.said() == "three"
    assert office.problems == []


async def test_a_bad_file_that_is_put_back_is_no_fault_any_more(office: Office) -> None:
    office.save(BAD, age_s=5)
    await office.said()
    assert office.problems != []
    office.save(HELLO.replace("SAID", "one"), age_s=4)
    assert await office.said() == "one"
    assert office.problems == []
    assert office.swapped == []


async def test_an_editor_that_empties_the_file_first_raises_no_alarm(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "SETTLE_S", 0.05)
    office.save("", age_s=0)
    with structlog.testing.capture_logs() as logs:
        asking = asyncio.create_task(office.said())
        await asyncio.sleep(0.02)
        office.save(HELLO.replace("SAID", "two"), age_s=0)
        assert await asking == "two"
    assert [entry["event"] for entry in logs] == ["dialog reloaded"]


async def test_an_editor_that_puts_a_new_file_in_place_raises_no_alarm(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "SETTLE_S", 0.05)
    (office.folder / "hello.yaml").unlink()
    with structlog.testing.capture_logs() as logs:
        asking = asyncio.create_task(office.said())
        await asyncio.sleep(0.02)
        office.save(HELLO.replace("SAID", "two")).rename(office.folder / "hello.yaml")
        assert await asking == "two"
    assert [entry["event"] for entry in logs] == ["dialog reloaded"]


async def test_a_file_that_is_gone_changes_nothing(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SETTLE_S", 0.01)
    (office.folder / "hello.yaml").unlink()
    assert await office.said() == "one"
    assert len(office.problems) == 1


async def test_a_disk_that_hangs_costs_a_call_a_moment_and_no_more(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "CALL_WAITS_S", 0.02)
    async with office.store._kept["hello.yaml"].lock:
        assert await asyncio.wait_for(office.said(), 1) == "one"


async def test_included_files_are_watched_and_those_with_faults(tmp_path: Path) -> None:
    office = Office(tmp_path)
    office.save(HELLO.replace("SAID", "inner").replace("end: done", "return: done"), "inner.yaml")
    steps = "steps:\n  go: {say: outer, call: inner}\n  bye: {end: done}\n"
    office.save(f"dialog: outer\ninclude: {{inner: inner.yaml}}\n{steps}")
    office.store.load()
    before = office.store.states[0].version
    office.save(BAD, "inner.yaml", age_s=5)
    await office.said()
    assert office.problems != []
    office.save(HELLO.replace("SAID", "changed").replace("end: done", "return: done"), "inner.yaml", age_s=4)
    await office.said()
    assert office.problems == []
    assert office.store.states[0].version != before


async def test_a_dialog_that_wants_more_than_its_route_gives_is_refused(tmp_path: Path) -> None:
    office = Office(tmp_path, {"number": "600", "dialog": "hello.yaml", "given": {"name": "Sara"}})
    office.save(HELLO.replace("SAID", "one"))
    office.store.load()
    office.save("needs: {name: text, day: date}\n" + HELLO.replace("SAID", "two"), age_s=5)
    assert await office.said() == "one"
    assert office.problems == ["need"]


async def test_files_are_looked_at_between_calls_too(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "WATCH_S", 0.01)
    swapped = asyncio.Event()
    office.store._swapped = lambda _: swapped.set()
    watching = asyncio.create_task(office.store.watch())
    office.save(HELLO.replace("SAID", "two"), age_s=5)
    await asyncio.wait_for(swapped.wait(), 2)
    watching.cancel()


async def test_reloading_can_be_switched_off(tmp_path: Path) -> None:
    office = Office(tmp_path)
    office.save(HELLO.replace("SAID", "one"))
    quiet = office.config.dialogs.model_copy(update={"reload": False})
    office.store = DialogStore(office.config.model_copy(update={"dialogs": quiet}))
    office.store.load()
    office.save(HELLO.replace("SAID", "two"), age_s=5)
    assert await office.said() == "one"
    await asyncio.wait_for(office.store.watch(), 1)


def test_at_start_all_faults_of_all_files_are_told(tmp_path: Path) -> None:
    office = Office(
        tmp_path, {"number": "600", "dialog": "hello.yaml"}, {"number": "601", "dialog": "missing.yaml"}
    )
    office.save(BAD)
    with pytest.raises(UserError) as caught:
        office.store.load()
    assert {Path(problem.source).name for problem in caught.value.problems} == {"hello.yaml", "missing.yaml"}


# --- sentence vectors -----------------------------------------------------------------------------------

WISHES = """
dialog: wishes
include: {part: part.yaml}
slots: {wish: {type: choice, choices: {repair: {hear: [repair], examples: [it is broken]}}}}
steps:
  ask: {ask: What is it?, fill: wish}
  call: {call: part, goto: bye}
  bye: {say: Bye., end: done}
"""
PART = """
dialog: part
slots: {ready: yes_no}
steps:
  ask:
    ask: Are you ready?
    fill: ready
    choices: {later: {hear: [later], examples: [give me a moment], goto: bye}}
  bye: {return: done}
"""


class Encoder:
    """Stands for the real one: it has learnt what it was given."""

    def __init__(self) -> None:
        self.known: list[str] = []

    def learn(self, texts: Iterable[str]) -> None:
        self.known += texts

    def encode(self, texts: Sequence[str]) -> None:
        return None


def wishes(folder: Path, wanted: bool, make: Callable[[], object]) -> DialogStore:
    office = Office(folder, {"number": "600", "dialog": "wishes.yaml"})
    office.save(WISHES, "wishes.yaml")
    office.save(PART, "part.yaml")
    settings = office.config.dialogs.model_copy(update={"sentence_vectors": wanted})
    config = office.config.model_copy(update={"dialogs": settings})
    return DialogStore(config, vectors=make)  # type: ignore[arg-type]


def test_sentence_vectors_are_for_all_dialogs_and_loaded_once(tmp_path: Path) -> None:
    made: list[Encoder] = []

    def make() -> Encoder:
        made.append(Encoder())
        return made[-1]

    store = wishes(tmp_path, True, make)
    store.load()
    dialog = store.dialog_of(Route(number="600", dialog="wishes.yaml"))
    (encoder,) = made
    assert dialog.vectors is encoder
    assert dialog.included["part"].vectors is encoder
    assert sorted(encoder.known) == ["give me a moment", "it is broken"], "no call waits for examples"


def test_nobody_pays_for_sentence_vectors_that_are_not_wanted(tmp_path: Path) -> None:
    store = wishes(tmp_path, False, lambda: pytest.fail("loaded"))
    store.load()
    assert store.dialog_of(Route(number="600", dialog="wishes.yaml")).vectors is None


def test_sentence_vectors_that_are_not_installed_are_told_of_with_all_else(tmp_path: Path) -> None:
    def lacking() -> object:
        raise UserError("sentence vectors are not installed", "run: pip install 'voicebot[sentences]'")

    store = wishes(tmp_path, True, lacking)
    (tmp_path / "part.yaml").write_text(PART.replace("goto: bye", "goto: nowhere"))
    with pytest.raises(UserError) as raised:
        store.load()
    first, *others = raised.value.problems
    assert str(first).startswith("dialogs.sentence_vectors: sentence vectors are not installed")
    assert "pip install" in first.remedy
    assert any("nowhere" in str(problem) for problem in others)


NEEDS = "needs: {first_name: name}\n"
CAMPAIGN = Route(number="+12025550100", dialog="campaign.yaml")


async def test_a_campaigns_dialog_is_loaded_when_it_is_asked_for_and_kept_fresh(office: Office) -> None:
    office.save(NEEDS + HELLO.replace("SAID", "one"), "campaign.yaml")
    first = await office.store.fresh(CAMPAIGN, ("first_name",))
    assert first.steps["hi"].say[0].text == "one"
    assert await office.store.fresh(CAMPAIGN, ("first_name",)) is first
    office.save(NEEDS + HELLO.replace("SAID", "two"), "campaign.yaml", age_s=5)
    assert (await office.store.fresh(CAMPAIGN, ("first_name",))).steps["hi"].say[0].text == "two"
    office.save(BAD, "campaign.yaml", age_s=4)
    assert (await office.store.fresh(CAMPAIGN, ("first_name",))).steps["hi"].say[0].text == "two"


async def test_a_campaigns_dialog_with_faults_is_refused(office: Office) -> None:
    office.save(BAD, "campaign.yaml")
    with pytest.raises(UserError, match="nowhere"):
        await office.store.fresh(CAMPAIGN, ())
    office.save(NEEDS + HELLO, "campaign.yaml", age_s=5)
    with pytest.raises(UserError, match="first_name"):
        await office.store.fresh(CAMPAIGN, ("last_name",))


async def test_a_saved_dialog_that_wants_more_than_contacts_have_is_not_taken(office: Office) -> None:
    office.save(NEEDS + HELLO.replace("SAID", "one"), "campaign.yaml")
    await office.store.fresh(CAMPAIGN, ("first_name",))
    office.save("needs: {first_name: name, day: date}\n" + HELLO, "campaign.yaml", age_s=5)
    kept = await office.store.fresh(CAMPAIGN, ("first_name",))
    assert kept.steps["hi"].say[0].text == "one"
    assert [problem.code for problem in office.store.states[1].problems] == ["need"]


async def test_what_was_saved_since_the_proof_reaches_nobody_before_it_is_proven(office: Office) -> None:
    office.save(NEEDS + HELLO.replace("SAID", "one"), "campaign.yaml")
    version = (await office.store.fresh(CAMPAIGN, ("first_name",))).version
    proven = await office.store.fresh(CAMPAIGN, ("first_name",), version)
    office.save(NEEDS + HELLO.replace("SAID", "two"), "campaign.yaml", age_s=5)
    assert await office.store.fresh(CAMPAIGN, ("first_name",), version) is proven
    later = (await office.store.fresh(CAMPAIGN, ("first_name",))).version
    assert later != version
    assert (await office.store.fresh(CAMPAIGN, ("first_name",), later)).steps["hi"].say[0].text == "two"
    with pytest.raises(UserError, match="campaign's contacts do not have"):
        await office.store.fresh(CAMPAIGN, ("last_name",), version)
    restarted = DialogStore(office.config)
    with pytest.raises(UserError, match="changed since it was proven"):
        await restarted.fresh(CAMPAIGN, ("first_name",), version)


async def test_it_is_told_once_that_a_saved_dialog_is_not_what_campaigns_hold(office: Office) -> None:
    office.save(NEEDS + HELLO.replace("SAID", "one"), "campaign.yaml")
    version = (await office.store.fresh(CAMPAIGN, ("first_name",))).version
    await office.store.fresh(CAMPAIGN, ("first_name",), version)
    office.save(NEEDS + HELLO.replace("SAID", "two"), "campaign.yaml", age_s=5)
    with structlog.testing.capture_logs() as logs:
        await office.store.notice_unproven()
        await office.store.notice_unproven()
    assert [entry["version"] for entry in logs] == [version]


def test_without_routes_there_must_be_dialling(tmp_path: Path) -> None:
    settings: dict[str, object] = {"paths": {"var": str(tmp_path / "var")}, "base": tmp_path}
    with pytest.raises(UserError, match="no routes"):
        DialogStore(Config.model_validate(settings)).load()
    DialogStore(Config.model_validate({**settings, "dialling": {"enabled": True}})).load()
