"""When a site, room or provider is not there. What is booked never stands in the way of saying so."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time

from planner.actions.catalogue import checks
from planner.db import catalogue
from planner.db.engine import Tx, transaction
from planner.db.models import Absence
from planner.errors import Invalid, NotFound
from planner.who import Who

ACTORS = ("site", "room", "provider")


@dataclass(frozen=True, slots=True, kw_only=True)
class AbsenceValues:
    """Days, or the same hours on each of them; ``until_date`` is the last day."""

    from_date: date
    until_date: date
    starts: time | None = None
    ends: time | None = None
    reason: str = ""


def record(
    actor: str, actor_ids: Sequence[int], values: AbsenceValues, *, by: Who, now: datetime
) -> tuple[int, ...]:
    """Store that these are not there, whatever is booked with them; return the absences' ids."""
    return record_all(actor, actor_ids, (values,), by=by, now=now)


def record_all(
    actor: str, actor_ids: Sequence[int], spans: Sequence[AbsenceValues], *, by: Who, now: datetime
) -> tuple[int, ...]:
    """Store several absences of several actors at once, such as a year's holidays."""
    for values in spans:
        checks.raise_if(_problems(values))
    if not actor_ids:
        raise Invalid({"sites": "missing"})

    def work(tx: Tx) -> tuple[int, ...]:
        for actor_id in actor_ids:
            catalogue.get_owned(tx.session, _actor(actor), actor_id)
        return tuple(
            catalogue.write(
                tx.session, Absence, None, 0, {**checks.fields(v), f"{actor}_id": actor_id}
            ).id
            for actor_id in actor_ids
            for v in spans
            if not catalogue.is_absent(tx.session, actor, actor_id, v.from_date, v.until_date)
        )

    return transaction(work, by=by, now=now, action="absence.record")


def take_back(absence_id: int, *, actor: str, actor_id: int, by: Who, now: datetime) -> None:
    """Remove an absence of this actor. Raises NotFound."""

    def work(tx: Tx) -> None:
        absence = catalogue.get(tx.session, Absence, absence_id)
        if getattr(absence, f"{_actor(actor)}_id") != actor_id:
            raise NotFound(f"absence {absence_id} of {actor} {actor_id}")
        tx.session.delete(absence)

    transaction(work, by=by, now=now, action="absence.take_back")


def _actor(name: str) -> str:
    if name not in ACTORS:
        raise NotFound(name)
    return name


def _problems(values: AbsenceValues) -> dict[str, str | None]:
    return {
        "from_date": checks.day(values.from_date),
        "until_date": checks.day(values.until_date)
        or ("until_before_from" if values.until_date < values.from_date else None),
        "starts": "both_times" if values.starts is None and values.ends else None,
        "ends": _end(values),
        "reason": checks.text(values.reason, 200),
    }


def _end(values: AbsenceValues) -> str | None:
    if values.starts is None:
        return None
    if values.ends is None:
        return "both_times"
    return "end_before_start" if values.ends <= values.starts else None
