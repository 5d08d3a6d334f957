"""People planted with known answers, so that anybody can check a rule by looking somebody up.

``docs/demo.md`` lists them with what planner has to say about each.
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

from planner.db import decisions
from planner.db.decisions import GivenDecision
from planner.db.engine import Tx, transaction
from planner.db.models import (
    Absence,
    Appointment,
    Consult,
    DateToAvoid,
    Patient,
    Provider,
    RuleRecord,
    Screening,
)
from planner.demo import names
from planner.scheduling import hours, reading
from planner.who import Who

if TYPE_CHECKING:
    from planner.demo import simulation
    from planner.demo.planted import Planted
    from planner.scheduling.timetable import Conflict

BY = Who(user_id=None, role="system", origin="demo", request_id="demo")
NAMES = (
    ("Siobhán", "O’Connor-D’Angelo", "An apostrophe and two surnames."),
    ("José María", "García de la Vega y Núñez", "Two surnames with accents."),
    ("مريم", "الخطيب", "Written from right to left."),
    ("Zoë 🌷", "Müller", "An emoji."),
    (
        "Maximiliana Alexandrina",
        "Featherstonehaugh-Cholmondeley-Montague",
        "More than 60 characters.",
    ),
)


def plant(world: simulation.World) -> int:
    """Add the planted people; return how many."""

    def work(tx: Tx) -> int:
        rows = [*_names(world), *_duplicates(world)]
        tx.session.add_all(rows)
        tx.session.flush()
        return len(rows) + _pregnancies(tx, world) + _diameters(tx, world) + _others(tx, world)

    return transaction(work, by=BY, now=world.now, action="demo.edges", is_silent=True)


def follow(world: simulation.World, planted: Planted) -> None:
    """Record what was decided, and what came after the bookings: a rule, an outage, a notice."""

    def work(tx: Tx) -> None:
        for visit, conflict in planted.below_floor:
            _decide(tx, visit, conflict)
        if planted.leaves_on is not None:
            leaver = tx.session.get_one(Provider, world.withheld_provider)
            leaver.retired_from = planted.leaves_on
        if planted.outage is not None:
            room_id, first, last = planted.outage
            tx.session.add(
                Absence(room_id=room_id, from_date=first, until_date=last, reason="No power")
            )
        tx.session.add_all(_rules(world))

    transaction(work, by=BY, now=world.now, action="demo.follow")


def _decide(tx: Tx, visit: simulation.Visit, conflict: Conflict) -> None:
    """A decision taken down by phone, which waits for its provider's signature."""
    row = tx.session.get_one(Appointment, visit.row_id)
    able = decisions.entitled(tx.session, service_id=row.service_id, site_id=row.site_id)
    given = GivenDecision(
        rule_code=conflict.code,
        provider_id=min(able),
        reason="The veins of the first session are on the other leg.",
        by_phone=True,
    )
    decisions.add(tx, given, conflict, patient_id=row.patient_id, appointment_id=row.id)


def _rules(world: simulation.World) -> list[RuleRecord]:
    """Records in three scopes: what the clinic and one of its sites have set for themselves."""
    aventura = sorted(world.base.sites)[1]
    window = {"floor": 10, "target": 14, "soft_max": 21}
    own: tuple[tuple[str, Any, str, int | None], ...] = (
        ("dose.max_ml", 10, "warn", None),
        ("review.window_days", window, "info", None),
        ("reservation.days", 10, "info", aventura),
        ("session.desk_treats", True, "info", aventura),
    )
    return [
        RuleRecord(
            code=code,
            value={"value": value},
            severity=severity,
            scope="site" if site_id else "clinic",
            scope_id=site_id,
            effective_from=world.today,
            created_at=world.now,
        )
        for code, value, severity, site_id in own
    ]


def _names(world: simulation.World) -> list[Patient]:
    return [_patient(world, given, family, note=note) for given, family, note in NAMES]


def _duplicates(world: simulation.World) -> list[Patient]:
    note = "A duplicate to be merged."
    born = date(1979, 8, 14)
    return [
        _patient(world, "Graciela", "Fuentes", note=note, born=born),
        _patient(world, "Graciela", "Fuéntes", note=note, born=born),
    ]


def _pregnancies(tx: Tx, world: simulation.World) -> int:
    """Three months to the day, one day less, and ends of months that have no such day."""
    today = world.today
    cases = (
        ("Exactly", hours.add_months(today, -3), "Pregnancy ended three months ago to the day."),
        (
            "Oneday",
            hours.add_months(today, -3) + timedelta(days=1),
            "One day short of three months since the pregnancy ended.",
        ),
        (
            "November",
            date(today.year - 1, 11, 30),
            "30 November and three months: end of February.",
        ),
    )
    for family, ended_on, note in cases:
        patient = _patient(world, "Paula", family, note=note)
        patient.eligible_from = hours.add_months(ended_on, 3)
        tx.session.add(patient)
        tx.session.flush()
        tx.session.add(_screening(world, patient, ended_on=ended_on))
    return len(cases)


def _diameters(tx: Tx, world: simulation.World) -> int:
    provider_id = min(world.base.providers)
    for tenths in (10, 30, 31):
        patient = _patient(world, "Vera", f"Diameter {tenths / 10}", note="A vein at the boundary.")
        tx.session.add(patient)
        tx.session.flush()
        screening = _screening(world, patient)
        tx.session.add(screening)
        tx.session.flush()
        tx.session.add(
            Consult(
                patient_id=patient.id,
                provider_id=provider_id,
                screening_id=screening.id,
                held_on=world.today - timedelta(days=7),
                recorded_at=world.now - timedelta(days=7),
                veins=[{"type": "reticular", "diameter_mm": tenths / 10}],
                zones=["left_calf"],
                area_size="S",
                outcome="candidate",
            )
        )
    return 3


def _others(tx: Tx, world: simulation.World) -> int:
    """Flights two, three and four days away; somebody about to turn 18; a leap-day birthday."""
    today = world.today
    for days in (2, 3, 4):
        patient = _patient(world, "Fernando", f"Flight {days}", note=f"Flies in {days} days.")
        tx.session.add(patient)
        tx.session.flush()
        day = today + timedelta(days=days)
        tx.session.add(
            DateToAvoid(
                patient_id=patient.id,
                kind="flight",
                from_date=day,
                until_date=day,
                at=time(9),
                created_at=world.now,
            )
        )
    eighteen = today + timedelta(days=20)
    born = hours.add_months(eighteen, -18 * 12)
    tx.session.add(_patient(world, "Nina", "Almost Eighteen", note="Turns 18 soon.", born=born))
    tx.session.add(
        _patient(world, "Leo", "Leap", note="Born on a leap day.", born=date(2000, 2, 29))
    )
    return 5


def _screening(
    world: simulation.World, patient: Patient, *, ended_on: date | None = None
) -> Screening:
    return Screening(
        patient_id=patient.id,
        provider_id=min(world.base.providers),
        recorded_at=world.now - timedelta(days=7),
        had_clots=False,
        is_pregnant=False,
        pregnancy_ended_on=ended_on,
        is_nursing=False,
    )


def _patient(
    world: simulation.World, given: str, family: str, *, note: str, born: date = date(1985, 3, 20)
) -> Patient:
    phone = f"+1305555{100 + world.random.randrange(names.PHONES):04d}"
    made_at: datetime = world.now - timedelta(days=30)
    return Patient(
        key=names.key(world.random),
        given_name=given,
        family_name=family,
        search_text=reading.search_text(given, family, phone, born),
        birth_date=born,
        phone=phone,
        language="en",
        note=note,
        created_at=made_at,
    )
