"""How a picture of a dialog looks: colours for light and dark, words for kinds of steps."""

from __future__ import annotations

TAGS = {
    "ask": "ASK", "say": "SAY", "decide": "IF", "fetch": "FETCH", "hook": "HOOK", "record": "RECORD",
    "call": "CALL", "llm": "TALK", "end": "END", "return": "RETURN", "transfer": "TRANSFER",
    "missing": "MISSING",
}  # fmt: skip
"""The kind of a step in a word, so that nothing is told by colour alone."""

KEY = (
    ("ask", "asks"), ("say", "says"), ("decide", "decides"), ("fetch", "looks up"), ("hook", "runs a hook"),
    ("record", "records"), ("call", "other dialog"), ("llm", "free talk"), ("end", "ends"),
    ("return", "returns"), ("transfer", "hands over"),
)  # fmt: skip

_COLOURS = {
    "ask": ("#1b66c9", "#6aa9ff"),
    "say": ("#7d8794", "#8f9aa8"),
    "decide": ("#a06a00", "#e0b040"),
    "fetch": ("#7446b8", "#b594f0"),
    "hook": ("#7446b8", "#b594f0"),
    "record": ("#b0306a", "#f08ab8"),
    "call": ("#0b7a75", "#4fd0c8"),
    "llm": ("#b0306a", "#f08ab8"),
    "end": ("#2f7d32", "#74c978"),
    "return": ("#2f7d32", "#74c978"),
    "transfer": ("#2f7d32", "#74c978"),
    "command": ("#5b6573", "#9aa5b3"),
    "returned": ("#0b7a75", "#4fd0c8"),
    "missing": ("#c01c28", "#ff7b84"),
}

_LIGHT = """
--paper:#ffffff;--box:#ffffff;--edge:#c9d0d9;--ink:#1c2530;--soft:#596675;--line:#64707f;--ground:#ffffff;
--tested:#e3f4e2;--untested:#fdeed6;--untaken:#c77700;--wrong:#c01c28;--warned:#b36b00;--failed:#a3485a;--group:#f3f8f8"""
_DARK = """
--paper:#14181d;--box:#1e242b;--edge:#3a444f;--ink:#e8edf2;--soft:#a4b0bd;--line:#8b97a5;--ground:#14181d;
--tested:#1d3a22;--untested:#45330f;--untaken:#f0a840;--wrong:#ff6b74;--warned:#f0b040;--failed:#e08a9a;--group:#182224"""


def _kinds(which: int) -> str:
    return "".join(f"--{kind}:{colours[which]};" for kind, colours in _COLOURS.items())


_FONTS = 'system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans","DejaVu Sans",sans-serif'

STYLE = f"""
svg{{{_kinds(0)}{_LIGHT};font-family:{_FONTS}}}
@media (prefers-color-scheme:dark){{svg{{{_kinds(1)}{_DARK}}}}}
.paper{{fill:var(--paper)}}
text{{fill:var(--ink);font-size:12px}}
.name{{font-size:20px;font-weight:700}}
.about{{font-size:13px;fill:var(--soft)}}
.problem{{font-size:12px;fill:var(--warned)}}
.key{{font-size:11px;fill:var(--soft)}}
.box{{fill:var(--box);stroke:var(--edge);stroke-width:1.2}}
.band{{fill:none}}
.title{{font-size:14px;font-weight:700}}
.tag{{font-size:9.5px;text-anchor:end;letter-spacing:.04em;fill:var(--soft)}}
.say{{fill:var(--soft)}}
.if,.set,.do{{font-style:italic;fill:var(--soft)}}
.failed{{fill:var(--failed);font-size:11px}}
.out{{font-weight:600}}
{"".join(f".k-{kind} .band{{fill:var(--{kind})}}" for kind in _COLOURS)}
.k-end .box,.k-return .box,.k-transfer .box{{stroke:var(--end);stroke-width:1.6}}
.goal .box{{stroke-width:2.8}}
.k-command .box{{fill:none;stroke:var(--command);stroke-dasharray:4 3}}
.k-returned .box{{stroke:var(--returned)}}
.k-missing .box{{stroke:var(--missing);stroke-dasharray:6 4}}
.covered .box{{fill:var(--tested)}}
.uncovered .box{{fill:var(--untested)}}
.warned .box{{stroke:var(--warned);stroke-width:2.4}}
.wrong .box{{stroke:var(--wrong);stroke-width:2.8}}
.flag circle{{fill:var(--warned)}}
.wrong .flag circle{{fill:var(--wrong)}}
.flag text{{fill:var(--paper);font-weight:700;text-anchor:middle}}
.start{{fill:none;stroke:var(--line);stroke-width:1.6}}
circle.start{{fill:var(--line)}}
.group rect{{fill:var(--group);stroke:var(--call);stroke-dasharray:2 3}}
.group text{{fill:var(--call);font-weight:600}}
.arrow path{{fill:none;stroke:var(--line);stroke-width:1.4}}
.arrow .head{{fill:var(--line);stroke:none}}
.e-failed path,.e-passed path{{stroke-dasharray:5 4;stroke:var(--failed)}}
.e-failed .head,.e-passed .head{{fill:var(--failed)}}
.e-command path{{stroke-dasharray:2 4}}
.e-call path,.e-return path{{stroke:var(--call);stroke-width:2}}
.e-call .head,.e-return .head{{fill:var(--call)}}
.untaken path{{stroke:var(--untaken)}}
.untaken .head{{fill:var(--untaken)}}
.label rect{{fill:var(--ground);opacity:.88}}
.label text{{font-size:11px;text-anchor:middle}}
.label.e-failed text,.label.e-passed text{{fill:var(--failed)}}
.node:hover .box,.arrow:hover path{{stroke-width:3}}
""".strip()
