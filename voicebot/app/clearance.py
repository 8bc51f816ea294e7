"""Whether a campaign may start: everything that can be known before the first call is looked at here."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from voicebot.authoring.proof.introduction import Introduction, introduction_problems
from voicebot.authoring.proof.proving import prove
from voicebot.campaign.campaign import Campaign
from voicebot.campaign.rules.profiles import profile_problems
from voicebot.config import Config
from voicebot.dialog.checking.check import Surroundings
from voicebot.dialog.checking.suggest import near_or_all
from voicebot.dialog.loading.files import load_dialog
from voicebot.dialog.model.dialog import Dialog
from voicebot.errors import Problem, UserError
from voicebot.outbound.permits import trunk_of
from voicebot.work.hooks import Hooks, known_hooks
from voicebot.work.needs import work_problems

PROOF_BUDGET_S = 30.0
UNNEEDED = "unneeded"
EVIDENCE_OF_ALL = 2
"""Facts in the evidence beside those of each dialog."""


@dataclass(frozen=True, slots=True)
class Clearance:
    """What was found. It may start where `problems` is empty.

    evidence: what was proven, of which version: goes into the ledger with the start
    """

    problems: tuple[Problem, ...]
    warnings: tuple[Problem, ...]
    evidence: dict[str, Any]


def clearance(campaign: Campaign, source: Path, config: Config) -> Clearance:
    """Look at a campaign, its dialogs and what voicebot.toml allows. `source` is the campaign file."""
    problems: list[Problem] = []
    warnings: list[Problem] = []
    for problem, grave in profile_problems(campaign):
        (problems if grave else warnings).append(problem)
    problems += _setup_problems(campaign, config)
    needs: set[str] = set()
    evidence: dict[str, Any] = {"business": campaign.caller.business, "call_back": call_back_of(campaign)}
    dialogs = [(campaign.dialog, True)]
    if campaign.answering.machine == "message":
        dialogs.append((campaign.answering.message, False))
    for file, conversation in dialogs:
        try:
            dialog = _load(source.parent / file, config)
        except UserError as error:
            problems += error.problems
            continue
        needs |= dialog.file.needs.keys()
        found, proof = _dialog_problems(dialog, campaign, conversation)
        problems += found
        evidence["dialog" if conversation else "message"] = proof
    if len(evidence) == EVIDENCE_OF_ALL + len(dialogs):  # all could be read
        for name in sorted({**campaign.given, **campaign.columns.given}.keys() - needs):
            what = f"the dialog needs no `{name}`, which is given to it"
            warnings.append(Problem(what, near_or_all(name, sorted(needs)), code=UNNEEDED))
    return Clearance(tuple(problems), tuple(warnings), evidence)


def call_back_of(campaign: Campaign) -> str:
    """Return the number at which callees reach who called them, in E.164."""
    return campaign.caller.call_back or campaign.caller.number


def _setup_problems(campaign: Campaign, config: Config) -> Iterator[Problem]:
    try:
        trunk_of(config, campaign)
    except UserError as error:
        yield from error.problems
    for section, name, known in (
        ("stt", campaign.stt, config.stt.keys()),
        ("tts", campaign.tts, config.tts.keys()),
    ):
        if name not in known:
            remedy = f"add [{section}.{name}], or name one of: {', '.join(sorted(known))}"
            yield Problem(f"there is no [{section}.{name}] in voicebot.toml", remedy)
    if not config.dialling.prefixes:
        remedy = 'name what may be called: [dialling] prefixes = ["+1"]'
        yield Problem("voicebot.toml allows no number to be dialled", remedy)


def _load(path: Path, config: Config) -> Dialog:
    dialog = load_dialog(path, Surroundings(hooks=known_hooks(), environment=config.dialogs.env))
    if problems := work_problems(dialog, config, Hooks()):
        raise UserError(problems)
    return dialog


def _dialog_problems(
    dialog: Dialog, campaign: Campaign, conversation: bool
) -> tuple[list[Problem], dict[str, Any]]:
    """Return what speaks against a dialog, and what was proven of it."""
    problems = [problem for problem in dialog.warnings if problem.code == "environment"]
    for name, need in dialog.file.needs.items():
        if need.default is None and name not in {**campaign.columns.given, **campaign.given}:
            what = f"the dialog needs `{name}` ({need.type}), and no column of the campaign gives it"
            remedy = f"name its column: `columns: {{given: {{{name}: ...}}}}`"
            problems.append(Problem(what, remedy, dialog.source, code="need"))
    began = time.monotonic()
    proof = prove(dialog, campaign.given, stop=lambda: time.monotonic() - began > PROOF_BUDGET_S)
    for finding in proof.mistakes:
        where = f" (step `{finding.step}`)" if finding.step else ""
        remedy = f"{finding.remedy}; `voicebot dialog prove` shows a conversation"
        problems.append(Problem(finding.what + where, remedy, finding.source, code=finding.code))
    if proof.cut:
        remedy = "`voicebot dialog prove` shows where; make it smaller, or split it"
        problems.append(Problem(f"could not be proven to its end: cut {proof.cut}", remedy, dialog.source))
    notice = campaign.ai_notice if conversation or campaign.profile == "eu" else ()
    wanted = Introduction(campaign.caller.business, call_back_of(campaign), notice)
    languages = (campaign.language,) if campaign.language else dialog.languages
    problems += introduction_problems(dialog, campaign.given, wanted, languages)
    return problems, {
        "file": dialog.source,
        "version": dialog.version,
        "states": proof.states,
        "turns": proof.turns,
        "proven": proof.proven,
    }
