"""What the course screen offers as a whole: proposals, the intervals compared, and what would help."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from planner import wording
from planner.queries import outlooks, remarks
from planner.queries.course_choice import OBJECTIVES, open_slots
from planner.queries.course_ground import PLANNABLE, Loaded, days_of, open_numbers, pick_of
from planner.queries.course_rows import words_of_starts
from planner.queries.course_view import (
    CostLine,
    Outlook,
    PlanRequest,
    ProposalCard,
    ProposedDate,
    Sentence,
    Way,
)
from planner.queries.outlooks import ProtocolFacts
from planner.scheduling import candidacy, explaining, hours, obstacles, task
from planner.scheduling import course as planning
from planner.scheduling.timetable import (
    CourseOrder,
    Severity,
    Slot,
)


def comparison_of(loaded: Loaded, request: PlanRequest, locale: str) -> tuple[Outlook, ...]:
    """Return the best course under each protocol of the service, as far as the provider has yet to choose."""
    if loaded.course.is_decided or loaded.course.status not in PLANNABLE:
        return ()
    return outlooks.on_one_line(
        [
            _compared(loaded, protocol, request, locale)
            for protocol in loaded.protocols
            if protocol.service_id == loaded.course.service_id
        ]
    )


def _compared(
    loaded: Loaded, protocol: ProtocolFacts, request: PlanRequest, locale: str
) -> Outlook:
    is_own = protocol.id == loaded.course.protocol_id
    order = loaded.order if is_own else _under(loaded.order, protocol)
    words, timetable = words_of_starts(loaded, locale), loaded.timetable
    slots: Mapping[int, Slot] | None = {}
    warnings: tuple[Sentence, ...] = ()
    if any(row.fixed is None and row.done_on is None for row in order.sessions):
        best = planning.propose(
            order,
            timetable,
            request.wishes,
            purpose="reserve",
            ignoring=frozenset() if is_own else _movable(loaded.order),
        )
        slots = best[0].slots if best else None
        warnings = remarks.of_sessions(best[0].sessions, timetable, words) if best else ()
    if slots is not None:
        found = days_of(replace(loaded, order=order), slots)
        days = [found[number] for number in sorted(found)]
    else:
        first = task.first_day(timetable, min(loaded.sites))
        first = max(first, request.wishes.not_before or first)
        days = list(candidacy.forecast(order.sessions, protocol.same_zone_gap, first=first))
        text = wording.nothing_found(locale)
        warnings = (Sentence(code="", severity=Severity.BLOCK.value, text=text),)
    return outlooks.outlook(
        protocol,
        order.sessions,
        days,
        is_chosen=is_own,
        leaves=loaded.patient.stay_until,
        warnings=warnings,
        has_dates=slots is not None,
        locale=locale,
    )


def _movable(order: CourseOrder) -> frozenset[int]:
    """Return the appointments of all sessions but the first that are yet to come."""
    return frozenset(
        row.appointment_id
        for row in order.sessions[1:]
        if row.appointment_id is not None and row.done_on is None
    )


def _under(order: CourseOrder, protocol: ProtocolFacts) -> CourseOrder:
    """Return the order as the protocol would have it, in the same zones.

    The first session stays where it is, and what took place stays done.
    """
    zones = sorted({zone for row in order.sessions for zone in row.zones})
    first = order.sessions[0].number
    standing = {
        row.number: row for row in order.sessions if row.number == first or row.done_on is not None
    }
    return replace(
        order,
        sessions=tuple(
            replace(standing.get(row.number, row), gap=row.gap, zones=row.zones)
            for row in outlooks.usual(protocol, None, zones)
        ),
        same_zone_gap=protocol.same_zone_gap,
        protocol_id=protocol.id,
    )


def proposal_cards(
    loaded: Loaded,
    found: Mapping[str, tuple[planning.Proposal, ...]],
    placed: Mapping[int, Slot],
    locale: str,
) -> tuple[ProposalCard, ...]:
    """Return the best of each objective, equal ones once under both names; then further ones of the first."""
    ranked = [(name, found[name][0]) for name in OBJECTIVES if found.get(name)]
    best = [_card(loaded, name, p, placed, locale) for name, p in ranked]
    more = [
        replace(_card(loaded, "order", p, placed, locale), name=wording.further_proposal(locale))
        for p in found.get("order", ())[1:]
    ]
    cards: dict[str, ProposalCard] = {}
    for card in best:
        same = cards.get(card.plan)
        cards[card.plan] = replace(same, name=f"{same.name} · {card.name}") if same else card
    return (*cards.values(), *(card for card in more if card.plan not in cards))


def _card(
    loaded: Loaded,
    objective: str,
    proposal: planning.Proposal,
    placed: Mapping[int, Slot],
    locale: str,
) -> ProposalCard:
    free = dict(sorted(open_slots(proposal, open_numbers(loaded)).items()))
    days = days_of(loaded, free)
    return ProposalCard(
        value="|".join([objective, *(f"{n}={pick_of(slot).text}" for n, slot in free.items())]),
        name=wording.objective(objective, locale),
        is_chosen=free == dict(placed),
        end_label=wording.format_date(max(days.values()), locale),
        span_label=wording.span((max(days.values()) - min(days.values())).days, locale),
        sessions=tuple(_date_line(loaded, n, slot, locale) for n, slot in free.items()),
        costs=_costs(loaded, proposal, locale),
        remarks=remarks.of_sessions(
            proposal.sessions, loaded.timetable, words_of_starts(loaded, locale)
        ),
    )


def _date_line(loaded: Loaded, number: int, slot: Slot, locale: str) -> ProposedDate:
    site = loaded.sites[slot.site_id]
    local = hours.local(slot.starts_at, site.zone)
    return ProposedDate(
        number=number,
        date_label=wording.format_short_date(local.date(), locale),
        time_label=wording.format_time(local.time(), locale),
        detail=f"{site.name} · {wording.initials(loaded.providers[slot.provider_id].name)}",
    )


def _costs(loaded: Loaded, proposal: planning.Proposal, locale: str) -> tuple[CostLine, ...]:
    """Return what is paid for the sessions that are proposed, in days or changes, each once; or that it is nothing.

    What stands already costs the same in every proposal.
    """
    opens = open_numbers(loaded)
    words = [
        wording.cost(cost, locale=locale, names=loaded.names)
        for session in proposal.sessions
        for cost in session.costs
        if session.number in opens and cost.amount and cost.code != "warning"
    ]
    if not words:
        return (CostLine(text=wording.no_cost(locale), tone="plus"),)
    return tuple(CostLine(text=text) for text in dict.fromkeys(words))[:4]


def nothing_found(loaded: Loaded, placed: Mapping[int, Slot], locale: str) -> str:
    """Return why there is no plan, empty where there is one."""
    if placed or not open_numbers(loaded):
        return ""
    return wording.nothing_found(locale)


def obstacle_sentences(
    loaded: Loaded, request: PlanRequest, placed: Mapping[int, Slot], purpose: str, locale: str
) -> tuple[Sentence, ...]:
    """Return what keeps the open sessions from being placed."""
    if placed or not open_numbers(loaded):
        return ()
    found = obstacles.of(loaded.order, loaded.timetable, request.wishes, purpose=purpose)
    return tuple(map(words_of_starts(loaded, locale).sentence, found))


def ways(
    loaded: Loaded, request: PlanRequest, placed: Mapping[int, Slot], purpose: str, locale: str
) -> tuple[Way, ...]:
    """Return what little would have to give for a place."""
    if placed or not open_numbers(loaded):
        return ()
    found = explaining.relaxations(loaded.order, loaded.timetable, request.wishes, purpose=purpose)
    return tuple(_way(loaded, one, locale) for one in found)


def _way(loaded: Loaded, relaxation: explaining.Relaxation, locale: str) -> Way:
    placed = open_slots(relaxation.proposal, open_numbers(loaded))
    days = days_of(loaded, placed)
    days = {number: days[number] for number in open_numbers(loaded)}
    text = wording.relaxation(
        relaxation,
        first=min(days.values()),
        last=max(days.values()),
        locale=locale,
        names=loaded.names,
    )
    picks = tuple((number, pick_of(slot).text) for number, slot in placed.items())
    return Way(text=text, code=relaxation.code, picks=picks)
