"""Unit: whatever a file holds, loading it ends soon, in a dialog or in a UserError; fuzzed."""

from __future__ import annotations

import json
import posixpath
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from voicebot.dialog.checking.finding import CODES
from voicebot.dialog.loading.files import load_dialog
from voicebot.dialog.loading.lists import read_choices
from voicebot.dialog.loading.loader import examine
from voicebot.dialog.loading.shapes import known_keys
from voicebot.dialog.loading.sources import Sound
from voicebot.dialog.loading.yamlfile import LARGEST_BYTES, MOST_PROBLEMS
from voicebot.errors import Problem, UserError

pytestmark = pytest.mark.unit

ROOT = Path(__file__).resolve().parents[4]
DIALOGS = {
    path.relative_to(ROOT / "dialogs").as_posix(): path.read_text(encoding="utf-8")
    for path in sorted((ROOT / "dialogs").rglob("*.yaml"))
    if not path.name.endswith((".test.yaml", ".campaign.yaml"))
}
MIB = LARGEST_BYTES
LONGEST_S = 5.0
"""Generous, for a machine that does other things; each takes well below a second alone."""
MOST_MEMORY = 150 << 20


class Shelf:
    """The shipped dialogs, and a file that is whatever is tried."""

    def __init__(self, **files: str) -> None:
        self.files = {**DIALOGS, **files}

    def find(self, name: str, folder: str) -> str | None:
        path = posixpath.normpath(posixpath.join(folder, name))
        return path if path in self.files else None

    def text(self, path: str) -> str:
        return self.files[path]

    def sound(self, path: str) -> Sound:
        return Sound()


def told(text: str) -> tuple[Problem, ...]:
    found = examine(text, "x.yaml", files=Shelf())
    assert (found.dialog is None) == bool(found.mistakes)
    assert {p.code for p in (*found.mistakes, *found.warnings)} <= CODES.keys()
    return found.mistakes


TOP = "dialog: x\n%s\nsteps: {a: {end: x}}\n"
STEP = "dialog: x\nsteps: {a: {%s}}\n"


def _listed(text: str, count: int) -> str:
    return ", ".join(text % number for number in range(count))


HOSTILE: dict[str, tuple[Callable[[], str], str]] = {
    "larger than 1 MiB": (lambda: "#" * (MIB + 1), "size"),
    "deep flow": (lambda: "a: " + "[" * (MIB // 2), "depth"),
    "deep mappings": (lambda: "a: " + "{a: " * (MIB // 5), "depth"),
    "deep lists": (lambda: "- " * (MIB // 3), "depth"),
    "deep keys": (lambda: "? " * (MIB // 3), "depth"),
    "100,000 keys": (lambda: "".join(f"k{n}: 1\n" for n in range(90_000)), "size"),
    "a bomb of aliases": (lambda: "a: &a [x]\n" + "".join(f"b{n}: [*a, *a]\n" for n in range(9999)), "alias"),
    "anchors": (lambda: "a: [" + "&a x, " * 99_999, "alias"),
    "a merge key": (lambda: "dialog: x\n<<: {about: y}\nsteps: {a: {end: x}}", "alias"),
    "a tag": (lambda: "dialog: !!python/object/apply:os.system [ls]", "tag"),
    "a directive": (lambda: "%YAML 1.1\n---\ndialog: x", "tag"),
    "one key 100,000 times": (lambda: "a: 1\n" * 99_999, "duplicate"),
    "tabs": (lambda: "dialog: x\nsteps:\n\ta: {end: x}", "tab"),
    "NUL": (lambda: "dialog: x\0", "encoding"),
    "half a pair": (lambda: "dialog: \ud800", "encoding"),
    "a bell": (lambda: "dialog: \a", "encoding"),
    "an escape that steers terminals": (lambda: STEP % 'say: "\\e[31m", end: x', "encoding"),
    "an escape for NUL": (lambda: STEP % 'say: "a\\0b", end: x', "encoding"),
    "an escape for half a pair": (lambda: STEP % 'say: "\\ud800", end: x', "encoding"),
    "a list as a key": (lambda: "? [a, b]\n: 1", "key"),
    "no key": (lambda: "dialog: x\n: y", "key"),
    "a null key": (lambda: "dialog: x\n~: y", "key"),
    "no steps": (lambda: "dialog: x\nsteps: null", "form"),
    "a huge whole number": (lambda: TOP % f"limits: {{failures: {'9' * 99_999}}}", "form"),
    "a huge time": (lambda: STEP % f"end: x, timeout: {'9' * 99_999}s", "form"),
    "infinity": (lambda: TOP % "slots: {n: {type: number, between: [.inf, nan]}}", "form"),
    "a flood of words": (lambda: STEP % f"say: {'x ' * 99_999}", "form"),
    "a long key": (lambda: "x" * (MIB - 9) + ": 1", "yaml"),
    "5,000 ways": (lambda: STEP % f"goto: {{{', '.join(f'b{n}: x' for n in range(5_000))}}}", "goto"),
    "5,000 values computed in a step": (
        lambda: STEP % ("end: x, set: {" + _listed("v%d: 1", 5_000) + "}"), "form"),
    "4,000 steps": (lambda: "dialog: x\nsteps: {" + _listed("a%d: {end: x}", 4_000) + "}", "form"),
    "a deep condition": (lambda: STEP % f"end: x, if: '{'(' * 400}'", "expression"),
    "braces": (lambda: STEP % f"say: '{'{' * 1999}', end: x", "template"),
    "only line feeds": (lambda: "\n" * 200_000, "shape"),
    "an open quote": (lambda: "'" + "\n\n" * 99_999, "yaml"),
    "an open quote with escapes": (lambda: 'a: "' + "\\x41" * 40_000, "yaml"),
    "many documents": (lambda: "---\n" * (MIB // 4 - 9), "shape"),
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_is_refused_soon(name: str) -> None:
    make, code = HOSTILE[name]
    text = make()
    began = time.process_time()
    problems = told(text)
    assert time.process_time() - began < LONGEST_S
    assert code in {p.code for p in problems}, problems[:3]
    assert len(problems) <= 2 * MOST_PROBLEMS + 2
    assert all(len(p.what) < 600 and len(p.remedy) < 800 for p in problems)


def test_memory_is_bounded() -> None:
    for name in ("a bomb of aliases", "anchors", "deep mappings"):
        text = HOSTILE[name][0]()
        tracemalloc.start()
        try:
            told(text)
            assert tracemalloc.get_traced_memory()[1] < MOST_MEMORY, name
        finally:
            tracemalloc.stop()


@pytest.mark.parametrize(
    ("raw", "what"),
    [
        ("dialog: x\n".encode("utf-16"), "UTF-16"),
        ("dialog: x\n".encode("utf-16-be"), "U+0000"),
        (b"dialog: x\nabout: \xe9", "not UTF-8"),
        (b"x" * (MIB + 1), "larger than 1 MiB"),
        (b"\x89PNG\r\n\x1a\n\0\0", "not UTF-8"),
    ],
)
def test_a_file_of_another_kind(raw: bytes, what: str, tmp_path: Path) -> None:
    (tmp_path / "x.yaml").write_bytes(raw)
    with pytest.raises(UserError) as refused:
        load_dialog(tmp_path / "x.yaml")
    assert what in refused.value.problems[0].what and len(refused.value.problems) == 1


def test_a_byte_order_mark_and_windows_lines_are_fine(tmp_path: Path) -> None:
    (tmp_path / "x.yaml").write_bytes(b"\xef\xbb\xbfdialog: x\r\nsteps:\r\n  a: {end: x}\r\n")
    assert load_dialog(tmp_path / "x.yaml").name == "x"
    with pytest.raises(UserError, match="cannot be read"):
        load_dialog(tmp_path)
    with pytest.raises(UserError, match="cannot be read"):
        load_dialog(tmp_path / "\0")


SNIPPETS = st.sampled_from(
    ["", "\n", "  ", ": ", "- ", "{", "}", "[", "]", "'", '"', "&a ", "*a", "!!x ", "|", ">", "#", "\t", "\0",
     "~", "{x}", "{x|date}", "if: ", "goto: ", "null", "-1", "9" * 40, "é", "한", "\u2028",
     "yes", "<<: ", "? ", "%", "---\n"]
)  # fmt: skip


@st.composite
def mutated(draw: st.DrawFn) -> str:
    """A shipped dialog with a few cuts, repetitions and insertions."""
    text = draw(st.sampled_from(list(DIALOGS.values())))
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(text)))
        upto = min(len(text), at + draw(st.integers(0, 60)))
        match draw(st.sampled_from(("insert", "cut", "double", "swap"))):
            case "insert":
                text = text[:at] + draw(SNIPPETS) + text[at:]
            case "cut":
                text = text[:at] + text[upto:]
            case "double":
                text = text[:upto] + text[at:upto] + text[upto:]
            case _:
                text = text[:at] + text[at:upto][::-1] + text[upto:]
    return text


@settings(max_examples=60)
@given(mutated())
def test_a_damaged_dialog_is_a_dialog_or_has_mistakes(text: str) -> None:
    told(text)


NAMES = st.sampled_from(
    ["a", "b", "result", "unknown", "call.number", "lib/name.yaml", "lib/yes_no.yaml", "a.wav"]
)
SCALARS = st.one_of(
    NAMES,
    st.sampled_from(["", "1", "-1", "1.5", "5s", "true", "yes", "0", "#", "en-US", "ko-KR", "else"]),
    st.sampled_from(["a == 'b'", "a + 1 > 3", "{a}", "{a|date}", "not a", "a in ['x']", "last(a, 4)"]),
    st.sampled_from(["tomorrow", "+3 days", "09:00", "yes_no", "choice", "digits", "date", "recording"]),
    st.sampled_from(["https://x.org/{a}", "result == 'done'"]),
    st.text(max_size=12),
    st.none(),
)
IN_STEPS = ("say", "fetch", "call", "hook", "llm", "transfer", "record")
PLACES: dict[str, tuple[str, ...]] = {
    "": (),
    **{group: (group, "a") for group in ("steps", "slots", "values", "needs", "always")},
    **{key: ("steps", "a", key) for key in IN_STEPS},
    "choices": ("steps", "a", "choices", "a"),
}
KEYS = {place: known_keys(path) for place, path in PLACES.items()}


def structure(place: str, depth: int = 0) -> st.SearchStrategy[object]:
    """Whatever has the keys of the language, and mostly wrong values."""
    named = {"steps", "slots", "values", "needs", "always", "choices", "include", "translations", "limits"}

    def value(key: str) -> st.SearchStrategy[object]:
        if key in named and depth < 3:
            inner = structure(key, depth + 1) if key in KEYS else SCALARS
            return st.one_of(st.dictionaries(NAMES, inner, max_size=3), SCALARS)
        if key in KEYS and depth < 4:
            return st.one_of(structure(key, depth + 1), SCALARS)
        return st.one_of(SCALARS, st.lists(SCALARS, max_size=3), st.dictionaries(NAMES, SCALARS, max_size=3))

    chosen = st.lists(st.sampled_from(KEYS[place]), max_size=5, unique=True)
    return chosen.flatmap(lambda keys: st.fixed_dictionaries({key: value(key) for key in keys}))


@settings(max_examples=80)
@given(structure(""), st.dictionaries(NAMES, structure("steps", 1), min_size=1, max_size=4))
def test_any_structure_is_a_dialog_or_has_mistakes(whole: object, steps: object) -> None:
    assert isinstance(whole, dict)
    told(json.dumps({"dialog": "x", **whole, "steps": steps}))
    told(json.dumps({"dialog": "x", **whole}))


@settings(max_examples=50)
@given(st.text(max_size=200))
def test_any_list_and_translation_is_taken_or_refused(text: str) -> None:
    try:
        read_choices(text, "x.txt")
    except UserError as error:
        assert {p.code for p in error.problems} <= CODES.keys()
    dialog = (
        "dialog: x\nlanguages: [ko-KR]\ntranslations: {ko-KR: ko.yaml}\nsteps: {a: {say: Hello., end: x}}\n"
    )
    examine(dialog, "x.yaml", files=Shelf(**{"ko.yaml": text}))
