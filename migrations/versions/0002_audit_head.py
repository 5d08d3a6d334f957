"""Keep the head of the audit trail in a row of its own; count what was injected."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from planner.db import guards

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

COLUMNS = {
    "injections": "INTEGER CONSTRAINT ck_appointment_injections CHECK (injections BETWEEN 0 AND 999)",
    "volume_ml": (
        "FLOAT CONSTRAINT ck_appointment_volume CHECK (volume_ml >= 0 AND volume_ml <= 200)"
    ),
}
"""Spelled out, because SQLite takes a check with a new column, and no other way without a rebuild."""


def upgrade() -> None:
    op.create_table(
        "audit_head",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("last_id", sa.Integer(), nullable=False),
        sa.Column("row_count", sa.BigInteger(), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_head")),
    )
    op.execute(
        "INSERT INTO audit_head (id, last_id, row_count, hash) SELECT 1, coalesce(max(id), 0), count(*),"
        " coalesce((SELECT hash FROM audit ORDER BY id DESC LIMIT 1), '"
        "0000000000000000000000000000000000000000000000000000000000000000') FROM audit"
    )
    for name, kind in COLUMNS.items():
        op.execute(f"ALTER TABLE appointment ADD COLUMN {name} {kind}")
    guards.create(op.get_bind())


def downgrade() -> None:
    guards.drop(op.get_bind())
    for name in COLUMNS:
        op.execute(f"ALTER TABLE appointment DROP COLUMN {name}")
    op.drop_table("audit_head")
    guards.create(op.get_bind())
