"""How work went, and where the dialog goes from there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from voicebot.dialog.expressions.values import LARGEST
from voicebot.dialog.model.dialog import DialogFile
from voicebot.dialog.running import voice
from voicebot.dialog.running.failing import failed
from voicebot.dialog.running.requests import record_of
from voicebot.dialog.running.state import Next, Run
from voicebot.dialog.running.steps import leave, unwell
from voicebot.dialog.turns import (
    BotTurn,
    Fetch,
    Fetched,
    HookDone,
    MessageRecorded,
    RecordMessage,
    RunHook,
    Understood,
)
from voicebot.dialog.understanding.values import value_of_given
from voicebot.speech.characters import without_controls

_LONGEST_TEXT = 2000
"""Characters of a value that is taken from a reply."""


def take_result(run: Run, event: Fetched | HookDone | MessageRecorded) -> Next:
    """Take how the work of the present step went."""
    hidden = isinstance(run.working, Fetch | RunHook | RecordMessage) and run.working.sensitive
    run.working = None
    following = _taken(run, event)
    if hidden and run.understood is not None:
        run.understood = replace(run.understood, sensitive=True)
    return following


def _taken(run: Run, event: Fetched | HookDone | MessageRecorded) -> Next:
    match event:
        case Fetched():
            return _fetched(run, event)
        case HookDone():
            return _hooked(run, event)
        case MessageRecorded():
            return _recorded(run, event)


def _note(run: Run, kind: str, how: str) -> None:
    run.understood = Understood(kind, run.frame.step, how)


def _fetched(run: Run, event: Fetched) -> Next:
    fetch = run.step.fetch
    assert fetch is not None
    status = event.status
    run.frame.values["result"] = status
    _note(run, "fetch", event.error or str(status))
    good = status is not None and (200 <= status < 300 or status in fetch.accept)
    if event.error or not good:
        return unwell(run, f"look-up failed: {event.error or status}")
    _keep(run, fetch.keep, event.body)
    return leave(run)


def _hooked(run: Run, event: HookDone) -> Next:
    hook = run.step.hook
    assert hook is not None
    _note(run, "hook", event.error or "done")
    if event.error:
        run.frame.values["result"] = None
        return unwell(run, f"hook failed: {event.error}")
    run.frame.values["result"] = _result(event.value)
    _keep(run, hook.keep, event.value)
    return leave(run)


def _result(value: object) -> object:
    """Return what a hook returned, where it is one value of the language."""
    if isinstance(value, str):
        return without_controls(value[:_LONGEST_TEXT])
    if isinstance(value, int) and abs(value) > LARGEST:
        return None
    return value if isinstance(value, bool | int | float) else None


def _recorded(run: Run, event: MessageRecorded) -> Next:
    _note(run, "message", f"{event.ms} ms" if event.path else "nothing")
    run.frame.values["result"] = event.ended_by
    if event.ended_by == "error":
        return unwell(run, "message could not be recorded")
    if event.path:
        for name in run.step.fill[:1]:
            run.frame.learn(name, event.path)
        return leave(run)
    if event.ended_by == "hangup":
        return leave(run)
    attempt = run.patience.fail("noinput")
    run.took("noinput")
    if run.patience.exhausted:
        return failed(run)
    assert run.step.record is not None
    run.working = record_of(run, run.step.record)
    own = run.step.noinput
    prompts = voice.say(run, own[min(attempt, len(own)) - 1], run.step) if own else voice.own(run, "noinput")
    return BotTurn(tuple(prompts), run.working)


def _keep(run: Run, keep: Mapping[str, str], body: object) -> None:
    """Take values from a reply, each as the type that it was declared with; what is not there is unknown."""
    now = run.frame.values.get("now")
    moment = now if isinstance(now, datetime) else None
    for name, path in keep.items():
        raw = at_path(body, path)
        kind = _kind(run.dialog.file, name)
        usable = isinstance(raw, str | int | float | bool)
        raw = raw[:_LONGEST_TEXT] if isinstance(raw, str) else raw
        value = value_of_given(raw, kind, moment) if usable else None
        run.frame.learn(name, value)


def at_path(body: object, path: str) -> object:
    """Return what stands in `body` at a dotted path; None where there is nothing."""
    for part in path.split("."):
        if isinstance(body, Mapping):
            body = body.get(part)
        elif isinstance(body, list | tuple) and part.isascii() and part.isdigit():
            body = body[int(part)] if int(part) < len(body) else None
        else:
            return None
    return body


def _kind(file: DialogFile, name: str) -> str:
    if name in file.values:
        return file.values[name].type
    return file.slots[name].type if name in file.slots else "text"
