"""Lay the tables as the models say, with the guards that the database keeps by itself."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from planner.db import guards

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:  # noqa: PLR0915  one statement per table and index
    op.create_table(
        "audit",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=True),
        sa.Column("origin", sa.String(length=64), nullable=False),
        sa.Column("request_id", sa.String(length=36), nullable=False),
        sa.Column("action", sa.String(length=60), nullable=False),
        sa.Column("object_kind", sa.String(length=30), nullable=False),
        sa.Column("object_id", sa.Integer(), nullable=True),
        sa.Column("before", sa.JSON(), nullable=True),
        sa.Column("after", sa.JSON(), nullable=True),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.Column("previous_hash", sa.String(length=64), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit")),
        sa.UniqueConstraint("hash", name=op.f("uq_audit_hash")),
    )
    op.create_index(op.f("ix_audit_at"), "audit", ["at"], unique=False)
    op.create_index("ix_audit_object", "audit", ["object_kind", "object_id"], unique=False)
    op.create_table(
        "clinic",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("neutral_name", sa.String(length=60), nullable=False),
        sa.Column("phone", sa.String(length=40), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("colour", sa.String(length=7), nullable=False),
        sa.Column("languages", sa.JSON(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_clinic")),
    )
    op.create_table(
        "clinic_text",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(length=60), nullable=False),
        sa.Column("language", sa.String(length=5), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("is_placeholder", sa.Boolean(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_clinic_text")),
        sa.UniqueConstraint("code", "language", name=op.f("uq_clinic_text_code_language")),
    )
    op.create_table(
        "idempotency_key",
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=True),
        sa.Column("action", sa.String(length=40), nullable=False),
        sa.Column("body_hash", sa.String(length=64), nullable=False),
        sa.Column("answer", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_idempotency_key")),
    )
    op.create_index(
        op.f("ix_idempotency_key_created_at"), "idempotency_key", ["created_at"], unique=False
    )
    op.create_table(
        "patient",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(length=16), nullable=False),
        sa.Column("given_name", sa.String(length=80), nullable=False),
        sa.Column("family_name", sa.String(length=80), nullable=False),
        sa.Column("search_text", sa.Text(), nullable=False),
        sa.Column("birth_date", sa.Date(), nullable=True),
        sa.Column("phone", sa.String(length=40), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("language", sa.String(length=5), nullable=False),
        sa.Column("contact_by", sa.String(length=8), nullable=False),
        sa.Column("stay_from", sa.Date(), nullable=True),
        sa.Column("stay_until", sa.Date(), nullable=True),
        sa.Column("plain_words_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("eligible_from", sa.Date(), nullable=True),
        sa.Column("note", sa.String(length=1000), nullable=False),
        sa.Column("merged_into_id", sa.Integer(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["merged_into_id"], ["patient.id"], name=op.f("fk_patient_merged_into_id_patient")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_patient")),
        sa.UniqueConstraint("key", name=op.f("uq_patient_key")),
    )
    op.create_index(op.f("ix_patient_merged_into_id"), "patient", ["merged_into_id"], unique=False)
    op.create_table(
        "provider",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("credentials", sa.String(length=40), nullable=False),
        sa.Column("colour", sa.String(length=7), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("retired_from", sa.Date(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_provider")),
    )
    op.create_table(
        "schedule_version",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("catalogue", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_schedule_version")),
    )
    op.create_table(
        "service",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(length=12), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("minutes", sa.Integer(), nullable=False),
        sa.Column("minutes_choices", sa.JSON(), nullable=False),
        sa.Column("preparation_minutes", sa.Integer(), nullable=True),
        sa.Column("turnover_minutes", sa.Integer(), nullable=True),
        sa.Column("walk_minutes", sa.Integer(), nullable=False),
        sa.Column("colour", sa.String(length=7), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("retired_from", sa.Date(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "kind IN ('consult', 'session', 'review', 'other')", name=op.f("ck_service_kind")
        ),
        sa.CheckConstraint("minutes > 0 AND minutes % 5 = 0", name=op.f("ck_service_minutes")),
        sa.CheckConstraint(
            "preparation_minutes >= 0 AND preparation_minutes % 5 = 0",
            name=op.f("ck_service_preparation"),
        ),
        sa.CheckConstraint(
            "turnover_minutes >= 0 AND turnover_minutes % 5 = 0", name=op.f("ck_service_turnover")
        ),
        sa.CheckConstraint(
            "walk_minutes >= 0 AND walk_minutes % 5 = 0", name=op.f("ck_service_walk")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_service")),
        sa.UniqueConstraint("code", name=op.f("uq_service_code")),
        sa.UniqueConstraint("name", name=op.f("uq_service_name")),
    )
    op.create_table(
        "site",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("address", sa.String(length=300), nullable=False),
        sa.Column("phone", sa.String(length=40), nullable=False),
        sa.Column("colour", sa.String(length=7), nullable=False),
        sa.Column("zone", sa.String(length=64), nullable=False),
        sa.Column("grid_minutes", sa.Integer(), nullable=False),
        sa.Column("arrival_note", sa.String(length=500), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("retired_from", sa.Date(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("grid_minutes IN (5, 10, 15, 30)", name=op.f("ck_site_grid")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_site")),
        sa.UniqueConstraint("name", name=op.f("uq_site_name")),
    )
    op.create_table(
        "throttle",
        sa.Column("subject", sa.String(length=100), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("last_failed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("subject", name=op.f("pk_throttle")),
    )
    op.create_table(
        "date_to_avoid",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("patient_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("from_date", sa.Date(), nullable=False),
        sa.Column("until_date", sa.Date(), nullable=False),
        sa.Column("at", sa.Time(), nullable=True),
        sa.Column("note", sa.String(length=200), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "kind IN ('flight', 'trip', 'event', 'absence')", name=op.f("ck_date_to_avoid_kind")
        ),
        sa.CheckConstraint("from_date <= until_date", name=op.f("ck_date_to_avoid_dates")),
        sa.ForeignKeyConstraint(
            ["patient_id"], ["patient.id"], name=op.f("fk_date_to_avoid_patient_id_patient")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_date_to_avoid")),
    )
    op.create_index(
        op.f("ix_date_to_avoid_patient_id"), "date_to_avoid", ["patient_id"], unique=False
    )
    op.create_table(
        "protocol",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("service_id", sa.Integer(), nullable=False),
        sa.Column("sessions", sa.Integer(), nullable=False),
        sa.Column("minutes", sa.Integer(), nullable=False),
        sa.Column("zones", sa.String(length=4), nullable=False),
        sa.Column("gap_floor", sa.Integer(), nullable=False),
        sa.Column("gap_target", sa.Integer(), nullable=False),
        sa.Column("gap_soft_max", sa.Integer(), nullable=False),
        sa.Column("sentence", sa.String(length=300), nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("zones IN ('new', 'same')", name=op.f("ck_protocol_zones")),
        sa.CheckConstraint(
            "gap_floor <= gap_target AND gap_target <= gap_soft_max",
            name=op.f("ck_protocol_gap_order"),
        ),
        sa.CheckConstraint(
            "gap_floor >= 1 AND gap_soft_max <= 365", name=op.f("ck_protocol_gap_range")
        ),
        sa.CheckConstraint("sessions BETWEEN 1 AND 12", name=op.f("ck_protocol_sessions")),
        sa.ForeignKeyConstraint(
            ["service_id"], ["service.id"], name=op.f("fk_protocol_service_id_service")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_protocol")),
        sa.UniqueConstraint("name", name=op.f("uq_protocol_name")),
    )
    op.create_table(
        "provider_hours",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("provider_id", sa.Integer(), nullable=False),
        sa.Column("site_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=5), nullable=False),
        sa.Column("weekday", sa.Integer(), nullable=False),
        sa.Column("starts", sa.Time(), nullable=False),
        sa.Column("ends", sa.Time(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=True),
        sa.Column("valid_until", sa.Date(), nullable=True),
        sa.CheckConstraint("kind IN ('work', 'break')", name=op.f("ck_provider_hours_kind")),
        sa.CheckConstraint("starts < ends", name=op.f("ck_provider_hours_order")),
        sa.CheckConstraint("weekday BETWEEN 0 AND 6", name=op.f("ck_provider_hours_weekday")),
        sa.ForeignKeyConstraint(
            ["provider_id"], ["provider.id"], name=op.f("fk_provider_hours_provider_id_provider")
        ),
        sa.ForeignKeyConstraint(
            ["site_id"], ["site.id"], name=op.f("fk_provider_hours_site_id_site")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_provider_hours")),
    )
    op.create_index(
        op.f("ix_provider_hours_provider_id"), "provider_hours", ["provider_id"], unique=False
    )
    op.create_index(op.f("ix_provider_hours_site_id"), "provider_hours", ["site_id"], unique=False)
    op.create_table(
        "provider_service",
        sa.Column("provider_id", sa.Integer(), nullable=False),
        sa.Column("service_id", sa.Integer(), nullable=False),
        sa.Column("site_id", sa.Integer(), nullable=False),
        sa.Column("may_examine", sa.Boolean(), nullable=False),
        sa.Column("may_treat", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["provider_id"], ["provider.id"], name=op.f("fk_provider_service_provider_id_provider")
        ),
        sa.ForeignKeyConstraint(
            ["service_id"], ["service.id"], name=op.f("fk_provider_service_service_id_service")
        ),
        sa.ForeignKeyConstraint(
            ["site_id"], ["site.id"], name=op.f("fk_provider_service_site_id_site")
        ),
        sa.PrimaryKeyConstraint(
            "provider_id", "service_id", "site_id", name=op.f("pk_provider_service")
        ),
    )
    op.create_index(
        op.f("ix_provider_service_service_id"), "provider_service", ["service_id"], unique=False
    )
    op.create_index(
        op.f("ix_provider_service_site_id"), "provider_service", ["site_id"], unique=False
    )
    op.create_table(
        "room",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("site_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("note", sa.String(length=300), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("retired_from", sa.Date(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_room_site_id_site")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_room")),
        sa.UniqueConstraint("id", "site_id", name=op.f("uq_room_id_site_id")),
        sa.UniqueConstraint("site_id", "name", name=op.f("uq_room_site_id_name")),
    )
    op.create_index(op.f("ix_room_site_id"), "room", ["site_id"], unique=False)
    op.create_table(
        "screening",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("patient_id", sa.Integer(), nullable=False),
        sa.Column("provider_id", sa.Integer(), nullable=True),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("had_clots", sa.Boolean(), nullable=False),
        sa.Column("is_pregnant", sa.Boolean(), nullable=False),
        sa.Column("pregnancy_ended_on", sa.Date(), nullable=True),
        sa.Column("is_nursing", sa.Boolean(), nullable=False),
        sa.Column("is_healthy", sa.Boolean(), nullable=False),
        sa.Column("has_allergy", sa.Boolean(), nullable=True),
        sa.Column("has_acute_clot", sa.Boolean(), nullable=True),
        sa.Column("has_infection", sa.Boolean(), nullable=True),
        sa.Column("has_limb_ischaemia", sa.Boolean(), nullable=True),
        sa.Column("note", sa.String(length=1000), nullable=False),
        sa.ForeignKeyConstraint(
            ["patient_id"], ["patient.id"], name=op.f("fk_screening_patient_id_patient")
        ),
        sa.ForeignKeyConstraint(
            ["provider_id"], ["provider.id"], name=op.f("fk_screening_provider_id_provider")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_screening")),
    )
    op.create_index(op.f("ix_screening_patient_id"), "screening", ["patient_id"], unique=False)
    op.create_table(
        "site_hours",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("site_id", sa.Integer(), nullable=False),
        sa.Column("weekday", sa.Integer(), nullable=False),
        sa.Column("opens", sa.Time(), nullable=False),
        sa.Column("closes", sa.Time(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=True),
        sa.Column("valid_until", sa.Date(), nullable=True),
        sa.CheckConstraint("opens < closes", name=op.f("ck_site_hours_order")),
        sa.CheckConstraint("weekday BETWEEN 0 AND 6", name=op.f("ck_site_hours_weekday")),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_site_hours_site_id_site")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_site_hours")),
    )
    op.create_index(op.f("ix_site_hours_site_id"), "site_hours", ["site_id"], unique=False)
    op.create_table(
        "user",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("role", sa.String(length=12), nullable=False),
        sa.Column("password_hash", sa.String(length=200), nullable=False),
        sa.Column("language", sa.String(length=5), nullable=False),
        sa.Column("provider_id", sa.Integer(), nullable=True),
        sa.Column("site_id", sa.Integer(), nullable=True),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "role IN ('receptionist', 'provider', 'manager')", name=op.f("ck_user_role")
        ),
        sa.ForeignKeyConstraint(
            ["provider_id"], ["provider.id"], name=op.f("fk_user_provider_id_provider")
        ),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_user_site_id_site")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_user")),
        sa.UniqueConstraint("email", name=op.f("uq_user_email")),
    )
    op.create_table(
        "absence",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("site_id", sa.Integer(), nullable=True),
        sa.Column("provider_id", sa.Integer(), nullable=True),
        sa.Column("room_id", sa.Integer(), nullable=True),
        sa.Column("from_date", sa.Date(), nullable=False),
        sa.Column("until_date", sa.Date(), nullable=False),
        sa.Column("starts", sa.Time(), nullable=True),
        sa.Column("ends", sa.Time(), nullable=True),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "(site_id IS NOT NULL AND provider_id IS NULL AND room_id IS NULL) OR (site_id IS "
            "NULL AND provider_id IS NOT NULL AND room_id IS NULL) OR (site_id IS NULL AND "
            "provider_id IS NULL AND room_id IS NOT NULL)",
            name=op.f("ck_absence_one_actor"),
        ),
        sa.CheckConstraint("(starts IS NULL) = (ends IS NULL)", name=op.f("ck_absence_both_times")),
        sa.CheckConstraint("from_date <= until_date", name=op.f("ck_absence_dates")),
        sa.CheckConstraint("starts IS NULL OR starts < ends", name=op.f("ck_absence_times")),
        sa.ForeignKeyConstraint(
            ["provider_id"], ["provider.id"], name=op.f("fk_absence_provider_id_provider")
        ),
        sa.ForeignKeyConstraint(["room_id"], ["room.id"], name=op.f("fk_absence_room_id_room")),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_absence_site_id_site")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_absence")),
    )
    op.create_index(op.f("ix_absence_provider_id"), "absence", ["provider_id"], unique=False)
    op.create_index(op.f("ix_absence_room_id"), "absence", ["room_id"], unique=False)
    op.create_index(op.f("ix_absence_site_id"), "absence", ["site_id"], unique=False)
    op.create_table(
        "change",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(length=16), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=True),
        sa.Column("label", sa.String(length=40), nullable=False),
        sa.Column("rows", sa.JSON(), nullable=False),
        sa.Column("undone_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name=op.f("fk_change_user_id_user")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_change")),
        sa.UniqueConstraint("key", name=op.f("uq_change_key")),
    )
    op.create_table(
        "consent",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("patient_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("text_version", sa.String(length=40), nullable=False),
        sa.Column("language", sa.String(length=5), nullable=False),
        sa.Column("signed_on", sa.Date(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["created_by"], ["user.id"], name=op.f("fk_consent_created_by_user")
        ),
        sa.ForeignKeyConstraint(
            ["patient_id"], ["patient.id"], name=op.f("fk_consent_patient_id_patient")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consent")),
    )
    op.create_index(op.f("ix_consent_patient_id"), "consent", ["patient_id"], unique=False)
    op.create_table(
        "course",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(length=16), nullable=False),
        sa.Column("patient_id", sa.Integer(), nullable=False),
        sa.Column("protocol_id", sa.Integer(), nullable=True),
        sa.Column("service_id", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(length=10), nullable=False),
        sa.Column("is_decided", sa.Boolean(), nullable=False),
        sa.Column("zones", sa.String(length=4), nullable=False),
        sa.Column("interval_reason", sa.String(length=500), nullable=False),
        sa.Column("ordered_by", sa.Integer(), nullable=True),
        sa.Column("ordered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("same_floor", sa.Integer(), nullable=False),
        sa.Column("same_target", sa.Integer(), nullable=False),
        sa.Column("same_soft_max", sa.Integer(), nullable=False),
        sa.Column("package", sa.String(length=120), nullable=False),
        sa.Column("wishes", sa.JSON(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("status_reason", sa.String(length=500), nullable=False),
        sa.Column("restart_from", sa.Date(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "status IN ('draft', 'active', 'paused', 'completed', 'ended')",
            name=op.f("ck_course_status"),
        ),
        sa.CheckConstraint("zones IN ('new', 'same')", name=op.f("ck_course_zones")),
        sa.ForeignKeyConstraint(
            ["ordered_by"], ["provider.id"], name=op.f("fk_course_ordered_by_provider")
        ),
        sa.ForeignKeyConstraint(
            ["patient_id"], ["patient.id"], name=op.f("fk_course_patient_id_patient")
        ),
        sa.ForeignKeyConstraint(
            ["protocol_id"], ["protocol.id"], name=op.f("fk_course_protocol_id_protocol")
        ),
        sa.ForeignKeyConstraint(
            ["service_id"], ["service.id"], name=op.f("fk_course_service_id_service")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_course")),
        sa.UniqueConstraint("key", name=op.f("uq_course_key")),
    )
    op.create_index(op.f("ix_course_patient_id"), "course", ["patient_id"], unique=False)
    op.create_table(
        "patient_link",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("patient_id", sa.Integer(), nullable=False),
        sa.Column("purpose", sa.String(length=20), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.Integer(), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["created_by"], ["user.id"], name=op.f("fk_patient_link_created_by_user")
        ),
        sa.ForeignKeyConstraint(
            ["patient_id"], ["patient.id"], name=op.f("fk_patient_link_patient_id_patient")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_patient_link")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_patient_link_token_hash")),
    )
    op.create_index(
        op.f("ix_patient_link_patient_id"), "patient_link", ["patient_id"], unique=False
    )
    op.create_table(
        "room_service",
        sa.Column("room_id", sa.Integer(), nullable=False),
        sa.Column("service_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["room_id"], ["room.id"], name=op.f("fk_room_service_room_id_room")
        ),
        sa.ForeignKeyConstraint(
            ["service_id"], ["service.id"], name=op.f("fk_room_service_service_id_service")
        ),
        sa.PrimaryKeyConstraint("room_id", "service_id", name=op.f("pk_room_service")),
    )
    op.create_index(
        op.f("ix_room_service_service_id"), "room_service", ["service_id"], unique=False
    )
    op.create_table(
        "rule_record",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(length=60), nullable=False),
        sa.Column("scope", sa.String(length=8), nullable=False),
        sa.Column("scope_id", sa.Integer(), nullable=True),
        sa.Column("value", sa.JSON(), nullable=False),
        sa.Column("severity", sa.String(length=6), nullable=False),
        sa.Column("effective_from", sa.Date(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.Integer(), nullable=True),
        sa.CheckConstraint(
            "(scope = 'clinic') = (scope_id IS NULL)", name=op.f("ck_rule_record_scope_id")
        ),
        sa.CheckConstraint(
            "scope IN ('clinic', 'site', 'service', 'protocol')", name=op.f("ck_rule_record_scope")
        ),
        sa.CheckConstraint(
            "severity IN ('info', 'warn', 'decide', 'block')", name=op.f("ck_rule_record_severity")
        ),
        sa.ForeignKeyConstraint(
            ["created_by"], ["user.id"], name=op.f("fk_rule_record_created_by_user")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rule_record")),
    )
    op.create_index(op.f("ix_rule_record_code"), "rule_record", ["code"], unique=False)
    op.create_table(
        "sign_in",
        sa.Column("id_hash", sa.String(length=64), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=True),
        sa.Column("contents", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name=op.f("fk_sign_in_user_id_user")),
        sa.PrimaryKeyConstraint("id_hash", name=op.f("pk_sign_in")),
    )
    op.create_index(op.f("ix_sign_in_expires_at"), "sign_in", ["expires_at"], unique=False)
    op.create_index(op.f("ix_sign_in_user_id"), "sign_in", ["user_id"], unique=False)
    op.create_table(
        "course_session",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("course_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("minutes", sa.Integer(), nullable=False),
        sa.Column("zones", sa.JSON(), nullable=False),
        sa.Column("gap_floor", sa.Integer(), nullable=False),
        sa.Column("gap_target", sa.Integer(), nullable=False),
        sa.Column("gap_soft_max", sa.Integer(), nullable=False),
        sa.Column("gap_is_custom", sa.Boolean(), nullable=False),
        sa.Column("gap_reason", sa.String(length=300), nullable=False),
        sa.CheckConstraint(
            "gap_floor <= gap_target AND gap_target <= gap_soft_max",
            name=op.f("ck_course_session_gap_order"),
        ),
        sa.CheckConstraint(
            "gap_floor >= 1 AND gap_soft_max <= 365", name=op.f("ck_course_session_gap_range")
        ),
        sa.CheckConstraint(
            "minutes > 0 AND minutes % 5 = 0", name=op.f("ck_course_session_minutes")
        ),
        sa.CheckConstraint("number BETWEEN 1 AND 12", name=op.f("ck_course_session_number")),
        sa.ForeignKeyConstraint(
            ["course_id"], ["course.id"], name=op.f("fk_course_session_course_id_course")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_course_session")),
        sa.UniqueConstraint("course_id", "number", name=op.f("uq_course_session_course_id_number")),
    )
    op.create_index(
        op.f("ix_course_session_course_id"), "course_session", ["course_id"], unique=False
    )
    op.create_table(
        "appointment",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(length=16), nullable=False),
        sa.Column("uid", sa.String(length=255), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("ical_modified_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("status", sa.String(length=10), nullable=False),
        sa.Column("service_id", sa.Integer(), nullable=False),
        sa.Column("patient_id", sa.Integer(), nullable=False),
        sa.Column("provider_id", sa.Integer(), nullable=False),
        sa.Column("room_id", sa.Integer(), nullable=False),
        sa.Column("site_id", sa.Integer(), nullable=False),
        sa.Column("course_session_id", sa.Integer(), nullable=True),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("room_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("room_until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("patient_until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("call_back_note", sa.String(length=300), nullable=False),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("arrived_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("health_state", sa.String(length=10), nullable=False),
        sa.Column("health_answer", sa.String(length=1000), nullable=False),
        sa.Column("health_reviewed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("has_stockings", sa.Boolean(), nullable=True),
        sa.Column("actual_starts_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("actual_ends_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("zones_treated", sa.JSON(), nullable=False),
        sa.Column("note", sa.String(length=1000), nullable=False),
        sa.Column("ended_by", sa.String(length=10), nullable=False),
        sa.Column("ended_reason", sa.String(length=300), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("replaces_id", sa.Integer(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.Integer(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "status IN ('held', 'reserved', 'booked', 'arrived', 'started', 'fulfilled', "
            "'no_show', 'cancelled', 'released')",
            name=op.f("ck_appointment_status"),
        ),
        sa.CheckConstraint("ends_at <= patient_until", name=op.f("ck_appointment_patient_clock")),
        sa.CheckConstraint(
            "room_from <= starts_at AND ends_at <= room_until",
            name=op.f("ck_appointment_room_clock"),
        ),
        sa.CheckConstraint("starts_at < ends_at", name=op.f("ck_appointment_order")),
        sa.ForeignKeyConstraint(
            ["course_session_id"],
            ["course_session.id"],
            name=op.f("fk_appointment_course_session_id_course_session"),
        ),
        sa.ForeignKeyConstraint(
            ["created_by"], ["user.id"], name=op.f("fk_appointment_created_by_user")
        ),
        sa.ForeignKeyConstraint(
            ["patient_id"], ["patient.id"], name=op.f("fk_appointment_patient_id_patient")
        ),
        sa.ForeignKeyConstraint(
            ["provider_id"], ["provider.id"], name=op.f("fk_appointment_provider_id_provider")
        ),
        sa.ForeignKeyConstraint(
            ["replaces_id"], ["appointment.id"], name=op.f("fk_appointment_replaces_id_appointment")
        ),
        sa.ForeignKeyConstraint(
            ["room_id", "site_id"],
            ["room.id", "room.site_id"],
            name=op.f("fk_appointment_room_id_site_id_room"),
        ),
        sa.ForeignKeyConstraint(
            ["service_id"], ["service.id"], name=op.f("fk_appointment_service_id_service")
        ),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_appointment_site_id_site")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_appointment")),
        sa.UniqueConstraint("key", name=op.f("uq_appointment_key")),
        sa.UniqueConstraint("uid", name=op.f("uq_appointment_uid")),
    )
    op.create_index(
        op.f("ix_appointment_course_session_id"), "appointment", ["course_session_id"], unique=False
    )
    op.create_index("ix_appointment_expiry", "appointment", ["status", "expires_at"], unique=False)
    op.create_index(
        "ix_appointment_patient_day", "appointment", ["patient_id", "starts_at"], unique=False
    )
    op.create_index(
        "ix_appointment_provider_day", "appointment", ["provider_id", "starts_at"], unique=False
    )
    op.create_index(
        "ix_appointment_room_day", "appointment", ["room_id", "starts_at"], unique=False
    )
    op.create_index(
        "ix_appointment_site_day", "appointment", ["site_id", "starts_at"], unique=False
    )
    op.create_table(
        "consult",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("patient_id", sa.Integer(), nullable=False),
        sa.Column("appointment_id", sa.Integer(), nullable=True),
        sa.Column("course_id", sa.Integer(), nullable=True),
        sa.Column("provider_id", sa.Integer(), nullable=False),
        sa.Column("screening_id", sa.Integer(), nullable=True),
        sa.Column("held_on", sa.Date(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("veins", sa.JSON(), nullable=False),
        sa.Column("zones", sa.JSON(), nullable=False),
        sa.Column("area_size", sa.String(length=1), nullable=False),
        sa.Column("duplex_advised", sa.Boolean(), nullable=False),
        sa.Column("outcome", sa.String(length=10), nullable=False),
        sa.Column("not_until", sa.Date(), nullable=True),
        sa.Column("note", sa.String(length=2000), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "outcome IN ('candidate', 'not_now', 'no', 'refer')", name=op.f("ck_consult_outcome")
        ),
        sa.ForeignKeyConstraint(
            ["appointment_id"],
            ["appointment.id"],
            name=op.f("fk_consult_appointment_id_appointment"),
        ),
        sa.ForeignKeyConstraint(
            ["course_id"], ["course.id"], name=op.f("fk_consult_course_id_course")
        ),
        sa.ForeignKeyConstraint(
            ["patient_id"], ["patient.id"], name=op.f("fk_consult_patient_id_patient")
        ),
        sa.ForeignKeyConstraint(
            ["provider_id"], ["provider.id"], name=op.f("fk_consult_provider_id_provider")
        ),
        sa.ForeignKeyConstraint(
            ["screening_id"], ["screening.id"], name=op.f("fk_consult_screening_id_screening")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consult")),
        sa.UniqueConstraint("appointment_id", name=op.f("uq_consult_appointment_id")),
    )
    op.create_index(op.f("ix_consult_course_id"), "consult", ["course_id"], unique=False)
    op.create_index(op.f("ix_consult_patient_id"), "consult", ["patient_id"], unique=False)
    op.create_table(
        "decision",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("rule_code", sa.String(length=60), nullable=False),
        sa.Column("patient_id", sa.Integer(), nullable=False),
        sa.Column("course_id", sa.Integer(), nullable=True),
        sa.Column("appointment_id", sa.Integer(), nullable=True),
        sa.Column("provider_id", sa.Integer(), nullable=False),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.Column("params", sa.JSON(), nullable=False),
        sa.Column("by_phone", sa.Boolean(), nullable=False),
        sa.Column("given_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("given_by", sa.Integer(), nullable=True),
        sa.Column("signed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("disputed_note", sa.String(length=300), nullable=False),
        sa.ForeignKeyConstraint(
            ["appointment_id"],
            ["appointment.id"],
            name=op.f("fk_decision_appointment_id_appointment"),
        ),
        sa.ForeignKeyConstraint(
            ["course_id"], ["course.id"], name=op.f("fk_decision_course_id_course")
        ),
        sa.ForeignKeyConstraint(["given_by"], ["user.id"], name=op.f("fk_decision_given_by_user")),
        sa.ForeignKeyConstraint(
            ["patient_id"], ["patient.id"], name=op.f("fk_decision_patient_id_patient")
        ),
        sa.ForeignKeyConstraint(
            ["provider_id"], ["provider.id"], name=op.f("fk_decision_provider_id_provider")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_decision")),
    )
    op.create_index(
        op.f("ix_decision_appointment_id"), "decision", ["appointment_id"], unique=False
    )
    op.create_index(op.f("ix_decision_course_id"), "decision", ["course_id"], unique=False)
    op.create_index(op.f("ix_decision_patient_id"), "decision", ["patient_id"], unique=False)
    op.create_index(op.f("ix_decision_provider_id"), "decision", ["provider_id"], unique=False)
    guards.create(op.get_bind())
    op.execute("INSERT INTO schedule_version (id, version, catalogue) VALUES (1, 1, 1)")


def downgrade() -> None:  # noqa: PLR0915
    guards.drop(op.get_bind())
    op.drop_index(op.f("ix_decision_provider_id"), table_name="decision")
    op.drop_index(op.f("ix_decision_patient_id"), table_name="decision")
    op.drop_index(op.f("ix_decision_course_id"), table_name="decision")
    op.drop_index(op.f("ix_decision_appointment_id"), table_name="decision")
    op.drop_table("decision")
    op.drop_index(op.f("ix_consult_patient_id"), table_name="consult")
    op.drop_index(op.f("ix_consult_course_id"), table_name="consult")
    op.drop_table("consult")
    op.drop_index("ix_appointment_site_day", table_name="appointment")
    op.drop_index("ix_appointment_room_day", table_name="appointment")
    op.drop_index("ix_appointment_provider_day", table_name="appointment")
    op.drop_index("ix_appointment_patient_day", table_name="appointment")
    op.drop_index("ix_appointment_expiry", table_name="appointment")
    op.drop_index(op.f("ix_appointment_course_session_id"), table_name="appointment")
    op.drop_table("appointment")
    op.drop_index(op.f("ix_course_session_course_id"), table_name="course_session")
    op.drop_table("course_session")
    op.drop_index(op.f("ix_sign_in_user_id"), table_name="sign_in")
    op.drop_index(op.f("ix_sign_in_expires_at"), table_name="sign_in")
    op.drop_table("sign_in")
    op.drop_index(op.f("ix_rule_record_code"), table_name="rule_record")
    op.drop_table("rule_record")
    op.drop_index(op.f("ix_room_service_service_id"), table_name="room_service")
    op.drop_table("room_service")
    op.drop_index(op.f("ix_patient_link_patient_id"), table_name="patient_link")
    op.drop_table("patient_link")
    op.drop_index(op.f("ix_course_patient_id"), table_name="course")
    op.drop_table("course")
    op.drop_index(op.f("ix_consent_patient_id"), table_name="consent")
    op.drop_table("consent")
    op.drop_table("change")
    op.drop_index(op.f("ix_absence_site_id"), table_name="absence")
    op.drop_index(op.f("ix_absence_room_id"), table_name="absence")
    op.drop_index(op.f("ix_absence_provider_id"), table_name="absence")
    op.drop_table("absence")
    op.drop_table("user")
    op.drop_index(op.f("ix_site_hours_site_id"), table_name="site_hours")
    op.drop_table("site_hours")
    op.drop_index(op.f("ix_screening_patient_id"), table_name="screening")
    op.drop_table("screening")
    op.drop_index(op.f("ix_room_site_id"), table_name="room")
    op.drop_table("room")
    op.drop_index(op.f("ix_provider_service_site_id"), table_name="provider_service")
    op.drop_index(op.f("ix_provider_service_service_id"), table_name="provider_service")
    op.drop_table("provider_service")
    op.drop_index(op.f("ix_provider_hours_site_id"), table_name="provider_hours")
    op.drop_index(op.f("ix_provider_hours_provider_id"), table_name="provider_hours")
    op.drop_table("provider_hours")
    op.drop_table("protocol")
    op.drop_index(op.f("ix_date_to_avoid_patient_id"), table_name="date_to_avoid")
    op.drop_table("date_to_avoid")
    op.drop_table("throttle")
    op.drop_table("site")
    op.drop_table("service")
    op.drop_table("schedule_version")
    op.drop_table("provider")
    op.drop_index(op.f("ix_patient_merged_into_id"), table_name="patient")
    op.drop_table("patient")
    op.drop_index(op.f("ix_idempotency_key_created_at"), table_name="idempotency_key")
    op.drop_table("idempotency_key")
    op.drop_table("clinic_text")
    op.drop_table("clinic")
    op.drop_index("ix_audit_object", table_name="audit")
    op.drop_index(op.f("ix_audit_at"), table_name="audit")
    op.drop_table("audit")
