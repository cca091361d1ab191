"""The first tables."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "api_token",
        sa.Column("organization_id", sa.String(length=64), nullable=False),
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("role", sa.String(length=32), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("organization_id", "id", name=op.f("pk_api_token")),
    )
    op.create_index("uq_api_token_digest", "api_token", ["organization_id", "digest"], unique=True)
    op.create_table(
        "audit_event",
        sa.Column("organization_id", sa.String(length=64), nullable=False),
        sa.Column("sequence", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("agent", sa.String(length=200), nullable=False),
        sa.Column("action", sa.String(length=1), nullable=False),
        sa.Column("entity", sa.String(length=64), nullable=False),
        sa.Column("entity_id", sa.String(length=64), nullable=True),
        sa.Column("patient_id", sa.String(length=64), nullable=True),
        sa.Column("detail", sa.JSON(), nullable=False),
        sa.Column("seal", sa.String(length=64), nullable=True),
        sa.PrimaryKeyConstraint("sequence", name=op.f("pk_audit_event")),
    )
    op.create_index(
        op.f("ix_audit_event_organization_id_patient_id"), "audit_event", ["organization_id", "patient_id"], unique=False
    )
    op.create_table(
        "clinic_version",
        sa.Column("organization_id", sa.String(length=64), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.Column("loaded_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("organization_id", "number", name=op.f("pk_clinic_version")),
    )
    op.create_table(
        "communication",
        sa.Column("organization_id", sa.String(length=64), nullable=False),
        sa.Column("sequence", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("conversation_id", sa.String(length=64), nullable=True),
        sa.Column("patient_id", sa.String(length=64), nullable=True),
        sa.Column("channel", sa.String(length=32), nullable=False),
        sa.Column("direction", sa.String(length=32), nullable=False),
        sa.Column("phone", sa.String(length=40), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("author", sa.String(length=200), nullable=False),
        sa.Column("status", sa.String(length=32), nullable=False),
        sa.Column("external_id", sa.String(length=64), nullable=True),
        sa.Column("in_reply_to", sa.String(length=64), nullable=True),
        sa.Column("answered_by", sa.String(length=8), nullable=True),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("appointment_id", sa.String(length=64), nullable=True),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("worker", sa.String(length=64), nullable=True),
        sa.Column("worker_until", sa.Float(), nullable=False),
        sa.Column("retry_at", sa.Float(), nullable=False),
        sa.Column("error", sa.String(length=200), nullable=True),
        sa.Column("idempotency_key", sa.String(length=200), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("sequence", name=op.f("pk_communication")),
        sa.UniqueConstraint("id", name=op.f("uq_communication_id")),
    )
    op.create_index(op.f("ix_communication_in_reply_to"), "communication", ["in_reply_to"], unique=False)
    op.create_index(
        op.f("ix_communication_organization_id_conversation_id"),
        "communication",
        ["organization_id", "conversation_id"],
        unique=False,
    )
    op.create_index(
        op.f("ix_communication_organization_id_patient_id"), "communication", ["organization_id", "patient_id"], unique=False
    )
    op.create_index(
        op.f("ix_communication_organization_id_status_due_at"),
        "communication",
        ["organization_id", "status", "due_at"],
        unique=False,
    )
    op.create_index("uq_communication_external_id", "communication", ["organization_id", "external_id"], unique=True)
    op.create_index("uq_communication_idempotency_key", "communication", ["organization_id", "idempotency_key"], unique=True)
    op.create_table(
        "healthcare_service",
        sa.Column("organization_id", sa.String(length=64), nullable=False),
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("organization_id", "id", name=op.f("pk_healthcare_service")),
    )
    op.create_table(
        "idempotency_key",
        sa.Column("organization_id", sa.String(length=64), nullable=False),
        sa.Column("key", sa.String(length=200), nullable=False),
        sa.Column("result", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("organization_id", "key", name=op.f("pk_idempotency_key")),
    )
    op.create_table(
        "identity_attempt",
        sa.Column("organization_id", sa.String(length=64), nullable=False),
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("conversation_id", sa.String(length=64), nullable=False),
        sa.Column("phone", sa.String(length=40), nullable=False),
        sa.Column("patient_id", sa.String(length=64), nullable=True),
        sa.Column("withdrawn", sa.Boolean(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("organization_id", "id", name=op.f("pk_identity_attempt")),
    )
    op.create_index(
        op.f("ix_identity_attempt_organization_id_patient_id_at"),
        "identity_attempt",
        ["organization_id", "patient_id", "at"],
        unique=False,
    )
    op.create_index(
        op.f("ix_identity_attempt_organization_id_phone_at"), "identity_attempt", ["organization_id", "phone", "at"], unique=False
    )
    op.create_table(
        "location",
        sa.Column("organization_id", sa.String(length=64), nullable=False),
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("organization_id", "id", name=op.f("pk_location")),
    )
    op.create_table(
        "opt_out",
        sa.Column("organization_id", sa.String(length=64), nullable=False),
        sa.Column("sequence", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("phone", sa.String(length=40), nullable=False),
        sa.Column("channel", sa.String(length=32), nullable=False),
        sa.Column("out", sa.Boolean(), nullable=False),
        sa.Column("source", sa.String(length=64), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("sequence", name=op.f("pk_opt_out")),
    )
    op.create_index(op.f("ix_opt_out_organization_id_phone"), "opt_out", ["organization_id", "phone"], unique=False)
    op.create_table(
        "patient",
        sa.Column("organization_id", sa.String(length=64), nullable=False),
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("given", sa.String(length=200), nullable=False),
        sa.Column("family", sa.String(length=200), nullable=False),
        sa.Column("birth_date", sa.Date(), nullable=False),
        sa.Column("sex", sa.String(length=32), nullable=False),
        sa.Column("email", sa.String(length=320), nullable=True),
        sa.Column("address", sa.String(length=500), nullable=True),
        sa.Column("language", sa.String(length=16), nullable=True),
        sa.Column("needs", sa.JSON(), nullable=False),
        sa.Column("new", sa.Boolean(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("organization_id", "id", name=op.f("pk_patient")),
    )
    op.create_index(op.f("ix_patient_organization_id_birth_date"), "patient", ["organization_id", "birth_date"], unique=False)
    op.create_table(
        "payer",
        sa.Column("organization_id", sa.String(length=64), nullable=False),
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("organization_id", "id", name=op.f("pk_payer")),
    )
    op.create_table(
        "practitioner",
        sa.Column("organization_id", sa.String(length=64), nullable=False),
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("organization_id", "id", name=op.f("pk_practitioner")),
    )
    op.create_table(
        "staff_account",
        sa.Column("organization_id", sa.String(length=64), nullable=False),
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("email", sa.String(length=320), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("role", sa.String(length=32), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("organization_id", "id", name=op.f("pk_staff_account")),
    )
    op.create_index("uq_staff_account_email", "staff_account", ["organization_id", "email"], unique=True)
    op.create_table(
        "appointment",
        sa.Column("organization_id", sa.String(length=64), nullable=False),
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("status", sa.String(length=32), nullable=False),
        sa.Column("service_id", sa.String(length=64), nullable=False),
        sa.Column("patient_id", sa.String(length=64), nullable=True),
        sa.Column("practitioner_id", sa.String(length=64), nullable=True),
        sa.Column("location_id", sa.String(length=64), nullable=True),
        sa.Column("room_id", sa.String(length=64), nullable=True),
        sa.Column("mode", sa.String(length=32), nullable=False),
        sa.Column("start", sa.DateTime(timezone=True), nullable=True),
        sa.Column("end", sa.DateTime(timezone=True), nullable=True),
        sa.Column("first_tick", sa.Integer(), nullable=True),
        sa.Column("end_tick", sa.Integer(), nullable=True),
        sa.Column("lane", sa.Integer(), nullable=False),
        sa.Column("confirmation", sa.String(length=32), nullable=False),
        sa.Column("hold_expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("held_for", sa.String(length=64), nullable=True),
        sa.Column("wish", sa.JSON(), nullable=True),
        sa.Column("comment", sa.String(length=2000), nullable=True),
        sa.Column("cancelled_reason", sa.String(length=200), nullable=True),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("first_tick < end_tick", name=op.f("ck_appointment_occupies_time")),
        sa.CheckConstraint('start < "end"', name=op.f("ck_appointment_starts_before_it_ends")),
        sa.ForeignKeyConstraint(
            ["organization_id", "location_id"],
            ["location.organization_id", "location.id"],
            name=op.f("fk_appointment_location_id_location"),
        ),
        sa.ForeignKeyConstraint(
            ["organization_id", "patient_id"],
            ["patient.organization_id", "patient.id"],
            name=op.f("fk_appointment_patient_id_patient"),
        ),
        sa.ForeignKeyConstraint(
            ["organization_id", "practitioner_id"],
            ["practitioner.organization_id", "practitioner.id"],
            name=op.f("fk_appointment_practitioner_id_practitioner"),
        ),
        sa.ForeignKeyConstraint(
            ["organization_id", "service_id"],
            ["healthcare_service.organization_id", "healthcare_service.id"],
            name=op.f("fk_appointment_service_id_healthcare_service"),
        ),
        sa.PrimaryKeyConstraint("organization_id", "id", name=op.f("pk_appointment")),
    )
    op.create_index(op.f("ix_appointment_organization_id_held_for"), "appointment", ["organization_id", "held_for"], unique=False)
    op.create_index(
        op.f("ix_appointment_organization_id_patient_id"), "appointment", ["organization_id", "patient_id"], unique=False
    )
    for name, actor in (("ix_appointment_taken_of_practitioner", "practitioner_id"), ("ix_appointment_taken_of_room", "room_id")):
        has_time = "status IN ('proposed', 'pending', 'booked', 'arrived', 'checked-in', 'fulfilled')"
        op.create_index(
            name,
            "appointment",
            ["organization_id", actor, "end_tick", "first_tick", "status", "hold_expires_at", "held_for", "id"],
            unique=False,
            sqlite_where=sa.text(has_time),
            postgresql_where=sa.text(has_time),
        )
    op.create_table(
        "conversation",
        sa.Column("organization_id", sa.String(length=64), nullable=False),
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("channel", sa.String(length=32), nullable=False),
        sa.Column("phone", sa.String(length=40), nullable=False),
        sa.Column("call_sid", sa.String(length=64), nullable=True),
        sa.Column("owner", sa.String(length=32), nullable=False),
        sa.Column("owner_name", sa.String(length=200), nullable=True),
        sa.Column("open", sa.Boolean(), nullable=False),
        sa.Column("language", sa.String(length=16), nullable=False),
        sa.Column("patient_id", sa.String(length=64), nullable=True),
        sa.Column("claim", sa.JSON(), nullable=False),
        sa.Column("wrong_birth_dates", sa.Integer(), nullable=False),
        sa.Column("locked_out", sa.Boolean(), nullable=False),
        sa.Column("state", sa.JSON(), nullable=False),
        sa.Column("turn", sa.Integer(), nullable=False),
        sa.Column("last_turn_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("lease", sa.String(length=64), nullable=True),
        sa.Column("lease_until", sa.Float(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id", "patient_id"],
            ["patient.organization_id", "patient.id"],
            name=op.f("fk_conversation_patient_id_patient"),
        ),
        sa.PrimaryKeyConstraint("organization_id", "id", name=op.f("pk_conversation")),
    )
    op.create_index(
        op.f("ix_conversation_organization_id_phone_open"), "conversation", ["organization_id", "phone", "open"], unique=False
    )
    op.create_index("uq_conversation_call_sid", "conversation", ["organization_id", "call_sid"], unique=True)
    op.create_table(
        "coverage",
        sa.Column("organization_id", sa.String(length=64), nullable=False),
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("patient_id", sa.String(length=64), nullable=False),
        sa.Column("status", sa.String(length=32), nullable=False),
        sa.Column("payer_id", sa.String(length=64), nullable=True),
        sa.Column("payer_name", sa.String(length=200), nullable=False),
        sa.Column("subscriber_id", sa.String(length=80), nullable=True),
        sa.Column("group_number", sa.String(length=80), nullable=True),
        sa.Column("relationship", sa.String(length=20), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id", "patient_id"],
            ["patient.organization_id", "patient.id"],
            name=op.f("fk_coverage_patient_id_patient"),
        ),
        sa.PrimaryKeyConstraint("organization_id", "id", name=op.f("pk_coverage")),
    )
    op.create_index(op.f("ix_coverage_organization_id_patient_id"), "coverage", ["organization_id", "patient_id"], unique=False)
    op.create_table(
        "patient_phone",
        sa.Column("organization_id", sa.String(length=64), nullable=False),
        sa.Column("patient_id", sa.String(length=64), nullable=False),
        sa.Column("phone", sa.String(length=20), nullable=False),
        sa.Column("rank", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id", "patient_id"],
            ["patient.organization_id", "patient.id"],
            name=op.f("fk_patient_phone_patient_id_patient"),
        ),
        sa.PrimaryKeyConstraint("organization_id", "patient_id", "phone", name=op.f("pk_patient_phone")),
    )
    op.create_index(op.f("ix_patient_phone_organization_id_phone"), "patient_phone", ["organization_id", "phone"], unique=False)
    op.create_table(
        "service_request",
        sa.Column("organization_id", sa.String(length=64), nullable=False),
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("patient_id", sa.String(length=64), nullable=False),
        sa.Column("service_id", sa.String(length=64), nullable=False),
        sa.Column("status", sa.String(length=32), nullable=False),
        sa.Column("intent", sa.String(length=32), nullable=False),
        sa.Column("note", sa.String(length=2000), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id", "patient_id"],
            ["patient.organization_id", "patient.id"],
            name=op.f("fk_service_request_patient_id_patient"),
        ),
        sa.PrimaryKeyConstraint("organization_id", "id", name=op.f("pk_service_request")),
    )
    op.create_index(
        op.f("ix_service_request_organization_id_patient_id"), "service_request", ["organization_id", "patient_id"], unique=False
    )
    op.create_table(
        "task",
        sa.Column("organization_id", sa.String(length=64), nullable=False),
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("status", sa.String(length=32), nullable=False),
        sa.Column("priority", sa.String(length=32), nullable=False),
        sa.Column("team", sa.String(length=64), nullable=False),
        sa.Column("reason", sa.String(length=64), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("patient_id", sa.String(length=64), nullable=True),
        sa.Column("phone", sa.String(length=40), nullable=True),
        sa.Column("conversation_id", sa.String(length=64), nullable=True),
        sa.Column("appointment_id", sa.String(length=64), nullable=True),
        sa.Column("owner_name", sa.String(length=200), nullable=True),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("idempotency_key", sa.String(length=200), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id", "patient_id"], ["patient.organization_id", "patient.id"], name=op.f("fk_task_patient_id_patient")
        ),
        sa.PrimaryKeyConstraint("organization_id", "id", name=op.f("pk_task")),
    )
    op.create_index(op.f("ix_task_organization_id_status"), "task", ["organization_id", "status"], unique=False)
    op.create_index("uq_task_idempotency_key", "task", ["organization_id", "idempotency_key"], unique=True)
    op.create_table(
        "occupancy",
        sa.Column("organization_id", sa.String(length=64), nullable=False),
        sa.Column("actor", sa.String(length=80), nullable=False),
        sa.Column("tick", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("lane", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("appointment_id", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id", "appointment_id"],
            ["appointment.organization_id", "appointment.id"],
            name=op.f("fk_occupancy_appointment_id_appointment"),
        ),
        sa.PrimaryKeyConstraint("organization_id", "actor", "tick", "lane", name=op.f("pk_occupancy")),
        sqlite_with_rowid=False,
    )
    op.create_index(
        op.f("ix_occupancy_organization_id_appointment_id"), "occupancy", ["organization_id", "appointment_id"], unique=False
    )
