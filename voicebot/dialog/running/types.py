"""The declared types of a dialog's values."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType

from voicebot.dialog.model.dialog import Computed, Dialog, Need
from voicebot.dialog.model.slots import Slot


@lru_cache(maxsize=256)
def types_of(dialog: Dialog) -> Mapping[str, str]:
    """Return name -> type, with the currency or region where it has one: `datetime`, `money:USD`."""
    found = {"now": "datetime", "today": "date", "call.number": "phone", "call.called": "phone"}
    file = dialog.file
    found.update({name: _type_of(need) for name, need in file.needs.items()})
    found.update({name: _type_of(value) for name, value in file.values.items()})
    found.update({name: _type_of(slot) for name, slot in file.slots.items()})
    return MappingProxyType(found)


def _type_of(spec: Need | Computed | Slot) -> str:
    detail = spec.currency or (spec.region if isinstance(spec, Slot) else None)
    return f"{spec.type}:{detail}" if detail else spec.type
