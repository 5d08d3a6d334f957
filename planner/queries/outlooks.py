"""The clinic's protocols side by side: when this patient's course would end, and what comes in its way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from planner import wording
from planner.db import timetables
from planner.db.models import Protocol, Service
from planner.queries.course_view import Outlook, Sentence
from planner.scheduling import candidacy
from planner.scheduling.timetable import Gap, SessionOrder


@dataclass(frozen=True, slots=True, kw_only=True)
class ProtocolFacts:
    """A protocol that can be chosen, with the sentence of the clinic's page it stands for."""

    id: int
    service_id: int
    name: str
    quote: str
    sessions: int
    minutes: int
    zones: str  # new | same
    gap: Gap
    same_zone_gap: Gap


def protocols(session: Session, now: datetime) -> tuple[ProtocolFacts, ...]:
    """Return the protocols that can be chosen, in their order."""
    rule = timetables.same_zone_gap(session, now=now)
    statement = (
        sa.select(Protocol)
        .join(Service, Service.id == Protocol.service_id)
        .where(Protocol.is_active.is_(True), Service.retired_from.is_(None))
        .order_by(Protocol.position, Protocol.id)
    )
    return tuple(_protocol(row, rule) for row in session.scalars(statement))


def usual(
    protocol: ProtocolFacts, count: int | None, zones: Sequence[str], minutes: int | None = None
) -> tuple[SessionOrder, ...]:
    """Return the sessions a protocol stands for, so many of them, in these zones."""
    number = count or protocol.sessions
    parts = candidacy.shares(zones, number, is_same=protocol.zones == "same")
    return tuple(
        SessionOrder(
            number=place,
            minutes=minutes or protocol.minutes,
            gap=protocol.gap,
            zones=frozenset(part),
        )
        for place, part in enumerate(parts, start=1)
    )


def outlook(
    protocol: ProtocolFacts,
    sessions: Sequence[SessionOrder],
    days: Sequence[date],
    *,
    is_chosen: bool,
    leaves: date | None,
    warnings: tuple[Sentence, ...],
    has_dates: bool,
    locale: str,
) -> Outlook:
    """Return the protocol with what it means when its sessions are on these days.

    ``leaves`` is the last day of a seasonal stay.
    """
    first, end = days[0], days[-1]
    return Outlook(
        value=str(protocol.id),
        name=protocol.name,
        quote=protocol.quote,
        checked=is_chosen,
        end_label=wording.format_date(end, locale),
        span_label=wording.span((end - first).days, locale) if end > first else "",
        sessions_label=f"{len(sessions)} × {wording.minutes(sessions[0].minutes, locale)}",
        warnings=warnings,
        days=tuple(days),
        leaves=leaves,
        dates=tuple(wording.format_short_date(day, locale) for day in days) if has_dates else (),
    )


def on_one_line(found: Sequence[Outlook]) -> tuple[Outlook, ...]:
    """Return the outlooks with their days on one line of time, so that what takes longer looks longer."""
    if not found:
        return ()
    first = min(one.days[0] for one in found)
    whole = max(1, *((one.days[-1] - first).days for one in found))

    def place(day: date) -> float:
        return (day - first).days / whole

    return tuple(
        replace(
            one,
            dots=tuple(map(place, one.days)),
            leaves_at=place(one.leaves) if one.leaves and 0 < place(one.leaves) < 1 else None,
        )
        for one in found
    )


def _protocol(row: Protocol, rule: Gap) -> ProtocolFacts:
    gap = Gap(floor=row.gap_floor, target=row.gap_target, soft_max=row.gap_soft_max)
    return ProtocolFacts(
        id=row.id,
        service_id=row.service_id,
        name=row.name,
        quote=row.sentence,
        sessions=row.sessions,
        minutes=row.minutes,
        zones=row.zones,
        gap=gap,
        same_zone_gap=gap if row.zones == "same" else rule,
    )
