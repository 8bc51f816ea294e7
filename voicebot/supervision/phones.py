"""Telephones and registrations: what they do is seen by their channels, that they are there by lists. Pure.

Events of device states are not asked for: two or three a call, and they repeat what the channels say.
"""

from __future__ import annotations

import re
from dataclasses import replace

from voicebot.ami.events import ContactStatus, Event, Listed
from voicebot.ami.pbx_actions import (
    DeviceStateList,
    PJSIPShowEndpoints,
    PJSIPShowRegistrationsOutbound,
)
from voicebot.ami.pbx_events import DeviceStateChange, EndpointList, OutboundRegistration, Registry
from voicebot.supervision.state import Endpoint, Registration

_DEVICE = re.compile(r"(?!Local/|Queue:|UnicastRTP/|WebSocket/)[A-Za-z0-9]+/[^;]+")
_BUSY = ("inuse", "ringing", "ringinuse", "busy", "onhold")
_DENIED = "permission denied"
MEMBER_STATES = {
    0: "unknown",
    1: "not_inuse",
    2: "inuse",
    3: "busy",
    4: "invalid",
    5: "unavailable",
    6: "ringing",
    7: "ringinuse",
    8: "onhold",
}
"""Of members of a queue, which come as numbers."""


def device_of(channel: str) -> str:
    """Return the telephone of a channel: PJSIP/anna of PJSIP/anna-0000002a; "" of what is none."""
    device = channel.rpartition("-")[0]
    return device if _DEVICE.fullmatch(device) else ""


class Phones:
    """Follows telephones (`Endpoint`) and our registrations at providers."""

    def __init__(self) -> None:
        self._base: dict[str, Endpoint] = {}  # as Asterisk lists it
        self._legs: dict[str, dict[str, str]] = {}  # device -> channel -> its state
        self._device: dict[str, str] = {}  # channel -> its telephone
        self._registrations: dict[str, tuple[Registration, str]] = {}  # with its user
        self._hidden: dict[str, bool] = {}
        self._unsure = False
        self._registry_changed: set[str] = set()

    @property
    def endpoints(self) -> tuple[Endpoint, ...]:
        return tuple(replace(each, state=self.state(each.name)) for each in self._base.values())

    @property
    def registrations(self) -> tuple[Registration, ...]:
        return tuple(each for each, _ in self._registrations.values())

    @property
    def hidden(self) -> tuple[str, ...]:
        return tuple(sorted(name for name, is_hidden in self._hidden.items() if is_hidden))

    def state(self, device: str) -> str:
        """Return what a telephone does now; `unknown` of one that nobody has heard of."""
        states = set(self._legs.get(device, {}).values())
        rings, talks = bool(states & {"Ringing"}), bool(states - {"Ringing", "Down"})
        if rings or talks:
            return "ringinuse" if rings and talks else "ringing" if rings else "inuse"
        base = self._base.get(device)
        if base is None:
            return "unknown"
        return "not_inuse" if base.state in _BUSY else base.state

    def take_unsure(self) -> bool:
        unsure, self._unsure = self._unsure, False
        return unsure

    def registry_changes(self) -> set[str]:
        changed, self._registry_changed = self._registry_changed, set()
        return changed

    # --- what comes -------------------------------------------------------------------------------------

    def channel(self, id_: str, name: str, state: str | None) -> set[str]:
        """Take note of a channel and its state, None: it is gone. Returns telephones that changed."""
        old = self._device.pop(id_, "")
        new = device_of(name) if state is not None else ""
        before = {device: self.state(device) for device in (old, new) if device}
        if old and old != new:
            legs = self._legs[old]
            del legs[id_]
            if not legs:
                del self._legs[old]
        if new and state is not None:
            self._device[id_] = new
            self._legs.setdefault(new, {})[id_] = state
        return {device for device, was in before.items() if self.state(device) != was}

    def event(self, event: Event, now: float) -> set[str]:
        """Take an event or a list. Returns telephones that changed."""
        match event:
            case ContactStatus():
                self._unsure = True
            case DeviceStateChange(device, state) if _DEVICE.fullmatch(device):
                return self._set(device, state, now)
            case Listed(DeviceStateList.name, listed, refused) if not refused:
                found = [
                    each
                    for each in listed
                    if isinstance(each, DeviceStateChange) and _DEVICE.fullmatch(each.device)
                ]
                gone = self._base.keys() - {each.device for each in found}
                for name in gone:
                    del self._base[name]
                return gone | {name for each in found for name in self._set(each.device, each.state, now)}
            case Listed(PJSIPShowEndpoints.name, listed, refused):
                self._hidden["contacts"] = refused.lower().endswith(_DENIED)
                return {
                    name
                    for each in listed
                    if isinstance(each, EndpointList)
                    for name in self._contacts(f"PJSIP/{each.name}", each.contacts, now)
                }
            case Listed(PJSIPShowRegistrationsOutbound.name, listed, refused):
                self._hidden["registrations"] = refused.lower().endswith(_DENIED)
                if not refused:
                    self._list_registrations(
                        {each.name: each for each in listed if isinstance(each, OutboundRegistration)}, now
                    )
            case Registry(server, user, status):
                for name, (view, theirs) in self._registrations.items():
                    if (view.server, theirs) == (server, user):
                        self._register(name, server, user, status, now)
        return set()

    def _set(self, device: str, state: str, now: float) -> set[str]:
        before = self.state(device)
        old = self._base.get(device)
        state = state.lower()
        if old is None or old.state != state:
            contacts = old.contacts if old else None
            self._base[device] = Endpoint(device, state, contacts, now)
        return {device} if old is None or self.state(device) != before else set()

    def _contacts(self, device: str, contacts: tuple[str, ...], now: float) -> set[str]:
        old = self._base.get(device, Endpoint(device, since_at=now))
        self._base[device] = replace(old, contacts=contacts)
        return {device} if old.contacts != contacts else set()

    def _list_registrations(self, listed: dict[str, OutboundRegistration], now: float) -> None:
        for name in self._registrations.keys() - listed.keys():
            del self._registrations[name]
            self._registry_changed.add(name)
        for name, each in listed.items():
            self._register(name, each.server, each.user, each.status, now)

    def _register(self, name: str, server: str, user: str, status: str, now: float) -> None:
        old = self._registrations.get(name)
        if old is None or (old[0].server, old[0].state, old[1]) != (server, status, user):
            self._registrations[name] = Registration(name, server, status, now), user
            self._registry_changed.add(name)
