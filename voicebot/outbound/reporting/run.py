"""A report from the store to its files."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TextIO

from voicebot.dialog.loading.files import load_dialog
from voicebot.dialog.model.dialog import Dialog
from voicebot.errors import Problem, UserError
from voicebot.outbound.reporting.figures import Figures
from voicebot.outbound.reporting.gather import gathering
from voicebot.outbound.reporting.page import About, page
from voicebot.outbound.reporting.table import ContactTable
from voicebot.store.rows import CampaignRow
from voicebot.store.store import Store

PRIVATE = 0o600


@dataclass(frozen=True, slots=True)
class Report:
    """What was written, and the sums. table, page: None where they were not asked for."""

    figures: Figures
    table: Path | None = None
    page: Path | None = None
    notices: tuple[str, ...] = ()

    def as_json(self) -> dict[str, object]:
        """Return the sums for scripts."""
        figures = self.figures
        return {
            "contacts": figures.contacts,
            "called": figures.called,
            "reached": figures.reached,
            "goals": figures.goals,
            "calls": figures.calls,
            "talk_s": round(figures.talk_s),
            "median_talk_s": figures.median_talk_s,
            "states": dict(figures.states),
            "dispositions": dict(figures.dispositions),
            "outcomes": dict(figures.outcomes),
            "slots": {name: dict(values) for name, values in figures.slots.items()},
            "csv": str(self.table) if self.table else None,
            "html": str(self.page) if self.page else None,
            "notices": list(self.notices),
        }


async def report(
    store: Store,
    campaign: str,
    now: datetime,
    *,
    table_path: Path | None = None,
    page_path: Path | None = None,
    progress: Callable[[int], None] | None = None,
) -> Report:
    """Count a campaign; write a CSV with a row for each contact, and a page of figures, where asked to.

    What the dialog calls sensitive is in neither; where it cannot be read, nothing that was learned is.
    progress is told how many contacts are done. Raises UserError where a file cannot be written.
    """
    row = await store.campaign(campaign)
    dialog, notice = _dialog(row)
    shown = (
        {name: slot.type for name, slot in dialog.file.slots.items() if not slot.sensitive} if dialog else {}
    )
    figures = Figures(slot_kinds=shown)
    with gathering() as gathered, ExitStack() as files:
        await gathered.gather(store, campaign, lambda name: name not in shown)
        table = None
        if table_path:
            file = files.enter_context(written(table_path, "utf-8-sig"))
            table = ContactTable(file, tuple(gathered.slots))
        async for each in gathered.contacts(store, campaign):
            figures.add(each)
            if table:
                table.add(each)
            if progress and figures.contacts % 1000 == 0:
                progress(figures.contacts)
        if page_path:
            about = await _about(store, row, dialog, now, notice)
            files.enter_context(written(page_path, "utf-8")).write(page(figures, about))
    return Report(figures, table_path, page_path, (notice,) if notice else ())


async def _about(store: Store, row: CampaignRow, dialog: Dialog | None, now: datetime, notice: str) -> About:
    named = {*row.settings.do_not_call, "opt-outs"}
    return About(
        settings=row.settings,
        status=await store.status(row.name, now),
        lists=[each for each in await store.lists() if each.name in named],
        head=next((head for head in await store.heads() if head.campaign == row.name), None),
        goals=frozenset(dialog.file.goals) if dialog else frozenset(),
        made=now,
        slots_note=notice,
    )


def _dialog(row: CampaignRow) -> tuple[Dialog | None, str]:
    try:
        return load_dialog(Path(row.folder) / row.settings.dialog), ""
    except UserError:
        what = f"The dialog {row.settings.dialog} cannot be read, so nobody knows what is sensitive: "
        return None, what + "what was learned is left out."


@contextmanager
def written(path: Path, encoding: str) -> Iterator[TextIO]:
    """Give a file to write to, which gets its name only when it is complete. Only its owner may read it.

    Raises UserError where that cannot be done.
    """
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, PRIVATE)
        try:
            with os.fdopen(descriptor, "w", encoding=encoding, errors="replace", newline="") as file:
                yield file
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)
    except OSError as error:
        what = f"cannot be written: {error.strerror}"
        raise UserError(
            Problem(what, "is the folder there, is it yours, has the disk room?", str(path))
        ) from error
