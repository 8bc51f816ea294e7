"""How things are written in the database, and read back."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

from pydantic import ValidationError
from sqlalchemy import Row

from voicebot.campaign.attempt import (
    AnsweredBy,
    AttemptState,
    CallResult,
    DialResult,
    Disposition,
    Order,
)
from voicebot.campaign.campaign import Campaign
from voicebot.campaign.contact import Consent, Contact, ContactState
from voicebot.campaign.ledger import canonical
from voicebot.errors import UserError
from voicebot.store.rows import AttemptRow, CampaignRow, CampaignState

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MS = timedelta(milliseconds=1)


def ms(at: datetime) -> int:
    """Return an aware time as Unix ms. Raises TypeError for a naive one."""
    return (at - _EPOCH) // _MS


def aware(at: int) -> datetime:
    """Return Unix ms as an aware time (UTC)."""
    return _EPOCH + at * _MS


def maybe_aware(at: int | None) -> datetime | None:
    return None if at is None else aware(at)


def day_of(at: int, days_ago: int = 0) -> str:
    """Return the ISO date (UTC) of Unix ms, or of some days before."""
    return aware(at - days_ago * 86_400_000).date().isoformat()


def plain(value: Any) -> Any:
    """Return a value as JSON can hold it: times and whatever is unknown to JSON as texts."""
    if isinstance(value, dict) or hasattr(value, "items"):
        return {str(key): plain(each) for key, each in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [plain(each) for each in value]
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return value if value - value == 0 else str(value)  # JSON has no NaN and no infinity
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False, default=plain).encode


def json_text(value: Any) -> str:
    """Return a value as JSON. What JSON does not know becomes a text."""
    try:
        return _encode(value if type(value) is dict else plain(value))
    except (TypeError, ValueError):  # a key that is no text, or a number that JSON lacks
        return _encode(plain(value))


def consent_fields(consent: Consent) -> dict[str, Any]:
    """Return a consent as JSON has it."""
    return {
        "at": consent.at.isoformat(),
        "by": consent.by,
        "scope": consent.scope,
        "written": consent.written,
        "source": consent.source,
    }


@lru_cache(maxsize=256)  # many rows of a file share one
def consent_text(consent: Consent) -> str:
    return _encode(consent_fields(consent))


def _consent(text: str | None) -> Consent | None:
    if not text:
        return None
    fields = json.loads(text)
    return Consent(**{**fields, "at": datetime.fromisoformat(fields["at"])})


def contact_of(row: Row[Any], campaign: str) -> Contact:
    """Return a contact from a row of `contacts`."""
    return Contact(
        id=row.id,
        campaign=campaign,
        key=row.key,
        numbers=tuple(row.numbers.split()),
        zones=tuple(row.zones.split()),
        due=aware(row.due),
        state=ContactState(row.state),
        given=json.loads(row.given),
        consent=_consent(row.consent),
        language=row.language,
        priority=row.priority,
        attempts=row.attempts,
        asked=aware(row.asked) if row.asked else None,
        line=row.line,
    )


def settings_of(row: Row[Any]) -> Campaign:
    """Return a campaign's settings. Raises UserError for what this version cannot read."""
    try:
        return Campaign.model_validate_json(row.settings)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise UserError(
            f"the settings of campaign `{row.name}` cannot be read: {where}: {first['msg']}",
            "another version of voicebot kept them, or somebody changed them: `voicebot campaign audit`",
        ) from error


def campaign_of(row: Row[Any]) -> CampaignRow:
    """Return a campaign from a row of `campaigns`."""
    return CampaignRow(
        id=row.id,
        name=row.name,
        settings=settings_of(row),
        folder=row.folder,
        state=CampaignState(row.state),
        why=row.why,
        proof=row.proof,
        created_at=aware(row.created_at),
        changed_at=aware(row.changed_at),
    )


def settings_text(campaign: Campaign) -> str:
    """Return a campaign's settings as they are kept, and compared."""
    return canonical(campaign.model_dump(mode="json", by_alias=True))


def dial_text(result: DialResult) -> str:
    return canonical(plain(asdict(result)))


def dial_result(text: str | None) -> DialResult | None:
    if text is None:
        return None
    fields = json.loads(text)
    fields["at"] = datetime.fromisoformat(fields["at"])
    fields["disposition"] = Disposition(fields["disposition"])
    return DialResult(**fields)


def call_text(result: CallResult) -> str:
    return canonical(plain(asdict(result)))


def call_result(text: str | None) -> CallResult | None:
    if text is None:
        return None
    fields = json.loads(text)
    for name in ("answered_at", "ended_at", "call_back"):
        if fields[name] is not None:
            fields[name] = datetime.fromisoformat(fields[name])
    fields["answered_by"] = AnsweredBy(fields["answered_by"])
    return CallResult(**fields)


def attempt_of(row: Row[Any]) -> AttemptRow:
    """Return an attempt from a row of `attempts` with the campaign's name as `campaign`."""
    return AttemptRow(
        order=Order(
            attempt=row.id,
            campaign=row.campaign,
            number=row.number,
            dial=row.dial,
            caller_number=row.caller_number,
            caller_name=row.caller_name,
            due=aware(row.due),
            expires=aware(row.expires),
            ring_s=row.ring_s,
            ask_amd=bool(row.ask_amd),
        ),
        contact=row.contact_id,
        state=AttemptState(row.state),
        dialler=row.dialler,
        trunk=row.trunk,
        claimed_at=aware(row.claimed_at),
        lease_until=aware(row.lease_until),
        handed_at=maybe_aware(row.handed_at),
        dialling_at=maybe_aware(row.dialling_at),
        answered_at=maybe_aware(row.answered_at),
        dial=dial_result(row.dial_result),
        call=call_result(row.call_result),
        disposition=None if row.disposition is None else Disposition(row.disposition),
        closed_at=maybe_aware(row.closed_at),
        minutes=row.minutes,
    )
