"""Unit: files are handed over and taken back in a folder; what is wrong with it is told; nothing is lost."""

from __future__ import annotations

import errno
import os
import secrets
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from voicebot.campaign.callfile import CallFile, compose, parse
from voicebot.errors import UserError
from voicebot.outbound.spool import FileState, Handing, Spool, call_file_name
from voicebot.outbound.spool_health import SpoolUnavailable
from voicebot.outbound.spool_watch import ArchivedNews, DialledNews, EndedNews, SpoolWatch
from voicebot.pbx import spool_folder
from voicebot.pbx.spool_folder import filesystem_of

pytestmark = pytest.mark.unit

FILE = CallFile("PJSIP/100", application="Wait", data="1", archive=True)
NOW = datetime(2027, 3, 1, 10, 0, 0, 500_000, tzinfo=UTC)
ENDED = "status=ANSWER cause=16 dialled_ms=403 answered_ms=402 at=1795318300.418 tech=\n"


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    (tmp_path / "outgoing").mkdir()
    spool = Spool(tmp_path, reserve_mb=0)
    spool.prepare()
    return spool


def new() -> str:
    return secrets.token_hex(16)


def in_dialled(spool: Spool, attempt: str, text: str) -> None:
    (spool.dialled / attempt).write_text(text)


def test_a_file_arrives_whole_under_its_name_and_at_its_time(spool: Spool) -> None:
    later = datetime.now(UTC) + timedelta(days=1)
    results = spool.hand_over([Handing("now.call", FILE), Handing("later.call", FILE, later)])
    assert [(result.name, result.handed) for result in results] == [("now.call", True), ("later.call", True)]
    now, after = (spool.outgoing / "now.call").stat(), (spool.outgoing / "later.call").stat()
    assert now.st_mtime <= datetime.now(UTC).timestamp()
    assert 0 <= after.st_mtime - later.timestamp() < 1, "Asterisk sees whole seconds: never earlier"
    assert parse((spool.outgoing / "later.call").read_text()).file == FILE
    assert now.st_mode & 0o060 == 0o060, "Asterisk's group appends to it"
    assert list(spool.aside.iterdir()) == []


def test_what_is_due_already_is_not_put_off(spool: Spool) -> None:
    spool.hand_over([Handing("a.call", FILE, datetime.now(UTC))])
    assert (spool.outgoing / "a.call").stat().st_mtime <= datetime.now(UTC).timestamp()


@pytest.mark.parametrize("name", ["", ".hidden", "a/b", "../up.call", "a b", "a\n", "x" * 250])
def test_a_name_that_is_none_is_refused_and_the_others_go_on(spool: Spool, name: str) -> None:
    bad, good = spool.hand_over([Handing(name, FILE), Handing("good.call", FILE)])
    assert not bad.handed and bad.problem is not None
    assert good.handed
    assert [path.name for path in spool.outgoing.iterdir()] == ["good.call"]


def test_a_name_that_is_there_is_not_overwritten(spool: Spool) -> None:
    spool.hand_over([Handing("a.call", FILE)])
    other = CallFile("PJSIP/200", application="Wait")
    (again,) = spool.hand_over([Handing("a.call", other)])
    assert not again.handed and again.problem is not None and again.problem.code == "spool.exists"
    assert parse((spool.outgoing / "a.call").read_text()).file == FILE


@pytest.mark.parametrize("call", ["write", "fsync", "rename"])
@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO, errno.EDQUOT])
def test_a_disk_that_fails_in_between_loses_nothing(
    spool: Spool, monkeypatch: pytest.MonkeyPatch, call: str, number: int
) -> None:
    """The third of five files fails: it is in neither folder, and the others are handed over."""
    real: Callable[..., Any] = getattr(os, call) if call != "rename" else Path.rename
    count = 0

    def failing(*arguments: Any) -> Any:
        nonlocal count
        count += 1
        if count == 3:
            raise OSError(number, os.strerror(number))
        return real(*arguments)

    monkeypatch.setattr(os if call != "rename" else Path, call, failing)
    monkeypatch.setattr("voicebot.outbound.spool.SLOW_FSYNC_S", 60.0)  # one after the other: the third is #3
    results = spool.hand_over(Handing(f"{number}.call", FILE) for number in range(5))
    monkeypatch.undo()
    assert [result.handed for result in results] == [True, True, False, True, True]
    assert results[2].problem is not None and results[2].problem.what
    assert sorted(path.name for path in spool.outgoing.iterdir()) == ["0.call", "1.call", "3.call", "4.call"]
    assert list(spool.aside.iterdir()) == []


def test_a_folder_that_cannot_be_brought_to_the_disk_is_told(
    spool: Spool, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(folder: Path) -> None:
        raise OSError(errno.EIO, "no")

    monkeypatch.setattr("voicebot.outbound.spool.sync_folder", failing)
    (result,) = spool.hand_over([Handing("a.call", FILE)])
    assert result.handed and result.problem is not None, "Asterisk has it: handing over again would be wrong"
    assert (spool.outgoing / "a.call").exists()


def test_many_at_once_where_the_disk_is_slow(spool: Spool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("voicebot.outbound.spool.SLOW_FSYNC_S", 0.0)
    results = spool.hand_over(Handing(f"{number}.call", FILE) for number in range(200))
    assert all(result.handed for result in results)
    assert len(list(spool.outgoing.iterdir())) == 200


def test_below_the_reserve_nothing_is_handed_over(spool: Spool) -> None:
    full = Spool(spool.folder, reserve_mb=10**9)
    with pytest.raises(SpoolUnavailable) as refused:
        full.hand_over([Handing("a.call", FILE)])
    assert [problem.code for problem in refused.value.problems] == ["spool.full"]
    assert list(spool.outgoing.iterdir()) == []


def test_a_spool_that_is_none_is_told(tmp_path: Path) -> None:
    for folder in (tmp_path / "nowhere", tmp_path):
        with pytest.raises(SpoolUnavailable) as refused:
            Spool(folder).prepare()
        assert refused.value.problems[0].code == "spool.missing" and refused.value.problems[0].remedy
    with pytest.raises(SpoolUnavailable):
        Spool(tmp_path / "nowhere").hand_over([Handing("a.call", FILE)])


@pytest.mark.parametrize("empty", [False, True])
def test_lost_journals_do_not_look_like_nothing_was_dialled(
    spool: Spool, tmp_path_factory: pytest.TempPathFactory, empty: bool
) -> None:
    attempt, away = new(), tmp_path_factory.mktemp("away") / "dialled"
    in_dialled(spool, attempt, "dial 1795318300.418 1795318400 1.1\n")
    spool.dialled.rename(away)
    if empty:  # made anew, or a mount over it
        spool.dialled.mkdir()
    for use in (
        lambda: spool.traces(attempt),
        lambda: spool.cancel_attempt(attempt, NOW),
        lambda: spool.hand_over([Handing("a.call", FILE)]),
        lambda: spool.clean([attempt]),
        SpoolWatch(spool).look,
        spool.prepare,
    ):
        with pytest.raises(SpoolUnavailable) as refused:
            use()
        assert refused.value.problems[0].code == "spool.lost"
    assert spool.dialled.exists() == empty
    if empty:
        spool.dialled.rmdir()
    away.rename(spool.dialled)
    spool.prepare()
    assert spool.traces(attempt).journal is not None


def test_a_network_filesystem_is_refused(spool: Spool, monkeypatch: pytest.MonkeyPatch) -> None:
    assert filesystem_of(Path("/proc")) == "proc"
    monkeypatch.setattr(spool_folder, "filesystem_of", lambda path: "nfs4")
    assert [problem.code for problem in spool.problems()] == ["spool.network"]


def test_another_filesystem_is_refused(spool: Spool) -> None:
    if filesystem_of(Path("/dev/shm")) == filesystem_of(spool.folder):
        pytest.skip("all is on one filesystem here")
    elsewhere = Path("/dev/shm") / new()
    elsewhere.mkdir()
    try:
        spool.aside.rmdir()
        spool.aside.symlink_to(elsewhere)
        assert [problem.code for problem in spool.problems()] == ["spool.filesystem"]
        (result,) = spool.hand_over([Handing("a.call", FILE)])
        assert result.problem is not None and result.problem.code == "spool.filesystem"
        assert not list(elsewhere.iterdir()) and not list(spool.outgoing.iterdir())
    finally:
        elsewhere.rmdir()


def test_an_attempt_is_taken_back_for_good(spool: Spool) -> None:
    attempt = new()
    spool.hand_over([Handing(call_file_name(attempt), FILE, datetime.now(UTC) + timedelta(hours=1))])
    done = spool.cancel_attempt(attempt, NOW)
    assert done.in_time and done.found
    assert not (spool.outgoing / call_file_name(attempt)).exists()
    with (spool.dialled / attempt).open(
        "a"
    ) as journal:  # Asterisk had read the file and comes to the fence now
        journal.write("dial 1795318300.417 1795318330 1795318300.35\n")
    assert spool.cancel_attempt(attempt, NOW).in_time, "its line is not the first"


def test_an_attempt_that_was_dialled_is_not_taken_back(spool: Spool) -> None:
    attempt = new()
    spool.hand_over([Handing(call_file_name(attempt), FILE)])
    in_dialled(spool, attempt, "dial 1795318300.417 1795318330 1795318300.35\n")
    done = spool.cancel_attempt(attempt, NOW)
    assert not done.in_time and done.journal is not None and done.journal.dialled
    assert (spool.outgoing / call_file_name(attempt)).exists(), "it is Asterisk's"


def test_a_file_in_flight_is_left_to_asterisk(spool: Spool) -> None:
    spool.hand_over([Handing("a.call", FILE), Handing("b.call", FILE)])
    with (spool.outgoing / "a.call").open("a") as file:
        file.write("\nStartRetry: 812 1 (1795318300)\n")
    assert not spool.cancel("a.call").in_time and (spool.outgoing / "a.call").exists()
    assert spool.cancel("b.call").in_time and not (spool.outgoing / "b.call").exists()
    assert not spool.cancel("none.call").found


def test_files_are_listed_by_their_time_with_their_state(spool: Spool) -> None:
    later = datetime.now(UTC) + timedelta(hours=1)
    spool.hand_over([Handing("later.call", FILE, later), Handing("flying.call", FILE)])
    with (spool.outgoing / "flying.call").open("a") as file:
        file.write("\nStartRetry: 812 1 (1795318300)\n")
    (spool.outgoing / "broken.call").write_text("nonsense")
    found = {entry.name: entry for entry in spool.entries()}
    assert found["later.call"].state is FileState.WAITING
    assert found["flying.call"].state is FileState.IN_FLIGHT
    assert found["broken.call"].state is FileState.UNKNOWN and found["broken.call"].problems
    assert [entry.name for entry in spool.entries()][-1] == "later.call"
    (spool.done / "old.call").write_text(compose(FILE) + "Status: Completed\n")
    assert [entry.state for entry in spool.entries(archived=True)] == [FileState.COMPLETED]


def test_traces_tell_each_stage_of_an_attempt(spool: Spool) -> None:
    attempt = new()
    name = call_file_name(attempt)
    assert spool.traces(attempt).never_left
    (spool.aside / name).write_text(compose(FILE))
    assert spool.traces(attempt).never_left and spool.traces(attempt).aside
    (spool.aside / name).rename(spool.outgoing / name)
    assert not spool.traces(attempt).never_left and spool.traces(attempt).outgoing
    in_dialled(spool, attempt, "dial 1795318300.417 1795318330 1795318300.35\n")
    assert spool.traces(attempt).dialled_at == datetime.fromtimestamp(1795318300.417, UTC)
    (spool.outgoing / name).rename(spool.done / name)
    assert spool.traces(attempt).done == "", "archived, and no status yet"
    (spool.done / name).write_text(compose(FILE) + "Status: Completed\n")
    (spool.ended / attempt).write_text(ENDED)
    left = spool.traces(attempt)
    assert left.done == "Completed" and left.ended is not None and left.ended.answered
    with pytest.raises(ValueError):
        spool.traces("../../etc/passwd")


def test_a_once_key_outlives_the_expiry(spool: Spool) -> None:
    attempt = new()
    name = call_file_name(attempt)
    expires = int(NOW.timestamp()) + 100
    in_dialled(spool, attempt, f"dial 1795318300.417 {expires} 1795318300.35\n")
    (spool.done / name).write_text(compose(FILE) + "Status: Completed\n")
    (spool.ended / attempt).write_text(ENDED)
    spool.clean([attempt])
    assert not (spool.done / name).exists() and not (spool.ended / attempt).exists()
    assert spool.sweep(NOW + timedelta(seconds=100)) == 0
    assert (spool.dialled / attempt).exists(), "Asterisk may come again until then"
    assert spool.sweep(NOW + timedelta(seconds=200)) == 1
    assert spool.traces(attempt) == type(spool.traces(attempt))(attempt)
    assert list(spool.closed.iterdir()) == []


def test_a_key_of_an_open_attempt_is_never_swept(spool: Spool) -> None:
    attempt = new()
    in_dialled(spool, attempt, "dial 1.0 1 1.1\n")
    assert spool.sweep(NOW + timedelta(days=1000)) == 0
    assert (spool.dialled / attempt).exists()


def test_news_are_told_once_and_when_they_are_whole(spool: Spool) -> None:
    watch, attempt = SpoolWatch(spool), new()
    assert watch.look() == ()
    (spool.dialled / attempt).write_text("dial 1795318300.417")
    (spool.ended / attempt).write_text("")
    (spool.done / "a.call").write_text(compose(FILE))
    assert watch.look() == (), "nothing is whole yet"
    in_dialled(spool, attempt, "dial 1795318300.417 1795318330 1795318300.35\n")
    (spool.ended / attempt).write_text(ENDED)
    (spool.done / "a.call").write_text(compose(FILE) + "Status: Expired\n")
    dialled, ended, archived = watch.look()
    assert isinstance(dialled, DialledNews) and dialled.journal.dialled
    assert isinstance(ended, EndedNews) and ended.ended.answered
    assert archived == ArchivedNews("a.call", "Expired")
    assert watch.look() == ()
    assert len(SpoolWatch(spool).look()) == 3, "told again after a restart, until somebody cleans up"


def test_news_of_the_same_name_after_it_was_cleaned_away(spool: Spool) -> None:
    watch = SpoolWatch(spool)
    for _ in range(2):
        (spool.done / "a.call").write_text(compose(FILE) + "Status: Completed\n")
        assert watch.look() == (ArchivedNews("a.call", "Completed"),)
        (spool.done / "a.call").unlink()
        assert watch.look() == ()


def test_what_asterisk_never_finished_is_told_after_a_while(
    spool: Spool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Asterisk was killed between archiving a file and adding its status."""
    watch = SpoolWatch(spool)
    (spool.done / "a.call").write_text(compose(FILE))
    assert watch.look() == ()
    monkeypatch.setattr("voicebot.outbound.spool_watch.STATUS_WITHIN_S", -1.0)
    assert watch.look() == (ArchivedNews("a.call", ""),)


def test_a_spool_that_goes_away_is_told(spool: Spool) -> None:
    watch = SpoolWatch(spool)
    spool.ended.rmdir()
    with pytest.raises(SpoolUnavailable):
        watch.look()
    with pytest.raises(UserError):
        spool.find("../x")
