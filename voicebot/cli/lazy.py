"""Commands whose modules are loaded when they are asked for, so that each starts as fast as what it needs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperGroup

from voicebot.errors import said_plainly


def lazy_group(places: Mapping[str, str]) -> type[TyperGroup]:
    """Return the class of a group of commands: name -> `module:function`, or `module:group` (a Typer)."""

    class Lazy(TyperGroup):
        def __init__(self, **settings: Any) -> None:
            super().__init__(**settings)
            self.commands = dict.fromkeys(places)  # type: ignore[assignment]  # names, for help and advice

        def get_command(self, ctx: Any, cmd_name: str) -> Any:
            return _load(cmd_name, places[cmd_name]) if cmd_name in places else None

        def make_context(self, *args: Any, **settings: Any) -> Any:
            with _plain_words():
                return super().make_context(*args, **settings)

        def invoke(self, ctx: Any) -> Any:
            with _plain_words():
                return super().invoke(ctx)

    return Lazy


@contextmanager
def _plain_words() -> Iterator[None]:
    """Have wrong values of options told in our words: typer leaves pydantic's."""
    try:
        yield
    except typer.BadParameter as wrong:
        faults = getattr(wrong.__cause__, "errors", None)
        if faults is not None:
            wrong.message = said_plainly(faults()[0])
        raise


def _load(name: str, place: str) -> Any:
    module, _, attribute = place.partition(":")
    found = getattr(import_module(module), attribute)
    holder = typer.Typer(add_completion=False, rich_markup_mode=None)
    holder.callback()(_nothing)
    if isinstance(found, typer.Typer):
        holder.add_typer(found, name=name)
    else:
        holder.command(name)(found)
    group: Any = typer.main.get_command(holder)
    return group.commands[name]


def _nothing() -> None:
    """Hold one command: without a callback a Typer with one command becomes that command."""
