"""Leave one kind of link, note files taken with it and subscriptions made with it.

Links that opened a calendar and nothing else end: what they were given out for is less than a
patient's page, so they open no page either.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from planner import clock

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    link = sa.table(
        "patient_link",
        sa.column("purpose", sa.String()),
        sa.column("revoked_at", sa.DateTime(timezone=True)),
    )
    op.execute(
        link.update()
        .where(link.c.purpose == "calendar_file", link.c.revoked_at.is_(None))
        .values(revoked_at=clock.now())
    )
    # Columns come and go without rebuilding a table: what hangs on it stays.
    op.drop_column("patient_link", "purpose")
    op.add_column(
        "patient_link", sa.Column("file_taken_at", sa.DateTime(timezone=True), nullable=True)
    )
    op.execute(
        "ALTER TABLE calendar_feed ADD COLUMN link_id INTEGER"
        " CONSTRAINT fk_calendar_feed_link_id_patient_link REFERENCES patient_link (id)"
    )


def downgrade() -> None:
    op.drop_column("calendar_feed", "link_id")
    op.drop_column("patient_link", "file_taken_at")
    op.add_column(
        "patient_link",
        sa.Column("purpose", sa.String(length=20), nullable=False, server_default="page"),
    )
