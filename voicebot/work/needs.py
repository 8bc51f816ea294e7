"""Can the work of a dialog be done here? Told before a call finds out."""

from __future__ import annotations

from collections.abc import Iterator

from voicebot.config import Config
from voicebot.dialog.model.dialog import Dialog, Step
from voicebot.errors import Problem
from voicebot.work.hooks import Hooks


def all_steps(dialog: Dialog) -> Iterator[tuple[str, Step]]:
    """Yield the steps of a dialog and of all that it includes, by name."""
    yield from dialog.steps.items()
    for included in dialog.included.values():
        yield from all_steps(included)


def work_problems(dialog: Dialog, config: Config, hooks: Hooks) -> list[Problem]:
    """Return why some work of the dialog cannot be done; its hooks are imported for that."""
    steps = list(all_steps(dialog))
    problems = hooks.problems(step.hook.name for _, step in steps if step.hook is not None)
    talks = [name for name, step in steps if step.llm is not None]
    if talks and not config.llm.url:
        what = f"step `{talks[0]}` asks a language model, and none is configured"
        problems.append(Problem(what, "set url and model under [llm] in voicebot.toml", code="llm"))
    return [
        Problem(problem.what, problem.remedy, problem.source or dialog.source, code=problem.code)
        for problem in problems
    ]
