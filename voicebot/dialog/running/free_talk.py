"""A free conversation with a language model: what it is told, and what its replies do.

It is held on a short leash: so many turns, so much time, and only the step's own tools.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from voicebot.dialog.language.languages import lexicon_of
from voicebot.dialog.model.actions import Llm
from voicebot.dialog.model.dialog import Dialog
from voicebot.dialog.running import voice
from voicebot.dialog.running.listening import is_sensitive
from voicebot.dialog.running.state import Go, Next, Run
from voicebot.dialog.running.types import types_of
from voicebot.dialog.speaking.prompts import sensitive_names
from voicebot.dialog.speaking.raw import fill_in_for_reading
from voicebot.dialog.speaking.templates import references
from voicebot.dialog.turns import AskModel, BotTurn, Keys, Message, Replied, Tool, Understood, Utterance
from voicebot.dialog.understanding.reading import read_slot
from voicebot.dialog.understanding.values import read_open

GO_TO = "go_to_"
"""A tool of this name and a step's goes to that step."""

NOTE = "note"
"""The tool that fills slots."""

GO_ON = "go_on"
"""The tool that leaves the step as any other is left."""

MOST_TOOL_ROUNDS = 4
"""Uses of tools in a row before the caller has been heard again."""


def begin_talk(run: Run) -> None:
    """Tell the model who it is."""
    llm = _llm(run)
    text = fill_in_for_reading(llm.about, run.frame.values, run.language, types_of(run.dialog))
    run.messages = (Message("system", text),)
    run.talk_began = 0.0


def ask_model(run: Run) -> BotTurn:
    """Return the turn that asks for the model's next words."""
    llm = _llm(run)
    work = AskModel(
        step=run.frame.step,
        messages=run.messages,
        tools=tools_of(run.dialog, llm),
        model=llm.model,
        timeout_ms=llm.timeout,
        language=run.language,
        filler=voice.fillers(run, llm.filler),
        sensitive=is_sensitive(run.dialog, run.frame.step) or _tells_sensitive(run.dialog, llm),
    )
    run.working = work
    return BotTurn((), work)


def _tells_sensitive(dialog: Dialog, llm: Llm) -> bool:
    hidden = sensitive_names(dialog)
    return bool(hidden) and any(reference.name in hidden for reference in references(llm.about))


def tools_of(dialog: Dialog, llm: Llm) -> tuple[Tool, ...]:
    """Return what the model may do: go to steps of the dialog, and note slots."""
    tools = [
        Tool(f"{GO_TO}{step}", when, {"type": "object", "properties": {}}) for step, when in llm.tools.items()
    ]
    tools.append(
        Tool(GO_ON, "The conversation has come to its end: go on.", {"type": "object", "properties": {}})
    )
    if llm.slots:
        properties = {name: _parameter(dialog, name) for name in llm.slots}
        about = "Note what the caller has told you, in the caller's own words."
        tools.append(Tool(NOTE, about, {"type": "object", "properties": properties}))
    return tuple(tools)


def _parameter(dialog: Dialog, name: str) -> Mapping[str, object]:
    slot = dialog.file.slots[name]
    found: dict[str, object] = {"type": "string", "description": f"{name.replace('_', ' ')} ({slot.type})"}
    if slot.type == "choice" and slot.choices:
        found["enum"] = list(slot.choices)
    return found


def heard(run: Run, event: Utterance | Keys, now: float) -> BotTurn | None:
    """Pass on what the caller said; None where the talk has gone on for too long."""
    llm = _llm(run)
    run.talk_began = run.talk_began or now
    said = sum(1 for message in run.messages if message.role == "user")
    if said >= llm.turns or (now - run.talk_began) * 1000 > llm.time:
        return None
    words = event.digits if isinstance(event, Keys) else event.transcript.text
    run.messages = (*run.messages, Message("user", words))
    return ask_model(run)


def take_reply(run: Run, event: Replied, moment: datetime) -> Next | None:
    """Do what the model wants: go to a step, note slots and go on. None: it only spoke, listen now."""
    run.working = None
    run.understood = Understood("reply", run.frame.step, event.error or "done")
    if event.text:
        run.messages = (*run.messages, Message("assistant", event.text))
    for use in event.tools:
        if use.name.startswith(GO_TO) and (step := use.name.removeprefix(GO_TO)) in _llm(run).tools:
            run.took("goto", step)
            return Go(step)
    noted = [use for use in event.tools if use.name == NOTE]
    if not event.tools:
        return None
    for use in event.tools:
        answer = _note(run, use.arguments, moment) if use in noted else "there is no such tool"
        run.messages = (
            *run.messages,
            Message("assistant", "", use.name, use.arguments, use.call_id),
            Message("tool", answer, use.name, call_id=use.call_id),
        )
    return None if event.text else ask_model(run)


def goes_on(event: Replied) -> bool:
    """Whether the model has come to the end of the talk."""
    return any(use.name == GO_ON for use in event.tools)


def too_many_tools(run: Run) -> bool:
    """Whether the model has only used its tools for too long."""
    rounds = 0
    for message in reversed(run.messages):
        if message.role == "tool":
            rounds += 1
        elif message.role == "user" or message.text:
            break
    return rounds >= MOST_TOOL_ROUNDS


def _note(run: Run, arguments: str, moment: datetime) -> str:
    """Fill slots from the model's words, each read as the caller's would be; return what it is told."""
    try:
        given = json.loads(arguments or "{}")
    except (ValueError, RecursionError):
        return "the arguments are no JSON"
    problems = []
    lexicon = lexicon_of(run.language)
    for name, said in given.items() if isinstance(given, dict) else ():
        if name not in _llm(run).slots:
            problems.append(f"there is no {name}")
            continue
        slot = run.frame.slot(name)
        text = str(said)[:500]
        if slot.type == "choice" and text in slot.choices:
            run.frame.learn(name, text)
        elif slot.open:
            opened = read_open(text, slot, lexicon)
            run.frame.learn(name, opened[0] if opened else text)
        elif (read := read_slot(slot, text, lexicon, moment, run.language)) is not None and not read.invalid:
            run.frame.learn(name, read.value)
        else:
            problems.append(f"{text!r} is not possible for {name}: ask again")
    return "; ".join(problems) or "noted"


def interrupted(run: Run, words: str) -> None:
    """Let the model know only what the caller has heard of its last words."""
    for at in range(len(run.messages) - 1, -1, -1):
        if run.messages[at].role == "assistant" and run.messages[at].text:
            cut = replace(run.messages[at], text=words)
            run.messages = (*run.messages[:at], cut, *run.messages[at + 1 :])
            return


def _llm(run: Run) -> Llm:
    llm = run.step.llm
    assert llm is not None
    return llm
