"""What a manager sets up is stored as typed, or refused with the field that cannot be."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, time
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from planner.actions.catalogue import providers, rooms, services, sites
from planner.actions.catalogue.providers import Capability
from planner.actions.catalogue.rooms import RoomValues
from planner.actions.catalogue.weekly import WeeklyRow
from planner.db.models import (
    AuditRow,
    ProviderHours,
    ProviderService,
    Room,
    RoomService,
    ScheduleVersion,
    Site,
    SiteHours,
)
from planner.errors import NotFound, Stale
from tests.actions.setting_up import (
    BY,
    HUGE,
    SERVICE,
    SITE,
    all_of,
    refused,
    row,
)
from tests.factories import SmallClinic


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
