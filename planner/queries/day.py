"""The day page and My day: three statements whatever the number of rows, everything put into words."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy.orm import Session

from planner import wording
from planner.db import decisions, engine, snapshots
from planner.queries import day_bands, day_board, day_cards, day_rows
from planner.queries.day_cards import Cards
from planner.queries.day_facts import FALLBACK_ZONE, DayFacts
from planner.queries.day_rows import Fact
from planner.queries.day_view import Chip, Column, DayPage, Item, MyDay, SiteTab
from planner.scheduling import hours
from planner.scheduling.interval import Interval
from planner.wording import desk

Drawn = tuple[Any, Item]  # a row, and its card
STATUS_ORDER = ("held", "reserved", "booked", "arrived", "started", "fulfilled", "no_show")


def page(
    on: date | None, site_id: int | None, *, is_all: bool, by: str, locale: str, now: datetime
) -> DayPage:
    """Return a day at a site, or at all of them; without a date today, without a site the first."""
    with engine.reading() as session:
        day = on or _today(session, now)
        facts = _facts(session, day)
        site = facts.site(site_id)
        sites = list(facts.sites.values()) if is_all else [s for s in (site,) if s]
        span = _span(day, facts.zone)
        rows = day_rows.appointments(
            session,
            starts_at=span.starts_at,
            ends_at=span.ends_at,
            now=now,
            site_ids=[row.id for row in sites if row.id is not None],
        )
        ids = {row.course_id for row in rows if row.course_id is not None}
        sessions = day_rows.course_sessions(session, sorted(ids))
    cards = Cards(facts, day, now, locale, day_cards.measures(rows, sessions, facts), is_all=is_all)
    return _page(cards, rows, sites, by)


def mine(on: date | None, provider_id: int, *, locale: str, now: datetime) -> MyDay:
    """Return a provider's day over all sites; without a date today."""
    with engine.reading() as session:
        day = on or _today(session, now)
        facts = _facts(session, day)
        span = _span(day, facts.zone)
        rows = day_rows.appointments(
            session,
            starts_at=span.starts_at,
            ends_at=span.ends_at,
            now=now,
            provider_id=provider_id,
        )
        ids = {row.course_id for row in rows if row.course_id is not None}
        sessions = day_rows.course_sessions(session, sorted(ids))
        to_sign = decisions.count_unsigned(session, provider_id)
    cards = Cards(facts, day, now, locale, day_cards.measures(rows, sessions, facts), is_all=True)
    provider = facts.providers.get(provider_id)
    return MyDay(
        on=day,
        title=wording.format_full_date(day, locale),
        provider_name=provider.name if provider else "",
        items=tuple(cards.item(row, "provider") for row in rows),
        hours=tuple(
            (Chip(name=site.name, colour=site.colour), cards.spans_label(spans))
            for site in facts.sites.values()
            if (spans := facts.working(provider_id, site.id or 0))
        ),
        now_minute=cards.now_minute,
        now_label=cards.now_label,
        to_sign=to_sign,
    )


def _page(cards: Cards, rows: Sequence[Any], sites: Sequence[Fact], by: str) -> DayPage:
    facts, locale = cards.facts, cards.locale
    items = tuple(cards.item(row, by) for row in rows)
    drawn = list(zip(rows, items, strict=True))
    columns = [column for site in sites for column in _columns(cards, drawn, site, by)]
    spans = [span for site in sites for span in facts.open_at(site.id or 0)]
    counted = Counter(item.state for item in items)
    chosen = {site.id for site in sites}
    return DayPage(
        on=cards.day,
        title=wording.format_full_date(cards.day, locale),
        sites=tuple(
            SiteTab(
                id=site.id,
                name=site.name,
                colour=site.colour,
                is_chosen=site.id in chosen,
                hours_label=cards.spans_label(facts.open_at(site.id or 0))
                or desk.band("closed", locale),
            )
            for site in facts.sites.values()
        ),
        by=by,
        board=(
            day_board.board(
                columns,
                spans,
                now_minute=cards.now_minute,
                now_label=cards.now_label,
                hour_label=lambda minute: wording.format_hour(minute // 60, locale),
            )
            if columns
            else None
        ),
        items=items,
        legend=tuple(
            Chip(name=name, colour=colour)
            for name, colour in dict.fromkeys((i.service_name, i.service_colour) for i in items)
        ),
        counts=tuple((status, counted[status]) for status in STATUS_ORDER if counted[status]),
        is_open=bool(spans),
        zone_label=hours.local(_span(cards.day, facts.zone).ends_at, facts.zone).tzname() or "",
    )


def _columns(cards: Cards, drawn: Sequence[Drawn], site: Fact, by: str) -> list[Column]:
    facts, site_id = cards.facts, site.id or 0
    by_actor: defaultdict[int, list[Item]] = defaultdict(list)
    for row, item in drawn:
        if row.site_id == site.id:
            by_actor[row.room_id if by == "room" else row.provider_id].append(item)
    if by == "room":
        actors = [room for room in facts.rooms.values() if room.site_id == site.id]
    else:
        actors = [
            provider
            for provider in facts.providers.values()
            if provider.id in by_actor or facts.rostered(provider.id or 0, site_id)
        ]
    return [_column(cards, by_actor.get(actor.id or 0, ()), site, actor, by) for actor in actors]


def _column(cards: Cards, items: Sequence[Item], site: Fact, actor: Fact, by: str) -> Column:
    is_provider = by == "provider"
    detail = [site.name] if cards.is_all else []
    detail += [actor.detail] if actor.detail else []
    detail.append(day_cards.visits(len(items), cards.locale))
    closed = day_bands.of_provider if is_provider else day_bands.of_room
    return Column(
        id=f"{by}-{actor.id}-{site.id}",
        name=actor.name,
        detail=" · ".join(detail),
        initials=day_cards.initials(actor.name) if is_provider else "",
        colour=site.colour,
        closed=closed(cards.facts, site.id or 0, actor.id or 0, cards.locale),
        appointments=day_board.in_lanes(items),
    )


def _facts(session: Session, day: date) -> DayFacts:
    read = lambda: DayFacts(day_rows.facts(session, day))  # noqa: E731  a name says more than a line
    return snapshots.kept(session, ("day", day), read)


def _today(session: Session, now: datetime) -> date:
    """Return the day it is at the first site, by what this process keeps of the catalogue."""
    sites = snapshots.catalogue(session).sites.values()
    return hours.day_of(now, next((site.zone for site in sites), FALLBACK_ZONE))


def _span(day: date, zone: str) -> Interval:
    return hours.day_bounds(day, zone)
