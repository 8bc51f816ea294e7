"""From the text of a dialog file to a checked `Dialog`; all mistakes are told at once, with their places."""

from __future__ import annotations

import hashlib

from pydantic import ValidationError

from voicebot.dialog.checking.check import Finding, check
from voicebot.dialog.loading.faults import problems_of
from voicebot.dialog.loading.yamlfile import YamlFile, read_yaml
from voicebot.dialog.model.dialog import Dialog, DialogFile
from voicebot.errors import Problem, UserError

VERSION_LENGTH = 12
"""Hexadecimal digits of the SHA-256 of a dialog's text."""


def parse_dialog(text: str, source: str = "dialog.yaml", folder: str = "") -> Dialog:
    """Read a dialog. `source` names it in messages; `folder` is where its wav files lie.

    Raises UserError with every problem found. What does not keep it from running is in `Dialog.warnings`.
    """
    yaml = read_yaml(text, source)
    try:
        file = DialogFile.model_validate(yaml.data)
    except ValidationError as error:
        raise UserError(_in_order(problems_of(error, yaml, source))) from error
    findings = check(file)
    problems = [_problem(finding, yaml, source) for finding in findings if not finding.warning]
    if problems:
        raise UserError(_in_order(problems))
    warnings = tuple(_in_order([_problem(f, yaml, source) for f in findings if f.warning]))
    version = hashlib.sha256(text.encode()).hexdigest()[:VERSION_LENGTH]
    return Dialog(file, version, source, folder, warnings)


def _problem(finding: Finding, yaml: YamlFile, source: str) -> Problem:
    line, column = yaml.position(finding.path, key=finding.at_key) or (None, None)
    return Problem(finding.what, finding.remedy, source, line, column, finding.code)


def _in_order(problems: list[Problem]) -> list[Problem]:
    return sorted(problems, key=lambda p: (p.line or 0, p.column or 0))
