"""Category: simulator. Past calls are found, in what was written since and what was erased, and heard."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from tests.house import fake_records
from voicebot.errors import UserError
from voicebot.web.records.index import RecordIndex, Wanted
from voicebot.web.records.paths import record_path
from voicebot.web.records.peaks import peaks_of

pytestmark = pytest.mark.simulator


@pytest.fixture
def index(tmp_path: Path) -> RecordIndex:
    fake_records(tmp_path, 12)
    index = RecordIndex(tmp_path)
    index.open()
    assert index.catch_up() == 12
    return index


def ids(index: RecordIndex, wanted: Wanted) -> list[str]:
    return [call["id"] for call in index.find(wanted).calls]


@pytest.mark.parametrize(
    ("wanted", "count"),
    [
        (Wanted(), 12),
        (Wanted(text="half past TEN"), 12),
        (Wanted(text="kath winterb"), 12),
        (Wanted(text='" OR * NEAR('), 0),
        (Wanted(text="nobody said this"), 0),
        (Wanted(number="+1 202 556-0007"), 1),
        (Wanted(number="%"), 0),
        (Wanted(dialog="delivery"), 6),
        (Wanted(goal=True, dialog="appointment"), 2),
        (Wanted(dialog="' OR 1=1 --"), 0),
    ],
)
def test_looking(index: RecordIndex, wanted: Wanted, count: int) -> None:
    assert len(ids(index, wanted)) == count


def test_pages_go_on_where_the_last_one_ended(index: RecordIndex) -> None:
    seen: list[str] = []
    after = ""
    while True:
        page = index.find(Wanted(), after, 5)
        seen += [call["id"] for call in page.calls]
        after = page.after
        if not after:
            break
    assert seen == ids(index, Wanted())
    assert len(seen) == 12


def test_new_changed_and_erased_records(index: RecordIndex, tmp_path: Path) -> None:
    first, second = ids(index, Wanted())[:2]
    path, other = record_path(tmp_path, first), record_path(tmp_path, second)
    assert path is not None
    assert other is not None
    record = json.loads(path.read_text())
    record["turns"][1]["text"] = "xylophone"
    aside = path.with_suffix(".part")
    aside.write_text(json.dumps(record))
    aside.rename(path)  # as records are written
    other.unlink()
    (path.parent / "broken.json").write_text("{")
    (path.parent / "strange.json").write_text('{"started_at": [], "turns": 7}')

    index.catch_up()

    assert ids(index, Wanted(text="xylophone")) == [first]
    assert second not in ids(index, Wanted())
    assert len(ids(index, Wanted())) == 11


def test_an_index_of_another_form_is_made_anew(index: RecordIndex, tmp_path: Path) -> None:
    (tmp_path / "panel" / "records.db").write_bytes(b"this is no database" * 100)
    for left in ("records.db-wal", "records.db-shm"):
        (tmp_path / "panel" / left).unlink(missing_ok=True)
    again = RecordIndex(tmp_path)
    again.open()

    assert again.catch_up() == 12


def test_the_shape_of_a_recording(tmp_path: Path) -> None:
    record = fake_records(tmp_path, 1)[0]
    path = record_path(tmp_path, record.id)
    assert path is not None
    wav = path.with_suffix(".wav")

    peaks = peaks_of(wav)

    assert math.isclose(peaks.duration_s, 5.0)
    assert len(peaks.caller) == len(peaks.bot) == 5 * peaks.per_second
    assert set(peaks.caller) == {18}  # 6000 of 32768
    kept = path.with_suffix(".peaks")
    kept.write_text(kept.read_text().replace("18", "17", 1))
    assert peaks_of(wav).caller[0] == 17  # it is not computed again
    kept.write_text("no JSON")
    assert peaks_of(wav) == peaks
    wav.write_bytes(b"no wav")
    kept.unlink()
    with pytest.raises(UserError, match="cannot be read"):
        peaks_of(wav)
