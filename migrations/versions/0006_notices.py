"""Keep what patients tell the clinic on their own page, and by whom a visit was confirmed."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "notice",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("patient_id", sa.Integer(), nullable=False),
        sa.Column("appointment_id", sa.Integer(), nullable=True),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("text", sa.String(length=1000), nullable=False),
        sa.Column("health_text", sa.String(length=1000), nullable=False),
        sa.Column("wishes", sa.JSON(), nullable=False),
        sa.Column("flight_on", sa.Date(), nullable=True),
        sa.Column("flight_at", sa.Time(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("handled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("handled_by", sa.Integer(), nullable=True),
        sa.Column("handled_how", sa.String(length=10), nullable=False),
        sa.Column("handled_note", sa.String(length=300), nullable=False),
        sa.CheckConstraint(
            "kind IN ('another_time', 'cannot_come', 'flight', 'health')",
            name=op.f("ck_notice_kind"),
        ),
        sa.ForeignKeyConstraint(
            ["appointment_id"],
            ["appointment.id"],
            name=op.f("fk_notice_appointment_id_appointment"),
        ),
        sa.ForeignKeyConstraint(
            ["handled_by"], ["user.id"], name=op.f("fk_notice_handled_by_user")
        ),
        sa.ForeignKeyConstraint(
            ["patient_id"], ["patient.id"], name=op.f("fk_notice_patient_id_patient")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notice")),
    )
    op.create_index(op.f("ix_notice_appointment_id"), "notice", ["appointment_id"], unique=False)
    op.create_index(op.f("ix_notice_handled_at"), "notice", ["handled_at"], unique=False)
    op.create_index(op.f("ix_notice_patient_id"), "notice", ["patient_id"], unique=False)
    # A column is added without rebuilding the table: what hangs on it stays.
    op.add_column(
        "appointment",
        sa.Column("confirmed_by", sa.String(length=10), nullable=False, server_default=""),
    )


def downgrade() -> None:
    op.drop_column("appointment", "confirmed_by")
    op.drop_index(op.f("ix_notice_patient_id"), table_name="notice")
    op.drop_index(op.f("ix_notice_handled_at"), table_name="notice")
    op.drop_index(op.f("ix_notice_appointment_id"), table_name="notice")
    op.drop_table("notice")
