"""Services, protocols, rules, texts, absences and ends are stored as typed, or refused by field."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, time
from functools import partial
from typing import Any

import pytest
import sqlalchemy as sa

from planner.actions.catalogue import absences, clinic, rooms, services, sites
from planner.actions.catalogue import retirement as ends
from planner.actions.catalogue import rules as rule_actions
from planner.actions.catalogue.absences import AbsenceValues
from planner.actions.catalogue.rooms import RoomValues
from planner.actions.catalogue.rules import RuleValues
from planner.db.models import (
    Absence,
    Appointment,
    Course,
    CourseSession,
    Protocol,
    ProviderHours,
    ProviderService,
    Room,
    RuleRecord,
    Service,
    Site,
)
from planner.errors import NotFound, Stale
from tests import factories
from tests.actions.setting_up import (
    BY,
    CLINIC,
    HUGE,
    SERVICE,
    SITE,
    TODAY,
    all_of,
    protocol,
    refused,
)
from tests.factories import SmallClinic


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
