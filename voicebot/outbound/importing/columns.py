"""Which column of a table holds what a campaign wants: found by name, all that is missing told at once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from voicebot.campaign.campaign import Campaign
from voicebot.campaign.numbers import WrongNumber, normalise
from voicebot.dialog.checking.suggest import near, near_or_all
from voicebot.dialog.model.dialog import Dialog
from voicebot.errors import Problem, UserError

SINGLE = ("key", "region", "zone", "address", "language", "priority", "due")
CONSENT = ("consent_at", "consent_by", "consent_scope", "consent_written")
REJECTED = ("rejected_line", "rejected_column", "rejected_reason", "rejected_remedy")
"""What we put in front of rejected rows; such columns are passed over when a mended file comes back."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A value that the dialog needs. index: its column. required: the dialog has no default for it."""

    name: str
    kind: str
    index: int
    required: bool
    sensitive: bool


@dataclass(frozen=True, slots=True)
class Plan:
    """All that is needed to read a row, without the campaign and its dialog: it goes to other processes.

    header:    names of the columns, as they are written
    numbers:   columns of numbers, the first to call in front
    single:    column by role (`key`, `zone`, ...); a role without a column is missing
    own:       whether rows must bring their consent
    languages: that the dialog can be held in
    now:       when the import began: rows without `due` are due then
    secret:    key of the hash by which a row without a key of its own is known: without it whoever sees the
               hash could try all numbers
    """

    header: tuple[str, ...]
    numbers: tuple[int, ...]
    single: Mapping[str, int]
    needs: tuple[Wanted, ...]
    region: str
    own_consent: bool
    languages: tuple[str, ...]
    source: str
    now: datetime
    secret: bytes = b""


def wanted_columns(campaign: Campaign) -> tuple[str, ...]:
    """Return the names of all columns that a campaign reads."""
    columns = campaign.columns
    singles = [getattr(columns, role) for role in (*SINGLE, *CONSENT)]
    names = (columns.number, *columns.alternatives, *columns.given.values(), *singles)
    return tuple(dict.fromkeys(name for name in names if name))


def plan_of(
    campaign: Campaign,
    dialog: Dialog,
    header: Sequence[str],
    source: str,
    now: datetime,
    line: int = 1,
    secret: bytes = b"",
) -> Plan:
    """Find the columns. Raises UserError with all that are missing or twice there, or given in vain."""
    problems = [
        *_needs_problems(campaign, dialog),
        *_header_problems(wanted_columns(campaign), header, source, line),
    ]
    if problems:
        raise UserError(problems)
    columns = campaign.columns
    places = {name.casefold(): index for index, name in reversed(list(enumerate(header)))}

    def at(name: str) -> int:
        return places[name.strip().casefold()]

    roles = ((role, getattr(columns, role)) for role in (*SINGLE, *CONSENT))
    needs = dialog.file.needs
    return Plan(
        header=tuple(header),
        numbers=tuple(at(name) for name in (columns.number, *columns.alternatives)),
        single={role: at(name) for role, name in roles if name},
        needs=tuple(
            Wanted(name, needs[name].type, at(column), needs[name].default is None, needs[name].sensitive)
            for name, column in columns.given.items()
        ),
        region=campaign.region,
        own_consent=campaign.consent == "column",
        languages=dialog.languages,
        source=source,
        now=now,
        secret=secret,
    )


def _needs_problems(campaign: Campaign, dialog: Dialog) -> Iterator[Problem]:
    """Yield what the campaign's columns and the dialog's needs do not have in common."""
    needs = dialog.file.needs
    for name in (*campaign.columns.given, *campaign.given):
        if name not in needs:
            remedy = near_or_all(name, needs) or "the dialog has no `needs`"
            yield Problem(
                f"the dialog {dialog.file.dialog} does not need `{name}`", remedy, campaign.campaign
            )
    for name, need in needs.items():
        if need.default is None and name not in campaign.columns.given and name not in campaign.given:
            what = f"the dialog needs `{name}` ({need.type}), and no column gives it"
            remedy = f"name its column in the campaign file: `columns: {{given: {{{name}: ...}}}}`"
            yield Problem(what, remedy, campaign.campaign)


def _header_problems(
    wanted: Iterable[str], header: Sequence[str], source: str, line: int
) -> Iterator[Problem]:
    folded = [name.casefold() for name in header]
    missing = [name for name in wanted if name.strip().casefold() not in folded]
    if missing and any(_is_number(name) for name in header):
        what = "the first line holds a number, so it does not name the columns"
        remedy = f"put a line with their names above it: {', '.join(wanted)}"
        yield Problem(what, remedy, source, line)
        return
    for name in missing:
        free = [each for each in header if each and each.casefold() not in {w.casefold() for w in wanted}]
        remedy = near(name, free) or f"there are {', '.join(each[:40] for each in header[:20])}"
        yield Problem(f"there is no column `{name}`", remedy, source, line)
    for name in wanted:
        twice = [index + 1 for index, each in enumerate(folded) if each == name.strip().casefold()]
        if len(twice) > 1:
            what = f"the column `{name}` is there {len(twice)} times: {', '.join(map(str, twice))}"
            yield Problem(what, "rename all but one", source, line)


def _is_number(text: str) -> bool:
    try:
        normalise(text, "US")
    except WrongNumber:
        return False
    return True
