"""What a consult's form says, as the use case takes it; and the rows of sessions it shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from werkzeug.datastructures import MultiDict

from planner.actions.consults import Answers, Finding, OrderGiven, SessionPlan
from planner.queries import outlooks
from planner.queries.consults import ConsultPage, Stored
from planner.queries.outlooks import ProtocolFacts
from planner.scheduling import candidacy
from planner.scheduling import zones as body
from planner.scheduling.timetable import Gap, SessionOrder
from planner.web.consults.forms import PACKS, ConsultForm

DECISION = "decision-"
LONGEST_REASON = 500


def stored_values(page: ConsultPage) -> dict[str, Any]:
    """Return what the form begins with: what is stored, else the answers given last time."""
    values: dict[str, Any] = {"version": page.version}
    if page.answers is not None and page.stored is not None:
        values |= _answer_values(page.answers)
    if page.stored is not None:
        values |= _finding_values(page.stored)
    return values


def answers(form: ConsultForm) -> Answers:
    """Return the answers; a question that was not asked stays open."""
    packs = {
        f"has_{pack}": form[f"has_{pack}"].data == "yes" for pack in PACKS if f"has_{pack}" in form
    }
    return Answers(
        had_clots=form.had_clots.data == "yes",
        is_pregnant=form.is_pregnant.data == "yes",
        pregnancy_ended_on=None if form.is_pregnant.data == "yes" else form.pregnancy_ended_on.day,
        is_nursing=form.is_nursing.data == "yes",
        is_healthy=form.is_healthy.data != "no",
        **packs,
    )


def finding(form: ConsultForm) -> Finding:
    """Return what was found."""
    return Finding(
        veins=_veins(form),
        zones=chosen_zones(form),
        area_size=form.area_size.data or "",
        duplex_advised=bool(form.duplex_advised.data),
        outcome=form.outcome.data or "",
        not_until=form.not_until.day if form.outcome.data == "not_now" else None,
        note=(form.note.data or "").replace("\r\n", "\n"),
    )


def order(form: ConsultForm, protocol: ProtocolFacts, typed: MultiDict[str, str]) -> OrderGiven:
    """Return the order as the rows say it."""
    return OrderGiven(
        protocol_id=protocol.id,
        reason=form.reason.data or "",
        sessions=tuple(_plan(row, protocol) for row in ordered(form, protocol)),
        decisions=decisions(typed),
    )


def decisions(typed: MultiDict[str, str]) -> dict[str, str]:
    """Return the reasons typed for decisions, by rule code."""
    return {
        name.removeprefix(DECISION): text[:LONGEST_REASON]
        for name, text in typed.items()
        if name.startswith(DECISION)
    }


def protocol_of(form: ConsultForm, page: ConsultPage) -> ProtocolFacts | None:
    """Return the protocol that is chosen, or that the zones suggest."""
    by_id = {str(row.id): row for row in page.protocols}
    return by_id.get(form.protocol.data or "")


def suggest(form: ConsultForm, page: ConsultPage) -> None:
    """Fill in what follows from what is there: the interval from new or same zones (clinic.md 2)."""
    if form.repeats.data and protocol_of(form, page) is None:
        fitting = (row for row in page.protocols if row.zones == form.repeats.data)
        first = next(fitting, None)
        form.protocol.data = str(first.id) if first else None


def draw(form: ConsultForm, page: ConsultPage) -> bool:
    """Make the rows of sessions anew when what they stand for has changed; say whether it had."""
    protocol = protocol_of(form, page)
    mark = _mark(form, protocol)
    if protocol is None or mark == form.drawn_for.data:
        return False
    had_rows = bool(form.sessions.entries)
    count, minutes = sizes(form)
    fill(form, outlooks.usual(protocol, count, chosen_zones(form), minutes))
    form.drawn_for.data = mark
    return had_rows


def fill(form: ConsultForm, rows: Sequence[SessionOrder]) -> None:
    """Put these sessions into the form."""
    form.sessions.entries.clear()
    form.sessions.last_index = -1
    for row in rows:
        form.sessions.append_entry(
            {
                "minutes": row.minutes,
                "floor": row.gap.floor,
                "target": row.gap.target,
                "soft_max": row.gap.soft_max,
                "zones": _in_order(row.zones),
            }
        )


def mark_drawn(form: ConsultForm, page: ConsultPage) -> None:
    """Say that the rows stand for what the form says now."""
    form.drawn_for.data = _mark(form, protocol_of(form, page))


def sizes(form: ConsultForm) -> tuple[int | None, int | None]:
    """Return how many sessions of how many minutes: as typed, else as the area suggests."""
    hint = candidacy.SUGGESTIONS.get(form.area_size.data or "")
    count, minutes = form.count.data, form.minutes.data
    if count is not None and not 1 <= count <= 12:
        count = None
    if minutes is not None and not (5 <= minutes <= 240 and minutes % 5 == 0):
        minutes = None
    return count or (hint.sessions if hint else None), minutes or (hint.minutes if hint else None)


def ordered(form: ConsultForm, protocol: ProtocolFacts) -> tuple[SessionOrder, ...]:
    """Return the sessions as the rows say them; a gap that differs from the protocol's is its own."""
    rows = []
    for number, entry in enumerate(form.sessions.entries, start=1):
        gap = _gap(entry.form) or protocol.gap
        rows.append(
            SessionOrder(
                number=number,
                minutes=entry.form.minutes.data or protocol.minutes,
                gap=gap,
                zones=frozenset(entry.form.zones.data or ()) & frozenset(chosen_zones(form)),
                is_custom_gap=number > 1 and gap != protocol.gap,
            )
        )
    return tuple(rows)


def chosen_zones(form: ConsultForm) -> tuple[str, ...]:
    """Return the zones to treat, in the order of the map."""
    return _in_order(form.zones.data or ())


def remarks(form: ConsultForm) -> tuple[tuple[str, candidacy.Remark], ...]:
    """Return what is to be said of the diameters, by field."""
    typed = (
        ("spider_mm", candidacy.Vein.SPIDER, form.is_spider.data, form.spider_mm.mm),
        ("reticular_mm", candidacy.Vein.RETICULAR, form.is_reticular.data, form.reticular_mm.mm),
    )
    found = (
        (name, candidacy.remark(vein, mm)) for name, vein, is_there, mm in typed if is_there and mm
    )
    return tuple((name, remark) for name, remark in found if remark is not None)


def _veins(form: ConsultForm) -> tuple[Mapping[str, Any], ...]:
    found: list[Mapping[str, Any]] = []
    if form.is_spider.data:
        found.append(
            {
                "type": "spider",
                "diameter_mm": form.spider_mm.mm,
                "colours": list(form.colours.data or ()),
                "patterns": list(form.patterns.data or ()),
            }
        )
    if form.is_reticular.data:
        found.append({"type": "reticular", "diameter_mm": form.reticular_mm.mm})
    return tuple(found)


def _plan(row: SessionOrder, protocol: ProtocolFacts) -> SessionPlan:
    return SessionPlan(
        minutes=row.minutes,
        gap=row.gap,
        zones=_in_order(row.zones),
        is_custom_gap=row.is_custom_gap,
    )


def _gap(row: Any) -> Gap | None:
    days = (row.floor.data, row.target.data, row.soft_max.data)
    if None in days or not 1 <= days[0] <= days[1] <= days[2] <= 365:
        return None
    return Gap(floor=days[0], target=days[1], soft_max=days[2])


def _mark(form: ConsultForm, protocol: ProtocolFacts | None) -> str:
    count, minutes = sizes(form)
    zones = ",".join(chosen_zones(form))
    return f"{protocol.id if protocol else 0}|{count or ''}|{minutes or ''}|{zones}"


def _in_order(zones: Any) -> tuple[str, ...]:
    wanted = set(zones)
    return tuple(zone for zone in body.ZONES if zone in wanted)


def _answer_values(given: Answers) -> dict[str, Any]:
    names = ("had_clots", "is_pregnant", "is_nursing", "is_healthy", *(f"has_{p}" for p in PACKS))
    values: dict[str, Any] = {"pregnancy_ended_on": given.pregnancy_ended_on}
    for name in names:
        answer = getattr(given, name)
        if answer is not None:
            values[name] = "yes" if answer else "no"
    return values


def _finding_values(stored: Stored) -> dict[str, Any]:
    veins = {vein.get("type"): vein for vein in stored.veins}
    spider, reticular = veins.get("spider", {}), veins.get("reticular", {})
    values: dict[str, Any] = {
        "is_spider": bool(spider),
        "spider_mm": _text(spider.get("diameter_mm")),
        "colours": spider.get("colours", []),
        "patterns": spider.get("patterns", []),
        "is_reticular": bool(reticular),
        "reticular_mm": _text(reticular.get("diameter_mm")),
        "zones": list(stored.zones),
        "area_size": stored.area_size,
        "duplex_advised": stored.duplex_advised,
        "outcome": stored.outcome,
        "not_until": stored.not_until,
        "note": stored.note,
    }
    if stored.order is not None:
        values |= {
            "repeats": stored.order.zones,
            "protocol": str(stored.order.protocol_id or ""),
            "reason": stored.order.reason,
            "count": len(stored.order.sessions),
        }
    return values


def _text(number: Any) -> str:
    return "" if number is None else str(number)
