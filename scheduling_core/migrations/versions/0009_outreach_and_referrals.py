"""Writing to patients who are due, referrals to other practices, and when an ordered visit is wanted."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


_NEXT = "next_at IS NOT NULL"


def upgrade() -> None:
    op.create_table(
        "outreach",
        sa.Column("organization_id", sa.String(length=64), nullable=False),
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("status", sa.String(length=32), nullable=False),
        sa.Column("patient_id", sa.String(length=64), nullable=False),
        sa.Column("service_id", sa.String(length=64), nullable=False),
        sa.Column("request_id", sa.String(length=64), nullable=True),
        sa.Column("appointment_id", sa.String(length=64), nullable=True),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("next_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("key", sa.String(length=200), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id", "appointment_id"],
            ["appointment.organization_id", "appointment.id"],
            name=op.f("fk_outreach_appointment_id_appointment"),
        ),
        sa.ForeignKeyConstraint(
            ["organization_id", "patient_id"],
            ["patient.organization_id", "patient.id"],
            name=op.f("fk_outreach_patient_id_patient"),
        ),
        sa.ForeignKeyConstraint(
            ["organization_id", "request_id"],
            ["service_request.organization_id", "service_request.id"],
            name=op.f("fk_outreach_request_id_service_request"),
        ),
        sa.PrimaryKeyConstraint("organization_id", "id", name=op.f("pk_outreach")),
    )
    op.create_index(
        "ix_outreach_next_at",
        "outreach",
        ["organization_id", "next_at"],
        sqlite_where=sa.text(_NEXT),
        postgresql_where=sa.text(_NEXT),
    )
    op.create_index(op.f("ix_outreach_organization_id_kind_status"), "outreach", ["organization_id", "kind", "status"])
    op.create_index(op.f("ix_outreach_organization_id_patient_id"), "outreach", ["organization_id", "patient_id"])
    op.create_index("uq_outreach_key", "outreach", ["organization_id", "key"], unique=True)

    op.create_table(
        "referral",
        sa.Column("organization_id", sa.String(length=64), nullable=False),
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("request_id", sa.String(length=64), nullable=False),
        sa.Column("patient_id", sa.String(length=64), nullable=False),
        sa.Column("specialty", sa.String(length=64), nullable=False),
        sa.Column("partner_id", sa.String(length=64), nullable=True),
        sa.Column("network", sa.String(length=32), nullable=False),
        sa.Column("status", sa.String(length=32), nullable=False),
        sa.Column("owner", sa.String(length=200), nullable=False),
        sa.Column("next_step", sa.String(length=200), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("appointment_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("outcome", sa.String(length=200), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id", "patient_id"],
            ["patient.organization_id", "patient.id"],
            name=op.f("fk_referral_patient_id_patient"),
        ),
        sa.ForeignKeyConstraint(
            ["organization_id", "request_id"],
            ["service_request.organization_id", "service_request.id"],
            name=op.f("fk_referral_request_id_service_request"),
        ),
        sa.PrimaryKeyConstraint("organization_id", "id", name=op.f("pk_referral")),
    )
    op.create_index(op.f("ix_referral_organization_id_patient_id"), "referral", ["organization_id", "patient_id"])
    op.create_index(op.f("ix_referral_organization_id_status_due_at"), "referral", ["organization_id", "status", "due_at"])
    op.create_index("uq_referral_request_id", "referral", ["organization_id", "request_id"], unique=True)

    with op.batch_alter_table("service_request", schema=None) as batch_op:
        batch_op.add_column(sa.Column("category", sa.String(length=32), server_default="order", nullable=False))
        batch_op.add_column(sa.Column("occurs_from", sa.Date(), nullable=True))
        batch_op.add_column(sa.Column("occurs_until", sa.Date(), nullable=True))
