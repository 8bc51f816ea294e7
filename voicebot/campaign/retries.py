"""What follows an attempt: whether a contact is called again, when, and at which of its numbers. Pure.

Quiet hours, windows and limits of a day are no matter here: the rules judge again when the time has come.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from voicebot.campaign.attempt import NOT_DIALLED, Disposition
from voicebot.campaign.campaign import Campaign
from voicebot.campaign.contact import Contact, ContactState

AGAIN_S = {Disposition.EXPIRED: 15, Disposition.NOT_HANDED: 15, Disposition.CANCELLED: 0}
"""So long until one that was never dialled is due again: what kept it may be over by then."""
FINAL = frozenset((Disposition.OPTED_OUT,))
ONE_NUMBER = frozenset((Disposition.INVALID,))
"""Never again at this number; another one of the contact's may be tried."""


@dataclass(frozen=True, slots=True)
class Next:
    """What becomes of a contact.

    due:          when it is to be called again; None where it is not DUE
    number_index: which of its numbers is next
    asked:        when the callee wanted the next call; None where they did not ask for it
    why:          one sentence for people
    """

    state: ContactState
    due: datetime | None
    number_index: int
    asked: datetime | None = None
    why: str = ""


def after(
    campaign: Campaign,
    contact: Contact,
    number: str,
    disposition: Disposition,
    call_back: datetime | None,
    now: datetime,
    past: Sequence[Disposition] = (),
) -> Next:
    """Return what follows an attempt on `number` that came to `disposition`.

    call_back: when the callee asked to be called again
    past:      what became of all the contact's dialled attempts, oldest first, this one included; empty: only
               `contact.attempts` is known
    """
    here = contact.numbers.index(number) if number in contact.numbers else 0

    def over(why: str, state: ContactState = ContactState.DONE) -> Next:
        return Next(state, None, here, why=why)

    def again(due: datetime, index: int, why: str, asked: datetime | None = None) -> Next:
        if campaign.ends is not None and due >= campaign.ends:
            return over("the campaign is over before the next call is due")
        return Next(ContactState.DUE, due, index, asked, why)

    if disposition is Disposition.INTERRUPTED:
        return over("a crash hides whether they were called: `campaign release` decides", ContactState.HELD)
    if disposition in NOT_DIALLED:
        wait = timedelta(seconds=AGAIN_S[disposition])
        return again(max(contact.due, now + wait), here, "was not dialled", contact.asked)
    if disposition in FINAL:
        return over("they do not want to be called")
    calls = len(past) if past else max(1, contact.attempts)
    if calls >= campaign.limits.attempts:
        return over(f"called {calls} times: limits.attempts")
    if call_back is not None:
        return again(max(call_back, now), here, "they asked for this call", asked=call_back)
    retry = campaign.retries.get(disposition)
    if retry is None:
        return over(f"`{disposition}` has no entry in `retries`")
    times = past.count(disposition) if past else calls
    if times > retry.at_most:
        return over(f"`{disposition}` for the {times}th time: retries.{disposition}.at_most")
    last = here + 1 >= len(contact.numbers)
    if disposition in ONE_NUMBER and (last or not retry.next_number):
        return over("there is no such number, and no other one to try")
    index = here
    if retry.next_number and not (last and ONE_NUMBER & set(past)):  # round to none that does not exist
        index = 0 if last else here + 1
    return again(now + retry.after, index, f"retries.{disposition}")
