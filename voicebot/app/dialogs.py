"""The dialogs of routes and campaigns, and what happens when somebody saves one while calls go on.

A call keeps the version that it began with. A saved file is live for the next call. A file with faults is
told of, and the version before it stays in service.

Campaigns hold the version that was proven at their start, whatever is saved since: nobody who is called may
meet a dialog of which it is not known that it says who calls, and lets them opt out.
"""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

import structlog

from voicebot.config import Config, Route
from voicebot.dialog.checking.check import Surroundings
from voicebot.dialog.loading.files import load_dialog
from voicebot.dialog.model.dialog import Dialog
from voicebot.dialog.running.needs import given_values
from voicebot.dialog.running.warming import warm_up
from voicebot.engines.sentence_vectors import SentenceVectors
from voicebot.errors import Problem, UserError
from voicebot.files import write_whole
from voicebot.work.hooks import Hooks
from voicebot.work.needs import work_problems

log = structlog.get_logger(__name__)

WATCH_S = 2.0
"""Between two looks at all files."""
SETTLE_S = 0.25
"""A file written to so recently may be written to again: an editor empties it first, then fills it."""
SETTLE_LIMIT_S = 5.0
"""A file that is still written to after so long is read as it is."""
MOST_CAMPAIGN_ROUTES = 32
"""So many of the latest routes of campaigns (their languages, values for all contacts) a new version of a
dialog has to serve."""
MOST_PROVEN = 64
"""So many versions that campaigns hold are kept, the latest."""
CALL_WAITS_S = 1.0
"""A call waits so long for a file just saved, or for a disk that hangs; then it has the version before."""

Signature = tuple[tuple[str, int, int, int], ...]
"""Of files: path, time of the last change in ns, size, inode; three zeros for one that is not there."""
Swapped = Callable[[list[tuple[Route, Dialog]]], None]


@dataclass(frozen=True, slots=True)
class DialogState:
    """One dialog in service. `problems`: why the file as it is now was refused, () if it was not; `about`:
    what it is for, in its author's words.
    """

    file: str
    version: str
    since: datetime
    problems: tuple[Problem, ...] = ()
    about: str = ""


@dataclass(frozen=True, slots=True)
class _Served:
    """A route that a dialog serves. names: of values that each contact gives; None: all are the route's."""

    route: Route
    names: frozenset[str] | None = None

    def check(self, dialog: Dialog) -> None:
        """Raise UserError where the dialog needs what it is not given."""
        if self.names is None:
            given_values(dialog, self.route.given)
            return
        problems = []
        for name, need in dialog.file.needs.items():
            if need.default is None and name not in self.names and name not in self.route.given:
                what = f"the dialog needs `{name}` ({need.type}), which the campaign's contacts do not have"
                remedy = "give it a `default` in the dialog, or begin a new campaign"
                problems.append(Problem(what, remedy, dialog.source, code="need"))
        if problems:
            raise UserError(problems)


@dataclass(slots=True)
class _Kept:
    path: Path
    served: list[_Served]
    dialog: Dialog
    signature: Signature
    since: datetime
    refused: tuple[Problem, ...] = ()
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    @property
    def watched(self) -> set[str]:
        """The files that decide what this dialog is, those with faults among them."""
        files = {os.path.realpath(self.path), *self.dialog.files}
        return files | {os.path.realpath(problem.source) for problem in self.refused if problem.source}


class DialogStore:
    """Holds every route's dialog. `load()` before anything else; `watch()` runs as long as calls come.

    `swapped` is told which routes have a new dialog; `vectors` loads the encoder of sentences where the
    configuration wants one.
    """

    def __init__(
        self,
        config: Config,
        surroundings: Surroundings | None = None,
        swapped: Swapped = lambda _: None,
        hooks: Hooks | None = None,
        vectors: Callable[[], SentenceVectors] = SentenceVectors,
    ) -> None:
        self._config = config
        self._make_vectors = vectors
        self._vectors: SentenceVectors | None = None
        self._surroundings = surroundings
        self._swapped = swapped
        self._hooks = Hooks() if hooks is None else hooks
        self._kept: dict[str, _Kept] = {}
        self._proven: OrderedDict[tuple[str, str], _Kept] = OrderedDict()
        self._looking: set[asyncio.Task[None]] = set()
        self._admitting = asyncio.Lock()

    @property
    def states(self) -> tuple[DialogState, ...]:
        """What is in service, and what was refused."""
        return tuple(
            DialogState(str(kept.path), kept.dialog.version, kept.since, kept.refused, kept.dialog.file.about)
            for kept in (*self._kept.values(), *self._proven.values())
        )

    def load(self) -> None:
        """Load every route's dialog. Raises UserError with all problems of all files at once.

        May take seconds. Those of campaigns are loaded when they are first asked for.
        """
        if not self._config.routes and not self._config.dialling.enabled:
            what = "no routes: no number is answered"
            remedy = 'add to voicebot.toml a table [[routes]] with number = "600", dialog = "hello.yaml"; '
            remedy += "or try a dialog in the browser: `voicebot serve --no-asterisk hello.yaml`"
            raise UserError(Problem(what, remedy))
        problems: list[Problem] = []
        if self._config.dialogs.sentence_vectors:
            try:
                self._vectors = self._make_vectors()
            except UserError as error:
                problems += [
                    replace(problem, source="dialogs.sentence_vectors") for problem in error.problems
                ]
        for file in dict.fromkeys(route.dialog for route in self._config.routes):
            served = [_Served(route) for route in self._config.routes if route.dialog == file]
            try:
                self._kept[file] = self._first(file, served)
            except UserError as error:
                problems += [problem for problem in error.problems if problem not in problems]
        if problems:
            raise UserError(problems)
        self._write_state()

    def _first(self, file: str, served: list[_Served]) -> _Kept:
        """Load a dialog that was not in service yet. Raises UserError."""
        path = self._config.resolve(file)
        signature = signature_of([os.path.realpath(path)])
        dialog = self._read(path, served)
        if dialog.files:
            signature = signature_of({*dialog.files, os.path.realpath(path)})
        return _Kept(path, served, dialog, signature, datetime.now(UTC))

    def dialog_of(self, route: Route) -> Dialog:
        """Return the dialog that is in service for a route."""
        return self._kept[route.dialog].dialog

    async def fresh(self, route: Route, names: Iterable[str] | None = None, version: str = "") -> Dialog:
        """Return the dialog for a call that begins now, as its file stands if that has no faults.

        For a route of the configuration it never raises, and never takes longer than CALL_WAITS_S. For one of
        a campaign, whose contacts give values of these `names`, it is loaded where it is not in service yet;
        then it may raise UserError. version: the one that was proven for the campaign: this one, however the
        file stands, or UserError.
        """
        if version:
            return await self._version(_Served(route, frozenset(names or ())), version)
        kept = self._kept.get(route.dialog)
        if names is not None and (kept is None or not _serves(kept, route, names)):
            kept = await self._admit(_Served(route, frozenset(names)))
        assert kept is not None, "routes of the configuration are loaded"
        if self._config.dialogs.reload:
            looking = asyncio.create_task(self._refresh(kept), name="dialog file")
            self._looking.add(looking)
            looking.add_done_callback(self._looking.discard)
            done, _ = await asyncio.wait({looking}, timeout=CALL_WAITS_S)
            if not done:
                log.warning("dialog file not read in time", file=str(kept.path))
        return kept.dialog

    async def _admit(self, new: _Served) -> _Kept:
        """Take a campaign's route into service. Raises UserError where its dialog cannot serve it."""
        async with self._admitting:
            kept = self._kept.get(new.route.dialog)
            if kept is None:
                kept = await asyncio.to_thread(self._first, new.route.dialog, [new])
                self._kept[new.route.dialog] = kept
                await asyncio.to_thread(self._write_state)
            elif new not in kept.served:
                new.check(kept.dialog)
                await asyncio.to_thread(warm_up, kept.dialog, new.route.language)
                ours = [each for each in kept.served if each.names is None]
                campaigns = [each for each in kept.served if each.names is not None]
                kept.served = [*ours, *campaigns[-MOST_CAMPAIGN_ROUTES + 1 :], new]
            return kept

    async def _version(self, new: _Served, version: str) -> Dialog:
        """Return one version of a dialog, loaded when it was the file's. Raises UserError."""
        file = new.route.dialog
        kept = self._proven.get((file, version))
        if kept is not None and new in kept.served:
            return kept.dialog
        async with self._admitting:
            kept = self._proven.get((file, version))
            if kept is None:
                kept = await asyncio.to_thread(self._first, file, [new])
                if kept.dialog.version != version:
                    what = f"the dialog was changed since it was proven for its campaign (version {version})"
                    remedy = "have it proven again: `voicebot campaign start NAME`"
                    raise UserError(Problem(what, remedy, str(kept.path), code="unproven"))
                self._proven[file, version] = kept
                if len(self._proven) > MOST_PROVEN:
                    self._proven.popitem(last=False)
                await asyncio.to_thread(self._write_state)
            elif new not in kept.served:
                new.check(kept.dialog)
                await asyncio.to_thread(warm_up, kept.dialog, new.route.language)
                kept.served = [*kept.served[-MOST_CAMPAIGN_ROUTES + 1 :], new]
            self._proven.move_to_end((file, version))
            return kept.dialog

    async def notice_unproven(self) -> None:
        """Tell, once, of files that were saved since campaigns had them proven."""
        for (file, version), kept in list(self._proven.items()):
            found = await asyncio.to_thread(signature_of, kept.watched)
            if found != kept.signature:
                kept.signature = found
                log.warning(
                    "dialog saved, campaigns go on with the version that was proven",
                    file=file,
                    version=version,
                    remedy="voicebot campaign start NAME proves it again, and takes it",
                )

    async def watch(self) -> None:
        """Look at all files every WATCH_S, until cancelled."""
        while self._config.dialogs.reload:
            await asyncio.sleep(WATCH_S)
            await self.notice_unproven()
            for kept in list(self._kept.values()):
                await self._refresh(kept)

    async def _refresh(self, kept: _Kept) -> None:
        """Take in what was saved; tell what is wrong with it, once."""
        async with kept.lock:
            try:
                found = await asyncio.to_thread(signature_of, kept.watched)
                if found != kept.signature:
                    await self._reload(kept, found)
            except Exception as error:  # the files are other people's, the calls are ours
                log.exception("dialog file not looked at", file=str(kept.path), error=repr(error))

    async def _reload(self, kept: _Kept, found: Signature) -> None:
        began = time.monotonic()
        while True:
            found = await _settled(kept.watched, found)
            try:
                dialog = await asyncio.to_thread(self._read, kept.path, kept.served)
                refused: tuple[Problem, ...] = ()
            except UserError as error:
                dialog, refused = kept.dialog, error.problems
            again = await asyncio.to_thread(signature_of, kept.watched)
            if again == found or time.monotonic() - began > SETTLE_LIMIT_S:
                break
            found = again  # it was written to while it was read
        news = refused != kept.refused or dialog.version != kept.dialog.version
        if dialog.version != kept.dialog.version:
            log.info(
                "dialog reloaded", file=str(kept.path), version=dialog.version, before=kept.dialog.version
            )
            kept.dialog, kept.since = dialog, datetime.now(UTC)
            self._swapped([(each.route, dialog) for each in kept.served])
        elif refused and news:
            log.error(
                "dialog not reloaded, the version before stays",
                file=str(kept.path),
                version=kept.dialog.version,
                problems=[str(problem) for problem in refused],
            )
        elif kept.refused and not refused:
            log.info("dialog is as before again", file=str(kept.path), version=dialog.version)
        kept.refused = refused
        kept.signature = await asyncio.to_thread(signature_of, kept.watched)
        if news:
            await asyncio.to_thread(self._write_state)

    def _read(self, path: Path, served: Iterable[_Served]) -> Dialog:
        """Load a dialog that every route of it gives what it needs, and whose work can be done.

        Raises UserError.
        """
        dialog = load_dialog(path, self._surroundings)
        if self._vectors is not None:
            dialog = _with_vectors(dialog, self._vectors)
            self._vectors.learn(_examples(dialog))
        if problems := work_problems(dialog, self._config, self._hooks):
            raise UserError(problems)
        for each in served:
            each.check(dialog)
        for language in dict.fromkeys(each.route.language for each in served):
            warm_up(dialog, language)
        return dialog

    def _write_state(self) -> None:
        state = {
            "pid": os.getpid(),
            "dialogs": [
                {
                    "file": each.file,
                    "version": each.version,
                    "since": each.since.isoformat(timespec="seconds"),
                    "problems": [str(problem) for problem in each.problems],
                }
                for each in self.states
            ],
        }
        path = self._config.dialog_state
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            write_whole(path, (json.dumps(state, indent=1) + "\n").encode())
        except OSError as error:
            log.warning("state of the dialogs not written", error=str(error))


def _serves(kept: _Kept, route: Route, names: Iterable[str]) -> bool:
    return _Served(route, frozenset(names)) in kept.served


def _with_vectors(dialog: Dialog, vectors: SentenceVectors) -> Dialog:
    """Return the dialog, and all that it includes, with an encoder."""
    included = {name: _with_vectors(each, vectors) for name, each in dialog.included.items()}
    return replace(dialog, included=included, vectors=vectors)


def _examples(dialog: Dialog) -> Iterator[str]:
    """Yield the examples of all choices, in all languages."""
    told = [choice.examples for step in dialog.steps.values() for choice in step.choices.values()]
    told += [choice.examples for slot in dialog.file.slots.values() for choice in slot.choices.values()]
    for examples in told:
        for language in dialog.languages:
            yield from dialog.phrases_in(language, examples)
    for included in dialog.included.values():
        yield from _examples(included)


def signature_of(files: Iterable[str]) -> Signature:
    """Return what changes when one of the files does."""
    found = []
    for file in sorted(files):
        try:
            stat = os.stat(file)  # noqa: PTH116 - twice as fast as Path, and done for every call
            found.append((file, stat.st_mtime_ns, stat.st_size, stat.st_ino))
        except OSError:
            found.append((file, 0, 0, 0))
    return tuple(found)


async def _settled(files: Iterable[str], found: Signature) -> Signature:
    """Wait until nobody has written to the files for a moment; return their signature then."""
    files = list(files)
    until = time.monotonic() + SETTLE_LIMIT_S
    while time.monotonic() < until:
        missing = any(not inode for _, _, _, inode in found)
        young = max(changed for _, changed, _, _ in found) > time.time_ns() - SETTLE_S * 1e9
        if not missing and not young:
            break
        await asyncio.sleep(SETTLE_S)
        again = await asyncio.to_thread(signature_of, files)
        if again == found:
            break
        found = again
    return found
