"""Add the outbox of messages to patients, and what patients and the clinic wish for them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0001"
branch_labels = None
depends_on = None

KINDS = (
    "kind IN ('confirmation', 'course', 'change', 'cancellation', 'invitation', 'reminder',"
    " 'aftercare', 'next_session', 'test')"
)
STATUSES = "status IN ('waiting', 'sending', 'sent', 'failed', 'dropped')"


def upgrade() -> None:
    op.create_table(
        "message",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(length=16), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("channel", sa.String(length=4), nullable=False),
        sa.Column("status", sa.String(length=8), nullable=False),
        sa.Column("patient_id", sa.Integer(), nullable=True),
        sa.Column("course_id", sa.Integer(), nullable=True),
        sa.Column("appointment_id", sa.Integer(), nullable=True),
        sa.Column("site_id", sa.Integer(), nullable=True),
        sa.Column("facts", sa.JSON(), nullable=False),
        sa.Column("planned_as", sa.String(length=80), nullable=True),
        sa.Column("not_before", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("next_attempt_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("lease_owner", sa.String(length=80), nullable=False),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reason", sa.String(length=20), nullable=False),
        sa.Column("last_error", sa.String(length=300), nullable=False),
        sa.Column("message_id", sa.String(length=255), nullable=False),
        sa.Column("receipt", sa.String(length=64), nullable=False),
        sa.Column("recipient", sa.String(length=254), nullable=False),
        sa.Column("locale", sa.String(length=5), nullable=False),
        sa.Column("subject", sa.String(length=200), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("link_id", sa.Integer(), nullable=True),
        sa.Column("superseded_by", sa.Integer(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.Integer(), nullable=True),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(KINDS, name=op.f("ck_message_kind")),
        sa.CheckConstraint("channel IN ('mail', 'sms')", name=op.f("ck_message_channel")),
        sa.CheckConstraint(STATUSES, name=op.f("ck_message_status")),
        sa.CheckConstraint(
            "kind = 'test' OR patient_id IS NOT NULL", name=op.f("ck_message_addressee")
        ),
        *(
            sa.ForeignKeyConstraint(
                [column], [f"{table}.id"], name=op.f(f"fk_message_{column}_{table}")
            )
            for column, table in (
                ("patient_id", "patient"),
                ("course_id", "course"),
                ("appointment_id", "appointment"),
                ("site_id", "site"),
                ("link_id", "patient_link"),
                ("superseded_by", "message"),
                ("created_by", "user"),
            )
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_message")),
        sa.UniqueConstraint("key", name=op.f("uq_message_key")),
        sa.UniqueConstraint("planned_as", name=op.f("uq_message_planned_as")),
    )
    op.create_index("ix_message_due", "message", ["status", "next_attempt_at"])
    for column in ("patient_id", "course_id", "appointment_id"):
        op.create_index(op.f(f"ix_message_{column}"), "message", [column])
    _add("patient", sa.Column("reminders_by", sa.String(4), nullable=False, server_default="mail"))
    _add("patient", sa.Column("invitations_since", sa.DateTime(timezone=True), nullable=True))
    _add("site", sa.Column("quiet_from", sa.Time(), nullable=False, server_default=_at("20:00")))
    _add("site", sa.Column("quiet_until", sa.Time(), nullable=False, server_default=_at("08:00")))
    _add(
        "service", sa.Column("reminder_days", sa.JSON(), nullable=False, server_default="[7, 2, 0]")
    )


def downgrade() -> None:
    for table, column in (
        ("service", "reminder_days"),
        ("site", "quiet_until"),
        ("site", "quiet_from"),
        ("patient", "invitations_since"),
        ("patient", "reminders_by"),
    ):
        op.drop_column(table, column)
    for column in ("appointment_id", "course_id", "patient_id"):
        op.drop_index(op.f(f"ix_message_{column}"), table_name="message")
    op.drop_index("ix_message_due", table_name="message")
    op.drop_table("message")


def _add(table: str, column: sa.Column[object]) -> None:
    # Not in batch mode: a default makes it a plain ALTER on both engines, and no table is rebuilt.
    op.add_column(table, column)


def _at(clock: str) -> str:
    return f"{clock}:00.000000"  # the width in which SQLite keeps a time of day
