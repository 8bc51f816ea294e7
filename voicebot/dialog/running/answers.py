"""What the caller's answer does: it is understood, perhaps confirmed, and fills slots."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime, time

from voicebot.dialog.language.languages import lexicon_of
from voicebot.dialog.language.text import says_nothing, tokens_of
from voicebot.dialog.model.slots import ConfirmRule, Value, meaning_of
from voicebot.dialog.running import free_talk, voice
from voicebot.dialog.running.commands import cancel, command
from voicebot.dialog.running.conditions import Refused, checked
from voicebot.dialog.running.corrections import correct
from voicebot.dialog.running.failing import fail, failed, give_up, refuse
from voicebot.dialog.running.listening import grammar_of, is_sensitive
from voicebot.dialog.running.state import Cancelling, Completing, Confirming, Go, Next, Run
from voicebot.dialog.running.steps import agent_of, grammar_now, hear, leave, question_of
from voicebot.dialog.speaking.prompts import is_sensitive_value
from voicebot.dialog.turns import CallerInput, HungUp, Keys, Prompt, Silence, Understood, Unheard, Utterance
from voicebot.dialog.understanding.fitting import fits
from voicebot.dialog.understanding.grammar import Grammar, Match

UNSURE_SCORE = 0.8
UNSURE_CONFIDENCE = 0.6
"""Below either of them `confirm: unsure` asks back."""

_STRICTEST: tuple[ConfirmRule, ...] = ("always", "unsure", "implicit", "never")


def answer(run: Run, event: CallerInput, now: float) -> Next:
    """Take what the caller did where something was asked."""
    assert not isinstance(event, HungUp)
    if isinstance(event, Silence):
        note(run, "noinput")
        return give_up(run, "silence") if run.patience.silent_for_good else fail(run, "noinput")
    if isinstance(event, Unheard):
        note(run, "unheard")
        if run.patience.deaf:
            return failed(run)
        again = run.question if run.patience.unheard > 1 else ()
        return hear(run, [*voice.own(run, "unheard"), *again])
    moment = run.wall(now)
    match = _own_correction(run, event, moment) or understand(event, grammar_now(run), moment)
    confidence = event.transcript.confidence if isinstance(event, Utterance) else None
    if isinstance(event, Utterance) and not (match and match.command):
        denied = match is not None and match.value is False and run.pending is None
        corrected = correct(run, event.transcript, match, moment, denied=denied)
        if corrected is not None:
            return corrected
    if match is None:
        note(run, "nomatch", confidence=confidence)
        in_vain = isinstance(event, Keys) and not grammar_now(run).keyed
        return fail(run, "nomatch", blamed=not _says_nothing(run, event), keyed_in_vain=in_vain)
    talks = run.step.llm is not None and run.pending is None
    nobody = talks and match.meaning == "agent" and agent_of(run) is None  # the model may know a way
    if match.command and not nobody:
        note(run, "command", match.meaning, confidence)
        return command(run, match.meaning)
    if talks:
        assert isinstance(event, Utterance | Keys)
        note(run, "match", match.meaning, confidence)
        return free_talk.heard(run, event, now) or failed(run)
    match run.pending:
        case None:
            pass
        case Cancelling():
            note(run, "match", match.meaning, confidence)
            return cancel(run) if match.meaning == "yes" else _ask_again(run)
        case Confirming() as confirming:
            note(run, "match", match.meaning, confidence)
            return _confirmed(run, confirming, match)
        case Completing() as completing:
            match = _completed(run, completing, match, moment)
    return _take(run, match, confidence)


def understand(event: CallerInput, grammar: Grammar, moment: datetime) -> Match | None:
    """Return what an input means in `grammar`; a value that is not possible as well."""
    if isinstance(event, Keys):
        return grammar.understand_keys(event.digits, moment)
    return grammar.understand_transcript(event.transcript, moment) if isinstance(event, Utterance) else None


def _says_nothing(run: Run, event: CallerInput) -> bool:
    lexicon = lexicon_of(run.language)
    return isinstance(event, Utterance) and says_nothing(tokens_of(event.transcript.text, lexicon), lexicon)


def note(run: Run, kind: str, meaning: str = "", confidence: float | None = None, slot: str = "") -> None:
    """Keep how the input was taken, for the record."""
    hidden = kind in ("match", "nomatch", "invalid") and is_sensitive(run.dialog, run.frame.step)
    run.understood = Understood(kind, run.frame.step, meaning, confidence, hidden, slot)


# --- taking ---------------------------------------------------------------------------------------------


def _take(run: Run, match: Match, confidence: float | None) -> Next:
    """Take an answer, or say why not, or ask back first."""
    if match.choice:
        note(run, "match", match.meaning, confidence)
        return _choose(run, match)
    run.pending = None
    fills = _fills(run, match)
    slot = next(iter(fills))
    if match.instead or not match.invalid:
        match = checked(run.frame, match, fills)
        fills = _fills(run, match)
    if match.invalid == "incomplete":
        note(run, "match", match.meaning, confidence, slot)
        return _ask_for_the_rest(run, slot, match)
    if match.invalid:
        note(run, "invalid", match.meaning, confidence, slot)
        return fail(run, "invalid", match)
    note(run, "match", match.meaning, confidence, slot)
    rule = _confirm_rule(run, fills)
    if rule == "always" and len(run.step.fill) > 1:
        return _gather(run, fills, match.refused)
    unsure = match.score < UNSURE_SCORE or (confidence is not None and confidence < UNSURE_CONFIDENCE)
    if rule == "always" or (rule == "unsure" and unsure and not match.by_key):
        return _ask_back(run, fills)
    said = _noted(run, fills) if rule == "implicit" else []
    return accept(run, fills, said=said, refused=match.refused)


def _gather(run: Run, fills: Mapping[str, Value], refused: tuple[Refused, ...]) -> Next:
    """Ask back once only, when all slots of the step are known."""
    if any(name not in fills for name in run.asked):
        return accept(run, fills, refused=refused)
    known = {name: run.frame.values.get(name) for name in run.step.fill}
    run.asked = run.step.fill
    before = {name: value for name, value in known.items() if isinstance(value, Value)}
    return _ask_back(run, before | dict(fills))


def _fills(run: Run, match: Match) -> dict[str, Value]:
    if match.fills and match.fills[0][0]:
        return dict(match.fills)
    return {run.asked[0]: match.value}


def _confirm_rule(run: Run, fills: Mapping[str, object]) -> ConfirmRule:
    """Return the strictest rule of the slots, unless the step has one."""
    if run.step.confirm:
        return run.step.confirm
    rules = [run.frame.slot(name).confirmed for name in fills]
    if len(rules) == 1:
        return rules[0]
    return min(rules, key=_STRICTEST.index, default="never")


def _choose(run: Run, match: Match) -> Next:
    step, choice = run.step, run.step.choices[match.meaning]
    run.took(f"choice:{match.meaning}", choice.goto or "")
    run.pending = None
    if choice.goto:
        run.remember({}, match.meaning)
        return Go(choice.goto)
    filled = dict.fromkeys((run.asked or step.fill)[:1], match.meaning)
    return accept(run, filled, choice=match.meaning)


def accept(
    run: Run,
    fills: Mapping[str, object],
    *,
    choice: str = "",
    said: list[Prompt] | None = None,
    refused: tuple[Refused, ...] = (),
) -> Next:
    """Learn the values; then ask for what is missing, `refused` before all, or leave the step."""
    prompts = said or []
    if not choice:
        run.took("match")
    run.pending = None
    run.remember(fills, choice)
    frame = run.frame
    for name, value in fills.items():
        frame.learn(name, value)
    run.asked = tuple([name for name in run.asked if name not in fills])
    if (again := next((r for r in refused if r[0] in run.asked), None)) is not None:
        name, value, why = again
        run.asked = (name, *(other for other in run.asked if other != name))
        if why == "incomplete":
            return _with(prompts, _ask_for_the_rest(run, name, Match(meaning_of(value), value=value)))
        ask_missing(run)
        impossible = Match(meaning_of(value), value=value, invalid=why, fills=((name, value),))
        return _with(prompts, refuse(run, impossible))
    return _with(prompts, ask_missing(run) if run.asked and len(run.step.fill) > 1 else leave(run))


def ask_missing(run: Run) -> Next:
    """Ask for the next slot of several."""
    run.patience.enter_step()
    run.question = question_of(run)
    run.said = run.question
    return hear(run, run.question)


def _with(prompts: list[Prompt], following: Next) -> Next:
    return replace(following, prompts=(*prompts, *following.prompts)) if prompts else following


# --- asking back ----------------------------------------------------------------------------------------


def _ask_back(run: Run, fills: Mapping[str, Value]) -> Next:
    run.took("confirm")
    run.pending = Confirming(tuple(fills.items()))
    run.question = tuple(_understood(run, fills))
    return hear(run, run.question)


def _understood(run: Run, fills: Mapping[str, object]) -> list[Prompt]:
    return voice.own_with(run, "confirm", {"value": _worded(run, fills)}, sensitive=_hidden(run, fills))


def _noted(run: Run, fills: Mapping[str, object]) -> list[Prompt]:
    return voice.own_with(run, "noted", {"value": _worded(run, fills)}, sensitive=_hidden(run, fills))


def _worded(run: Run, fills: Mapping[str, object]) -> str:
    if len(fills) == 1:
        return "".join(voice.worded(run, run.frame, name, value) for name, value in fills.items())
    return ", ".join(voice.named(run, run.frame, name, value) for name, value in fills.items())


def _hidden(run: Run, fills: Mapping[str, object]) -> bool:
    return any(is_sensitive_value(run.dialog, name) for name in fills)


def _confirmed(run: Run, confirming: Confirming, match: Match) -> Next:
    if match.meaning == "yes":
        return accept(run, dict(confirming.fills))
    run.pending = None
    if len(confirming.fills) > 1:
        for name, _ in confirming.fills:
            run.frame.values[name] = None
        run.asked = tuple(dict.fromkeys((*(name for name, _ in confirming.fills), *run.asked)))
    focused = len(run.asked) < len(run.step.fill)
    run.question = question_of(run) if focused else tuple(voice.say_one(run, run.step.ask, "ask"))
    run.took("nomatch")
    run.patience.fail("nomatch")
    return (
        failed(run) if run.patience.exhausted else hear(run, [*voice.own(run, "unconfirmed"), *run.question])
    )


def _own_correction(run: Run, event: CallerInput, moment: datetime) -> Match | None:
    """Take "no, four two seven two" in place of the answer that was asked back."""
    if not isinstance(run.pending, Confirming):
        return None
    if isinstance(event, Keys) and grammar_now(run).match_keys(event.digits) is not None:
        return None
    grammar = grammar_of(run.dialogs, run.frame.step, run.language, run.asked)
    if grammar.slot is None or grammar.slot.open or grammar.slot.type == "yes_no":
        return None
    match = understand(event, grammar, moment)
    if match is None or match.command or match.invalid or dict(match.fills) == dict(run.pending.fills):
        return None
    pending, run.pending = run.pending, None
    if len(pending.fills) > 1:  # what was not contradicted still waits for its yes
        merged = dict(pending.fills) | dict(match.fills)
        return replace(match, fills=tuple(merged.items()))
    return match


def _ask_again(run: Run) -> Next:
    """The caller goes on after all."""
    run.pending = None
    focused = bool(run.asked) and len(run.asked) < len(run.step.fill)
    run.question = question_of(run) if focused else tuple(voice.say_one(run, run.step.ask, "ask"))
    return hear(run, run.question)


# --- a day and a time of day, told one after the other --------------------------------------------------


def _ask_for_the_rest(run: Run, slot: str, match: Match) -> Next:
    run.pending = Completing(slot, match.value, dict(match.instead).get(slot))
    kind = "incomplete_time" if isinstance(match.value, time) else "incomplete_date"
    said = voice.say_part(run, match.value)
    hidden = is_sensitive_value(run.dialog, slot)
    run.question = tuple(voice.own_with(run, kind, {"value": said}, sensitive=hidden))
    return hear(run, run.question)


def _completed(run: Run, completing: Completing, match: Match, moment: datetime) -> Match:
    """Put a day and a time of day together, and hold them against the slot."""
    name, other = completing.slot, dict(match.instead).get(completing.slot, completing.other)
    parts = (completing.part, match.value)
    day = next((p for p in parts if isinstance(p, date) and not isinstance(p, datetime)), None)
    hours = [p for p in (match.value, completing.part, other) if isinstance(p, time)]
    if isinstance(match.value, datetime):
        values = [match.value]
    elif day is None or not hours:
        return replace(match, invalid="incomplete", fills=((name, match.value),))
    else:
        hours = [hours[0], *hours[-1:]] if isinstance(other, time) else hours[:1]
        values = [datetime.combine(day, hour, moment.tzinfo) for hour in hours]
    slot = run.frame.slot(name)
    possible = [value for value in values if not fits(slot, value, moment)]
    value = (possible or values)[0]
    return replace(
        match, value=value, meaning=value.isoformat(timespec="minutes"), invalid=fits(slot, value, moment),
        fills=((name, value),), instead=tuple((name, later) for later in possible[1:]),
    )  # fmt: skip
