"""Reminders and the waitlist."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "freed_time",
        sa.Column("organization_id", sa.String(length=64), nullable=False),
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("practitioner_id", sa.String(length=64), nullable=False),
        sa.Column("start", sa.DateTime(timezone=True), nullable=False),
        sa.Column("first_tick", sa.Integer(), nullable=False),
        sa.Column("end_tick", sa.Integer(), nullable=False),
        sa.Column("given_up_by", sa.String(length=64), nullable=True),
        sa.Column("freed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("next_look_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["organization_id", "given_up_by"],
            ["patient.organization_id", "patient.id"],
            name=op.f("fk_freed_time_given_up_by_patient"),
        ),
        sa.ForeignKeyConstraint(
            ["organization_id", "practitioner_id"],
            ["practitioner.organization_id", "practitioner.id"],
            name=op.f("fk_freed_time_practitioner_id_practitioner"),
        ),
        sa.PrimaryKeyConstraint("organization_id", "id", name=op.f("pk_freed_time")),
    )
    with op.batch_alter_table("freed_time", schema=None) as batch_op:
        batch_op.create_index(
            "ix_freed_time_next_look_at",
            ["organization_id", "next_look_at"],
            unique=False,
            sqlite_where=sa.text("next_look_at IS NOT NULL"),
            postgresql_where=sa.text("next_look_at IS NOT NULL"),
        )

    op.create_table(
        "waitlist_offer",
        sa.Column("organization_id", sa.String(length=64), nullable=False),
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("freed_id", sa.String(length=64), nullable=False),
        sa.Column("place_id", sa.String(length=64), nullable=False),
        sa.Column("hold_id", sa.String(length=64), nullable=False),
        sa.Column("phone", sa.String(length=40), nullable=False),
        sa.Column("status", sa.String(length=32), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id", "freed_id"],
            ["freed_time.organization_id", "freed_time.id"],
            name=op.f("fk_waitlist_offer_freed_id_freed_time"),
        ),
        sa.ForeignKeyConstraint(
            ["organization_id", "hold_id"],
            ["appointment.organization_id", "appointment.id"],
            name=op.f("fk_waitlist_offer_hold_id_appointment"),
        ),
        sa.ForeignKeyConstraint(
            ["organization_id", "place_id"],
            ["appointment.organization_id", "appointment.id"],
            name=op.f("fk_waitlist_offer_place_id_appointment"),
        ),
        sa.PrimaryKeyConstraint("organization_id", "id", name=op.f("pk_waitlist_offer")),
    )
    with op.batch_alter_table("waitlist_offer", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_waitlist_offer_organization_id_created_at"), ["organization_id", "created_at"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_waitlist_offer_organization_id_place_id"), ["organization_id", "place_id"], unique=False
        )
        batch_op.create_index("uq_waitlist_offer_freed_id_place_id", ["organization_id", "freed_id", "place_id"], unique=True)
        batch_op.create_index(
            "uq_waitlist_offer_open_phone",
            ["organization_id", "phone"],
            unique=True,
            sqlite_where=sa.text("status = 'open'"),
            postgresql_where=sa.text("status = 'open'"),
        )

    with op.batch_alter_table("appointment", schema=None) as batch_op:
        batch_op.add_column(sa.Column("next_reminder_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.create_index(
            "ix_appointment_next_reminder_at",
            ["organization_id", "next_reminder_at"],
            unique=False,
            sqlite_where=sa.text("next_reminder_at IS NOT NULL"),
            postgresql_where=sa.text("next_reminder_at IS NOT NULL"),
        )
        batch_op.create_index(
            "ix_appointment_waiting",
            ["organization_id", "service_id"],
            unique=False,
            sqlite_where=sa.text("status = 'waitlist'"),
            postgresql_where=sa.text("status = 'waitlist'"),
        )

    with op.batch_alter_table("communication", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_communication_organization_id_phone_kind"), ["organization_id", "phone", "kind"], unique=False
        )
