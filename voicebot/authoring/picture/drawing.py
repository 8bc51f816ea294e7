"""A dialog's flow as SVG: one file that any browser shows, in light and dark, with nothing fetched."""

from __future__ import annotations

from xml.sax.saxutils import escape, quoteattr

from voicebot.authoring.picture.graph import Edge, Graph, Node
from voicebot.authoring.picture.layout import Box, Line, Placed, Point, Route, place
from voicebot.authoring.picture.style import KEY, STYLE, TAGS
from voicebot.authoring.picture.wrapping import broken, width_of

TITLE_PX = 14.0
TEXT_PX = 12.0
LABEL_PX = 11.0
LINE_PX = 15.5
INNER_PX = 216.0
"""Width of the text in a box."""
PADDING_PX = 11.0
MARGIN_PX = 24.0
START_PX = 22.0
"""Room above the boxes for the mark of the first step."""
LINES_OF_A_PROMPT = 4
LINES_OF_A_LABEL = 3
LABEL_WIDTH_PX = 132.0

_WEIGHTS = {"next": 8, "goto": 3, "choice": 3, "call": 4, "return": 2, "command": 2}


def svg_of(graph: Graph) -> str:
    """Return the picture. Raises UserError where Graphviz is not there."""
    texts = {node.id: _lines(node) for node in graph.nodes}
    labels = [_label(edge) for edge in graph.edges]
    numbers = {node.id: at for at, node in enumerate(graph.nodes)}
    groups = list(graph.groups)
    boxes = [
        Box(*_size(node, texts[node.id]), groups.index(node.group) if node.group else -1)
        for node in graph.nodes
    ]
    lines = [
        Line(
            numbers[edge.source],
            numbers[edge.target],
            max((width_of(part, LABEL_PX) for part in label), default=0.0) + (8 if label else 0),
            len(label) * (LABEL_PX + 2.5) + 2 if label else 0.0,
            _WEIGHTS.get(edge.kind, 1),
        )
        for edge, label in zip(graph.edges, labels, strict=True)
    ]
    inside = [groups.index(outer) if (outer := id_.rpartition("/")[0]) else -1 for id_ in groups]
    placed = place(boxes, lines, inside)
    return _document(graph, placed, boxes, texts, labels)


def _document(
    graph: Graph,
    placed: Placed,
    boxes: list[Box],
    texts: dict[str, list[tuple[str, str]]],
    labels: list[list[str]],
) -> str:
    header, header_height = _header(graph)
    key, key_width = _key(graph)
    width = max(placed.width, key_width, 420.0) + 2 * MARGIN_PX
    header_height += START_PX
    height = placed.height + header_height + 2 * MARGIN_PX + 30
    shift = (width - placed.width) / 2
    about = graph.about or f"The flow of the dialog {graph.name}"
    steps = sum(node.kind not in ("command", "returned", "missing") for node in graph.nodes)
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" '
        f'width="{width:.0f}" height="{height:.0f}" role="img" aria-labelledby="title desc">',
        f'<title id="title">{_x(graph.name)}</title>',
        f'<desc id="desc">{_x(about)} {steps} steps; the first is {_x(graph.first)}.</desc>',
        f"<style>{STYLE}</style>",
        f'<rect class="paper" width="{width:.0f}" height="{height:.0f}"/>',
        *header,
        f'<g transform="translate({shift:.1f} {header_height + MARGIN_PX:.1f})">',
    ]
    for number, (x, y, frame_width, frame_height) in sorted(placed.frames.items()):
        name = list(graph.groups.values())[number]
        out.append(
            f'<g class="group"><rect x="{x:.1f}" y="{y:.1f}" width="{frame_width:.1f}" '
            f'height="{frame_height:.1f}" rx="12"/>'
            f'<text x="{x + 12:.1f}" y="{y + 17:.1f}">dialog {_x(name)}</text></g>'
        )
    for edge, route in zip(graph.edges, placed.routes, strict=True):
        out.append(_arrow(edge, route))
    for node, centre, box in zip(graph.nodes, placed.centres, boxes, strict=True):
        out.append(_box(graph, node, centre, box, texts[node.id]))
    for edge, route, label in zip(graph.edges, placed.routes, labels, strict=True):
        if label and route.label:
            out.append(_written(edge, label, route.label))
    out += ["</g>", f'<g transform="translate({MARGIN_PX:.0f} {height - 26:.0f})">{key}</g>', "</svg>"]
    return "\n".join(out) + "\n"


def _header(graph: Graph) -> tuple[list[str], float]:
    """Return the name, what the dialog is for, and problems that belong to no step; and their height."""
    y = MARGIN_PX + 16
    out = [f'<text class="name" x="{MARGIN_PX:.0f}" y="{y:.0f}">{_x(graph.name)}</text>']
    for line in broken(graph.about, 13.0, 640.0, 2) if graph.about else ():
        y += 19
        out.append(f'<text class="about" x="{MARGIN_PX:.0f}" y="{y:.0f}">{_x(line)}</text>')
    for problem in graph.problems:
        y += 19
        out.append(f'<text class="problem" x="{MARGIN_PX:.0f}" y="{y:.0f}">⚠ {_x(str(problem))}</text>')
    return out, y


def _key(graph: Graph) -> tuple[str, float]:
    """Return the key to the colours, and its width."""
    kinds = {node.kind for node in graph.nodes}
    entries = [(f"k-{kind}", word) for kind, word in KEY if kind in kinds]
    if graph.covered:
        entries += [("covered", "tested"), ("uncovered", "not tested")]
    if any(node.problems for node in graph.nodes):
        entries += [("warned", "problem")]
    out, x = [], 0.0
    for class_, word in entries:
        out.append(
            f'<g class="{class_}"><rect class="box" x="{x:.0f}" y="-10" width="14" height="12" rx="3"/>'
            f'<rect class="band" x="{x:.0f}" y="-10" width="5" height="12" rx="2"/></g>'
            f'<text class="key" x="{x + 20:.0f}" y="0">{word}</text>'
        )
        x += 36 + width_of(word, LABEL_PX)
    return "".join(out), x


# --- boxes ----------------------------------------------------------------------------------------------


def _lines(node: Node) -> list[tuple[str, str]]:
    """Return the lines of a box, broken to its width."""
    found = []
    for sort, text in node.lines:
        most = LINES_OF_A_PROMPT if sort in ("say", "ask") else 2
        found += [(sort, line) for line in broken(text, TEXT_PX, INNER_PX, most)]
    return found


def _size(node: Node, lines: list[tuple[str, str]]) -> tuple[float, float]:
    tag = width_of(TAGS.get(node.kind, ""), 9.5) + 12
    widest = max(
        [width_of(line, TEXT_PX, bold=sort == "out") for sort, line in lines]
        + [width_of(node.title, TITLE_PX, bold=True) + tag]
    )
    height = TITLE_PX + LINE_PX * len(lines) + 2 * PADDING_PX + (3 if lines else 0)
    sides = 2 * PADDING_PX + (20 if node.kind == "command" else 6)
    return max(96.0, widest + sides), height


def _box(graph: Graph, node: Node, centre: Point, box: Box, lines: list[tuple[str, str]]) -> str:
    x, y = centre[0] - box.width / 2, centre[1] - box.height / 2
    hover = [node.title if node.line is None else f"{node.title} (line {node.line})"]
    hover += [f"{'Mistake' if node.mistaken else 'Warning'}: {problem}" for problem in node.problems]
    if node.covered is not None and node.kind not in ("command", "returned"):
        hover.append("tested" if node.covered else "not tested")
    hover += [node.hover] if node.hover else []
    round_ = box.height / 2 if node.kind in ("command", "returned") else 8
    size = f'width="{box.width:.1f}" height="{box.height:.1f}"'
    out = [
        f'<g class="{_classes(node)}" data-step={quoteattr(node.id)} data-line="{node.line or ""}">',
        f"<title>{_x(chr(10).join(hover))}</title>",
        f'<rect class="box" x="{x:.1f}" y="{y:.1f}" {size} rx="{round_:.0f}"/>',
    ]
    if node.kind not in ("command", "returned"):
        band = f"M{x + 8:.1f} {y:.1f}h-1a7 7 0 0 0-7 8v{box.height - 16:.1f}a7 7 0 0 0 7 8h1z"
        out.append(f'<path class="band" d="{band}"/>')
    left = x + PADDING_PX + 5
    baseline = y + PADDING_PX + TITLE_PX - 2
    out.append(f'<text class="title" x="{left:.1f}" y="{baseline:.1f}">{_x(node.title)}</text>')
    if tag := TAGS.get(node.kind, ""):
        out.append(
            f'<text class="tag" x="{x + box.width - PADDING_PX + 2:.1f}" y="{baseline:.1f}">{tag}</text>'
        )
    for at, (sort, text) in enumerate(lines):
        below = baseline + 3 + LINE_PX * (at + 1)
        out.append(f'<text class="{sort}" x="{left:.1f}" y="{below:.1f}">{_x(text)}</text>')
    if node.problems or node.kind == "missing":
        out.append(
            f'<g class="flag"><circle cx="{x + box.width:.1f}" cy="{y:.1f}" r="10"/>'
            f'<text x="{x + box.width:.1f}" y="{y + 4.5:.1f}">{len(node.problems) or "?"}</text></g>'
        )
    if node.id == graph.first:
        out.append(
            f'<path class="start" d="M{centre[0]:.1f} {y - 22:.1f}v13m-5 -6l5 7l5 -7"/>'
            f'<circle class="start" cx="{centre[0]:.1f}" cy="{y - 25:.1f}" r="4"/>'
        )
    return "".join([*out, "</g>"])


def _classes(node: Node) -> str:
    names = ["node", f"k-{node.kind}"]
    if node.goal:
        names.append("goal")
    if node.covered is not None and node.kind not in ("command", "returned"):
        names.append("covered" if node.covered else "uncovered")
    if node.problems or node.kind == "missing":
        names.append("wrong" if node.mistaken or node.kind == "missing" else "warned")
    return " ".join(names)


# --- arrows ---------------------------------------------------------------------------------------------


def _label(edge: Edge) -> list[str]:
    return broken(edge.label, LABEL_PX, LABEL_WIDTH_PX, LINES_OF_A_LABEL) if edge.label else []


def _arrow(edge: Edge, route: Route) -> str:
    (x, y), *rest = route.curve
    curve = f"M{x:.1f} {y:.1f}C" + " ".join(f"{px:.1f} {py:.1f}" for px, py in rest)
    ex, ey = route.curve[-1]
    tx, ty = route.tip
    length = max(((tx - ex) ** 2 + (ty - ey) ** 2) ** 0.5, 0.1)
    nx, ny = -(ty - ey) / length * 3.6, (tx - ex) / length * 3.6
    head = f"M{tx:.1f} {ty:.1f}L{ex + nx:.1f} {ey + ny:.1f}L{ex - nx:.1f} {ey - ny:.1f}z"
    hover = f"{_step(edge.source)} to {_step(edge.target)}" + (f": {edge.label}" if edge.label else "")
    covered = "" if edge.covered is None else " taken" if edge.covered else " untaken"
    return (
        f'<g class="arrow e-{edge.kind}{covered}"><title>{_x(hover)}</title>'
        f'<path d="{curve}"/><path class="head" d="{head}"/></g>'
    )


def _written(edge: Edge, label: list[str], at: Point) -> str:
    """Return the label of an arrow, on a ground of its own so that lines do not strike it through."""
    height = len(label) * (LABEL_PX + 2.5)
    width = max(width_of(part, LABEL_PX) for part in label) + 4
    top = at[1] - height / 2
    texts = "".join(
        f'<text x="{at[0]:.1f}" y="{top + (number + 1) * (LABEL_PX + 2.5) - 3:.1f}">{_x(part)}</text>'
        for number, part in enumerate(label)
    )
    ground = (
        f'<rect x="{at[0] - width / 2:.1f}" y="{top:.1f}" width="{width:.1f}" height="{height:.1f}" rx="3"/>'
    )
    return f'<g class="label e-{edge.kind}"><title>{_x(edge.label)}</title>{ground}{texts}</g>'


def _step(id_: str) -> str:
    return id_.removeprefix("always:")


def _x(text: str) -> str:
    """Escape text; characters that XML 1.0 cannot hold become a replacement character."""
    return escape("".join(c if c in "\n\t" or c.isprintable() else "\ufffd" for c in text))
