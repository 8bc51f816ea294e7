"""The work that a step wants done: look-ups, hooks, messages; from the file's words to the request."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from urllib.parse import quote, urlencode

from voicebot.dialog.expressions.expressions import parse_expression
from voicebot.dialog.model.actions import FetchRequest, Hook, Record
from voicebot.dialog.running import voice
from voicebot.dialog.running.listening import is_sensitive
from voicebot.dialog.running.state import Run
from voicebot.dialog.speaking.prompts import sensitive_names
from voicebot.dialog.speaking.raw import fill_in, fill_in_value
from voicebot.dialog.speaking.templates import references
from voicebot.dialog.turns import BotTurn, Fetch, RecordMessage, RunHook, Work

_ENVIRONMENT = re.compile(r"\{(env\.[A-Za-z_]\w*)\}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_DEEPEST = 20
"""Levels of a JSON body."""


def request_of(run: Run) -> BotTurn:
    """Return the turn that has the work of the present step done."""
    step = run.step
    work: Work
    if step.fetch is not None:
        work = fetch_of(run, step.fetch)
    elif step.hook is not None:
        work = _hook(run, step.hook)
    else:
        assert step.record is not None
        work = record_of(run, step.record)
    run.working = work
    return BotTurn((), work)


def fetch_of(run: Run, fetch: FetchRequest) -> Fetch:
    """Fill in the request. Values are quoted in the address, except those of the environment."""
    values = run.frame.values
    url = _ENVIRONMENT.sub(lambda found: _braced(str(values.get(found[1]) or "")), fetch.url)
    url = fill_in(url, values, quote=lambda text: quote(text, safe="", errors="replace"))
    if fetch.query:
        query = _form(fetch.query, values)
        url += ("&" if "?" in url else "?") + query
    body, content_type = None, ""
    if fetch.json_ is not None:
        filled = _filled(fetch.json_, values)
        body, content_type = (
            json.dumps(filled, ensure_ascii=False).encode(errors="replace"),
            "application/json",
        )
    elif fetch.form:
        body, content_type = _form(fetch.form, values).encode(), "application/x-www-form-urlencoded"
    return Fetch(
        step=run.frame.step,
        method=fetch.method.upper(),
        url=url,
        headers=tuple((n, _CONTROL.sub(" ", fill_in(v, values))) for n, v in fetch.headers.items()),
        body=body,
        content_type=content_type,
        timeout_ms=fetch.timeout,
        retries=fetch.retries,
        filler=voice.fillers(run, fetch.filler),
        sensitive=run.step.sensitive
        or not (_names(fetch) | set(fetch.keep)).isdisjoint(sensitive_names(run.dialog)),
    )


def _form(fields: Mapping[str, str], values: Mapping[str, object]) -> str:
    return urlencode({name: fill_in(text, values) for name, text in fields.items()}, errors="replace")


def _braced(text: str) -> str:
    return text.replace("{", "{{").replace("}", "}}")


def _filled(value: object, values: Mapping[str, object], depth: int = 0) -> object:
    """Fill in every text of a JSON body; a text that is one reference keeps the value's type."""
    if depth > _DEEPEST:
        return None
    if isinstance(value, str):
        return fill_in_value(value, values)
    if isinstance(value, dict):
        return {key: _filled(item, values, depth + 1) for key, item in value.items()}
    if isinstance(value, list):
        return [_filled(item, values, depth + 1) for item in value]
    return value


def _names(fetch: FetchRequest) -> frozenset[str]:
    """Return the names of the values that a request holds."""
    texts = [fetch.url, *fetch.query.values(), *fetch.headers.values(), *fetch.form.values()]
    todo: list[object] = [fetch.json_]
    while todo:
        item = todo.pop()
        if isinstance(item, str):
            texts.append(item)
        elif isinstance(item, dict):
            todo += item.values()
        elif isinstance(item, list):
            todo += item
    return frozenset(reference.name for text in texts for reference in references(text))


def _hook(run: Run, hook: Hook) -> RunHook:
    arguments = {n: parse_expression(e).evaluate(run.frame.values) for n, e in hook.arguments.items()}
    named = {name for e in hook.arguments.values() for name in parse_expression(e).names} | set(hook.keep)
    return RunHook(
        step=run.frame.step,
        name=hook.name,
        arguments=tuple(arguments.items()),
        timeout_ms=hook.timeout,
        filler=voice.fillers(run, hook.filler),
        sensitive=run.step.sensitive or not named.isdisjoint(sensitive_names(run.dialog)),
    )


def record_of(run: Run, record: Record) -> RecordMessage:
    """Return how to record the message of the present step."""
    step = run.step
    return RecordMessage(
        step=run.frame.step,
        longest_ms=record.longest,
        shortest_ms=record.shortest,
        silence_ms=record.silence,
        noinput_ms=step.timeout if step.timeout is not None else run.dialog.file.timeout,
        beep=record.beep,
        keys=(step.terminator if step.terminator is not None else "#"),
        sensitive=is_sensitive(run.dialog, run.frame.step),
    )
