"""A dialog's flow as Mermaid, which code forges and wikis show as a picture."""

from __future__ import annotations

from voicebot.authoring.picture.graph import Edge, Graph, Node

LONGEST_LINE = 60
"""Characters of a line in a box; the rest is in the file."""

_SHAPES = {
    "ask": ('["', '"]'),
    "decide": ('{{"', '"}}'),
    "end": ('(["', '"])'),
    "return": ('(["', '"])'),
    "transfer": ('(["', '"])'),
    "command": ('(["', '"])'),
    "call": ('[["', '"]]'),
    "fetch": ('[/"', '"/]'),
    "hook": ('[/"', '"/]'),
    "returned": ('("', '")'),
}
_ARROWS = {
    "failed": "-.->",
    "command": "-.->",
    "passed": "-.->",
    "call": "==>",
    "return": "==>",
}
_CLASSES = """\
  classDef ask stroke:#1d6fd1,stroke-width:2px
  classDef work stroke:#7a4fc0,stroke-width:2px
  classDef leave stroke:#3d7d3a,stroke-width:3px
  classDef command stroke-dasharray:4 3
  classDef covered fill:#bfe5bd,color:#111
  classDef uncovered fill:#f3d9b1,color:#111
  classDef warned stroke:#b36b00,stroke-width:4px
  classDef wrong stroke:#c01c28,stroke-width:4px"""


def mermaid_of(graph: Graph) -> str:
    """Return a flowchart; every text of the dialog in it is escaped."""
    lines = ["flowchart TD", f"  accTitle: {_bare(graph.name)}"]
    if graph.about:
        lines.append(f"  accDescr: {_bare(graph.about)}")
    lines += _boxes(graph, "", "  ")
    lines += [_arrow(edge) for edge in graph.edges]
    lines.append(_CLASSES)
    for node in graph.nodes:
        lines += [f"  class {_id(node.id)} {name}" for name in _class_names(node)]
    quiet = [at for at, edge in enumerate(graph.edges) if edge.covered is False]
    if quiet:
        lines.append(f"  linkStyle {','.join(map(str, quiet))} stroke:#c77700")
    return "\n".join(lines) + "\n"


def markdown_of(graph: Graph) -> str:
    """Return a page of Markdown: the picture, and the problems in words."""
    lines = [f"# {_bare(graph.name)}", ""]
    if graph.about:
        lines += [_bare(graph.about), ""]
    lines += ["```mermaid", mermaid_of(graph).rstrip(), "```"]
    problems = [*graph.problems, *(problem for node in graph.nodes for problem in node.problems)]
    if problems:
        lines += ["", "## Problems", "", *(f"- {_plain(str(problem))}" for problem in problems)]
    return "\n".join(lines) + "\n"


def _plain(text: str) -> str:
    """Return text that is no markup in Markdown."""
    return "".join("\\" + c if c in "\\`*_{}[]<>#|!" else c for c in " ".join(text.split()))


def _boxes(graph: Graph, group: str, indent: str) -> list[str]:
    lines = [f"{indent}{_box(node)}" for node in graph.nodes if node.group == group]
    for id_, name in graph.groups.items():
        if id_.rpartition("/")[0] == group:
            lines.append(f'{indent}subgraph {_id(id_)}_in ["{_text(name)}"]')
            lines += _boxes(graph, id_, indent + "  ")
            lines.append(f"{indent}end")
    return lines


def _box(node: Node) -> str:
    opening, closing = _SHAPES.get(node.kind, ('("', '")'))
    texts = [f"<b>{_text(node.title)}</b>", *(_text(line) for _, line in node.lines)]
    texts += [f"⚠ {_text(problem.what)}" for problem in node.problems]
    return f"{_id(node.id)}{opening}{'<br/>'.join(texts)}{closing}"


def _arrow(edge: Edge) -> str:
    label = f'|"{_text(edge.label)}"|' if edge.label else ""
    return f"  {_id(edge.source)} {_ARROWS.get(edge.kind, '-->')}{label} {_id(edge.target)}"


def _class_names(node: Node) -> list[str]:
    names = []
    if node.kind in ("ask", "record", "llm"):
        names.append("ask")
    elif node.kind in ("fetch", "hook", "call"):
        names.append("work")
    elif node.kind in ("end", "return", "transfer"):
        names.append("leave")
    elif node.kind == "command":
        names.append("command")
    if node.covered is not None:
        names.append("covered" if node.covered else "uncovered")
    if node.problems or node.kind == "missing":
        names.append("wrong" if node.mistaken or node.kind == "missing" else "warned")
    return names


def _id(id_: str) -> str:
    """Return a word that Mermaid takes for a name; different ids stay different."""
    known = {"_": "__", "-": "_d", "/": "_s", ":": "_c", "(": "_o", ")": "_e"}
    return "s" + "".join(known.get(character, character) for character in id_)


def _text(text: str) -> str:
    """Return text that can stand between quotes: no markup of Mermaid's, Markdown's or HTML's works in it."""
    words = " ".join(text.split())
    if len(words) > LONGEST_LINE:
        words = words[: LONGEST_LINE - 1].rstrip() + "…"
    return "".join(
        character if character.isalnum() or character in " .,:'?!+…→·=⚠♪" else f"#{ord(character)};"
        for character in words
    )


def _bare(text: str) -> str:
    """Return text for a line of its own, where Mermaid knows no escapes."""
    return " ".join("".join(c if c.isprintable() and c not in "{}#;%<>" else " " for c in text).split())
