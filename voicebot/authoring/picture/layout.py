"""Where boxes and arrows go: Graphviz's `dot`, which draws flows in layers better than anything else.

Only sizes are handed to it, never a text of the dialog. It comes with the extra `voicebot[graph]`
(pygraphviz, whose wheels hold Graphviz itself), or is the program `dot` of the system.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from voicebot.errors import Problem, UserError

LONGEST_LAYOUT_S = 60.0
_POINTS_AN_INCH = 72

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Box:
    """A box to place; sizes in px. `group`: the number of the group that it stands in, -1 for none."""

    width: float
    height: float
    group: int = -1


@dataclass(frozen=True, slots=True)
class Line:
    """An arrow to route between boxes (by number), with the size of its label in px."""

    source: int
    target: int
    width: float = 0.0
    height: float = 0.0
    weight: int = 1
    loose: bool = False


@dataclass(frozen=True, slots=True)
class Route:
    """An arrow as cubic Bézier curves: a start, then three points each; where it points to; its label."""

    curve: tuple[Point, ...]
    tip: Point
    label: Point | None = None


@dataclass(frozen=True, slots=True)
class Placed:
    """Everything with its place in px, y downwards: centres of boxes, frames of groups.

    frames:  group -> x, y, width, height
    """

    width: float
    height: float
    centres: tuple[Point, ...]
    routes: tuple[Route, ...]
    frames: Mapping[int, tuple[float, float, float, float]] = field(default_factory=dict)


def place(boxes: Sequence[Box], lines: Sequence[Line], groups: Sequence[int] = ()) -> Placed:
    """Place boxes and arrows in layers. `groups`: for each group the one that it stands in, -1 for none.

    Raises UserError where Graphviz is not there.
    """
    return _read(json.loads(_dot(_source(boxes, lines, groups))), len(boxes), lines)


def _source(boxes: Sequence[Box], lines: Sequence[Line], groups: Sequence[int]) -> str:
    text = ["digraph {", "rankdir=TB nodesep=0.35 ranksep=0.38 splines=true remincross=true searchsize=100"]
    text += ['node [shape=box fixedsize=true label=""]', "edge [arrowsize=0.7]"]
    text += _grouped(boxes, groups, -1)
    for at, line in enumerate(lines):
        label = ""
        if line.width:
            size = f'FIXEDSIZE="TRUE" WIDTH="{line.width:.0f}" HEIGHT="{line.height:.0f}"'
            label = f'label=<<TABLE BORDER="0" CELLPADDING="0" {size}><TR><TD></TD></TR></TABLE>>'
        loose = "constraint=false" if line.loose else ""
        text.append(f"b{line.source} -> b{line.target} [comment={at} weight={line.weight} {loose} {label}]")
    return "\n".join([*text, "}"])


def _grouped(boxes: Sequence[Box], groups: Sequence[int], inside: int) -> list[str]:
    text = []
    for at, box in enumerate(boxes):
        if box.group == inside:
            width, height = box.width / _POINTS_AN_INCH, box.height / _POINTS_AN_INCH
            text.append(f"b{at} [width={width:.3f} height={height:.3f}]")
    for at, outer in enumerate(groups):
        if outer == inside:
            text += [f"subgraph cluster{at} {{", "margin=14 label=<"]
            text[-1] += (
                '<TABLE BORDER="0" FIXEDSIZE="TRUE" WIDTH="80" HEIGHT="16"><TR><TD></TD></TR></TABLE>>'
            )
            text += [*_grouped(boxes, groups, at), "}"]
    return text


def _dot(source: str) -> bytes:
    """Run Graphviz: the one that pygraphviz brings, or the system's."""
    try:
        import pygraphviz  # an extra
    except ImportError:
        program = shutil.which("dot")
        if program is None:
            remedy = "pip install 'voicebot[graph]' or install graphviz; --format mermaid needs neither"
            raise UserError(Problem("Graphviz draws the picture, and is not there", remedy)) from None
        done = subprocess.run(
            [program, "-Tjson0"], input=source.encode(), capture_output=True, timeout=LONGEST_LAYOUT_S
        )
        if done.returncode:
            raise UserError(
                Problem(f"{program} failed: {done.stderr.decode(errors='replace').strip()}")
            ) from None
        return done.stdout
    drawn: bytes = pygraphviz.AGraph(string=source).draw(format="json0", prog="dot")
    return drawn


def _read(drawn: dict[str, object], count: int, lines: Sequence[Line]) -> Placed:
    def numbers(text: object) -> list[float]:
        return [float(number) for number in str(text).split(",")]

    left, bottom, right, top = numbers(drawn["bb"])
    objects = drawn.get("objects", [])
    assert isinstance(objects, list)
    centres: list[Point] = [(0.0, 0.0)] * count
    frames = {}
    for item in objects:
        name = str(item["name"])
        if name.startswith("cluster"):
            x0, y0, x1, y1 = numbers(item["bb"])
            frames[int(name.removeprefix("cluster"))] = (x0, top - y1, x1 - x0, y1 - y0)
        else:
            x, y = numbers(item["pos"])
            centres[int(name[1:])] = (x, top - y)
    routes: dict[int, Route] = {}
    edges = drawn.get("edges", [])
    assert isinstance(edges, list)
    for edge in edges:
        label = numbers(edge["lp"]) if "lp" in edge else None
        points = [part.split(",") for part in str(edge["pos"]).split()]
        tips = [part for part in points if part[0] == "e"]
        curve = tuple((float(x), top - float(y)) for x, y in (p for p in points if len(p) == 2))
        tip = (float(tips[0][1]), top - float(tips[0][2])) if tips else curve[-1]
        routes[int(edge["comment"])] = Route(curve, tip, (label[0], top - label[1]) if label else None)
    return Placed(
        right - left, top - bottom, tuple(centres), tuple(routes[at] for at in range(len(lines))), frames
    )
