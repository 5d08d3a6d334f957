"""All tables, by the name of their row."""

from planner.db.models.access import SignIn, Throttle, User
from planner.db.models.calendars import CalendarFeed, FeedFetch, Handover, LeftOutEvent
from planner.db.models.catalogue import (
    Absence,
    Clinic,
    ClinicText,
    Protocol,
    Provider,
    ProviderHours,
    ProviderService,
    Room,
    RoomService,
    RuleRecord,
    Service,
    Site,
    SiteHours,
)
from planner.db.models.courses import LIVE_STATUSES, Appointment, Course, CourseSession, Decision
from planner.db.models.messages import Message
from planner.db.models.people import (
    Consent,
    Consult,
    DateToAvoid,
    Notice,
    Patient,
    PatientLink,
    Screening,
)
from planner.db.models.records import AuditHead, AuditRow, Change, IdempotencyKey, ScheduleVersion

__all__ = [
    "LIVE_STATUSES",
    "Absence",
    "Appointment",
    "AuditHead",
    "AuditRow",
    "CalendarFeed",
    "Change",
    "Clinic",
    "ClinicText",
    "Consent",
    "Consult",
    "Course",
    "CourseSession",
    "DateToAvoid",
    "Decision",
    "FeedFetch",
    "Handover",
    "IdempotencyKey",
    "LeftOutEvent",
    "Message",
    "Notice",
    "Patient",
    "PatientLink",
    "Protocol",
    "Provider",
    "ProviderHours",
    "ProviderService",
    "Room",
    "RoomService",
    "RuleRecord",
    "ScheduleVersion",
    "Screening",
    "Service",
    "SignIn",
    "Site",
    "SiteHours",
    "Throttle",
    "User",
]
