"""The agent who is asked for one who waits: their telephone, the offer, and what the record says of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from voicebot.acd.agents import Agent
from voicebot.acd.offer import Offer, Outcome
from voicebot.audio.frames import Samples
from voicebot.call.record import OfferRecord, PeopleRecord
from voicebot.call.services import Services
from voicebot.switchboard.queues.hall import Hall, Member
from voicebot.switchboard.queues.offering import Offering
from voicebot.switchboard.telephone import Telephone


class Asked:
    """`await run()` ends with the offer JOINING (the agent has accepted), or OVER; `end()` is due after it.

    number: of the caller, for the agent's display;  words: see `Offering`
    stay:   the record of the caller's time in the queue;  ms: the time in it
    """

    def __init__(
        self,
        hall: Hall,
        member: Member,
        agent: Agent,
        services: Services,
        *,
        number: str,
        whisper: bool,
        words: Callable[[], Awaitable[Samples | None]],
        stay: PeopleRecord,
        ms: Callable[[], int],
    ) -> None:
        config = hall.config_of(member.waiter.queue)
        self.agent = agent
        self.phone = Telephone(services, hall.channel_of(agent.name), number=number, name=member.caller)
        self.offer = Offer(hall.clock(), ring_s=config.ring_s, accept_key=config.accept_key, whisper=whisper)
        self._hall = hall
        self._member = member
        self._words = words
        self._ms = ms
        self._note = OfferRecord(agent=agent.name, at_ms=ms())
        stay.offers.append(self._note)
        self._ended = False

    async def run(self) -> None:
        """Ring, whisper, wait for the key."""
        await Offering(self.phone, self.offer, self._words, self._hall.clock).run()

    def end(self, outcome: Outcome) -> None:
        """Tell hall and record what became of it. Idempotent: what was told first holds."""
        if self._ended:
            return
        self._ended = True
        self._note.outcome, self._note.ended_ms = outcome, self._ms()
        self._hall.offer_ended(self._member, self.agent, outcome, self.offer.why)
