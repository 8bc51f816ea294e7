"""What a check finds, and the code of each kind of finding: codes are stable, words may change."""

from __future__ import annotations

from dataclasses import dataclass

Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Finding:
    """Something wrong at `path` of the file; a `warning` does not keep it from running.

    at_key:  it is the key at `path` that is meant, not the value
    table:   the language whose translations hold it, where `path` is one of theirs; else ""
    """

    path: Path
    what: str
    remedy: str = ""
    code: str = ""
    warning: bool = False
    at_key: bool = False
    table: str = ""


CODES: dict[str, str] = {
    # the file
    "file": "The file cannot be read.",
    "encoding": "The file is not UTF-8 text.",
    "size": "The file, or something in it, is too large.",
    "depth": "Values are nested too deeply, or includes.",
    "yaml": "The file is not valid YAML.",
    "tab": "A tab indents a line; YAML wants spaces.",
    "shape": "The file is something else than was expected.",
    "alias": "YAML anchors, aliases and merge keys are not taken: write the value out.",
    "tag": "YAML tags and directives are not taken.",
    "duplicate": "A key stands twice in one mapping.",
    "key": "A key of the file is no word, or a telephone key has two meanings.",
    "form": "A value has the wrong form: an unknown key, a number in place of a list, a time without a unit.",
    "wav": "A wav file is not there or cannot be played.",
    "list": "A file of choices cannot be used.",
    # names
    "goto": "A step that is named does not exist.",
    "slot": "A slot that is named does not exist, or has the wrong type for its place.",
    "value": "A value that is named does not exist, is never learnt, or cannot be computed.",
    "undeclared": "A value is computed or looked up, but not declared under `values`.",
    "name": "A name is taken already, or is a word of the conditions.",
    "unused": "Something is declared and used nowhere.",
    "language": "A language is not one of the dialog's, or the bot knows no phrases of it.",
    "goal": "A goal is no outcome of any step.",
    "hook": "A hook is not installed.",
    "environment": "A value of the operator's environment is not set.",
    # values and conditions
    "template": "Braces in a text are no value that can be said.",
    "expression": "A condition or computed value cannot be read.",
    "type": "A value has the wrong type.",
    "result": "`result` can never be what it is compared with.",
    # steps
    "step": "Keys of a step do not go together, or do nothing.",
    "command": "A command does nothing, or can be neither said nor keyed.",
    "phrase": "A phrase means two things, or cannot be said.",
    "sound": "Two choices sound alike, or a word is not in the recogniser's lexicon.",
    # ways
    "end": "The last step leads nowhere.",
    "no-way-out": "No way leads from a step to an end of the dialog.",
    "unreachable": "No step leads to a step.",
    "loop": "Steps follow each other in a circle without anybody being listened to.",
    "unknown": "A value may not be known yet where it is said.",
    # prompts
    "long": "A prompt takes long to listen to.",
    "menu": "A menu offers many options.",
    "comma": "A comma may have torn a text in two.",
    "comment": "A `#` may have cut a text short.",
    "bargein": "A prompt cannot be interrupted where callers would.",
    # languages
    "translation": "A translation is missing, or translates nothing.",
    # includes
    "include": "An included dialog does not exist, or is called in a way that does not fit it.",
    "cycle": "Dialogs include each other in a circle.",
    # people
    "sensitive": "A sensitive value may leave the call.",
    "outbound": "A bot that calls people must say who calls, and let go of those who do not want it.",
}
"""Code -> what it stands for."""


def codes_reference() -> str:
    """Return Markdown: a table of the codes."""
    rows = [f"| `{code}` | {meaning} |" for code, meaning in CODES.items()]
    return "\n".join(["| code | what is wrong |", "|---|---|", *rows])
