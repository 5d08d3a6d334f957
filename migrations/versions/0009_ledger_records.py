"""Keep of each appointment what a search needs, as one record in the index by site and start.

The database works the record out by itself, so that nobody has to remember to. It is seven numbers of four bytes and
six of two, the highest byte first, in the order of ``planner.scheduling.ledger.Record``; on SQLite, hexadecimal digits:
what can be put together there. It is null for what takes nobody's time, and for holds and reservations, which run out.
"""

from __future__ import annotations

from collections.abc import Callable

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

SETTLED = "status IN ('booked', 'arrived', 'started', 'fulfilled')"
IDS = "id", "patient_id", "coalesce(course_session_id, 0)", "provider_id", "room_id", "service_id"
STATUS = "CASE status WHEN 'booked' THEN 0 WHEN 'arrived' THEN 1 WHEN 'started' THEN 2 ELSE 3 END"


def upgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        kind = f"TEXT GENERATED ALWAYS AS ({_digits()}) VIRTUAL"
        columns = "(site_id, starts_at, ledger_record, course_session_id)"
    else:
        kind = f"BYTEA GENERATED ALWAYS AS ({_bytes()}) STORED"
        columns = "(site_id, starts_at) INCLUDE (ledger_record, course_session_id)"
    op.execute(f"ALTER TABLE appointment ADD COLUMN ledger_record {kind}")
    # Instead of the one before: a second index of the same order would cost each booking more.
    op.drop_index("ix_appointment_site_day", table_name="appointment")
    op.execute(f"CREATE INDEX ledger_appointment_site_day ON appointment {columns}")


def downgrade() -> None:
    op.execute("DROP INDEX ledger_appointment_site_day")
    op.execute("ALTER TABLE appointment DROP COLUMN ledger_record")
    op.create_index("ix_appointment_site_day", "appointment", ["site_id", "starts_at"])


def _digits() -> str:
    def begun(at: str) -> str:
        return f"unixepoch({at}) / 60"

    def over(at: str) -> str:
        return f"(unixepoch({at}) + 59) / 60"

    start, *others = _times(begun, over, "min")
    form = "%08x" * 7 + "%04x" * 6
    numbers = ", ".join((*IDS, start, STATUS, *others))
    return f"CASE WHEN {SETTLED} THEN printf('{form}', {numbers}) END"


def _bytes() -> str:
    def seconds(at: str) -> str:
        return f"date_part('epoch', {at} - to_timestamp(0))"

    def begun(at: str) -> str:
        return f"floor({seconds(at)} / 60)::integer"

    def over(at: str) -> str:
        return f"ceil({seconds(at)} / 60)::integer"

    start, *others = _times(begun, over, "least")
    long = (f"int4send({number})" for number in (*IDS, start))
    short = (f"int2send(({number})::smallint)" for number in (STATUS, *others))
    return f"CASE WHEN {SETTLED} THEN {' || '.join((*long, *short))} END"


def _times(begun: Callable[[str], str], over: Callable[[str], str], least: str) -> tuple[str, ...]:
    """The start in minutes since 1970; then, in minutes: the way out, the time of day, the length, before and after."""
    start, end = begun("starts_at"), over("ends_at")

    def between(earlier: str, later: str) -> str:
        # No visit takes more than a day: a row that says weeks has to fit in two bytes all the same.
        return f"{least}({later} - {earlier}, 32767)"

    return (
        start,
        between(end, over("patient_until")),
        f"{start} % 1440",
        between(start, end),
        between(begun("room_from"), start),
        between(end, over("room_until")),
    )
