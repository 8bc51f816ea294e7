"""Unit: a dialog's flow as data, as Mermaid and as SVG."""

from __future__ import annotations

import re
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from voicebot.authoring.picture.drawing import svg_of
from voicebot.authoring.picture.graph import Edge, Graph, flow_graph
from voicebot.authoring.picture.load import graph_of_file
from voicebot.authoring.picture.mermaid import markdown_of, mermaid_of
from voicebot.authoring.picture.wrapping import broken, width_of
from voicebot.dialog.loading.loader import parse_dialog
from voicebot.dialog.model.dialog import Dialog
from voicebot.errors import Problem, UserError

pytestmark = pytest.mark.unit

SVG = "{http://www.w3.org/2000/svg}"

SHOP = """
dialog: shop
about: Sells bread & cake.
goals: [sold]
slots: {more: yes_no, what: {type: choice, choices: {bread: [bread], cake: [cake]}}}
always:
  agent: {goto: person}
  hours: {hear: opening hours, say: Nine to five.}
steps:
  greet: {say: Hello.}
  what:
    ask: Bread or cake?
    fill: what
    choices: {nothing: {key: 9, goto: bye}, none_of_it: {goto: bye}}
    failed: person
    goto: {cake: what == 'cake'}
  more: {ask: More?, fill: more, goto: {what: more, bye: else}}
  cake: {if: more, say: Cake., goto: sold}
  sold: {say: Sold., end: sold}
  bye: {say: Bye., end: none}
  person: {transfer: counter}
"""

HOSTILE = """
dialog: hostile
about: '</desc><script>alert(1)</script> ]]> & "x"'
slots: {q: {type: choice, choices: {"a</title>": ["<b>"], "b": [other]}}}
steps:
  end:
    ask: "</text><script>alert(1)</script> \\" onload=x `md` #quot; | [x] %% click"
    fill: q
    choices: {"<img src=x>": {hear: ["<img>"], goto: style}, "x|y\\"]; click end": {hear: yes, goto: style}}
  style: {say: bye, end: done}
"""


def edges(graph: Graph, source: str) -> set[tuple[str, str, str]]:
    return {(edge.target, edge.kind, edge.label) for edge in graph.edges if edge.source == source}


def test_every_way_of_a_step_is_an_arrow_and_ids_are_the_names_of_steps() -> None:
    graph = flow_graph(parse_dialog(SHOP))
    assert [node.id for node in graph.nodes] == [
        "greet", "what", "more", "cake", "sold", "bye", "person", "always:agent",
    ]  # fmt: skip
    assert graph.first == "greet"
    assert edges(graph, "greet") == {("what", "next", "")}
    assert edges(graph, "what") == {
        ("bye", "choice", "nothing · 9, none of it"),
        ("cake", "goto", "what == 'cake'"),
        ("more", "next", "else"),
        ("person", "failed", "failed"),
    }
    assert edges(graph, "more") == {("what", "goto", "more"), ("bye", "goto", "else")}
    assert edges(graph, "cake") == {("sold", "goto", ""), ("sold", "passed", "passed over")}
    assert edges(graph, "always:agent") == {("person", "command", "")}
    assert graph.node("sold").goal and not graph.node("bye").goal
    assert [graph.node(name).kind for name in ("greet", "what", "sold", "person")] == [
        "say", "ask", "end", "transfer",
    ]  # fmt: skip


def test_failures_that_many_steps_share_are_told_in_the_boxes() -> None:
    steps = "".join(f"  s{n}: {{ask: Yes?, fill: a, failed: gone}}\n" for n in range(5))
    graph = flow_graph(
        parse_dialog(f"dialog: many\nslots: {{a: yes_no}}\nsteps:\n{steps}  gone: {{say: Bye., end: gone}}\n")
    )
    assert not [edge for edge in graph.edges if edge.kind == "failed"]
    assert ("failed", "failed: gone") in graph.node("s0").lines


def test_dialogs_that_are_called_stand_within_one_another() -> None:
    inner = parse_dialog("""
dialog: inner
slots: {ok: yes_no}
steps:
  ask: {ask: Right?, fill: ok, goto: {good: ok, bad: else}}
  good: {return: good}
  bad: {return: bad}
""")
    outer = parse_dialog("dialog: outer\nsteps: {a: {say: A.}, check: {say: B.}, end: {say: C., end: done}}")
    step = outer.file.steps["check"].model_validate(
        {"call": "sure", "goto": {"end": "result == 'good'", "a": "else"}}
    )
    file = outer.file.model_copy(update={"steps": {**outer.file.steps, "check": step}})
    dialog = Dialog(file, "1", included={"sure": inner})
    flat = flow_graph(dialog)
    assert [node.id for node in flat.nodes] == ["a", "check", "end"]
    deep = flow_graph(dialog, deep=True)
    assert dict(deep.groups) == {"check": "inner"}
    assert edges(deep, "check") == {("check/ask", "call", "")}
    assert edges(deep, "check/good") == {("check/(returned)", "return", "good")}
    assert {target for target, _, _ in edges(deep, "check/(returned)")} == {"end", "a"}
    assert deep.node("check/ask").group == "check"
    assert "subgraph" in mermaid_of(deep)
    assert "dialog inner" in svg_of(deep)


def test_coverage_and_problems_are_coloured_in() -> None:
    ways = {
        ("shop", "greet", "next", "what"),
        ("shop", "what", "choice:nothing", "bye"),
        ("shop", "bye", "end", ""),
    }
    problem = Problem("too long", "shorten it", "shop.yaml", 12, 5, "length")
    elsewhere = Problem("no language", "", "shop.yaml", 2, 1)
    lines = {"greet": 10, "what": 11, "more": 20}
    graph = flow_graph(
        parse_dialog(SHOP), coverage=ways, lines=lines, warnings=[problem], mistakes=[elsewhere]
    )
    assert {node.id for node in graph.nodes if node.covered} == {"greet", "what", "bye"}
    covered = {(edge.source, edge.target) for edge in graph.edges if edge.covered}
    assert covered == {("greet", "what"), ("what", "bye")}
    assert graph.node("what").problems == (problem,)
    assert graph.problems == (elsewhere,)
    assert graph.node("what").line == 11
    drawn = ElementTree.fromstring(svg_of(graph))
    boxes = {box.get("data-step"): box for box in drawn.iter(f"{SVG}g") if box.get("data-step")}
    assert "warned" in str(boxes["what"].get("class")) and "uncovered" in str(boxes["more"].get("class"))
    assert "too long" in str(boxes["what"].findtext(f"{SVG}title"))
    assert "too long" in markdown_of(graph)


def test_the_svg_is_complete_accessible_and_fetches_nothing() -> None:
    graph = flow_graph(parse_dialog(SHOP))
    text = svg_of(graph)
    drawn = ElementTree.fromstring(text)
    assert drawn.get("role") == "img"
    assert drawn.findtext(f"{SVG}title") == "shop"
    assert "Sells bread & cake." in str(drawn.findtext(f"{SVG}desc"))
    assert len([g for g in drawn.iter(f"{SVG}g") if g.get("data-step")]) == len(graph.nodes)
    assert len([g for g in drawn.iter(f"{SVG}g") if str(g.get("class")).startswith("arrow")]) == len(
        graph.edges
    )
    assert "prefers-color-scheme:dark" in text
    assert re.findall(r"https?://[^\"]*", text) == ["http://www.w3.org/2000/svg"]
    assert "@import" not in text and "url(" not in text


def test_boxes_do_not_overlap_and_stay_within_the_picture() -> None:
    drawn = ElementTree.fromstring(svg_of(flow_graph(parse_dialog(SHOP))))
    width = float(str(drawn.get("width")))
    boxes = []
    for group in drawn.iter(f"{SVG}g"):
        if group.get("data-step"):
            rect = next(r for r in group.iter(f"{SVG}rect") if r.get("class") == "box")
            boxes.append(tuple(float(str(rect.get(side))) for side in ("x", "y", "width", "height")))
    for at, (x, y, w, h) in enumerate(boxes):
        assert x >= -1 and x + w <= width
        for ox, oy, ow, oh in boxes[at + 1 :]:
            assert x + w <= ox or ox + ow <= x or y + h <= oy or oy + oh <= y


def test_hostile_texts_are_only_texts() -> None:
    graph = flow_graph(parse_dialog(HOSTILE))
    drawn = ElementTree.fromstring(svg_of(graph))
    assert {element.tag.removeprefix(SVG) for element in drawn.iter()} <= {
        "svg", "title", "desc", "style", "rect", "g", "path", "text", "circle",
    }  # fmt: skip
    assert not [name for element in drawn.iter() for name in element.attrib if name.startswith("on")]
    mermaid = mermaid_of(graph)
    assert "<script" not in mermaid and "<img" not in mermaid
    flow = [line for line in mermaid.splitlines() if line.startswith("  s")]
    for line in flow:
        assert line.count('"') in (0, 2), line
        quoted = line.split('"')[1] if '"' in line else ""
        assert not set(quoted.replace("<b>", "").replace("</b>", "").replace("<br/>", "")) & set(
            "<>[]{}|`\\%"
        )
    assert "<script" not in markdown_of(graph).replace("```mermaid\n" + mermaid, "")


def test_different_steps_have_different_names_in_mermaid() -> None:
    names = ["a-b", "a_b", "a--b", "a_db", "end", "a__b"]
    steps = "".join(f"  {name}: {{say: x}}\n" for name in names)
    graph = flow_graph(parse_dialog(f"dialog: names\nsteps:\n{steps}  z: {{say: Bye., end: done}}\n"))
    ids = [line.split()[0] for line in mermaid_of(graph).splitlines() if "-->" in line]
    assert len(set(ids)) == len(names)


def test_a_file_with_mistakes_is_drawn_with_them(tmp_path: Path) -> None:
    path = tmp_path / "bad.yaml"
    path.write_text("dialog: bad\nsteps:\n  a: {say: A., goto: nowhere}\n  b: {say: B., end: done}\n")
    with pytest.raises(UserError):
        graph_of_file(path)
    graph = graph_of_file(path, problems=True)
    assert graph.node("nowhere").kind == "missing"
    assert graph.node("a").mistaken
    assert Edge("a", "nowhere", "goto") in graph.edges
    path.write_text("dialog: [1]\n")
    with pytest.raises(UserError):
        graph_of_file(path, problems=True)


def test_lines_break_at_words_and_long_words_anywhere() -> None:
    text = "a sentence that is longer than one line and Donaudampfschifffahrtsgesellschaftskapitaen"
    lines = broken(text, 12.0, 100.0, 10)
    assert all(width_of(line, 12.0) <= 100.0 for line in lines)
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")
    assert broken(text, 12.0, 100.0, 2)[1].endswith("…")
    assert len(broken("예약은 접수되었습니다 곧 전화드리겠습니다", 12.0, 100.0, 10)) > 1


def test_without_graphviz_one_is_told_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pygraphviz", None)
    monkeypatch.setattr("voicebot.authoring.picture.layout.shutil.which", lambda name: None)
    with pytest.raises(UserError, match=r"voicebot\[graph\].*mermaid"):
        svg_of(flow_graph(parse_dialog(SHOP)))
