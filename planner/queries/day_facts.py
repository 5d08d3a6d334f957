"""Who is there on a day and when, from the first statement's rows; minutes since midnight."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from planner.queries import day_board
from planner.queries.day_board import Span
from planner.queries.day_rows import Fact

FALLBACK_ZONE = "UTC"


class DayFacts:
    """The first statement's rows, by what is asked of them."""

    def __init__(self, rows: Sequence[Fact]) -> None:
        self.sites = _by_id(rows, "site")
        self.providers = _by_id(rows, "provider")
        self.rooms = _by_id(rows, "room")
        # The zone of the first site: all sites of a clinic share their day.
        self.zone = next((site.detail for site in self.sites.values()), FALLBACK_ZONE)
        self._ranges: defaultdict[tuple[str, int | None, int | None], list[Span]] = defaultdict(
            list
        )
        self._absent: defaultdict[tuple[str, int], list[tuple[Span, str]]] = defaultdict(list)
        for row in rows:
            if row.kind in ("open", "work", "break"):
                self._ranges[row.kind, row.provider_id, row.site_id].append(_fact_span(row))
            elif row.kind == "absence":
                self._absent[_absentee(row)].append((_fact_span(row), row.name))
        self._open = {site_id: self._opened(site_id) for site_id in self.sites}

    def site(self, wanted: int | None) -> Fact | None:
        """Return the site asked for, else the first."""
        return self.sites.get(wanted or 0) or next(iter(self.sites.values()), None)

    def open_at(self, site_id: int) -> list[Span]:
        """Return when the site is open, closures taken away."""
        return self._open.get(site_id, [])

    def closures(self, site_id: int) -> list[tuple[Span, str]]:
        """Return the site's closures with their reasons."""
        return self._absent.get(("site", site_id), [])

    def working(self, provider_id: int, site_id: int) -> list[Span]:
        """Return when the provider works at the site, breaks and absences taken away."""
        away = [*self.breaks(provider_id, site_id), *(s for s, _ in self.absences(provider_id))]
        return day_board.without(self.rostered(provider_id, site_id), away)

    def rostered(self, provider_id: int, site_id: int) -> list[Span]:
        """Return the weekly hours of the provider there, breaks included."""
        return self._ranges.get(("work", provider_id, site_id), [])

    def breaks(self, provider_id: int, site_id: int) -> list[Span]:
        """Return the provider's breaks there."""
        return self._ranges.get(("break", provider_id, site_id), [])

    def absences(self, provider_id: int) -> list[tuple[Span, str]]:
        """Return the provider's absences with their reasons."""
        return self._absent.get(("provider", provider_id), [])

    def outages(self, room_id: int) -> list[tuple[Span, str]]:
        """Return when the room is out of service, with the reasons."""
        return self._absent.get(("room", room_id), [])

    def _opened(self, site_id: int) -> list[Span]:
        opens = self._ranges.get(("open", None, site_id), ())
        return day_board.without(opens, [span for span, _ in self.closures(site_id)])


def _absentee(row: Fact) -> tuple[str, int]:
    if row.provider_id is not None:
        return "provider", row.provider_id
    return ("room", row.room_id) if row.room_id is not None else ("site", row.site_id or 0)


def _fact_span(row: Fact) -> Span:
    if row.starts is None or row.ends is None:
        return day_board.DAY
    return day_board.minute(row.starts), day_board.minute(row.ends)


def _by_id(rows: Sequence[Fact], kind: str) -> dict[int, Fact]:
    found = sorted(
        (row for row in rows if row.kind == kind),
        key=lambda r: (r.site_id or 0, r.position, r.id or 0),
    )
    if kind == "site":
        found.sort(key=lambda row: (row.position, row.id or 0))
    return {row.id: row for row in found if row.id is not None}
