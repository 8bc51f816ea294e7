"""Our own queues: who waits, who is asked, and what supervisors do about it."""

from __future__ import annotations

from typing import Literal, Protocol

from voicebot.switchboard.queues_views import AgentView, QueueView


class Queues(Protocol):
    """What the panel, the REST interface and the shell can see and do.

    Everything that does something raises UserError with a remedy: no such agent or call, or a wrong moment.
    News of topics `queue` and `agent`: `changed {view}`.
    """

    def queues(self) -> tuple[QueueView, ...]: ...

    def agents(self) -> tuple[AgentView, ...]: ...

    async def sign_in(self, agent: str) -> None: ...

    async def sign_out(self, agent: str) -> None: ...

    async def pause(self, agent: str, reason: str = "") -> None: ...

    async def unpause(self, agent: str) -> None: ...

    async def move(self, call_id: str, position: int) -> None: ...

    async def give(self, call_id: str, agent: str) -> None: ...

    async def drop(self, call_id: str) -> None:
        """Stop waiting: the caller goes on to the queue's `otherwise`; a call-back is forgotten."""
        ...

    async def transfer(self, call_id: str, to: str, kind: Literal["blind", "attended"], by: str = "") -> None:
        """Give a caller who is with a person (or waits: blind only) to `queue:NAME`, `agent:NAME`, or an
        extension of [voicebot-handover]."""
        ...

    async def complete(self, call_id: str) -> None:
        """End an attended transfer: the caller is put through to the second person."""
        ...

    async def cancel(self, call_id: str) -> None:
        """End it otherwise: the agent is back with the caller."""
        ...

    async def swap(self, call_id: str) -> None:
        """The agent talks to the other of the two now; the caller hears music meanwhile."""
        ...
