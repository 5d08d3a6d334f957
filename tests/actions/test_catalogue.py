"""What a manager sets up is stored as typed, or refused with the field that cannot be."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, time
from functools import partial
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from planner.actions.catalogue import absences, clinic, providers, rooms, services, sites
from planner.actions.catalogue import retirement as ends
from planner.actions.catalogue import rules as rule_actions
from planner.actions.catalogue.absences import AbsenceValues
from planner.actions.catalogue.clinic import ClinicValues
from planner.actions.catalogue.providers import Capability, ProviderValues
from planner.actions.catalogue.rooms import RoomValues
from planner.actions.catalogue.rules import RuleValues
from planner.actions.catalogue.services import ProtocolValues, ServiceValues
from planner.actions.catalogue.sites import SiteValues
from planner.actions.catalogue.weekly import WeeklyRow
from planner.db.models import (
    Absence,
    Appointment,
    AuditRow,
    Course,
    CourseSession,
    Protocol,
    ProviderHours,
    ProviderService,
    Room,
    RoomService,
    RuleRecord,
    ScheduleVersion,
    Service,
    Site,
    SiteHours,
)
from planner.errors import Invalid, NotFound, Stale
from planner.who import Who
from tests import factories
from tests.factories import SmallClinic

NOW = datetime(2027, 3, 1, 14, tzinfo=UTC)  # Monday, 9:00 at the sites
TODAY = date(2027, 3, 1)
MANAGER = Who(user_id=None, role="manager", origin="127.0.0.1", request_id="r-1")
BY: dict[str, Any] = {"by": MANAGER, "now": NOW}

SITE = SiteValues(
    name="Kendall",
    address="1 Main St",
    phone="(305) 555-0100",
    colour="teal",
    zone="America/New_York",
    grid_minutes=15,
)
PROVIDER = ProviderValues(name="Ana Diaz", credentials="MD", colour="blue")
SERVICE = ServiceValues(
    code="VEIN",
    name="Vein mapping",
    kind="other",
    minutes=30,
    minutes_choices=(30, 45),
    preparation_minutes=None,
    turnover_minutes=10,
    walk_minutes=0,
    colour="green",
)
CLINIC = ClinicValues(
    name="Glamour",
    neutral_name="Your visits",
    phone="(305) 555-0100",
    email="desk@example.com",
    colour="#0f766e",
    languages=("en", "es"),
)
HUGE = "x" * 10_000


def protocol(clinic: SmallClinic, **changes: Any) -> ProtocolValues:
    sound = ProtocolValues(
        name="4 × 3 weeks",
        service_id=clinic.sclerotherapy,
        sessions=4,
        minutes=45,
        zones="new",
        gap_floor=14,
        gap_target=21,
        gap_soft_max=28,
        sentence="",
        is_active=True,
    )
    return replace(sound, **changes)


def row(weekday: int, starts: time, ends: time, **rest: Any) -> WeeklyRow:
    return WeeklyRow(weekday=weekday, starts=starts, ends=ends, **rest)


def refused(call: Callable[[], object]) -> dict[str, str]:
    with pytest.raises(Invalid) as caught:
        call()
    return caught.value.fields


def all_of(bound: sa.Engine, kind: type[Any]) -> list[Any]:
    with Session(bound) as session:
        return list(session.scalars(sa.select(kind)))


def version(bound: sa.Engine, kind: type[Any], row_id: int) -> int:
    with Session(bound) as session:
        return int(session.get_one(kind, row_id).version)


def test_a_site_is_stored_with_its_hours_and_room(bound: sa.Engine) -> None:
    site_id = sites.save(None, SITE, version=0, **BY)
    weekdays = [row(day, time(9), time(18)) for day in range(5)]
    sites.save_hours(site_id, weekdays, version=1, **BY)
    service_id = services.save(None, SERVICE, version=0, **BY)
    rooms.add(site_id, RoomValues(name="Room 1"), frozenset({service_id}), **BY)
    stored = all_of(bound, Site)[0]
    assert (
        (stored.name, stored.zone, stored.version),
        [(h.weekday, h.opens, h.closes) for h in all_of(bound, SiteHours)],
        [room.name for room in all_of(bound, Room)],
        [pair.service_id for pair in all_of(bound, RoomService)],
    ) == (
        ("Kendall", "America/New_York", 2),
        [(day, time(9), time(18)) for day in range(5)],
        ["Room 1"],
        [service_id],
    )


def test_every_change_is_in_the_audit_trail_and_makes_old_timetables_stale(
    bound: sa.Engine,
) -> None:
    with Session(bound) as session:
        before = session.scalar(sa.select(ScheduleVersion.version)) or 0
    sites.save(None, SITE, version=0, **BY)
    with Session(bound) as session:
        after = session.scalar(sa.select(ScheduleVersion.version)) or 0
        written = session.execute(sa.select(AuditRow.action, AuditRow.object_kind)).all()
    assert (after > before, [tuple(line) for line in written]) == (True, [("site.save", "site")])


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"name": ""}, {"name": "missing"}),
        ({"name": HUGE}, {"name": "too_long"}),
        ({"name": "Mia\0mi"}, {"name": "unprintable"}),
        ({"address": HUGE}, {"address": "too_long"}),
        ({"phone": "call us"}, {"phone": "phone"}),
        ({"colour": "red; }"}, {"colour": "colour"}),
        ({"zone": "America/Atlantis"}, {"zone": "zone"}),
        ({"zone": "../../etc/passwd"}, {"zone": "zone"}),
        ({"grid_minutes": 7}, {"grid_minutes": "choice"}),
        ({"position": -1}, {"position": "range"}),
        (
            {"name": "", "zone": "", "grid_minutes": 0},
            {"name": "missing", "zone": "zone", "grid_minutes": "choice"},
        ),
    ],
)
def test_a_site_that_cannot_be_is_refused_by_field(
    bound: sa.Engine, changes: dict[str, Any], expected: dict[str, str]
) -> None:
    values = replace(SITE, **changes)
    assert refused(lambda: sites.save(None, values, version=0, **BY)) == expected


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([row(0, time(18), time(9))], {"rows-0-ends": "end_before_start"}),
        ([row(0, time(9), time(9))], {"rows-0-ends": "end_before_start"}),
        ([row(0, time(9, 3), time(18))], {"rows-0-starts": "five_minutes"}),
        ([row(7, time(9), time(18))], {"rows-0-weekday": "choice"}),
        (
            [row(0, time(9), time(13)), row(0, time(12), time(18))],
            {"rows-1-starts": "overlaps"},
        ),
        (
            [row(0, time(9), time(13), valid_from=date(2027, 5, 1), valid_until=date(2027, 4, 1))],
            {"rows-0-valid_until": "until_before_from"},
        ),
        (
            [row(0, time(9), time(13), valid_from=date(1001, 1, 1))],
            {"rows-0-valid_from": "day_range"},
        ),
    ],
)
def test_hours_that_cannot_be_are_refused_by_row(
    bound: sa.Engine, clinic: SmallClinic, rows: list[WeeklyRow], expected: dict[str, str]
) -> None:
    assert refused(lambda: sites.save_hours(clinic.miami, rows, version=1, **BY)) == expected


def test_ranges_that_touch_or_never_hold_together_are_accepted(
    bound: sa.Engine, clinic: SmallClinic
) -> None:
    rows = [
        row(0, time(9), time(13), valid_until=date(2027, 5, 31)),
        row(0, time(13), time(18), valid_until=date(2027, 5, 31)),
        row(0, time(8), time(16), valid_from=date(2027, 6, 1)),
    ]
    sites.save_hours(clinic.miami, rows, version=1, **BY)
    stored = [h for h in all_of(bound, SiteHours) if h.site_id == clinic.miami]
    assert len(stored) == 3


def test_saving_the_same_hours_again_changes_no_row_of_them(
    bound: sa.Engine, clinic: SmallClinic
) -> None:
    before = {h.id for h in all_of(bound, SiteHours)}
    rows = [
        row(h.weekday, h.opens, h.closes)
        for h in all_of(bound, SiteHours)
        if h.site_id == clinic.miami
    ]
    sites.save_hours(clinic.miami, rows, version=1, **BY)
    assert {h.id for h in all_of(bound, SiteHours)} == before


def test_a_form_from_before_somebody_elses_change_is_stale_and_says_what_changed(
    bound: sa.Engine, clinic: SmallClinic
) -> None:
    values = replace(SITE, name="Miami", grid_minutes=30)
    sites.save(clinic.miami, values, version=1, **BY)
    with pytest.raises(Stale) as caught:
        sites.save(clinic.miami, replace(values, grid_minutes=10), version=1, **BY)
    assert caught.value.changed == {"grid_minutes": (10, 30)}


def test_hours_and_the_matrix_share_the_version_of_their_provider(
    bound: sa.Engine, clinic: SmallClinic
) -> None:
    providers.save_hours(clinic.md, clinic.miami, [row(0, time(9), time(12))], version=1, **BY)
    with pytest.raises(Stale):
        providers.allow(clinic.md, [], version=1, **BY)


def test_hours_of_a_provider_at_one_site_leave_the_other_site_alone(
    bound: sa.Engine, clinic: SmallClinic
) -> None:
    def at(site_id: int) -> int:
        stored = all_of(bound, ProviderHours)
        return sum((h.provider_id, h.site_id) == (clinic.md, site_id) for h in stored)

    elsewhere = at(clinic.aventura)
    rows = [row(0, time(9), time(17)), row(0, time(12), time(13), kind="break")]
    providers.save_hours(clinic.md, clinic.miami, rows, version=1, **BY)
    assert (at(clinic.miami), at(clinic.aventura)) == (2, elsewhere)


def test_a_cell_with_neither_right_is_no_row(bound: sa.Engine, clinic: SmallClinic) -> None:
    def cell(service_id: int, **rights: bool) -> Capability:
        return Capability(service_id=service_id, site_id=clinic.miami, **rights)

    cells = [
        cell(clinic.consult, may_treat=False, may_examine=True),
        cell(clinic.laser, may_treat=False, may_examine=False),
    ]
    providers.allow(clinic.rn_miami, cells, version=1, **BY)
    stored = [c for c in all_of(bound, ProviderService) if c.provider_id == clinic.rn_miami]
    assert [(c.service_id, c.may_treat, c.may_examine) for c in stored] == [
        (clinic.consult, False, True)
    ]


def test_a_matrix_names_only_services_and_sites_that_are_there(
    bound: sa.Engine, clinic: SmallClinic
) -> None:
    cell = Capability(service_id=999, site_id=clinic.miami, may_treat=True, may_examine=False)
    assert refused(lambda: providers.allow(clinic.md, [cell], version=1, **BY)) == {"": "choice"}


def test_the_matrix_of_a_sites_rooms_refuses_another_sites_room(
    bound: sa.Engine, clinic: SmallClinic
) -> None:
    with pytest.raises(NotFound):
        rooms.host(
            clinic.miami,
            {clinic.aventura_1: frozenset()},
            versions={clinic.aventura_1: 1},
            **BY,
        )


def test_two_rooms_of_a_site_never_share_a_name(bound: sa.Engine, clinic: SmallClinic) -> None:
    rooms.add(clinic.miami, RoomValues(name="Blue"), frozenset(), **BY)
    same = RoomValues(name="blue")
    assert refused(lambda: rooms.add(clinic.miami, same, frozenset(), **BY)) == {"name": "taken"}
    rooms.add(clinic.aventura, same, frozenset(), **BY)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"minutes": -5}, {"minutes": "minutes_range"}),
        ({"minutes": 0}, {"minutes": "minutes_range"}),
        ({"minutes": 47}, {"minutes": "minutes_step"}),
        ({"minutes": 10**9}, {"minutes": "minutes_range"}),
        ({"minutes_choices": (30, 47)}, {"minutes_choices": "minutes_step"}),
        ({"turnover_minutes": -10}, {"turnover_minutes": "minutes_range"}),
        ({"walk_minutes": 7}, {"walk_minutes": "minutes_step"}),
        ({"kind": "surgery"}, {"kind": "choice"}),
        ({"code": ""}, {"code": "missing"}),
        ({"code": "FAR TOO LONG A CODE"}, {"code": "too_long"}),
    ],
)
def test_a_service_that_cannot_be_is_refused_by_field(
    bound: sa.Engine, changes: dict[str, Any], expected: dict[str, str]
) -> None:
    values = replace(SERVICE, **changes)
    assert refused(lambda: services.save(None, values, version=0, **BY)) == expected


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"sessions": 0}, {"sessions": "sessions"}),
        ({"sessions": 13}, {"sessions": "sessions"}),
        ({"minutes": 50}, None),
        ({"minutes": 52}, {"minutes": "minutes_step"}),
        ({"gap_floor": 0}, {"gap_floor": "days"}),
        ({"gap_soft_max": 366}, {"gap_soft_max": "days"}),
        ({"gap_floor": 22}, {"gap_target": "below_floor"}),
        ({"gap_soft_max": 20}, {"gap_soft_max": "below_target"}),
        ({"gap_floor": 21, "gap_target": 21, "gap_soft_max": 21}, None),
        ({"gap_floor": 1, "gap_target": 1, "gap_soft_max": 365, "sessions": 12}, None),
        ({"zones": "face"}, {"zones": "choice"}),
        ({"service_id": 999}, {"service_id": "choice"}),
    ],
)
def test_a_protocol_keeps_its_gaps_in_order(
    bound: sa.Engine,
    clinic: SmallClinic,
    changes: dict[str, Any],
    expected: dict[str, str] | None,
) -> None:
    values = protocol(clinic, **changes)

    def save() -> int:
        return services.save_protocol(None, values, version=0, **BY)

    if expected is None:
        assert save() > 0
    else:
        assert refused(save) == expected


def test_editing_a_protocol_changes_no_running_course(
    bound: sa.Engine, clinic: SmallClinic, given: Callable[..., int]
) -> None:
    patient_id = given(factories.patient)
    course_id = given(factories.course, clinic, patient_id)
    before = [(s.gap_floor, s.gap_target, s.minutes) for s in all_of(bound, CourseSession)]
    protocol_id = next(c.protocol_id for c in all_of(bound, Course) if c.id == course_id)
    values = protocol(clinic, sessions=6, minutes=60)
    services.save_protocol(protocol_id, values, version=1, **BY)
    after = [(s.gap_floor, s.gap_target, s.minutes) for s in all_of(bound, CourseSession)]
    assert (after, next(p.sessions for p in all_of(bound, Protocol) if p.id == protocol_id)) == (
        before,
        6,
    )


def test_an_absence_is_recorded_whatever_is_booked(
    bound: sa.Engine, clinic: SmallClinic, given: Callable[..., int]
) -> None:
    patient_id = given(factories.patient)
    wednesday = date(2027, 3, 3)
    given(factories.appointment, clinic, patient_id, day=date(2027, 3, 3))
    values = AbsenceValues(from_date=wednesday, until_date=wednesday, reason="ill")
    absences.record("provider", (clinic.md,), values, **BY)
    statuses = [appointment.status for appointment in all_of(bound, Appointment)]
    assert (len(all_of(bound, Absence)), statuses) == (1, ["booked"])


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"until_date": date(2027, 3, 2)}, {"until_date": "until_before_from"}),
        ({"starts": time(9)}, {"ends": "both_times"}),
        ({"ends": time(9)}, {"starts": "both_times"}),
        ({"starts": time(9), "ends": time(8)}, {"ends": "end_before_start"}),
        ({"reason": HUGE}, {"reason": "too_long"}),
        ({"from_date": date(1, 1, 1)}, {"from_date": "day_range"}),
    ],
)
def test_an_absence_that_cannot_be_is_refused_by_field(
    bound: sa.Engine, clinic: SmallClinic, changes: dict[str, Any], expected: dict[str, str]
) -> None:
    day = date(2027, 3, 3)
    values = replace(AbsenceValues(from_date=day, until_date=day), **changes)
    assert refused(lambda: absences.record("provider", (clinic.md,), values, **BY)) == expected


def test_holidays_close_several_sites_at_once_and_each_only_once(
    bound: sa.Engine, clinic: SmallClinic
) -> None:
    day = AbsenceValues(
        from_date=date(2027, 12, 25), until_date=date(2027, 12, 25), reason="Christmas Day"
    )
    both = (clinic.miami, clinic.aventura)
    absences.record_all("site", (clinic.miami,), (day,), **BY)
    added = absences.record_all("site", both, (day,), **BY)
    assert (len(added), [a.site_id for a in all_of(bound, Absence)]) == (1, list(both))


def test_an_absence_is_taken_back_only_from_its_own_actor(
    bound: sa.Engine, clinic: SmallClinic
) -> None:
    day = AbsenceValues(from_date=TODAY, until_date=TODAY)
    (absence_id,) = absences.record("provider", (clinic.md,), day, **BY)
    with pytest.raises(NotFound):
        absences.take_back(absence_id, actor="provider", actor_id=clinic.pa, **BY)
    absences.take_back(absence_id, actor="provider", actor_id=clinic.md, **BY)
    assert all_of(bound, Absence) == []


def test_what_appointments_refer_to_is_retired_and_never_removed(
    bound: sa.Engine, clinic: SmallClinic, given: Callable[..., int]
) -> None:
    patient_id = given(factories.patient)
    given(factories.appointment, clinic, patient_id, day=date(2027, 3, 3))
    used = {
        "site": clinic.miami,
        "room": clinic.miami_consult,
        "provider": clinic.md,
        "service": clinic.consult,
    }
    for kind, row_id in used.items():
        assert refused(partial(ends.remove, kind, row_id, **BY)) == {"": "in_use"}
    ends.retire("room", clinic.miami_consult, from_date=date(2027, 4, 1), version=1, **BY)
    stored = {room.id: room.retired_from for room in all_of(bound, Room)}
    assert stored[clinic.miami_consult] == date(2027, 4, 1)


def test_what_nothing_refers_to_is_removed_with_its_parts(
    bound: sa.Engine, clinic: SmallClinic
) -> None:
    ends.remove("provider", clinic.rn_miami, **BY)
    left = {h.provider_id for h in all_of(bound, ProviderHours)} | {
        c.provider_id for c in all_of(bound, ProviderService)
    }
    assert clinic.rn_miami not in left


def test_a_site_with_rooms_is_not_removed(bound: sa.Engine) -> None:
    site_id = sites.save(None, SITE, version=0, **BY)
    room_id = rooms.add(site_id, RoomValues(name="Room 1"), frozenset(), **BY)
    assert refused(lambda: ends.remove("site", site_id, **BY)) == {"": "in_use"}
    ends.remove("room", room_id, **BY)
    ends.remove("site", site_id, **BY)
    assert all_of(bound, Site) == []


def test_a_changed_rule_is_a_new_record(bound: sa.Engine, clinic: SmallClinic) -> None:
    values = RuleValues(
        scope="site",
        scope_id=clinic.miami,
        value=15,
        severity="info",
        effective_from=date(2027, 4, 1),
    )
    rule_actions.record("room.turnover_minutes", values, **BY)
    rule_actions.record("room.turnover_minutes", replace(values, value=20), **BY)
    assert [(r.scope_id, r.value) for r in all_of(bound, RuleRecord)] == [
        (clinic.miami, {"value": 15}),
        (clinic.miami, {"value": 20}),
    ]


@pytest.mark.parametrize(
    ("code", "changes", "expected"),
    [
        ("room.turnover_minutes", {"value": -1}, {"value": "value_number"}),
        ("room.turnover_minutes", {"value": "ten"}, {"value": "value_number"}),
        ("room.turnover_minutes", {"value": None}, {"value": "value_number"}),
        ("room.turnover_minutes", {"severity": "block"}, {"severity": "severity_fixed"}),
        ("room.turnover_minutes", {"scope": "galaxy"}, {"scope": "choice"}),
        ("room.turnover_minutes", {"scope": "site"}, {"scope": "choice"}),
        ("room.turnover_minutes", {"scope": "site", "scope_id": 999}, {"scope": "choice"}),
        (
            "room.turnover_minutes",
            {"effective_from": date(2027, 2, 28)},
            {"effective_from": "in_the_past"},
        ),
        (
            "gap.new_zones",
            {"value": {"floor": 20, "target": 14, "soft_max": 21}},
            {"value": "value_order"},
        ),
        ("gap.below_floor", {"value": None, "severity": "never"}, {"severity": "choice"}),
    ],
)
def test_a_rule_that_cannot_be_is_refused_by_field(
    bound: sa.Engine,
    clinic: SmallClinic,
    code: str,
    changes: dict[str, Any],
    expected: dict[str, str],
) -> None:
    sound = RuleValues(
        scope="clinic", scope_id=None, value=15, severity="info", effective_from=TODAY
    )
    values = replace(sound, **changes)
    assert refused(lambda: rule_actions.record(code, values, **BY)) == expected


def test_a_rule_that_no_clinic_can_switch_off_has_no_records(bound: sa.Engine) -> None:
    values = RuleValues(
        scope="clinic", scope_id=None, value=None, severity="warn", effective_from=TODAY
    )
    with pytest.raises(NotFound):
        rule_actions.record("provider.busy", values, **BY)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"name": " "}, {"name": "missing"}),
        ({"email": "desk"}, {"email": "mail"}),
        ({"email": "a@b.c\r\nBcc: x@y.z"}, {"email": "unprintable"}),
        ({"phone": "12"}, {"phone": "phone"}),
        ({"colour": "teal!"}, {"colour": "colour"}),
        ({"languages": ()}, {"languages": "languages"}),
        ({"languages": ("xx",)}, {"languages": "languages"}),
    ],
)
def test_a_clinic_that_cannot_be_is_refused_by_field(
    bound: sa.Engine, changes: dict[str, Any], expected: dict[str, str]
) -> None:
    values = replace(CLINIC, **changes)
    assert refused(lambda: clinic.save(values, version=0, **BY)) == expected


def test_a_text_is_stored_once_per_language_and_needs_words_to_be_shown(bound: sa.Engine) -> None:
    def save(text: str, is_placeholder: bool, of: int) -> None:
        clinic.save_text("aftercare", "es", text, is_placeholder=is_placeholder, version=of, **BY)

    save("", True, 0)
    assert refused(lambda: save(" ", False, 1)) == {"text": "missing"}
    save("Camine.", False, 1)
    with pytest.raises(Stale):
        save("Otra vez.", False, 1)


def test_a_service_is_found_by_a_name_of_its_own(bound: sa.Engine, clinic: SmallClinic) -> None:
    services.save(None, SERVICE, version=0, **BY)
    other = replace(SERVICE, code="vein", name="Other")
    assert refused(lambda: services.save(None, other, version=0, **BY)) == {"code": "taken"}
    assert sum(s.code == "VEIN" for s in all_of(bound, Service)) == 1
