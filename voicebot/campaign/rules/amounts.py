"""Rules about how often and how much: per contact, number and day, and as a share of answered calls."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

from voicebot.campaign.attempt import Disposition
from voicebot.campaign.rules.case import Case, allowed, clock, deferred, halted, refused, shown
from voicebot.campaign.rules.history import Abandonment
from voicebot.campaign.rules.law import Frequency
from voicebot.campaign.verdict import Check

LONGEST_DAY = timedelta(hours=50)
"""No call of today, on any clock, is older: even a day on which clocks go back, or a zone moves."""

LONGEST_CALL = timedelta(hours=4)
"""A call that began before and has no end yet is taken for one that nobody wrote down."""

IN_CALL = timedelta(minutes=5)
"""So much later a number that is being called is looked at again."""

LONE_ABANDONED = 1
"""So few abandoned calls alone stop no campaign: one in the first 33 would, whatever is done about it."""


def attempts(case: Case) -> Check:
    """So often one contact is called, over all its numbers."""
    done, most = case.contact.attempts, case.campaign.limits.attempts
    if done >= most:
        return refused("attempts", f"They were called {done} times; the campaign allows {most}.")
    return allowed("attempts", f"They were called {done} times of {most}.")


def in_call(case: Case) -> Check:
    """A number that is being called now, by whatever campaign, is not called a second time at once."""
    for past in reversed(case.history.past):
        if past.disposition is None and case.now - past.at < LONGEST_CALL:
            return deferred(
                "in_call", f"The number is being called since {shown(past.at)}.", case.now + IN_CALL
            )
    return allowed("in_call", "The number is not being called.")


def frequency(case: Case) -> Check:
    """Calls to one number on one day of the callee's, and in any so many days, of all campaigns.

    A call that the callee asked for at this time counts for later ones, but is not held back itself.
    """
    past, limits = case.history.past, case.campaign.limits
    if case.asked:
        return allowed(
            "frequency", f"They asked for a call at {shown(case.contact.asked or case.contact.due)}."
        )
    if not past:
        return allowed("frequency", "The number was not called before.")
    until: datetime | None = None
    why = ""
    today = _full_day(case, limits.per_day)
    if today is not None:
        until, why = today, f"on one day of the callee's, {limits.per_day} calls are allowed"
    rules = [Frequency(limits.per_number, limits.per_number_days)]
    if case.profile.exempt is not None and case.campaign.purpose == "informational":
        rules.append(case.profile.exempt)
    for rule in rules:
        begin = case.now - timedelta(days=rule.days)
        within = [call.at for call in past if call.at > begin]
        if len(within) >= rule.calls:
            free = within[len(within) - rule.calls] + timedelta(days=rule.days)
            if until is None or free > until:
                until, why = free, f"in {rule.days} days, {rule.calls} calls to a number are allowed"
    if until is not None:
        return deferred("frequency", f"Called last on {shown(past[-1].at)}; {why}.", until)
    return allowed("frequency", f"Called last on {shown(past[-1].at)}.")


def _full_day(case: Case, most: int) -> datetime | None:
    """Return when the callee's day is over in all zones in which it holds `most` calls; None: in none."""
    begin = case.now - LONGEST_DAY
    recent = [call.at for call in case.history.past if call.at > begin]
    if len(recent) < most:
        return None
    over: datetime | None = None
    for zone in case.zones or ("UTC",):
        where = clock(zone)
        today = case.now.astimezone(where).date()
        if sum(at.astimezone(where).date() == today for at in recent) >= most:
            midnight = datetime.combine(_after(today), time(), where).astimezone(UTC)
            over = midnight if over is None else max(over, midnight)
    return over


def _after(day: date) -> date:
    return day + timedelta(days=1)


def after_abandoned(case: Case) -> Check:
    """Whoever was called, answered, and heard nothing, is left in peace for a while."""
    return _after_call(case, "after_abandoned", Disposition.ABANDONED, case.profile.after_abandoned)


def after_machine(case: Case) -> Check:
    """A machine that was detected may have been a person: the number is left in peace for a while."""
    return _after_call(case, "after_machine", Disposition.MACHINE, case.profile.after_machine)


def _after_call(case: Case, rule: str, disposition: Disposition, pause: timedelta | None) -> Check:
    if pause is None:
        return allowed(rule, f"Profile {case.profile.name} asks for no pause.")
    for past in reversed(case.history.past):
        if past.disposition is disposition:
            if case.now < past.at + pause:
                hours = pause // timedelta(hours=1)
                why = f"The call of {shown(past.at)} came to `{disposition}`: no other one for {hours} hours."
                return deferred(rule, why, past.at + pause)
            break
    return allowed(rule, "No such call of late.")


def caps(case: Case) -> Check:
    """Calls and minutes of one day (UTC), of the campaign and of all."""
    limits, policy = case.campaign.limits, case.policy
    for sums, calls, minutes, whose in (
        (case.history.campaign_today, limits.calls_a_day, limits.minutes_a_day, "The campaign"),
        (case.history.all_today, policy.calls_a_day, policy.minutes_a_day, "This installation"),
    ):
        if sums.calls >= calls:
            why = f"{whose} dialled {sums.calls} calls today (UTC) of {calls}."
        elif sums.minutes >= minutes:
            why = f"{whose} used {sums.minutes:.0f} minutes today (UTC) of {minutes}."
        else:
            continue
        tomorrow = _after(case.now.astimezone(UTC).date())
        return deferred("caps", why, datetime.combine(tomorrow, time(), UTC))
    return allowed("caps", "Within the day's calls and minutes.")


def ring_time(case: Case) -> Check:
    """It rings long enough to be answered."""
    if case.campaign.ring_s < case.profile.ring_s:
        why = (
            f"It rings {case.campaign.ring_s} s; profile {case.profile.name} asks for {case.profile.ring_s}."
        )
        return halted("ring_time", why)
    return allowed("ring_time", f"It rings {case.campaign.ring_s} s.")


def abandonment(case: Case) -> Check:
    """People who answer and hear nothing: a share at which calling slows down, and one at which it stops."""
    figures = _figures(case)
    stop = min(case.campaign.pacing.abandoned_stop, case.profile.abandoned_stop)
    brake = min(case.campaign.pacing.abandoned_brake, case.profile.abandoned_brake)
    period = "today" if case.profile.abandoned_per_day else "in 30 days"
    told = f"{figures.abandoned} of {figures.answered} answered calls were abandoned {period}"
    borne = LONE_ABANDONED if stop > 0 else 0
    if figures.abandoned > borne and figures.share >= stop:
        return halted("abandonment", f"{told}: {figures.share:.1%}, the limit is {stop:.1%}.")
    if figures.abandoned and figures.share >= brake:
        return allowed("abandonment", f"{told}: {figures.share:.1%}, the brake is on at {brake:.1%}.")
    return allowed("abandonment", f"{told}.")


def _figures(case: Case) -> Abandonment:
    history = case.history
    return history.abandonment_today if case.profile.abandoned_per_day else history.abandonment_30_days
