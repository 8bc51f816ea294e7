"""Unit: a dialog with all that it is made from: sub-dialogs, translations, lists of choices, wav files."""

from __future__ import annotations

import posixpath
import tomllib
import wave
from pathlib import Path

import pytest

from voicebot.dialog.loading.files import library, load_dialog
from voicebot.dialog.loading.lists import MOST_VALUES, read_choices
from voicebot.dialog.loading.loader import DEEPEST_INCLUDE, MOST_FILES, parse_dialog
from voicebot.dialog.loading.sources import Sound
from voicebot.errors import Problem, UserError

pytestmark = pytest.mark.unit

ROOT = Path(__file__).resolve().parents[4]


class Shelf:
    """Files in memory; counts how often each is read."""

    def __init__(self, **files: str) -> None:
        self.files = {name.replace("__", "/") + ".yaml": text for name, text in files.items()}
        self.read: list[str] = []

    def find(self, name: str, folder: str) -> str | None:
        path = posixpath.normpath(posixpath.join(folder, name))
        return path if path in self.files else None

    def text(self, path: str) -> str:
        self.read.append(path)
        return self.files[path]

    def sound(self, path: str) -> Sound:
        return Sound(self.files[path], "is broken" if self.files[path] == "broken" else "", "mend it")


def calling(*included: str, name: str = "x") -> str:
    files = ", ".join(f"d{at}: {file}" for at, file in enumerate(included))
    calls = "".join(f"  s{at}: {{call: d{at}}}\n" for at in range(len(included)))
    return f"dialog: {name}\ninclude: {{{files}}}\nsteps:\n{calls}  z: {{return: done}}\n"


def problems(text: str, shelf: Shelf) -> list[Problem]:
    with pytest.raises(UserError) as told:
        parse_dialog(text, "x.yaml", files=shelf)
    return list(told.value.problems)


PIN = """\
dialog: pin
needs: {question: text, tries: {type: number, default: 3}}
slots: {pin: {type: digits, length: 4}}
returns: [pin]
steps:
  ask: {ask: "{question}", fill: pin, failed: none}
  ok: {return: right}
  none: {return: none}
"""
OUTER = """\
dialog: x
include: {pin: pin.yaml}
slots: {name: text}
values: {code: digits, level: number}
steps:
  a:
    call: {dialog: pin, with: {question: "'Your code?'"}, keep: {code: pin}}
    goto: {b: result == 'right', c: else}
  b: {say: "It is {code}.", end: x}
  c: {end: y}
"""


def test_an_included_dialog_is_part_of_the_dialog() -> None:
    dialog = parse_dialog(OUTER, "x.yaml", files=Shelf(pin=PIN))
    assert dialog.included["pin"].name == "pin" and dialog.files == ("x.yaml", "pin.yaml")
    assert [w for w in dialog.warnings if w.code != "unused"] == []
    changed = parse_dialog(OUTER, "x.yaml", files=Shelf(pin=PIN + "# another\n"))
    assert changed.version != dialog.version


@pytest.mark.parametrize(
    ("old", "new", "line", "code", "what"),
    [
        ("dialog: pin,", "dialog: pn,", 7, "include", "included as `pn`"),
        (", with: {question: \"'Your code?'\"}", "", 7, "include", "needs `question` (text)"),
        ("question:", "questoin:", 7, "include", "needs no `questoin`"),
        ("with: {question:", "with: {tries: name == 'a', question:", 7, "type", "declared as number"),
        ("code: pin}", "code: pni}", 7, "include", "returns no `pni`"),
        ("code: pin}", "level: pin, code: pin}", 7, "type", "`pin` is digits"),
        ("'right'", "'rihgt'", 8, "result", "never returns `rihgt`"),
        ("result == 'right', c: else", "result != unknown, c: else", 9, "unknown", "`code` may not be known"),
    ],
)
def test_a_call_must_fit(old: str, new: str, line: int, code: str, what: str) -> None:
    text = OUTER.replace(old, new, 1)
    assert text != OUTER
    try:
        told = list(parse_dialog(text, "x.yaml", files=Shelf(pin=PIN)).warnings)
    except UserError as error:
        told = list(error.problems)
    assert [p for p in told if (p.line, p.code) == (line, code) and what in p.what and p.remedy], told


def test_faults_of_an_included_dialog_are_told_where_they_are() -> None:
    shelf = Shelf(sub__a=calling("b.yaml"), sub__b="dialog: b\nsteps:\n  a: {sya: Hi., end: x}\n")
    told = problems(calling("sub/a.yaml", "sub/nothing.yaml"), shelf)
    assert [(p.source, p.line, p.code) for p in told] == [("sub/b.yaml", 3, "form"), ("x.yaml", 2, "include")]


def test_a_file_is_read_once_however_often_it_is_included() -> None:
    shelf = Shelf(c="dialog: c\nsteps: {a: {return: x}}", a=calling("c.yaml"), b=calling("c.yaml", "a.yaml"))
    dialog = parse_dialog(calling("a.yaml", "b.yaml", "c.yaml"), "x.yaml", files=shelf)
    assert sorted(shelf.read) == ["a.yaml", "b.yaml", "c.yaml"]
    assert dialog.included["d2"] is dialog.included["d0"].included["d0"]
    assert dialog.files == ("x.yaml", "a.yaml", "c.yaml", "b.yaml")


def test_a_circle_of_dialogs_is_named() -> None:
    shelf = Shelf(x=calling("a.yaml"), a=calling("b.yaml"), b=calling("x.yaml"))
    told = problems(shelf.files["x.yaml"], shelf)
    assert [p.what for p in told] == ["dialogs include each other: x.yaml -> a.yaml -> b.yaml -> x.yaml"]
    assert told[0].code == "cycle" and told[0].source == "b.yaml"


@pytest.mark.parametrize("shallow_first", [False, True])
def test_includes_are_not_endless(shallow_first: bool) -> None:
    chain = {f"a{at}": calling(f"a{at + 1}.yaml") for at in range(DEEPEST_INCLUDE)}
    shelf = Shelf(**chain, **{f"a{DEEPEST_INCLUDE}": "dialog: a\nsteps: {a: {return: x}}"})
    parse_dialog(calling("a2.yaml"), "x.yaml", files=shelf)
    first = ("a2.yaml", "a0.yaml") if shallow_first else ("a0.yaml",)
    told = problems(calling(*first), shelf)
    assert {p.code for p in told} == {"depth"} and " -> " in told[0].what
    many = {f"b{at}": "dialog: b\nsteps: {a: {return: x}}" for at in range(MOST_FILES + 1)}
    half = [f"b{at}.yaml" for at in range(40)]
    inner = calling(*(f"b{at}.yaml" for at in range(30, MOST_FILES + 1)))
    told = problems(calling(*half, "c.yaml"), Shelf(**many, c=inner))
    assert [p.code for p in told] == ["size"]


def test_translations_of_a_file_are_told_with_their_own_lines() -> None:
    text = (
        "dialog: x\nlanguages: [ko-KR]\ntranslations: {ko-KR: ko.yaml}\n"
        "steps:\n  a: {say: Hello., ask: Hm?, choices: {yes: {goto: b}, go: [go on]}}\n  b: {end: x}\n"
    )
    korean = "Hello.: 안녕하세요.\nHm?: 네?\ngo on: [계속, 네 계속]\n"
    dialog = parse_dialog(text, "sub/x.yaml", "sub", Shelf(sub__ko=korean))
    assert dialog.warnings == () and dialog.files == ("sub/x.yaml", "sub/ko.yaml")
    assert dialog.text_in("ko-KR", "Hello.") == "안녕하세요."
    assert dialog.phrases_in("ko-KR", ("go on",)) == ("계속", "네 계속")
    wrong = korean.replace("Hm?:", "Hmm?:").replace("안녕하세요.", "'{nmae}'") + "more: {a: b}\n"
    with pytest.raises(UserError) as told:
        parse_dialog(text, "sub/x.yaml", "sub", Shelf(sub__ko=wrong))
    assert [(p.source, p.line) for p in told.value.problems] == [("sub/ko.yaml", 4)]
    wrong = wrong.replace("more: {a: b}\n", "")
    with pytest.raises(UserError) as told:
        parse_dialog(text, "sub/x.yaml", "sub", Shelf(sub__ko=wrong))
    assert [(p.source, p.line, p.code) for p in told.value.problems] == [("sub/ko.yaml", 1, "value")]


def test_a_list_of_choices() -> None:
    text = "# departments\nheart: the heart clinic, cardiology\n\nx_ray   # by its name\n눈: 안과\n"
    read = read_choices(text, "list.txt")
    assert read == {"heart": ("the heart clinic", "cardiology"), "x_ray": ("x ray",), "눈": ("안과",)}
    text = "a: b\n: c\na: d\ne:\n"
    with pytest.raises(UserError) as told:
        read_choices(text, "list.txt")
    assert [(p.line, p.code) for p in told.value.problems] == [(2, "list"), (3, "list"), (4, "list")]
    whole = "".join(f"street {n}: street number {n}\n" for n in range(MOST_VALUES))
    assert len(read_choices(whole, "list.txt")) == MOST_VALUES
    for wrong in (whole + "one: more\n", "", "a: " + "b" * 300, "a: \0"):
        with pytest.raises(UserError):
            read_choices(wrong, "list.txt")


def test_files_beside_a_dialog(tmp_path: Path) -> None:
    (tmp_path / "lib").mkdir()
    (tmp_path / "streets.txt").write_text("oak: oak street\nelm: elm street\n")
    (tmp_path / "lib" / "name.yaml").write_text("dialog: own\nsteps: {a: {return: done}}\n")
    with wave.open(str(tmp_path / "hi.wav"), "wb") as sound:
        sound.setparams((1, 2, 8000, 0, "NONE", ""))
        sound.writeframes(b"\0\0" * 80)
    path = tmp_path / "x.yaml"
    path.write_text(
        "dialog: x\ninclude: {name: lib/name.yaml, sure: lib/yes_no.yaml}\n"
        "slots: {street: {type: choice, choices_from: streets.txt}}\n"
        "steps:\n  a: {say: {wav: hi.wav, text: Hi}, call: name}\n  b: {call: sure}\n"
        "  c: {ask: Hm?, fill: street, goto: {d: street == 'oak', e: street == 'ash'}}\n"
        "  d: {end: x}\n  e: {end: y}\n"
    )
    with pytest.raises(UserError, match="never 'ash'"):
        load_dialog(path)
    path.write_text(path.read_text().replace("'ash'", "'elm'"))
    dialog = load_dialog(path)
    assert dialog.included["name"].name == "own", "beside the dialog comes first"
    assert dialog.included["sure"].name == "yes_no", "then the ready ones"
    assert library() == ROOT / "dialogs" / "lib"
    assert dialog.lists == {"street": {"oak": ("oak street",), "elm": ("elm street",)}}
    names = [Path(file).name for file in dialog.files]
    assert names == ["x.yaml", "name.yaml", "yes_no.yaml", "streets.txt", "hi.wav"]
    before = dialog.version
    (tmp_path / "streets.txt").write_text("oak: oak street, the oaks\nelm: elm street\n")
    assert load_dialog(path).version != before
    (tmp_path / "hi.wav").write_bytes(b"RIFF")
    with pytest.raises(UserError, match=r"hi\.wav cannot be played"):
        load_dialog(path)


def test_the_ready_dialogs_are_in_the_wheel_where_they_are_looked_for() -> None:
    build = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["hatch"]["build"]
    assert build["targets"]["wheel"]["force-include"] == {"dialogs/lib": "voicebot/library"}


def test_a_translated_wav_must_be_there() -> None:
    text = (
        "dialog: x\nlanguages: [ko-KR]\ntranslations: {ko-KR: {hi.wav: ko/hi.wav, bye.wav: ../bye.wav}}\n"
        "steps:\n  a: {say: {wav: hi.wav}}\n  b: {say: {wav: bye.wav}, end: x}\n"
    )
    shelf = Shelf()
    shelf.files |= {"hi.wav": "1", "bye.wav": "broken"}
    told = {(p.line, p.column, p.what) for p in problems(text, shelf)}
    assert (3, 32, "there is no ko/hi.wav") in told and (6, 18, "bye.wav is broken") in told
    assert any("no name of a wav file" in what for _, _, what in told)


def test_a_dialog_alone_has_nothing_beside_it() -> None:
    with pytest.raises(UserError, match=r"there is no pin\.yaml"):
        parse_dialog(OUTER)
    assert parse_dialog("dialog: x\nsteps: {a: {end: x}}").files == ()
