"""From the text of a dialog file to a checked `Dialog`; all mistakes are told at once, with their places."""

from __future__ import annotations

import hashlib
import posixpath
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from pydantic import ValidationError

from voicebot.dialog.checking.check import Surroundings, check, wav_files
from voicebot.dialog.checking.finding import Finding, Path
from voicebot.dialog.checking.places import WAV_NAME
from voicebot.dialog.loading.faults import problems_of
from voicebot.dialog.loading.lists import read_choices
from voicebot.dialog.loading.salvage import salvaged
from voicebot.dialog.loading.sources import Files, NoFiles
from voicebot.dialog.loading.tables import Table, Tables, read_tables
from voicebot.dialog.loading.yamlfile import MOST_PROBLEMS, YamlFile, read_yaml
from voicebot.dialog.model.dialog import Dialog, DialogFile
from voicebot.dialog.model.prompts import STEP_SAYS, says
from voicebot.errors import Problem, UserError

VERSION_LENGTH = 12
"""Hexadecimal digits of the SHA-256 of a dialog and all that it includes."""
DEEPEST_INCLUDE = 8
"""Dialogs in a row, each included by the one before."""
MOST_FILES = 50
"""Dialogs that one may include, by others too."""
_PROMPTS = frozenset((*STEP_SAYS, "text", "filler", "summary"))
"""Keys of texts that are spoken."""

Rule = Callable[[Dialog], Iterable[Finding]]
"""A further check, of something that dialogs do not know of themselves: how their words sound."""


@dataclass(frozen=True, slots=True)
class Examined:
    """A dialog, or None where it has mistakes; what is wrong with it, and what is doubtful."""

    dialog: Dialog | None
    mistakes: tuple[Problem, ...] = ()
    warnings: tuple[Problem, ...] = ()


def parse_dialog(
    text: str,
    source: str = "dialog.yaml",
    folder: str = "",
    files: Files | None = None,
    surroundings: Surroundings | None = None,
) -> Dialog:
    """Read a dialog and all that it includes.

    `source` names it in messages, `folder` is where its other files lie, `files` reads them (without it there
    are none, and wav files are taken for granted). Raises UserError with every problem found. What does not
    keep it from running is in `Dialog.warnings`.
    """
    found = examine(text, source, folder, files, surroundings)
    if found.dialog is None:
        raise UserError(found.mistakes)
    return found.dialog


def examine(
    text: str,
    source: str = "dialog.yaml",
    folder: str = "",
    files: Files | None = None,
    surroundings: Surroundings | None = None,
    rules: Sequence[Rule] = (),
) -> Examined:
    """Read a dialog as `parse_dialog` does, and tell all that is wrong with it and with what it includes.

    `rules` are further checks. They see dialogs without mistakes only.
    """
    loader = _Loader(files, surroundings or Surroundings(), rules)
    path = posixpath.join(folder, posixpath.basename(source.replace("\\", "/"))) if folder else source
    dialog = loader.load(text, source, folder, (path,))
    warnings = tuple(dict.fromkeys(loader.warnings))
    if loader.problems:
        return Examined(None, tuple(dict.fromkeys(loader.problems)), warnings)
    return Examined(dialog, (), warnings)


@dataclass(frozen=True, slots=True)
class _Loaded:
    """A dialog, or None where it is faulty; `height` counts the dialogs below it."""

    dialog: Dialog | None
    height: int


@dataclass(slots=True)
class _Parts:
    """What a dialog consists of beside its own text."""

    included: dict[str, Dialog] = field(default_factory=dict)
    lists: dict[str, dict[str, tuple[str, ...]]] = field(default_factory=dict)
    files: list[str] = field(default_factory=list)
    digests: list[str] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)


class _Loader:
    """Loads a dialog with what it includes, each file once."""

    def __init__(self, files: Files | None, surroundings: Surroundings, rules: Sequence[Rule]) -> None:
        self.problems: list[Problem] = []
        self.warnings: list[Problem] = []
        self._rules = rules
        self._alone = files is None
        self._files: Files = files or NoFiles()
        self._surroundings = surroundings
        self._loaded: dict[str, _Loaded] = {}
        self._heights: list[int] = []

    def load(self, text: str, source: str, folder: str, chain: tuple[str, ...]) -> Dialog | None:
        """Return the dialog, or None after noting its problems. `chain`: the paths from the first to this."""
        try:
            yaml = read_yaml(text, source)
            file = DialogFile.model_validate(yaml.data)
        except UserError as error:
            self.problems += error.problems
            return None
        except ValidationError as error:
            faults = problems_of(error, yaml, source)
            faults += [self._problem(f, yaml, source, Tables()) for f in salvaged(yaml.data, error)]
            self.problems += in_order(faults)
            return None
        parts, known = _Parts(), len(self.problems)
        self._include(file, yaml, source, folder, chain, parts)
        tables = read_tables(file, yaml, source, folder, self._files)
        self._choices(file, yaml, source, folder, parts)
        self._sounds(file, yaml, source, folder, parts, tables)
        complete = len(self.problems) == known and not (parts.problems or tables.problems)
        dialog = Dialog(
            file,
            self._version(text, parts, tables),
            source,
            folder,
            (),
            parts.included,
            tables.tables,
            parts.lists,
            () if self._alone else tuple(dict.fromkeys((chain[-1], *tables.files, *parts.files))),
        )
        where = self._surroundings
        if len(chain) > 1:
            where = Surroundings(where.hooks, where.environment, included=True)
        found = check(dialog, where)
        found += cut_prompts(yaml)
        sound = complete and all(finding.warning for finding in found)
        for rule in self._rules if sound else ():
            found += rule(dialog)
        told = {
            warning: in_order(self._problem(f, yaml, source, tables) for f in found if f.warning is warning)
            for warning in (False, True)
        }
        problems = in_order([*parts.problems, *tables.problems, *told[False]])
        self.problems += problems
        self.warnings += told[True]
        if problems or not complete:
            return None
        object.__setattr__(dialog, "warnings", tuple(dict.fromkeys([*told[True], *parts.warnings])))
        return dialog

    def _include(
        self,
        file: DialogFile,
        yaml: YamlFile,
        source: str,
        folder: str,
        chain: tuple[str, ...],
        parts: _Parts,
    ) -> None:
        height = 0
        for name, wanted in file.include.items():
            place: Path = ("include", name)
            path = self._files.find(wanted, folder)
            if path is None:
                remedy = "it is looked for beside the dialog, `lib/` also among the ready dialogs"
                parts.problems.append(yaml.problem(place, f"there is no {wanted}", remedy, source, "include"))
                continue
            if path in chain:
                shown = " -> ".join(posixpath.basename(p) for p in (*chain[chain.index(path) :], path))
                remedy = "lead back to a step by `goto` instead"
                what = f"dialogs include each other: {shown}"
                parts.problems.append(yaml.problem(place, what, remedy, source, "cycle"))
                continue
            loaded = self._loaded.get(path)
            if len(chain) + (loaded.height if loaded else 0) >= DEEPEST_INCLUDE:
                shown = " -> ".join(posixpath.basename(p) for p in (*chain, path))
                what = f"includes go deeper than {DEEPEST_INCLUDE}: {shown}"
                parts.problems.append(yaml.problem(place, what, "include fewer in a row", source, "depth"))
                continue
            if loaded is None:
                if len(self._loaded) >= MOST_FILES:
                    what = f"more than {MOST_FILES} dialogs are included"
                    parts.problems.append(yaml.problem(place, what, "split the dialog", source, "size"))
                    return
                loaded = self._load_file(path, wanted, source, chain)
                self._loaded[path] = loaded
            height = max(height, loaded.height)
            parts.files.append(path)
            if loaded.dialog is not None:
                parts.included[name] = loaded.dialog
                parts.files += loaded.dialog.files
                parts.digests.append(f"include {name} {loaded.dialog.version}")
                parts.warnings += loaded.dialog.warnings
        self._heights.append(height + 1)

    def _load_file(self, path: str, wanted: str, source: str, chain: tuple[str, ...]) -> _Loaded:
        beside = posixpath.join(posixpath.dirname(source), wanted)
        shown = beside if posixpath.normpath(path).endswith(posixpath.normpath(beside)) else path
        try:
            text = self._files.text(path)
        except UserError as error:
            self.problems += error.problems
            return _Loaded(None, 1)
        before = len(self._heights)
        dialog = self.load(text, shown, posixpath.dirname(path), (*chain, path))
        height = max(self._heights[before:], default=1)
        del self._heights[before:]
        return _Loaded(dialog, height)

    def _choices(self, file: DialogFile, yaml: YamlFile, source: str, folder: str, parts: _Parts) -> None:
        for name, slot in file.slots.items():
            if not slot.choices_from:
                continue
            place: Path = ("slots", name, "choices_from")
            path = self._files.find(slot.choices_from, folder)
            if path is None:
                remedy = "it is looked for beside the dialog"
                what = f"there is no {slot.choices_from}"
                parts.problems.append(yaml.problem(place, what, remedy, source, "list"))
                continue
            try:
                text = self._files.text(path)
                shown = posixpath.join(posixpath.dirname(source), slot.choices_from)
                parts.lists[name] = read_choices(text, shown)
            except UserError as error:
                parts.problems += error.problems
                continue
            parts.files.append(path)
            parts.digests.append(f"list {name} {_digest(text)}")

    def _sounds(
        self, file: DialogFile, yaml: YamlFile, source: str, folder: str, parts: _Parts, tables: Tables
    ) -> None:
        if self._alone:
            return
        places: dict[str, Table | None] = dict.fromkeys(wav_files(file))
        for table in tables.read.values():
            for wav in wav_files(file):
                if isinstance(there := table.texts.get(wav), str) and WAV_NAME.fullmatch(there):
                    places.setdefault(there, table)
        for wav, named_by in places.items():
            path = self._files.find(wav, folder)
            fault, remedy = f"there is no {wav}", "it is looked for beside the dialog"
            if path is not None:
                sound = self._files.sound(path)
                parts.files.append(path)
                parts.digests.append(f"wav {wav} {sound.digest}")
                fault, remedy = f"{wav} {sound.fault}" if sound.fault else "", sound.remedy
            if fault:
                if named_by is None:
                    parts.problems.append(yaml.problem(_wav_place(file, wav), fault, remedy, source, "wav"))
                else:
                    text = next(text for text, there in named_by.texts.items() if there == wav)
                    parts.problems.append(named_by.problem((text,), fault, remedy, "wav"))

    def _version(self, text: str, parts: _Parts, tables: Tables) -> str:
        whole = hashlib.sha256(text.encode("utf-8", "surrogatepass"))
        for line in (*tables.digests, *parts.digests):
            whole.update(f"\n{line}".encode())
        return whole.hexdigest()[:VERSION_LENGTH]

    def _problem(self, finding: Finding, yaml: YamlFile, source: str, tables: Tables) -> Problem:
        what, remedy, code = finding.what, finding.remedy, finding.code
        if finding.table:
            return tables.read[finding.table].problem(finding.path, what, remedy, code, key=finding.at_key)
        return yaml.problem(finding.path, what, remedy, source, code, key=finding.at_key)


def cut_prompts(yaml: YamlFile) -> list[Finding]:
    """Return the prompts of which a `#` has made the rest a comment: `say: Press # now`."""
    return [
        Finding(
            path,
            "the text ends before the `#`, which begins a comment",
            "put the whole text into quotes; or two spaces before a comment",
            "comment",
            warning=True,
        )
        for path in yaml.cut
        if any(part in _PROMPTS for part in path[-2:])
    ]


def _wav_place(file: DialogFile, wav: str) -> Path:
    """Return where a wav file is named first."""
    return next(((*path, "wav") for path, say in says(file) if say.wav == wav), ())


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def in_order(problems: Iterable[Problem]) -> list[Problem]:
    """Sort the problems of one file by line; of very many tell the first."""
    ordered = sorted(dict.fromkeys(problems), key=lambda p: (p.line or 0, p.column or 0))
    if len(ordered) > MOST_PROBLEMS:
        more = len(ordered) - MOST_PROBLEMS
        rest = Problem(f"{more} more are not told", "mend these first", ordered[0].source, code="size")
        return [*ordered[:MOST_PROBLEMS], rest]
    return ordered
