"""Small random clinics with everything in them that a rule can speak about, and what is asked of them.

Few starts a day, so that every way to place a course can be tried: see ``oracle``.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from planner.scheduling.interval import Interval
from planner.scheduling.preferences import OBJECTIVES, Weights, Wishes
from planner.scheduling.timetable import (
    AbsentDays,
    Busy,
    ConsultFact,
    CourseOrder,
    Flight,
    Gap,
    Kind,
    PastSession,
    PatientFacts,
    ProviderFacts,
    RoomFacts,
    RuleSetting,
    ServiceFacts,
    SessionOrder,
    Severity,
    SiteFacts,
    Slot,
    Status,
    Timetable,
    WeeklyHours,
)
from tests.scheduling.oracle import Minutes, Question

ZONES = ("America/New_York", "America/New_York", "America/Chicago", "America/Los_Angeles")
SESSION, OTHER, CONSULT = 1, 2, 3
PATIENT, STRANGER = 1, 2
COURSE, OTHER_COURSE = 1, 2
DAY = timedelta(days=1)
T = TypeVar("T")

# The weeks before the clocks go on and back, an ordinary week, and the turn of the year.
FIRST_DAYS = (
    date(2026, 3, 2),
    date(2026, 3, 5),
    date(2026, 10, 27),
    date(2026, 6, 1),
    date(2026, 12, 24),
)
PLACES = ("left_calf", "right_calf")
LONG_AGO = date(2020, 1, 1)
NOBODY: frozenset[int] = frozenset()

# What may make a world less simple: a handful at a time, so that most courses can still be placed.
TWISTS = (
    "absent", "away", "barred", "birth", "breaks", "closed", "consult", "dated", "decided", "eligible", "event",
    "face", "ignoring", "minutes", "out_of_service", "purpose", "retired", "site_rules", "stay", "treats",
    "wished_dates", "wished_places",
    *("done", "elsewhere", "fixed", "fixed", "flight", "past", "rules") * 2, "fixed", "fixed",
)  # fmt: skip
PLAIN_TWISTS = (
    "absent",
    "away",
    "breaks",
    "closed",
    "fixed",
    "flight",
    "out_of_service",
    "past",
    "rules",
)

# How much a world may hold for each number of sessions: days, open weekdays, starts a day.
_SIZES = {1: (10, 60, 6, 6), 2: (12, 34, 4, 4), 3: (17, 28, 3, 2), 4: (21, 28, 2, 2)}


@dataclass(frozen=True, kw_only=True)
class Frame:
    """What all parts of one world are drawn within."""

    sessions: int
    first: date
    days: int
    weekdays: tuple[int, ...]
    starts: int
    zones: tuple[str, ...]  # of the sites, by number from 1
    twists: frozenset[str]
    is_plain: bool  # no rule speaks of age, months or holidays, and nothing is dated

    @property
    def sites(self) -> tuple[int, ...]:
        return tuple(range(1, len(self.zones) + 1))

    @property
    def last(self) -> date:
        return self.first + (self.days - 1) * DAY

    def when(self, twist: str, then: st.SearchStrategy[T], otherwise: T) -> st.SearchStrategy[T]:
        """The strategy in a world with this twist."""
        return then if twist in self.twists else st.just(otherwise)

    def day(self, number: int) -> date:
        return self.first + number * DAY

    def at(self, day: date, wall: time, site_id: int = 1) -> datetime:
        return at(day, wall, self.zones[site_id - 1])


def at(day: date, wall: time, zone: str) -> datetime:
    """The instant, in UTC, of a wall-clock time."""
    return datetime.combine(day, wall, ZoneInfo(zone)).astimezone(UTC)


@st.composite
def questions(draw: st.DrawFn, sessions: int | None = None, *, is_plain: bool = False) -> Question:
    """A clinic and what is asked of it about one patient's course."""
    frame = draw(frames(sessions, is_plain=is_plain))
    timetable = draw(clinics(frame))
    facts = draw(patients(frame))
    asked, taken, facts = draw(orders(frame, timetable, facts))
    busy = (*timetable.busy, *taken)
    timetable = replace(timetable, busy=busy, patients={PATIENT: facts, STRANGER: PatientFacts()})
    moved = st.sampled_from([one.appointment_id for one in busy] or [0])
    ignoring = draw(frame.when("ignoring", moved.map(lambda one: frozenset({one})), NOBODY))
    return Question(
        order=asked,
        timetable=timetable,
        wishes=draw(wishes(frame)),
        purpose=draw(frame.when("purpose", st.sampled_from(["reserve", "hold"]), "book")),
        ignoring=ignoring,
    )


@st.composite
def frames(draw: st.DrawFn, sessions: int | None = None, *, is_plain: bool = False) -> Frame:
    """How many sessions, which days, which sites."""
    sessions = draw(st.sampled_from([1, 2, 2, 3, 3, 4])) if sessions is None else sessions
    least_days, most_days, most_weekdays, starts = _SIZES[sessions]
    weekdays = draw(
        st.lists(
            st.sampled_from([0, 1, 2, 3, 4, 5, 6]), min_size=2, max_size=most_weekdays, unique=True
        )
    )
    zones = draw(st.lists(st.sampled_from(ZONES), min_size=1, max_size=2))
    twists = draw(st.frozensets(st.sampled_from(PLAIN_TWISTS if is_plain else TWISTS), max_size=5))
    if "elsewhere" in twists and len(zones) < 2:
        zones = [*zones, draw(st.sampled_from(ZONES))]
    return Frame(
        sessions=sessions,
        first=date(2026, 6, 1) if is_plain else draw(st.sampled_from(FIRST_DAYS)),
        days=draw(st.integers(least_days, most_days)),
        weekdays=tuple(sorted(weekdays)),
        starts=starts,
        zones=("America/New_York", *zones[1:]),
        twists=twists,
        is_plain=is_plain,
    )


@st.composite
def clinics(draw: st.DrawFn, frame: Frame) -> Timetable:
    """Sites, rooms, providers, rules, and what strangers have booked."""
    sites = {site: draw(_site(frame, site)) for site in frame.sites}
    rooms = {room: draw(_room(frame)) for room in range(1, draw(st.integers(1, 3)) + 1)}
    rooms[1] = replace(rooms[1], site_id=1, service_ids=frozenset({SESSION, OTHER}))
    if "elsewhere" in frame.twists:
        rooms[2] = replace(rooms.get(2, rooms[1]), site_id=2)
    providers = {number: draw(_provider(frame)) for number in range(1, draw(st.integers(1, 3)) + 1)}
    always = tuple(
        WeeklyHours(weekday=day, starts=time(8), ends=time(12)) for day in frame.weekdays
    )
    providers[1] = replace(providers[1], hours={**providers[1].hours, 1: always})
    now = frame.at(frame.first, draw(st.sampled_from([time(0), time(9, 7), time(10)])))
    ends = draw(_mostly(st.just(time(0)), st.just(time(10, 30))))
    horizon = Interval(
        now + draw(_mostly(st.sampled_from([0, -1]), st.just(3))) * DAY,
        frame.at(frame.last + DAY, ends),
    )
    timetable = Timetable(
        horizon=horizon,
        now=now,
        sites=sites,
        rooms=rooms,
        providers=providers,
        services={
            SESSION: ServiceFacts(
                kind=Kind.SESSION,
                minutes=45,
                preparation_minutes=draw(st.sampled_from([None, 0, 5])),
                turnover_minutes=draw(st.sampled_from([None, 0, 10, 20])),
                walk_minutes=draw(st.sampled_from([0, 20])),
            ),
            OTHER: ServiceFacts(kind=Kind.OTHER, minutes=30),
            CONSULT: ServiceFacts(kind=Kind.CONSULT, minutes=30),
        },
        rules=draw(records(frame)),
    )
    taken = draw(st.lists(_taken(frame, timetable), max_size=8))
    taken += draw(frame.when("elsewhere", _elsewhere(frame, timetable), []))
    busy = tuple(replace(one, appointment_id=number) for number, one in enumerate(taken, 1))
    return replace(timetable, busy=busy)


@st.composite
def patients(draw: st.DrawFn, frame: Frame) -> PatientFacts:
    """An adult who has seen the provider; now and then one about whom a rule has something to say."""
    day = st.integers(1, frame.days).map(frame.day)
    turning = day.map(lambda on: _years_before(on, 18))
    consult = st.builds(
        ConsultFact,
        on=st.integers(1, 170).map(lambda ago: frame.first - ago * DAY),
        outcome=st.sampled_from(["candidate", "candidate", "candidate", "not_now"]),
    )
    consults = _mostly(consult.map(lambda one: (one,)), st.just(()))
    bar = draw(frame.when("barred", st.sampled_from(["pregnant", "flags"]), ""))
    usual = (ConsultFact(on=frame.first - 7 * DAY, outcome="candidate"),)
    return PatientFacts(
        birth_date=draw(frame.when("birth", st.none() | turning | turning, date(1980, 2, 29))),
        eligible_from=draw(frame.when("eligible", day, None)),
        is_pregnant=bar == "pregnant",
        flags=frozenset({"screening.clots"} if bar == "flags" else ()),
        consults=draw(frame.when("consult", consults, usual)),
        past_sessions=draw(frame.when("past", _few(_past_session(frame)), ())),
        flights=draw(frame.when("flight", _few(_flight(frame)), ())),
        away=draw(frame.when("away", _few(_absence(frame)), ())),
        events=draw(frame.when("event", _few(_absence(frame)), ())),
        stay_from=draw(frame.when("stay", st.none() | day, None)),
        stay_until=draw(frame.when("stay", st.none() | day, None)),
    )


@st.composite
def orders(
    draw: st.DrawFn, frame: Frame, timetable: Timetable, facts: PatientFacts
) -> tuple[CourseOrder, tuple[Busy, ...], PatientFacts]:
    """The order, the appointments its sessions have already, and the patient with those that are done."""
    rows = [draw(_row(frame, number)) for number in range(1, frame.sessions + 1)]
    done = draw(frame.when("done", st.integers(0, frame.sessions - 1), 0))
    taken: list[Busy] = []
    for number in range(1, done + 1):
        rows[number - 1], past = draw(_done(frame, rows[number - 1], done - number))
        facts = replace(facts, past_sessions=(*facts.past_sessions, *past))
    for row, slot in draw(_fixed(frame, timetable, rows[done:])):
        appointment_id = draw(st.sampled_from([None, 100 + row.number]))
        rows[row.number - 1] = replace(row, fixed=slot, appointment_id=appointment_id)
        if appointment_id is not None:
            taken.append(
                Busy(
                    appointment_id=appointment_id,
                    status=draw(st.sampled_from([Status.BOOKED, Status.RESERVED])),
                    slot=slot,
                    course_id=COURSE,
                    zones=row.zones,
                )
            )
    asked = CourseOrder(
        service_id=SESSION,
        sessions=tuple(rows),
        same_zone_gap=draw(_gap(2, 8 if frame.sessions < 3 else 5)),
        patient_id=PATIENT,
        course_id=COURSE if done or taken else draw(st.sampled_from([COURSE, None])),
        protocol_id=draw(st.sampled_from([None, 1])),
        is_decided=draw(frame.when("barred", st.booleans(), True)),
        decided=draw(frame.when("decided", st.just(frozenset(_DECIDED)), frozenset())),
    )
    return asked, tuple(taken), facts


@st.composite
def records(draw: st.DrawFn, frame: Frame) -> tuple[RuleSetting, ...]:
    """A few rules that the clinic has changed; what a distance is worth has no scope but the clinic."""
    pool = _PLAIN_RECORDS if frame.is_plain else (*_PLAIN_RECORDS, *_RECORDS)
    some = st.lists(
        st.sampled_from(pool), min_size=1, max_size=4, unique_by=lambda one: str(one[0])
    )
    return (
        *(
            RuleSetting(
                code=code,
                scope="clinic",
                scope_id=None,
                value=value,
                severity=severity,
                effective_from=draw(_effective(frame, code)),
            )
            for code, value, severity in draw(frame.when("rules", some, []))
        ),
        *draw(frame.when("site_rules", _few(_site_record(frame)), ())),
        *draw(frame.when("elsewhere", _few(_site_record(frame), least=1), ())),
    )


@st.composite
def wishes(draw: st.DrawFn, frame: Frame) -> Wishes:
    """Often none; sites, providers and dates now and then, weekdays and hours often."""
    day = st.integers(0, frame.days).map(frame.day)
    return Wishes(
        site_ids=draw(frame.when("wished_places", st.none() | st.just(frozenset({1})), None)),
        provider_ids=draw(
            frame.when(
                "wished_places", st.sampled_from([None, frozenset({1}), frozenset({1, 2})]), None
            )
        ),
        weekdays=draw(st.frozensets(st.sampled_from(frame.weekdays), max_size=2)),
        earliest=draw(st.sampled_from([None, time(9, 30), time(10)])),
        latest=draw(st.sampled_from([None, None, time(10, 40), time(10)])),
        not_before=draw(frame.when("wished_dates", st.none() | day, None)),
        not_after=draw(frame.when("wished_dates", st.none() | day, None)),
    )


def weights() -> st.SearchStrategy[Weights]:
    """The three objectives, and any other."""
    points = st.integers(0, 30)
    names = Weights.__dataclass_fields__
    other = st.builds(Weights, **dict.fromkeys(names, points))
    return st.sampled_from(list(OBJECTIVES.values())) | other


@st.composite
def _site(draw: st.DrawFn, frame: Frame, number: int) -> SiteFacts:
    grid = draw(st.sampled_from([10, 15, 15, 30]))
    opens = draw(st.sampled_from([time(9), time(9, 30), time(8, 50)]))
    closes = _later(opens, 75 + 15 * draw(st.integers(0, frame.starts)))
    weekdays = frame.weekdays if number == 1 else draw(st.sampled_from([(0, 3), frame.weekdays]))
    hours = [WeeklyHours(weekday=day, starts=opens, ends=closes) for day in weekdays]
    if "dated" in frame.twists:
        hours[-1] = replace(hours[-1], valid_until=frame.day(9))
    return SiteFacts(
        zone=frame.zones[number - 1],
        grid_minutes=grid,
        hours=tuple(hours),
        closures=draw(frame.when("closed", _few(_absence(frame)), ())),
        retired_from=draw(frame.when("retired", _end(frame), None)),
    )


@st.composite
def _room(draw: st.DrawFn, frame: Frame) -> RoomFacts:
    return RoomFacts(
        site_id=draw(st.sampled_from(frame.sites)),
        service_ids=draw(
            st.sampled_from(
                [frozenset({SESSION}), frozenset({SESSION, OTHER}), frozenset({OTHER, CONSULT})]
            )
        ),
        outages=draw(frame.when("out_of_service", _few(_absence(frame)), ())),
        retired_from=draw(frame.when("retired", _end(frame), None)),
    )


@st.composite
def _provider(draw: st.DrawFn, frame: Frame) -> ProviderFacts:
    treats = frozenset((SESSION, site) for site in frame.sites)
    return ProviderFacts(
        hours={site: draw(_weekly(frame)) for site in frame.sites},
        breaks={site: draw(frame.when("breaks", _lunch(frame), ())) for site in frame.sites},
        treats=draw(
            frame.when("treats", st.sampled_from([treats, frozenset({(SESSION, 1)})]), treats)
        ),
        examines=frozenset(),
        absences=draw(frame.when("absent", _few(_absence(frame)), ())),
        retired_from=draw(frame.when("retired", _end(frame), None)),
    )


@st.composite
def _weekly(draw: st.DrawFn, frame: Frame) -> tuple[WeeklyHours, ...]:
    days = draw(st.lists(st.sampled_from(frame.weekdays), min_size=1, unique=True))
    opens = draw(st.sampled_from([time(8), time(9), time(9, 20)]))
    ends = draw(st.sampled_from([time(10, 15), time(10, 45), time(12)]))
    return tuple(WeeklyHours(weekday=day, starts=opens, ends=ends) for day in sorted(days))


def _lunch(frame: Frame) -> st.SearchStrategy[tuple[WeeklyHours, ...]]:
    rows = tuple(
        WeeklyHours(weekday=day, starts=time(9, 50), ends=time(10, 5)) for day in frame.weekdays
    )
    return st.sampled_from([(), rows])


@st.composite
def _taken(draw: st.DrawFn, frame: Frame, timetable: Timetable) -> Busy:
    """An appointment of a stranger, or one that the patient has beside the course."""
    patient = draw(_mostly(st.sampled_from([STRANGER, STRANGER, None]), st.just(PATIENT)))
    service = draw(st.sampled_from([SESSION, OTHER, CONSULT]))
    status = draw(
        _mostly(
            st.just(Status.BOOKED),
            st.sampled_from(
                [Status.HELD, Status.RESERVED, Status.ARRIVED, Status.CANCELLED, Status.NO_SHOW]
            ),
        )
    )
    runs_out = draw(st.sampled_from([None, timedelta(minutes=10), timedelta(minutes=-1)]))
    zones = draw(_zones) if patient == PATIENT and service == SESSION else frozenset()
    return Busy(
        appointment_id=0,
        status=status,
        slot=draw(_slot(frame, timetable, service, patient)),
        expires_at=timetable.now + runs_out if runs_out is not None else None,
        course_id=OTHER_COURSE if zones else None,
        zones=zones,
    )


@st.composite
def _elsewhere(draw: st.DrawFn, frame: Frame, timetable: Timetable) -> list[Busy]:
    """What the patient has at the second site, beside the course: the way from there takes its time."""
    rooms = [number for number, room in timetable.rooms.items() if room.site_id == 2]
    own = st.builds(
        Busy,
        appointment_id=st.just(0),
        status=st.sampled_from([Status.BOOKED, Status.RESERVED]),
        slot=st.sampled_from([OTHER, CONSULT]).flatmap(
            lambda service: _slot(frame, timetable, service, PATIENT, rooms=rooms)
        ),
    )
    return draw(st.lists(own, min_size=1, max_size=2))


@st.composite
def _slot(
    draw: st.DrawFn,
    frame: Frame,
    timetable: Timetable,
    service: int,
    patient: int | None,
    day: date | None = None,
    rooms: Iterable[int] = (),
) -> Slot:
    room = draw(st.sampled_from(sorted(rooms or timetable.rooms)))
    site = timetable.rooms[room].site_id
    provider = draw(st.sampled_from(sorted(timetable.providers)))
    wall = draw(st.sampled_from([time(8, 30), time(9), time(9, 30), time(9, 45), time(10, 20)]))
    day = draw(st.sampled_from(_open_days(frame))) if day is None else day
    return Minutes(timetable).slot(
        service,
        (frame.at(day, wall, site), site, provider),
        room,
        draw(st.sampled_from([30, 45])),
        patient,
    )


@st.composite
def _row(draw: st.DrawFn, frame: Frame, number: int) -> SessionOrder:
    return SessionOrder(
        number=number,
        minutes=draw(frame.when("minutes", st.sampled_from([25, 30, 60, 70]), 45)),
        gap=draw(_gap(1, 7 if frame.sessions < 3 else 4)),
        zones=draw(frame.when("face", _zones.map(lambda some: some | {"face"}), frozenset()))
        | draw(_zones),
        is_custom_gap=draw(_mostly(st.just(False), st.just(True))),
    )


@st.composite
def _done(
    draw: st.DrawFn, frame: Frame, row: SessionOrder, later: int
) -> tuple[SessionOrder, tuple[PastSession, ...]]:
    """A session that took place, and what was treated: not always what was ordered."""
    on = frame.first - (draw(st.integers(0, 3)) + 4 * later) * DAY
    ends_at = frame.at(on, time(8, 30))
    number = 200 + row.number
    past = PastSession(
        on=on,
        ends_at=ends_at,
        zones=draw(st.sampled_from([row.zones, row.zones, frozenset({"left_calf"})])),
        course_id=COURSE,
        number=row.number,
        appointment_id=number,
    )
    done = replace(row, done_on=on, done_ends_at=ends_at, appointment_id=number)
    return done, draw(st.sampled_from([(past,), (past,), ()]))


@st.composite
def _fixed(
    draw: st.DrawFn, frame: Frame, timetable: Timetable, rows: list[SessionOrder]
) -> list[tuple[SessionOrder, Slot]]:
    """Which of the sessions have a place already; at least one has none."""
    count = draw(frame.when("fixed", st.integers(0, len(rows) - 1), 0))
    chosen = draw(st.permutations(rows))[:count]
    days = _open_days(frame)
    if len(days) < len(rows):
        return []
    spread = sorted(draw(st.permutations(days))[: len(rows)])
    return [
        (row, draw(_slot(frame, timetable, SESSION, PATIENT, day))._replace(number=row.number))
        for row, day in zip(rows, spread, strict=True)
        if row in chosen
    ]


@st.composite
def _past_session(draw: st.DrawFn, frame: Frame) -> PastSession:
    on = frame.first - draw(st.integers(1, 30)) * DAY
    return PastSession(
        on=on,
        ends_at=frame.at(on, time(11)),
        zones=draw(_zones),
        course_id=draw(st.sampled_from([None, OTHER_COURSE])),
        number=None,
        appointment_id=draw(st.sampled_from([None, 300])),
    )


def _flight(frame: Frame) -> st.SearchStrategy[Flight]:
    day = st.integers(0, frame.days).map(frame.day)
    return st.builds(Flight, on=day, at=st.sampled_from([None, time(9, 30), time(18)]))


@st.composite
def _absence(draw: st.DrawFn, frame: Frame) -> AbsentDays:
    first = frame.day(draw(st.integers(0, frame.days)))
    hours = draw(st.sampled_from([(None, None), (None, None), (time(9, 20), time(10, 10))]))
    return AbsentDays(
        from_date=first,
        until_date=first + draw(st.integers(0, 4)) * DAY,
        starts=hours[0],
        ends=hours[1],
    )


@st.composite
def _gap(draw: st.DrawFn, least: int, most: int) -> Gap:
    floor = draw(st.integers(least, most))
    target = floor + draw(st.integers(0, 5))
    return Gap(floor=floor, target=target, soft_max=target + draw(st.integers(0, 4)))


@st.composite
def _site_record(draw: st.DrawFn, frame: Frame) -> RuleSetting:
    code, value, severity = draw(st.sampled_from(_SITE_RECORDS))
    return RuleSetting(
        code=code,
        scope="site",
        scope_id=draw(st.sampled_from(frame.sites)),
        value=value,
        severity=severity,
        effective_from=draw(_effective(frame, code)),
    )


def _effective(frame: Frame, code: str) -> st.SearchStrategy[date]:
    """From when a record holds; how grave a distance is does not change on the way."""
    if code in _UNDATED:
        return st.just(LONG_AGO)
    return frame.when("dated", st.integers(0, 9).map(frame.day), LONG_AGO)


def _end(frame: Frame) -> st.SearchStrategy[date | None]:
    return st.none() | st.integers(5, frame.days).map(frame.day)


def _open_days(frame: Frame) -> list[date]:
    days = [frame.day(number) for number in range(frame.days)]
    return [day for day in days if day.weekday() in frame.weekdays] or days[:1]


def _later(at: time, minutes: int) -> time:
    return (datetime.combine(date(2026, 1, 1), at) + timedelta(minutes=minutes)).time()


def _years_before(day: date, years: int) -> date:
    return date(day.year - years, day.month, min(day.day, 28))


def _mostly(usual: st.SearchStrategy[T], other: st.SearchStrategy[T]) -> st.SearchStrategy[T]:
    return st.one_of(*(usual,) * 9, other)


def _few(one: st.SearchStrategy[T], least: int = 0) -> st.SearchStrategy[tuple[T, ...]]:
    return st.lists(one, min_size=least, max_size=2).map(tuple)


_zones = st.frozensets(st.sampled_from(PLACES), max_size=2)
_INFO, _WARN, _DECIDE, _BLOCK = Severity.INFO, Severity.WARN, Severity.DECIDE, Severity.BLOCK

_DECIDED = ("flight.within_48h", "zone.face", "consult.valid_days")
_UNDATED = frozenset({"gap.below_floor", "gap.below_target", "gap.above_soft_max"})
_OF_THE_CLINIC = frozenset({"course.gap_mode", "gap.new_zones", *_UNDATED})
_PLAIN_RECORDS: tuple[tuple[str, Any, Severity], ...] = (
    ("course.gap_mode", "strict", _INFO),
    ("gap.new_zones", {"floor": 2, "target": 5, "soft_max": 9}, _INFO),
    ("gap.below_floor", None, _WARN),
    ("gap.below_target", None, _DECIDE),
    ("gap.above_soft_max", None, _DECIDE),
    ("notice.minutes", 2880, _WARN),
    ("provider.travel_minutes", 60, _WARN),
    ("patient.travel_minutes", 120, _WARN),
    ("flight.within_48h", 48, _WARN),
    ("flight.within_72h", 96, _BLOCK),
    ("session.minutes_range", {"from": 45, "to": 60}, _WARN),
)
_RECORDS: tuple[tuple[str, Any, Severity], ...] = (
    ("event.within_72h", None, _DECIDE),
    ("patient.stay", None, _DECIDE),
    ("patient.away", None, _INFO),
    ("consult.valid_days", 20, _DECIDE),
    ("consult.valid_days", 20, _WARN),
    ("consult.required", None, _WARN),
    ("consult.same_day_reservation", True, _BLOCK),
    ("patient.age", 18, _WARN),
    ("patient.eligible_from", 3, _WARN),
    ("session.minutes_range", {"from": 30, "to": 40}, _DECIDE),
    ("aftercare.sun", 120, _INFO),
    ("room.turnover_minutes", 15, _INFO),
)
# What a site may see otherwise than the clinic: mostly what takes rooms and people from one site to the other.
_SITE_RECORDS: tuple[tuple[str, Any, Severity], ...] = (
    *(
        (code, minutes, severity)
        for code in ("patient.travel_minutes", "provider.travel_minutes")
        for minutes in (0, 15, 47, 90)
        for severity in (_WARN, _BLOCK)
    ),
    *(
        (code, minutes, _INFO)
        for code in ("room.turnover_minutes", "room.preparation_minutes")
        for minutes in (0, 15, 90)
    ),
    *(record for record in (*_PLAIN_RECORDS, *_RECORDS) if record[0] not in _OF_THE_CLINIC),
)
