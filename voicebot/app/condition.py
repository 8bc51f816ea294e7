"""How the installation is, but for what AMI tells: for /health and the panel. Nothing here waits."""

from __future__ import annotations

from collections.abc import Iterator

from voicebot.app.disk import Disk
from voicebot.app.gateway import Gateway
from voicebot.config import Config
from voicebot.web.house import Condition, Part, PartState


def condition_of(gateway: Gateway, config: Config, disk: Disk) -> Condition:
    """Return how everything is now."""
    return Condition(
        ready=gateway.ready,
        why_not=_why_not(gateway),
        parts=tuple(_parts(gateway, config, disk)),
        calls=len(gateway.calls),
        capacity=gateway.capacity,
        lag_ms=round(gateway.lag_ms, 1),
    )


def _why_not(gateway: Gateway) -> str:
    if gateway.stopping.is_set():
        return "it was told to stop"
    if gateway.overloaded:
        return "the event loop is late: there is more to do than this machine can"
    return "" if gateway.ready else "it is not connected to Asterisk"


def _parts(gateway: Gateway, config: Config, disk: Disk) -> Iterator[Part]:
    if gateway.with_asterisk:
        where = config.asterisk.ari_url
        why = "" if gateway.linked else f"no connection to {where}; is it up? `voicebot doctor` says more"
        yield Part("asterisk", "ok" if gateway.linked else "down", why, {"url": where})
    lag = f"{gateway.lag_ms:.0f} ms late"
    yield Part(
        "event loop",
        "degraded" if gateway.overloaded else "ok",
        f"{lag}: new calls go to the dialplan's fallback" if gateway.overloaded else "",
        {"lag_ms": round(gateway.lag_ms, 1)},
    )
    for name, pool in gateway.engines.pools():
        ready = len(pool.links)
        state: PartState = "ok"
        why = ""
        if ready < pool.wanted:
            state = "degraded" if ready else "down"
            why = f"{ready} of {pool.wanted} workers are ready; lost ones are replaced by themselves"
        yield Part(name, state, why, {"workers": ready, "wanted": pool.wanted, "replaced": pool.replaced})
    yield disk.part()
    for dialog in gateway.dialogs:
        if dialog.problems:
            why = f"the saved version is refused, the one before goes on: {dialog.problems[0]}"
            yield Part(f"dialog.{dialog.file}", "degraded", why, {"problems": len(dialog.problems)})
