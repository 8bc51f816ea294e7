"""Long lists of choices, as a text file: a value a line, with what callers say for it.

# departments
cardiology: the heart clinic, cardiology
radiology
"""

from __future__ import annotations

from voicebot.dialog.loading.yamlfile import LARGEST_BYTES, MOST_PROBLEMS, unprintable
from voicebot.errors import Problem, UserError

MOST_VALUES = 10_000
LONGEST_VALUE = 200
"""Characters of a value, and of a phrase."""


def read_choices(text: str, source: str) -> dict[str, tuple[str, ...]]:
    """Return value -> phrases; a value without phrases is said by its name. Raises UserError."""
    if len(text) > LARGEST_BYTES:
        raise UserError(Problem("larger than 1 MiB", "split the list", source, code="size"))
    if problem := unprintable(text, source):
        raise UserError(problem)
    found: dict[str, tuple[str, ...]] = {}
    first: dict[str, int] = {}
    problems: list[Problem] = []
    for number, line in enumerate(text.split("\n"), 1):
        content = line.partition("#")[0].strip()
        if not content:
            continue
        value, colon, said = content.partition(":")
        value = value.strip()
        phrases = tuple(" ".join(phrase.split()) for phrase in said.split(",") if phrase.strip())
        fault = _fault(value, phrases, bool(colon), first)
        if fault:
            problems.append(Problem(*fault, source, number, 1, "list"))
            if len(problems) >= MOST_PROBLEMS:
                break
            continue
        first[value] = number
        found[value] = phrases or (value.replace("_", " "),)
        if len(found) > MOST_VALUES:
            what = f"more than {MOST_VALUES} values"
            problems.append(Problem(what, "ask in two steps", source, number, 1, "size"))
            break
    if not found and not problems:
        problems.append(Problem("holds no values", "write `value: phrase, phrase`", source, 1, 1, "list"))
    if problems:
        raise UserError(problems)
    return found


def _fault(
    value: str, phrases: tuple[str, ...], colon: bool, first: dict[str, int]
) -> tuple[str, str] | None:
    if not value:
        return "there is no value before the colon", "write `value: phrase, phrase`"
    if value in first:
        return f"`{value[:40]}` stands here twice, first in line {first[value]}", "keep one of them"
    if max(map(len, (value, *phrases))) > LONGEST_VALUE:
        return f"longer than {LONGEST_VALUE} characters", "write what callers say, in a few words"
    if colon and not phrases:
        return f"`{value[:40]}:` names nothing that callers say", "write a phrase, or take the colon away"
    return None
