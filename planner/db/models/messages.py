"""The outbox: what patients are told, written with the change and sent by the worker."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from planner.db.base import Base

MESSAGE_KINDS = (
    "confirmation", "course", "change", "cancellation", "invitation", "reminder", "aftercare",
    "next_session", "test",
)  # fmt: skip
MESSAGE_STATUSES = ("waiting", "sending", "sent", "failed", "dropped")


class Message(Base):
    """One message to a patient. Its words are made when it is sent, from what is true then.

    ``facts`` holds what the patient knew of each appointment before: ``{"<id>": {"starts_at", …}}``,
    null for one they knew nothing of. ``recipient`` to ``body`` say what was sent; the link in it is
    left out, because it opens the patient's page.
    """

    __tablename__ = "message"
    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(sa.String(16), unique=True)
    kind: Mapped[str] = mapped_column(sa.String(12))
    channel: Mapped[str] = mapped_column(sa.String(4))  # mail | sms
    status: Mapped[str] = mapped_column(sa.String(8))
    patient_id: Mapped[int | None] = mapped_column(sa.ForeignKey("patient.id"), index=True)
    course_id: Mapped[int | None] = mapped_column(sa.ForeignKey("course.id"), index=True)
    appointment_id: Mapped[int | None] = mapped_column(sa.ForeignKey("appointment.id"), index=True)
    site_id: Mapped[int | None] = mapped_column(sa.ForeignKey("site.id"))  # its quiet hours hold
    facts: Mapped[dict[str, Any]]
    planned_as: Mapped[str | None] = mapped_column(  # what the worker plans, it plans once
        sa.String(80), unique=True
    )
    not_before: Mapped[datetime]  # end of the undo, or of the quiet hours
    expires_at: Mapped[datetime]  # from then on it says nothing any more
    next_attempt_at: Mapped[datetime]
    attempts: Mapped[int] = mapped_column(default=0)
    lease_owner: Mapped[str] = mapped_column(sa.String(80), default="")
    lease_until: Mapped[datetime | None]
    reason: Mapped[str] = mapped_column(sa.String(20), default="")  # code: why not sent
    last_error: Mapped[str] = mapped_column(sa.String(300), default="")  # what the server said
    message_id: Mapped[str] = mapped_column(sa.String(255), default="")  # the same in every attempt
    receipt: Mapped[str] = mapped_column(sa.String(64), default="")  # the SMS provider's own id
    recipient: Mapped[str] = mapped_column(sa.String(254), default="")
    locale: Mapped[str] = mapped_column(sa.String(5), default="")
    subject: Mapped[str] = mapped_column(sa.String(200), default="")
    body: Mapped[str] = mapped_column(sa.Text, default="")
    link_id: Mapped[int | None] = mapped_column(sa.ForeignKey("patient_link.id"))
    superseded_by: Mapped[int | None] = mapped_column(sa.ForeignKey("message.id"))
    created_at: Mapped[datetime]
    created_by: Mapped[int | None] = mapped_column(sa.ForeignKey("user.id"))
    sent_at: Mapped[datetime | None]
    __table_args__ = (
        sa.CheckConstraint(
            "kind IN ('confirmation', 'course', 'change', 'cancellation', 'invitation', 'reminder',"
            " 'aftercare', 'next_session', 'test')",
            name="kind",
        ),
        sa.CheckConstraint("channel IN ('mail', 'sms')", name="channel"),
        sa.CheckConstraint(
            "status IN ('waiting', 'sending', 'sent', 'failed', 'dropped')", name="status"
        ),
        sa.CheckConstraint("kind = 'test' OR patient_id IS NOT NULL", name="addressee"),
        sa.Index("ix_message_due", "status", "next_attempt_at"),
    )
