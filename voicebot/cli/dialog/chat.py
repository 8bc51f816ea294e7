"""`voicebot dialog chat`: talking to a dialog without a telephone."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from voicebot.authoring.conversation.conversation import Conversation, described
from voicebot.authoring.conversation.written import (
    HELP,
    Order,
    as_json,
    changed,
    read_line,
    understood_text,
    written,
)
from voicebot.cli.dialog.given import given_of
from voicebot.cli.harmless import harmless
from voicebot.cli.options import ConfigFile, Json
from voicebot.dialog.loading.files import load_dialog
from voicebot.dialog.model.slots import meaning_of
from voicebot.dialog.turns import HungUp, Work, WorkResult
from voicebot.errors import UserError

PROMPT = "caller> "


def chat(
    file: Annotated[Path, typer.Argument(help="A dialog file.")],
    given: Annotated[
        list[str] | None, typer.Option("--given", help="A value that it needs, as name=value; repeatable.")
    ] = None,
    language: Annotated[
        str | None, typer.Option("--language", help="The language that it begins in.")
    ] = None,
    now: Annotated[
        str | None, typer.Option("--now", help="The wall clock at the beginning, such as 2027-03-01T10:00.")
    ] = None,
    seed: Annotated[int, typer.Option("--seed", help="Which of several variants are said.")] = 0,
    live: Annotated[
        bool, typer.Option("--live", help="Really ask services, run hooks, and ask language models.")
    ] = False,
    config: ConfigFile = None,
    as_json_: Json = False,
) -> None:
    """Talk to a dialog in writing, without a telephone.

    Write what a caller says; nothing for silence, /dtmf 5 or <4271> for keys, /hangup or Ctrl-D to hang up;
    /help tells the rest. Standard input may be a script of such lines.
    """
    dialog, values = load_dialog(file), given_of(given)
    if strange := values.keys() - dialog.file.needs.keys():
        needs = ", ".join(dialog.file.needs) or "nothing"
        raise UserError(f"--given {min(strange)}: the dialog does not need it", f"it needs {needs}")
    started = _moment(now)
    if language is not None and language not in dialog.languages:
        raise UserError(f"--language {language}: the dialog is not held in it", ", ".join(dialog.languages))
    if not live:
        talk = Conversation(dialog, values, started=started, language=language, seed=seed)
        _Chat(talk, None, as_json_).run()
        return
    from voicebot.authoring.conversation.live import LiveWorker
    from voicebot.config import OF_ASTERISK, load_config

    settings = load_config(config, without=OF_ASTERISK)
    environment = {name: os.environ[name] for name in settings.dialogs.env if name in os.environ}
    talk = Conversation(
        dialog, values, started=started, language=language, seed=seed, environment=environment
    )
    with LiveWorker(settings) as worker:
        _Chat(talk, worker, as_json_).run()


class _Chat:
    """The loop: a line in, the bot's turn out."""

    def __init__(self, talk: Conversation, worker: Callable[[Work], WorkResult] | None, json_: bool) -> None:
        self._talk, self._worker, self._json = talk, worker, json_
        self._before: list[Conversation] = []
        self._shown = 0  # turns

    def run(self) -> None:
        self._go_on()
        lines = _lines(echo=not self._json)
        while not self._talk.ended:
            line = next(lines, None)
            try:
                event = HungUp() if line is None else read_line(line, self._talk.waits_for)
            except UserError as error:
                self._tell(f"{error}")
                continue
            if isinstance(event, Order):
                self._order(event.name)
                continue
            self._before.append(self._talk.fork())
            self._talk.take(event)
            self._go_on()
        if self._talk.slots and not self._json:
            typer.echo("learnt: " + harmless(_slots(self._talk)))

    def _go_on(self) -> None:
        """Show what is new; do the work that can be done."""
        while True:
            for turn, last in zip(
                self._talk.turns[self._shown :],
                [None, *self._talk.turns][self._shown :],
                strict=False,
            ):
                slots = last.slots if last else {}
                if self._json:
                    typer.echo(json.dumps(as_json(turn, slots), ensure_ascii=False))
                    continue
                notes = [understood_text(turn)]
                notes += [
                    f"{name}={value or 'unknown'}" for name, value in changed(slots, turn.slots).items()
                ]
                notes += [" → ".join(turn.steps)] if len(turn.steps) > 1 else []
                if text := "  ".join(filter(None, notes)):
                    typer.echo(typer.style(f"        [{harmless(text)}]", dim=True))
                if turn.bot or self._talk.waits_for is None:
                    typer.echo(f"{typer.style('bot>', fg='cyan')}    {harmless(written(turn))}")
            self._shown = len(self._talk.turns)
            work = self._talk.waits_for
            if work is None or self._talk.ended:
                return
            if not self._json:
                typer.echo(typer.style(f"        it asks for {harmless(described(work))}", fg="yellow"))
            if self._worker is None:
                return
            self._talk.take(self._worker(work))

    def _order(self, name: str) -> None:
        if name == "help":
            self._tell(HELP)
        elif name == "slots":
            self._tell(_slots(self._talk) or "nothing yet")
        elif name == "path":
            steps = [step for turn in self._talk.turns for step in turn.steps]
            self._tell(" → ".join(step for at, step in enumerate(steps) if at == 0 or steps[at - 1] != step))
        elif not self._before:
            self._tell("this is the beginning")
        else:
            self._talk = self._before.pop()
            self._shown = len(self._talk.turns) - 1
            self._go_on()

    def _tell(self, text: str) -> None:
        typer.echo(json.dumps({"note": text}, ensure_ascii=False) if self._json else harmless(text))


def _slots(talk: Conversation) -> str:
    return ", ".join(f"{name}={meaning_of(value)}" for name, value in talk.slots.items() if value is not None)


def _lines(*, echo: bool) -> Iterator[str]:
    """Yield what is typed, or what stands in a file or pipe, until the end of it."""
    if not sys.stdin.isatty():
        for line in sys.stdin:
            if echo:
                typer.echo(f"{PROMPT}{harmless(line.strip())}")
            yield line
        return
    import readline  # noqa: F401  input() lets a line be edited once this is imported

    try:
        while True:
            yield input(PROMPT)
    except (EOFError, KeyboardInterrupt):
        typer.echo()


def _moment(text: str | None) -> datetime | None:
    """Read `--now`; today's clock without it."""
    if text is None:
        return datetime.now().astimezone()
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise UserError(f"--now {text} is no date and time", "write it as 2027-03-01T10:00") from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
