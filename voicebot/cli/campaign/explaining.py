"""The ledger's entries about a person as sentences: for them, for an operator, for a lawyer. Pure."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from voicebot.campaign.verdict import Ruling
from voicebot.cli.campaign.words import counted, listed, moment_of
from voicebot.cli.harmless import harmless
from voicebot.store.rows import LedgerRow

BECAME = {
    "answered": "it was answered",
    "machine": "a machine answered",
    "abandoned": "they answered and heard nothing of us in time",
    "opted_out": "they want no more calls",
    "busy": "busy",
    "no_answer": "nobody answered",
    "invalid": "there is no such number",
    "rejected": "the call was rejected",
    "congestion": "the network was congested",
    "trunk_failure": "the trunk failed",
    "codec_error": "the far end speaks no codec of ours",
    "expired": "not dialled: it was too late when Asterisk came to it",
    "cancelled": "not dialled: taken back in time",
    "not_handed": "not dialled: Asterisk did not take it",
    "interrupted": "a crash hides what happened",
}
"""What a disposition means, in words."""
_AFTER = {
    "done": "They are called no more in this campaign.",
    "refused": "They are called no more in this campaign.",
    "held": "They are held, and not called again until somebody decides: `voicebot campaign release`.",
}
_MARKS = {Ruling.ALLOWED: "✓", Ruling.DEFERRED: "…", Ruling.REFUSED: "✗", Ruling.HALTED: "✗"}
_TELLING = ("quiet_hours",)
"""Rules whose word is shown although they allow the call: what people ask for first, beside the consent."""
FORGOTTEN = "erased"
"""How somebody opted out whose data was erased."""
_ERASED = "What was told here was erased."
_UNSHOWN = frozenset(("checks", "key", "zones", "attempts", "number", "consent", "until"))


@dataclass(frozen=True, slots=True)
class Line:
    """A line of an explanation. depth: 0 a heading; against: a rule that stands against the call."""

    text: str
    depth: int = 1
    against: bool = False


def explain(entry: LedgerRow, all_rules: bool = False) -> Iterator[Line]:
    """Yield an entry as lines. all_rules: rules that allow the call are told, too."""
    where = entry.campaign or "in general"
    head, lines = _HEADS.get(entry.kind, _other)(entry, entry.payload or {}, all_rules)
    yield Line(f"{moment_of(entry.at)}  {where}: {harmless(head)}", 0)
    if entry.payload is None and entry.kind not in ("erased", "late"):
        yield Line(_ERASED)
        return
    for line in lines:
        yield Line(harmless(line.text), line.depth, line.against)


Told = tuple[str, list[Line]]


def _claimed(entry: LedgerRow, told: Mapping[str, Any], all_rules: bool) -> Told:
    lines = list(_checks(told, all_rules)) + list(_consent(told))
    if told:
        trunk, caller = told.get("trunk", ""), told.get("caller_number", "")
        until = f", not to be dialled after {_clock(told['expires'])}" if "expires" in told else ""
        text = (
            f"Handed over as attempt {entry.attempt}: {told.get('number')}, shown {caller}, through {trunk}"
        )
        lines.append(Line(f"{text}{until}."))
    return "they may be called", lines


def _refused(entry: LedgerRow, told: Mapping[str, Any], all_rules: bool) -> Told:
    if entry.rule == "by hand":
        return "taken out by hand: they are not called", [Line(f"Why: {told.get('why') or 'not told'}.")]
    lines = [*_checks(told, all_rules), *_consent(told)]
    return f"they may not be called, by {_rules(entry, told)}", lines


def _deferred(entry: LedgerRow, told: Mapping[str, Any], all_rules: bool) -> Told:
    until = f" before {_iso(told['until'])}" if told.get("until") else " yet"
    lines = [*_checks(told, all_rules), *_consent(told)]
    return f"not to be called{until}, by {_rules(entry, told)}", lines


def _halted(entry: LedgerRow, told: Mapping[str, Any], all_rules: bool) -> Told:
    lines = list(_checks(told, all_rules))
    return f"nobody of the campaign may be called, by {_rules(entry, told)}", lines


def _closed(entry: LedgerRow, told: Mapping[str, Any], _: bool) -> Told:
    lines: list[Line] = []
    dial, call = _parsed(told.get("dial_result")), _parsed(told.get("call_result"))
    if told:
        lines += [Line(text) for text in _times(told)]
    if dial:
        cause = f"cause {dial['cause']}" if dial.get("cause") is not None else ""
        said = ", ".join(each for each in (str(dial.get("detail") or ""), cause) if each)
        if said:
            lines.append(Line(f"The network's word: {said}."))
    if call:
        lines += [Line(text) for text in _conversation(call)]
    elif told and entry.rule in ("answered", "interrupted") and dial.get("disposition") == "answered":
        lines.append(Line("Nobody told what the conversation came to: our gateway ended in it."))
    if told.get("contact") == "due" and told.get("due"):
        lines.append(Line(f"They are to be called again, not before {_iso(told['due'])}."))
    elif text := _AFTER.get(str(told.get("contact"))):
        lines.append(Line(text))
    return f"the call is over: {BECAME.get(entry.rule, entry.rule)} [{entry.rule}]", lines


def _late(entry: LedgerRow, told: Mapping[str, Any], _: bool) -> Told:
    call = _parsed(told.get("call_result"))
    lines = [Line(text) for text in _conversation(call)] if call else [Line(_ERASED)]
    return "a gateway told later how the call went", lines


def _opt_out(entry: LedgerRow, told: Mapping[str, Any], _: bool) -> Told:
    if told.get("how") == FORGOTTEN:
        return "they are never to be called again, since they were forgotten", []
    return "they asked not to be called again", [Line(f"How: {told.get('how') or 'not told'}.")]


def _withdrawn(entry: LedgerRow, told: Mapping[str, Any], _: bool) -> Told:
    return "the opt-out was undone, as a mistake", [Line(f"Why: {told.get('how') or 'not told'}.")]


def _released(entry: LedgerRow, told: Mapping[str, Any], _: bool) -> Told:
    return "somebody decided that they are called again, after a crash hid whether they were", []


def _erased(entry: LedgerRow, told: Mapping[str, Any], _: bool) -> Told:
    return "what was kept about them was erased", []


def _other(entry: LedgerRow, told: Mapping[str, Any], _: bool) -> Told:
    rest = [f"{name.replace('_', ' ')}: {value}" for name, value in told.items() if name not in _UNSHOWN]
    return entry.kind.replace("_", " "), [Line(text) for text in rest]


_HEADS: Mapping[str, Callable[[LedgerRow, Mapping[str, Any], bool], Told]] = {
    "claimed": _claimed,
    "refused": _refused,
    "deferred": _deferred,
    "halted": _halted,
    "closed": _closed,
    "late": _late,
    "opt_out": _opt_out,
    "opt_out_withdrawn": _withdrawn,
    "released": _released,
    "erased": _erased,
}


def _rules(entry: LedgerRow, told: Mapping[str, Any]) -> str:
    """Name the rules that decided: of those that stand against the call the strictest."""
    names = [each[0] for each in told.get("checks") or () if len(each) == 4 and each[1] == entry.kind]
    names = names or entry.rule.split() or ["that is not told"]
    return f"the {'rule' if len(names) == 1 else 'rules'} {listed(names)}"


def _checks(told: Mapping[str, Any], all_rules: bool) -> Iterator[Line]:
    """Yield what each rule said: those against the call first, then what matters of the others."""
    checks = [each for each in told.get("checks") or () if len(each) == 4]
    against = [each for each in checks if each[1] != Ruling.ALLOWED]
    for rule, ruling, why, _ in against:
        yield Line(f"{_MARKS[Ruling(ruling)]} {rule}: {why}", against=True)
    allowed = [each for each in checks if each[1] == Ruling.ALLOWED]
    shown = [each for each in allowed if all_rules or (not against and each[0] in _TELLING)]
    for rule, _, why, _ in shown:
        yield Line(f"{_MARKS[Ruling.ALLOWED]} {rule}: {why}")
    if left := len(allowed) - len(shown):
        yield Line(f"{_MARKS[Ruling.ALLOWED]} {counted(left, 'more rule')} allowed it (--all shows them)")


def _consent(told: Mapping[str, Any]) -> Iterator[Line]:
    """Yield the record of the callee's consent, as it stood then."""
    if not told:
        return
    consent = told.get("consent")
    if not consent:
        yield Line("Consent: none is recorded for this person alone.")
        return
    written = "written" if consent.get("written") else "not written"
    source = f"; recorded in {consent['source']}" if consent.get("source") else ""
    when = str(consent.get("at", ""))[:16].replace("T", " ").removesuffix(" 00:00")
    yield Line(
        f"Consent: {consent.get('by') or 'nobody named'}, {when}, {consent.get('scope')}, {written}{source}."
    )


def _times(told: Mapping[str, Any]) -> Iterator[str]:
    handed, dialled, answered = (told.get(name) for name in ("handed_at", "dialling_at", "answered_at"))
    steps = [f"handed to Asterisk {_clock(handed)}"] if handed else ["never handed to Asterisk"]
    if dialled:
        steps.append(f"dialled {_clock(dialled)}")
    if answered:
        steps.append(f"answered {_clock(answered)}")
    closed = told.get("closed_at")
    if closed:
        steps.append(f"closed {_clock(closed)}")
    text = listed(steps)
    yield f"{text[:1].upper()}{text[1:]}."


def _conversation(call: Mapping[str, Any]) -> Iterator[str]:
    by = {"person": "A person", "machine": "A machine"}.get(
        str(call.get("answered_by")), "Nobody can tell who"
    )
    began, ended = _moment(call.get("answered_at")), _moment(call.get("ended_at"))
    long = f"; the call lasted {(ended - began).total_seconds():.0f} s" if began and ended else ""
    yield f"{by} answered{long}."
    if (first := call.get("first_audio_ms")) is not None:
        yield f"They heard us {first:,} ms after they answered."
    else:
        yield "They heard nothing of us."
    if outcome := call.get("outcome"):
        goal = ", a goal of the campaign" if call.get("goal") else ""
        version = (
            f", held by version {call['dialog_version']} of the dialog" if call.get("dialog_version") else ""
        )
        yield f"The conversation came to: {str(outcome).replace('_', ' ')}{goal}{version}."
    if call.get("message_left"):
        yield "A message was left."
    if call.get("opted_out"):
        yield "In it they asked not to be called again."
    if call.get("call_back"):
        yield f"They asked to be called at {_iso(call['call_back'])}."
    if slots := call.get("slots"):
        told = ", ".join(f"{name.replace('_', ' ')} = {_value(value)}" for name, value in slots.items())
        yield f"They told: {told}."
    if call.get("record"):
        yield f"The conversation: `voicebot calls show {call['record']}`."


def _value(value: Any) -> str:
    if value is None:
        return "unknown"
    return ("yes" if value else "no") if isinstance(value, bool) else str(value)


def _parsed(text: Any) -> dict[str, Any]:
    if isinstance(text, str):
        try:
            text = json.loads(text)
        except ValueError:
            return {}
    return text if isinstance(text, dict) else {}


def _moment(text: Any) -> datetime | None:
    try:
        return datetime.fromisoformat(str(text))
    except ValueError:
        return None


def _iso(text: Any) -> str:
    at = _moment(text)
    return str(text) if at is None else moment_of(at)


def _clock(ms: Any) -> str:
    """Return the time of day of a Unix time in ms, on this machine's clock, as the heading names it."""
    return datetime.fromtimestamp(int(ms) / 1000, UTC).astimezone().strftime("%H:%M:%S")
