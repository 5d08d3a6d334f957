"""What the database refused, in the words of ``planner.errors``."""

from __future__ import annotations

import re

import sqlalchemy as sa
from sqlalchemy.orm.exc import StaleDataError

from planner.db.guards import CLOCKS, ONE_LIVE, PREFIX
from planner.errors import Invalid, NotFound, PlannerError, Refused, Stale, Unavailable
from planner.scheduling.timetable import Conflict, Severity

SERIALISATION = frozenset({"40001", "40P01"})  # serialization_failure, deadlock_detected
SQLITE_BUSY, SQLITE_LOCKED = 5, 6
SQLITE_CORRUPT, SQLITE_NOTADB = 11, 26


def is_serialisation(error: Exception) -> bool:
    """Whether the same work may succeed when it is simply done again."""
    return _sqlstate(error) in SERIALISATION


def is_busy(error: Exception) -> bool:
    """Whether SQLite waited for its lock in vain."""
    return _sqlite_code(error) in (SQLITE_BUSY, SQLITE_LOCKED)


def translated(error: Exception) -> PlannerError | None:
    """Return what the error means to whoever asked, or None when it is a fault of ours."""
    if isinstance(error, StaleDataError):
        return Stale({})
    if isinstance(error, sa.exc.IntegrityError):
        return _refusal(error) or _invalid(error)
    if isinstance(error, sa.exc.DataError):
        return Invalid(
            {"": "unusable"}
        )  # too long, NUL, out of range: the form should have said so
    if isinstance(error, sa.exc.TimeoutError):
        return Unavailable("no connection was free")
    if isinstance(error, sa.exc.DBAPIError) and _is_away(error):
        return Unavailable(str(error.orig))
    return None


def _refusal(error: sa.exc.IntegrityError) -> Refused | None:
    named = _constraint(error)
    text = str(error.orig)
    for clock in CLOCKS:
        if named == f"{PREFIX}appointment_{clock.actor}" or f"overlap: {clock.actor}" in text:
            return Refused([Conflict(code=f"{clock.actor}.busy", severity=Severity.BLOCK)])
    if named == ONE_LIVE or "UNIQUE constraint failed: appointment.course_session_id" in text:
        return Refused([Conflict(code="order.already_placed", severity=Severity.BLOCK)])
    return None


def _invalid(error: sa.exc.IntegrityError) -> PlannerError:
    text = str(error.orig)
    if _sqlstate(error) == "23503" or "FOREIGN KEY constraint failed" in text:
        return NotFound("a row that is referred to")
    if _sqlstate(error) == "23505" or "UNIQUE constraint failed" in text:
        return Invalid({_unique_column(error): "taken"})
    return Invalid({"": "unusable"})


def _unique_column(error: sa.exc.IntegrityError) -> str:
    on_sqlite = re.search(r"UNIQUE constraint failed: (.+)", str(error.orig))
    if on_sqlite:
        return on_sqlite[1].split(", ")[-1].rpartition(".")[2]
    detail = re.search(r"Key \((.+?)\)=", str(error.orig))
    return detail[1].split(", ")[-1].strip('"') if detail else ""


def _is_away(error: sa.exc.DBAPIError) -> bool:
    if isinstance(error, sa.exc.OperationalError | sa.exc.InterfaceError):
        return not _is_ours(error)
    return _sqlite_code(error) in (SQLITE_CORRUPT, SQLITE_NOTADB)


def _is_ours(error: sa.exc.DBAPIError) -> bool:
    # "no such table", "near …: syntax error": SQLite calls them operational too.
    return _sqlite_code(error) == 1


def _constraint(error: sa.exc.DBAPIError) -> str | None:
    return getattr(getattr(error.orig, "diag", None), "constraint_name", None)


def _sqlstate(error: Exception) -> str | None:
    return getattr(getattr(error, "orig", None), "sqlstate", None)


def _sqlite_code(error: Exception) -> int | None:
    original = getattr(error, "orig", None)
    code = getattr(original, "sqlite_errorcode", None)
    if code is not None:
        return int(code) & 0xFF
    return SQLITE_BUSY if "database is locked" in str(original) else None
