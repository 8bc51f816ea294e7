"""One caller's time in a queue, as the record of their call is told of it, and those who look on."""

from __future__ import annotations

from voicebot.acd.matching import Waiter
from voicebot.call.record import PeopleRecord
from voicebot.call.stage import Stage


class Stay:
    """`record` is part of the call's from the beginning."""

    def __init__(self, stage: Stage, waiter: Waiter, summary: str) -> None:
        self._stage = stage
        self._queue = waiter.queue
        self._summary = summary
        self.record = PeopleRecord(
            queue=waiter.queue, priority=waiter.priority, skills=list(waiter.skills), began_ms=self.ms()
        )
        stage.scribe.record.people.append(self.record)

    def ms(self) -> int:
        """Return the time in the record."""
        return self._stage.scribe.ms(self._stage.clock())

    def waits(self) -> None:
        """The caller is alone, for now."""
        self._stage.live.state("waiting", person="", queue=self._queue, summary=self._summary)

    def accepted(self, agent: str) -> None:
        """The two are about to talk."""
        self.record.accepted_ms = self.ms()
        self.record.waited_ms = self.record.accepted_ms - self.record.began_ms
        self.record.agent = agent

    def with_person(self, person: str) -> None:
        """This person has the caller now, by the name that people know."""
        self._stage.live.state("with_person", person=person, queue=self._queue, summary=self._summary)

    def lost(self) -> None:
        """Whoever accepted was gone before a word was said."""
        self.record.offers[-1].outcome = "lost"
        self.record.agent, self.record.accepted_ms = "", None

    def end(self, outcome: str) -> None:
        """It is over; what ended it first holds."""
        self.record.outcome = self.record.outcome or outcome
        if self.record.accepted_ms is None:
            self.record.waited_ms = self.ms() - self.record.began_ms
