"""How every part of the installation is: what the gateway tells, and what this layer sees itself."""

from __future__ import annotations

from voicebot.web.house import Condition, House, Part


def parts_of(house: House, condition: Condition) -> list[Part]:
    """Return all parts, database, AMI and trunks among them."""
    parts = [*condition.parts, _store(house)]
    pbx = house.pbx.state() if house.pbx is not None else None
    if pbx is None or not pbx.configured:
        return parts
    parts.append(Part("ami", "ok") if pbx.connected else Part("ami", "degraded", pbx.trouble))
    for trunk in pbx.registrations:
        fine = trunk.state.lower() == "registered"
        server: dict[str, str | int | float] = {"server": trunk.server}
        parts.append(
            Part(f"trunk.{trunk.name}", "ok", figures=server)
            if fine
            else Part(f"trunk.{trunk.name}", "degraded", trunk.state, server)
        )
    return parts


def _store(house: House) -> Part:
    if house.store is None:
        return Part("store", "down", house.store_away)
    return Part("store", "degraded" if house.store.trouble else "ok", house.store.trouble)
