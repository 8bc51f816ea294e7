"""What a well-formed dialog can still get wrong: targets, values, keys, and ways out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from voicebot.dialog.checking.flow import edges, fills, reachable, unknown_at, ways_out
from voicebot.dialog.checking.suggest import near
from voicebot.dialog.expressions.expressions import KEYWORDS, ExpressionError, names_in, parse_expression
from voicebot.dialog.language.languages import known, lexicon_of
from voicebot.dialog.language.text import tokens_of
from voicebot.dialog.model.dialog import DialogFile, Say, Step
from voicebot.dialog.model.words import CALL_VALUES, COMMANDS
from voicebot.dialog.speaking.templates import TemplateError, references
from voicebot.dialog.understanding.grammar import Grammar
from voicebot.dialog.understanding.values import value_of_given

Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Finding:
    """Something wrong at `path` of the file; a `warning` does not keep it from running."""

    path: Path
    what: str
    remedy: str = ""
    code: str = ""
    warning: bool = False
    at_key: bool = False


def check(file: DialogFile) -> list[Finding]:
    """Return everything that is wrong with `file`."""
    findings = [*_header(file), *_targets(file), *_values(file)]
    for name, step in file.steps.items():
        findings += _shape(name, step, file)
        findings += _answers(name, step, file)
    if not any(not finding.warning for finding in findings):
        findings += _ways(file)
        findings += _maybe_unknown(file)
    return findings


def _near(word: str, among: list[str]) -> str:
    return near(word, among) or (f"there are {', '.join(among[:12])}" if among else "")


def _header(file: DialogFile) -> Iterator[Finding]:
    if not known(file.language):
        remedy = "give `noinput`, `nomatch` and phrases in the dialog; the defaults are English"
        yield Finding(("language",), f"`{file.language}` has no defaults", remedy, "language", warning=True)
    for group in ("needs", "slots"):
        for name in getattr(file, group):
            if name in KEYWORDS or name == "call":
                what = f"`{name}` is a word of the conditions"
                yield Finding((group, name), what, "choose another name", "name", at_key=True)
            if group == "slots" and name in file.needs:
                what = f"`{name}` is both needed and a slot"
                yield Finding((group, name), what, "rename one", "name", at_key=True)
    for name, need in file.needs.items():
        if need.default is not None and value_of_given(need.default, need.type) is None:
            what = f"`{need.default}` is no {need.type}"
            yield Finding(("needs", name, "default"), what, _EXAMPLES.get(need.type, ""), "type")
    for name, command in file.always.items():
        if not (command.goto or command.say) and name not in COMMANDS:
            what = f"`{name}` does nothing"
            yield Finding(("always", name), what, "give it `goto` or `say`", "command", at_key=True)
        if not (command.hear or command.key or name in COMMANDS):
            what = f"`{name}` can be neither said nor keyed"
            yield Finding(("always", name), what, "give it `hear` or `key`", "command", at_key=True)
    keys: dict[str, str] = {}
    for name, command in file.always.items():
        if command.key and keys.setdefault(command.key, name) != name:
            what = f"key {command.key} means `{keys[command.key]}` as well"
            yield Finding(("always", name, "key"), what, "choose another key", "key")
    ends = [step.end for step in file.steps.values() if step.end]
    for at, goal in enumerate(file.goals):
        if goal not in ends and not (goal == "transferred" and any(s.transfer for s in file.steps.values())):
            yield Finding(("goals", at), f"no step ends with `{goal}`", _near(goal, ends), "goal")


_EXAMPLES = {
    "yes_no": "write yes or no",
    "digits": 'write digits in quotes: "0471"',
    "date": "write 2027-03-02",
    "time": "write 15:00",
    "datetime": "write 2027-03-02T15:00",
    "number": "write 42",
    "phone": 'write "+12025550100"',
}


def _targets(file: DialogFile) -> Iterator[Finding]:
    for path, target in edges(file):
        if target not in file.steps:
            at_key = len(path) > 2 and path[-2] == "goto"
            yield Finding(
                path, f"there is no step `{target}`", _near(target, list(file.steps)), "goto", at_key=at_key
            )


def _all_says(file: DialogFile) -> Iterator[tuple[Path, Say]]:
    for name, command in file.always.items():
        for at, say in enumerate(command.say):
            yield ("always", name, "say", at), say
    for name, step in file.steps.items():
        for key in ("say", "ask", "help", "noinput", "nomatch"):
            for at, say in enumerate(getattr(step, key)):
                yield ("steps", name, key, at), say


def wav_files(file: DialogFile) -> list[str]:
    """Return the wav files that a dialog plays."""
    return list(dict.fromkeys(say.wav for _, say in _all_says(file) if say.wav))


def _expressions(file: DialogFile) -> Iterator[tuple[Path, str]]:
    for name, step in file.steps.items():
        if step.if_:
            yield ("steps", name, "if"), step.if_
        for target, condition in step.goto.items():
            if condition.strip() != "else":
                yield ("steps", name, "goto", target), condition
        for variable, expression in step.set.items():
            yield ("steps", name, "set", variable), expression


def _values(file: DialogFile) -> Iterator[Finding]:
    """Names in templates and conditions, and their form."""
    written = {name for step in file.steps.values() for name in fills(step)}
    names = list(dict.fromkeys((*file.needs, *file.slots, *written, *CALL_VALUES)))

    def name_finding(path: Path, name: str) -> Iterator[Finding]:
        if name not in names:
            yield Finding(path, f"there is no value `{name}`", _near(name, names), "value")
        elif name in file.slots and name not in written:
            yield Finding(path, f"slot `{name}` is never filled", f"a step needs `fill: {name}`", "value")

    for path, say in _all_says(file):
        try:
            for reference in references(say.text):
                yield from name_finding(path, reference.name)
        except TemplateError as error:
            yield Finding(path, str(error), "", "template")
    for path, text in _expressions(file):
        try:
            answer = _answer_taken_for_value(path, text, names, file)
            if answer is not None:
                yield answer
                continue
            for name in sorted(names_in(parse_expression(text))):
                yield from name_finding(path, name)
        except ExpressionError as error:
            what = f"`{text}` is no condition: {error} (character {error.column})"
            yield Finding(path, what, "for example: attending and tries < 3", "expression")
    for step_name, step in file.steps.items():
        for variable in step.set:
            if variable in KEYWORDS or variable in file.needs:
                what = f"`{variable}` cannot be set"
                path = ("steps", step_name, "set", variable)
                yield Finding(path, what, "choose another name", "value", at_key=True)
        for variable in step.transfer.context if step.transfer else ():
            yield from name_finding(("steps", step_name, "transfer", "with"), variable)


def _answer_taken_for_value(path: Path, text: str, names: list[str], file: DialogFile) -> Finding | None:
    """A condition that names an answer, which is no value: `goto: {bread: bread}`, `if: size == large`."""
    step, text = file.steps[str(path[1])], text.strip()
    slot = file.slots.get(step.fill[0] if step.fill else "")
    if path[2] == "goto" and text not in names:
        remedy = ""
        if text in step.choices:
            remedy = f"write its target in the choice, `{text}: {{goto: {path[3]}}}`"
        elif slot is not None and slot.type == "yes_no" and text in ("yes", "no"):
            remedy = f"write `{path[3]}: {'not ' if text == 'no' else ''}{step.fill[0]}`"
        elif slot is not None and text in slot.choices:
            remedy = f"write `{path[3]}: {step.fill[0]} == '{text}'`"
        if remedy:
            return Finding(path, f"`{text}` is an answer, not a condition", remedy, "value")
    for name in sorted(names_in(parse_expression(text)).difference(names)):
        asked = [s for s in names_in(parse_expression(text)) if s in file.slots]
        if any(name in file.slots[s].choices for s in asked):
            return Finding(path, f"there is no value `{name}`", f"quote the answer: '{name}'", "value")
    return None


def _shape(name: str, step: Step, file: DialogFile) -> Iterator[Finding]:
    """Keys of a step that do not go together."""
    path: Path = ("steps", name)

    def finding(what: str, remedy: str, key: str = "") -> Finding:
        return Finding((*path, key) if key else path, what, remedy, "step", at_key=True)

    if name in KEYWORDS:
        yield finding(f"a step cannot be called `{name}`", "choose another name")
    if step.ask and not (step.fill or step.choices):
        yield finding("asks, but takes no answer", "give it `fill` or `choices`, or write `say`", "ask")
    for key in ("fill", "choices"):
        if getattr(step, key) and not step.ask:
            yield finding(f"`{key}` needs a question", "give the step an `ask`", key)
    for key in ("noinput", "nomatch", "help", "failed"):
        if getattr(step, key) and not step.ask:
            yield finding(f"`{key}` does nothing where nothing is asked", "take it away, or `ask`", key)
    ways = [key for key in ("goto", "end", "transfer") if getattr(step, key)]
    if len(ways) > 1:
        yield finding(f"has both `{ways[0]}` and `{ways[1]}`", "keep one of them", ways[1])
    if step.goal and not (step.end or step.transfer):
        yield finding("`goal` belongs to `end` or `transfer`", "put it there", "goal")
    for slot in step.fill:
        if slot not in file.slots:
            yield Finding(
                (*path, "fill"), f"there is no slot `{slot}`", _near(slot, list(file.slots)), "slot"
            )
    if step.confirm and not step.fill:
        yield finding("`confirm` needs a slot to fill", "give it `fill`", "confirm")
    if not step.model_dump(exclude_defaults=True):
        yield finding("does nothing", "give it `say`, `ask`, `goto` or `end`")


def _answers(name: str, step: Step, file: DialogFile) -> Iterator[Finding]:
    """Keys and phrases that cannot be told apart."""
    path: Path = ("steps", name, "choices")
    lexicon = lexicon_of(file.language)
    keys: dict[str, str] = {}
    phrases: dict[tuple[str, ...], str] = {}
    slot = file.slots.get(step.fill[0] if step.fill else "")
    if slot is not None:
        grammar = Grammar(slot, file.language)
        keys.update(grammar.keys)
        for meaning in slot.choices:
            phrases.setdefault(tokens_of(meaning, lexicon), meaning)
    for meaning, choice in step.choices.items():
        if choice.key and keys.setdefault(choice.key, meaning) != meaning:
            what = f"key {choice.key} means `{keys[choice.key]}` as well"
            yield Finding((*path, meaning, "key"), what, "choose another key", "key")
        if choice.key and choice.key.isdigit() and slot is not None and slot.type in ("digits", "number"):
            what = f"key {choice.key} cannot be told from a digit of `{step.fill[0]}`"
            yield Finding((*path, meaning, "key"), what, "use * for it", "key")
        for at, phrase in enumerate(choice.hear or (meaning,)):
            tokens = tokens_of(phrase, lexicon)
            place = (*path, meaning, "hear", at) if choice.hear else (*path, meaning)
            if not tokens:
                yield Finding(place, f"`{phrase}` cannot be said", "write words", "phrase")
            elif phrases.setdefault(tokens, meaning) != meaning:
                what = f"`{phrase}` means `{phrases[tokens]}` as well"
                yield Finding(place, what, "let callers tell them apart", "phrase")


def _ways(file: DialogFile) -> Iterator[Finding]:
    """Steps that nothing leads to, and steps from which nothing leads out."""
    reached = reachable(file)
    out = ways_out(file)
    names = list(file.steps)
    last = file.steps[names[-1]]
    if not (last.end or last.transfer or (last.if_ is None and "else" in last.goto.values())):
        leaves = last.choices and all(choice.goto for choice in last.choices.values()) and not last.fill
        if not leaves or last.if_:
            what = f"the last step, `{names[-1]}`, leads nowhere"
            yield Finding(("steps", names[-1]), what, "give it `end` or `goto`", "end", at_key=True)
    for name in names:
        if name not in reached:
            what = f"no step leads to `{name}`"
            yield Finding(("steps", name), what, "", "unreachable", warning=True, at_key=True)
        elif name not in out:
            what = f"from `{name}` no way leads to an `end` or a `transfer`"
            yield Finding(("steps", name), what, "let a step end the call", "no-way-out", at_key=True)


def _maybe_unknown(file: DialogFile) -> Iterator[Finding]:
    """Values that are said where some way to the step has not learnt them."""
    unknown = unknown_at(file)
    for path, say in _all_says(file):
        if path[0] != "steps":
            continue
        step = str(path[1])
        for reference in references(say.text):
            if reference.name in unknown.get(step, ()) and reference.name not in _filled_here(
                file.steps[step], path
            ):
                what = f"`{reference.name}` may not be known yet in `{step}`"
                remedy = f"ask for it before, or pass over the step with `if: {reference.name} != unknown`"
                yield Finding(path, what, remedy, "unknown", warning=True)


def _filled_here(step: Step, path: Path) -> frozenset[str]:
    """An `if` that speaks of a value is taken to guard it."""
    return names_in(parse_expression(step.if_)) if step.if_ else frozenset()
