"""Keep from whom a visit was taken over, for the calendar of the provider before."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "handover",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("appointment_id", sa.Integer(), nullable=False),
        sa.Column("provider_id", sa.Integer(), nullable=False),
        sa.Column("site_id", sa.Integer(), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("is_told", sa.Boolean(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["appointment_id"],
            ["appointment.id"],
            name=op.f("fk_handover_appointment_id_appointment"),
        ),
        sa.ForeignKeyConstraint(
            ["provider_id"], ["provider.id"], name=op.f("fk_handover_provider_id_provider")
        ),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_handover_site_id_site")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_handover")),
    )
    op.create_index(op.f("ix_handover_appointment_id"), "handover", ["appointment_id"])
    op.create_index(op.f("ix_handover_provider_id"), "handover", ["provider_id"])


def downgrade() -> None:
    op.drop_index(op.f("ix_handover_provider_id"), table_name="handover")
    op.drop_index(op.f("ix_handover_appointment_id"), table_name="handover")
    op.drop_table("handover")
