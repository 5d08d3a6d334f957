"""Services, and the protocols of courses that use them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from planner.actions.catalogue import checks
from planner.db import catalogue
from planner.db.engine import Tx, transaction
from planner.db.models import Protocol, Service
from planner.errors import Invalid
from planner.who import Who

KINDS = ("consult", "session", "review", "other")
REMINDER_DAYS = (14, 7, 3, 2, 1, 0)
LONGEST = 480  # minutes: a working day
MOST_SESSIONS = 12  # clinic.md 3, course.sessions
LONGEST_GAP = 365  # days


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceValues:
    """A service as typed, in minutes; preparation and turnover of ``None`` are as the rules say."""

    code: str
    name: str
    kind: str
    minutes: int
    minutes_choices: tuple[int, ...]
    preparation_minutes: int | None
    turnover_minutes: int | None
    walk_minutes: int
    colour: str
    reminder_days: tuple[int, ...] = (7, 2, 0)  # before the visit; 0: on its morning
    position: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ProtocolValues:
    """A protocol as typed; gaps in days."""

    name: str
    service_id: int
    sessions: int
    minutes: int
    zones: str
    gap_floor: int
    gap_target: int
    gap_soft_max: int
    sentence: str
    is_active: bool
    position: int = 0


def save(
    service_id: int | None, values: ServiceValues, *, version: int, by: Who, now: datetime
) -> int:
    """Add a service, or change one; return its id. Raises Invalid, Stale or NotFound."""
    checks.raise_if(_service_problems(values))

    def work(tx: Tx) -> int:
        for name in ("code", "name"):
            taken = {name: getattr(values, name)}
            if catalogue.is_taken(tx.session, Service, but_id=service_id, **taken):
                raise Invalid({name: "taken"})
        lists = {name: list(getattr(values, name)) for name in ("minutes_choices", "reminder_days")}
        typed = {**checks.fields(values), **lists}
        return catalogue.write(tx.session, Service, service_id, version, typed).id

    return transaction(work, by=by, now=now, action="service.save")


def save_protocol(
    protocol_id: int | None, values: ProtocolValues, *, version: int, by: Who, now: datetime
) -> int:
    """Add a protocol, or change one; running courses keep their copy. Returns its id."""
    checks.raise_if(_protocol_problems(values))

    def work(tx: Tx) -> int:
        if catalogue.is_taken(tx.session, Protocol, but_id=protocol_id, name=values.name):
            raise Invalid({"name": "taken"})
        if not catalogue.known(tx.session, Service, (values.service_id,)):
            raise Invalid({"service_id": "choice"})
        return catalogue.write(tx.session, Protocol, protocol_id, version, checks.fields(values)).id

    return transaction(work, by=by, now=now, action="protocol.save")


def _service_problems(values: ServiceValues) -> dict[str, str | None]:
    choices = [checks.minutes(minutes, 5, LONGEST) for minutes in values.minutes_choices]
    return {
        "code": checks.text(values.code, 12, required=True),
        "name": checks.text(values.name, 80, required=True),
        "kind": checks.one_of(values.kind, KINDS),
        "minutes": checks.minutes(values.minutes, 5, LONGEST),
        "minutes_choices": next((c for c in choices if c), None),
        "preparation_minutes": checks.minutes(values.preparation_minutes, 0, 120),
        "turnover_minutes": checks.minutes(values.turnover_minutes, 0, 120),
        "walk_minutes": checks.minutes(values.walk_minutes, 0, 120),
        "colour": checks.colour(values.colour),
        "reminder_days": None if set(values.reminder_days) <= set(REMINDER_DAYS) else "choice",
        "position": checks.within(values.position, 0, 999),
    }


def _protocol_problems(values: ProtocolValues) -> dict[str, str | None]:
    floor, target, soft_max = values.gap_floor, values.gap_target, values.gap_soft_max
    return {
        "name": checks.text(values.name, 80, required=True),
        "sessions": checks.within(values.sessions, 1, MOST_SESSIONS, "sessions"),
        "minutes": checks.minutes(values.minutes, 5, LONGEST),
        "zones": checks.one_of(values.zones, ("new", "same")),
        "gap_floor": checks.within(floor, 1, LONGEST_GAP, "days"),
        "gap_target": checks.within(target, 1, LONGEST_GAP, "days")
        or ("below_floor" if target < floor else None),
        "gap_soft_max": checks.within(soft_max, 1, LONGEST_GAP, "days")
        or ("below_target" if soft_max < target else None),
        "sentence": checks.text(values.sentence, 300),
        "position": checks.within(values.position, 0, 999),
    }
