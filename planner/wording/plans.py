"""Sentences about courses: gaps, costs of a proposal, effects of a change, the order itself."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date
from itertools import pairwise

from planner.scheduling.course import Cost, Effect, Measure
from planner.scheduling.explaining import Relaxation
from planner.scheduling.holidays import Nearby
from planner.scheduling.timetable import CourseOrder, Gap
from planner.wording import labels, rules, speech, times
from planner.wording.conflicts import Names
from planner.wording.speech import N_, ngettext


def measure(measure: Measure, locale: str) -> str:
    """Return "14 days after session 1 (target 14, not before 7, late after 21)"."""
    sentence = (
        N_("%(days)s after a session of another course (%(gap)s)")
        if measure.since_number is None
        else N_("%(days)s after session %(number)s (%(gap)s)")
    )
    return speech.of(locale).say(
        sentence,
        days=times.count_days(measure.days, locale),
        number=measure.since_number,
        gap=gap(measure.gap, locale),
    )


def gap(gap: Gap, locale: str) -> str:
    """Return "target 14, not before 7, late after 21"."""
    return speech.of(locale).say(
        N_("target %(target)s, not before %(floor)s, late after %(soft_max)s"),
        target=gap.target,
        floor=gap.floor,
        soft_max=gap.soft_max,
    )


def cost(cost: Cost, *, locale: str, names: Names | None = None) -> str:
    """Return what a session of a proposal costs, without its points: "2 days after the target"."""
    spoken, params, known = speech.of(locale), dict(cost.params), names or Names()
    if cost.code == "warning":
        return rules.rule(str(params.get("code", "")), locale)[0]
    if cost.code in _COUNTED:
        return spoken.count(*_COUNTED[cost.code], int(params["days"]))
    if "minutes" in params:
        params["length"] = times.length(int(params["minutes"]), locale)
    if "on" in params:
        params["day"] = times.weekday_within(params["on"].weekday(), locale)
    params["site"] = known.sites.get(params.get("site_id", 0), "")
    params["provider"] = known.providers.get(params.get("provider_id", 0), "")
    return spoken.say(COSTS.get(cost.code, cost.code), **params)


def no_cost(locale: str) -> str:
    """Return what stands where a proposal costs nothing."""
    return speech.of(locale).say(N_("Exactly as ordered and wished for"))


def nearby(nearby: Nearby, *, site: str, locale: str) -> str:
    """Return "Miami is closed on Thu 24 Dec 2026 (Christmas Eve), close to this day."."""
    spoken = speech.of(locale)
    if nearby.code != "closure":
        holiday = labels.holiday(nearby.code, locale)
        if nearby.is_observed:
            holiday = spoken.say(N_("%(holiday)s, observed"), holiday=holiday)
        return spoken.say(N_("This day is %(holiday)s."), holiday=holiday)
    days = times.days_range(nearby.on, nearby.until, locale)
    if not nearby.reason:
        return spoken.say(
            N_("%(site)s is closed %(days)s, close to this day."), site=site, days=days
        )
    return spoken.say(
        N_("%(site)s is closed %(days)s (%(reason)s), close to this day."),
        site=site,
        days=days,
        reason=nearby.reason,
    )


def nothing_found(locale: str) -> str:
    """Return what stands where there is no proposal."""
    return speech.of(locale).say(N_("No way to place the open sessions"))


def relaxation(
    relaxation: Relaxation, *, first: date, last: date, locale: str, names: Names | None = None
) -> str:
    """Return "At any site: Thu 12 Mar to Thu 9 Apr": what would have to give, and what it would give."""
    spoken, params = speech.of(locale), dict(relaxation.params)
    when = {
        "first": times.format_short_date(first, locale),
        "last": times.format_date(last, locale),
    }
    if relaxation.code == "later":
        return spoken.count(*_LATER, int(params["days"]), **when)
    if relaxation.code == "away":
        params["trip"] = times.format_range(params["from_date"], params["until_date"], locale)
    if relaxation.code == "decision":
        code = str(params["rule"])
        if code.startswith("screening."):
            return spoken.say(_SCREENING, **when)
        params["rule"] = rules.rule(code, locale)[0]
    return spoken.say(RELAXATIONS[relaxation.code], **params, **when)


def effect(effect: Effect, locale: str) -> str:
    """Return what a change does to another session: "Session 3 is now late: 30 days after …"."""
    spoken = speech.of(locale)
    code = "below_floor" if effect.is_below_floor else effect.code
    said = spoken.say(EFFECTS[code], number=effect.number)
    if effect.after is None or effect.code == "stays":
        return f"{said}."
    return f"{said}: {measure(effect.after, locale)}."


def order(order: CourseOrder, locale: str) -> str:
    """Return the provider's order in a line: "3 × 45 min, 14 days apart (7–21)"."""
    spoken = speech.of(locale)
    lengths = [row.minutes for row in order.sessions]
    sessions = spoken.count(*ngettext("%(number)s session", "%(number)s sessions"), len(lengths))
    if len(set(lengths)) == 1:
        sessions = f"{len(lengths)} × {times.minutes(lengths[0], locale)}"
    if not order.is_decided:
        return spoken.say(N_("%(sessions)s, interval undecided"), sessions=sessions)
    gaps = list(dict.fromkeys(row.gap for row in order.sessions[1:]))
    if not gaps:
        return sessions
    apart = spoken.listed(_apart(gap, locale) for gap in gaps)
    zones = N_("same zones") if _is_same(order) else N_("new zones")
    has_zones = all(row.zones for row in order.sessions)
    return f"{sessions}, {apart}" + (f", {spoken.say(zones)}" if has_zones else "")


def progress(done: int, total: int, locale: str) -> str:
    """Return "1 of 3 done"."""
    return speech.of(locale).say(N_("%(done)s of %(total)s done"), done=done, total=total)


def of_sessions(numbers: Collection[int], said: str, locale: str) -> str:
    """Return "Session 2: …" or "Sessions 2 and 3: …", where a sentence stands away from its sessions."""
    spoken = speech.of(locale)
    named = spoken.listed(map(str, numbers))
    if len(numbers) == 1:
        return spoken.say(N_("Session %(number)s: %(said)s"), number=named, said=said)
    return spoken.say(N_("Sessions %(numbers)s: %(said)s"), numbers=named, said=said)


def session_of(number: int, total: int, locale: str) -> str:
    """Return "session 2 of 3"."""
    return speech.of(locale).say(N_("session %(number)s of %(total)s"), number=number, total=total)


def _apart(gap: Gap, locale: str) -> str:
    return speech.of(locale).say(
        N_("%(span)s apart (%(floor)s–%(soft_max)s days)"),
        span=times.span(gap.target, locale),
        floor=gap.floor,
        soft_max=gap.soft_max,
    )


def _is_same(order: CourseOrder) -> bool:
    rows = order.sessions
    return all(one.zones & other.zones for one, other in pairwise(rows))


_COUNTED = {
    "wait": ngettext("starts in %(number)s day", "starts in %(number)s days"),
    "days_early": ngettext("%(number)s day before the target", "%(number)s days before the target"),
    "days_late": ngettext("%(number)s day after the target", "%(number)s days after the target"),
}

COSTS: Mapping[str, str] = {
    **{code: many for code, (_, many) in _COUNTED.items()},
    "outside_hours": N_("%(length)s outside the wished hours"),
    "time_differs": N_("%(length)s off the time of the session before"),
    "other_weekday": N_("on a %(day)s"),
    "weekday_differs": N_("another weekday: %(day)s"),
    "site_change": N_("changes to %(site)s"),
    "provider_change": N_("changes to %(provider)s"),
    "warning": N_("a warning"),
}

EFFECTS: Mapping[str, str] = {
    "stays": N_("Session %(number)s stays as it is"),
    "now_late": N_("Session %(number)s is now late"),
    "now_early": N_("Session %(number)s is now early"),
    "below_floor": N_("Session %(number)s is now too early"),
}

RELAXATIONS: Mapping[str, str] = {
    "sites": N_("At any site: %(first)s to %(last)s."),
    "providers": N_("With any provider: %(first)s to %(last)s."),
    "earlier": N_("Without the earliest start: %(first)s to %(last)s."),
    "wishes": N_("Without all wishes: %(first)s to %(last)s."),
    "away": N_("Without the trip %(trip)s: %(first)s to %(last)s."),
    "decision": N_("With a provider’s decision on “%(rule)s”: %(first)s to %(last)s."),
}
_LATER = ngettext(
    "%(number)s day later than wished for: %(first)s to %(last)s.",
    "%(number)s days later than wished for: %(first)s to %(last)s.",
)
_SCREENING = N_("With a provider’s decision on an answer in the screening: %(first)s to %(last)s.")
