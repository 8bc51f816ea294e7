"""Translations, in the dialog or in files of their own."""

from __future__ import annotations

import hashlib
import posixpath
from dataclasses import dataclass, field

from pydantic import ConfigDict, RootModel, ValidationError

from voicebot.dialog.checking.finding import Path
from voicebot.dialog.loading.faults import problems_of
from voicebot.dialog.loading.sources import Files
from voicebot.dialog.loading.yamlfile import YamlFile, read_yaml
from voicebot.dialog.model.dialog import DialogFile, Translation
from voicebot.errors import Problem, UserError

Texts = dict[str, str | tuple[str, ...]]


class _TableFile(RootModel[Translation]):
    model_config = ConfigDict(frozen=True, str_strip_whitespace=True)


@dataclass(frozen=True, slots=True)
class Table:
    """The translations of one language, and where they stand: under `prefix` of a file."""

    texts: Texts
    yaml: YamlFile
    source: str
    prefix: Path = ()

    def problem(self, path: Path, what: str, remedy: str, code: str, *, key: bool = False) -> Problem:
        """Return a problem with a text."""
        return self.yaml.problem((*self.prefix, *path), what, remedy, self.source, code, key=key)


@dataclass(slots=True)
class Tables:
    """The translations of a dialog by language, and what is wrong with them."""

    read: dict[str, Table] = field(default_factory=dict)
    files: list[str] = field(default_factory=list)
    digests: list[str] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    @property
    def tables(self) -> dict[str, Texts]:
        return {language: table.texts for language, table in self.read.items()}


def read_tables(file: DialogFile, yaml: YamlFile, source: str, folder: str, files: Files) -> Tables:
    """Read all translations of a dialog; those of files too."""
    found = Tables()
    for language, given in file.translations.items():
        if isinstance(given, str):
            _read_file(language, given, yaml, source, folder, files, found)
        else:
            found.read[language] = Table(_texts(given), yaml, source, ("translations", language))
    return found


def _read_file(
    language: str, name: str, yaml: YamlFile, source: str, folder: str, files: Files, found: Tables
) -> None:
    path = files.find(name, folder)
    if path is None:
        place: Path = ("translations", language)
        remedy = "it is looked for beside the dialog"
        found.problems.append(yaml.problem(place, f"there is no {name}", remedy, source, "translation"))
        return
    shown = posixpath.join(posixpath.dirname(source), name)
    try:
        text = files.text(path)
        begin = "begin with `Hello.: ...`, a text of the dialog and what stands for it"
        theirs = read_yaml(text, shown, what="translation", remedy=begin)
        table = _TableFile.model_validate(theirs.data)
    except UserError as error:
        found.problems += error.problems
        return
    except ValidationError as error:
        found.problems += problems_of(error, theirs, shown)
        return
    found.read[language] = Table(_texts(table.root), theirs, shown)
    found.files.append(path)
    found.digests.append(f"translation {language} {hashlib.sha256(text.encode()).hexdigest()}")


def _texts(given: Translation) -> Texts:
    return {text: there if isinstance(there, str) else tuple(there) for text, there in given.items()}
