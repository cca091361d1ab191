"""Whose insurance it is, which pays first, and what payers were asked and answered."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_WAITING = "status IN ('queued', 'asking')"


def upgrade() -> None:
    with op.batch_alter_table("coverage", schema=None) as batch_op:
        batch_op.add_column(sa.Column("rank", sa.Integer(), server_default="1", nullable=False))
        batch_op.add_column(sa.Column("self_pay", sa.Boolean(), server_default=sa.text("false"), nullable=False))
        batch_op.add_column(sa.Column("subscriber_given", sa.String(length=200), nullable=True))
        batch_op.add_column(sa.Column("subscriber_family", sa.String(length=200), nullable=True))
        batch_op.add_column(sa.Column("subscriber_birth_date", sa.Date(), nullable=True))
    op.create_table(
        "eligibility_check",
        sa.Column("organization_id", sa.String(length=64), nullable=False),
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("patient_id", sa.String(length=64), nullable=False),
        sa.Column("coverage_id", sa.String(length=64), nullable=False),
        sa.Column("appointment_id", sa.String(length=64), nullable=True),
        sa.Column("service_id", sa.String(length=64), nullable=True),
        sa.Column("service_type", sa.String(length=2), nullable=False),
        sa.Column("reason", sa.String(length=32), nullable=False),
        sa.Column("status", sa.String(length=32), nullable=False),
        sa.Column("on_date", sa.Date(), nullable=False),
        sa.Column("requested_by", sa.String(length=200), nullable=False),
        sa.Column("in_force", sa.Boolean(), nullable=True),
        sa.Column("answer", sa.Text(), nullable=True),
        sa.Column("error", sa.String(length=64), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("worker", sa.String(length=64), nullable=True),
        sa.Column("worker_until", sa.Float(), nullable=False),
        sa.Column("retry_at", sa.Float(), nullable=False),
        sa.Column("idempotency_key", sa.String(length=200), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["organization_id", "appointment_id"],
            ["appointment.organization_id", "appointment.id"],
            name=op.f("fk_eligibility_check_appointment_id_appointment"),
        ),
        sa.ForeignKeyConstraint(
            ["organization_id", "coverage_id"],
            ["coverage.organization_id", "coverage.id"],
            name=op.f("fk_eligibility_check_coverage_id_coverage"),
        ),
        sa.ForeignKeyConstraint(
            ["organization_id", "patient_id"],
            ["patient.organization_id", "patient.id"],
            name=op.f("fk_eligibility_check_patient_id_patient"),
        ),
        sa.PrimaryKeyConstraint("organization_id", "id", name=op.f("pk_eligibility_check")),
    )
    for name in ("coverage_id", "patient_id"):
        op.create_index(op.f(f"ix_eligibility_check_organization_id_{name}"), "eligibility_check", ["organization_id", name])
    op.create_index(
        "uq_eligibility_check_idempotency_key", "eligibility_check", ["organization_id", "idempotency_key"], unique=True
    )
    op.create_index(
        "ix_eligibility_check_waiting",
        "eligibility_check",
        ["organization_id", "status", "retry_at"],
        sqlite_where=sa.text(_WAITING),
        postgresql_where=sa.text(_WAITING),
    )
