"""Plans that move visits."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "plan",
        sa.Column("organization_id", sa.String(length=64), nullable=False),
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("status", sa.String(length=32), nullable=False),
        sa.Column("need", sa.JSON(), nullable=False),
        sa.Column("appointment_id", sa.String(length=64), nullable=True),
        sa.Column("decided_by", sa.String(length=200), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id", "appointment_id"],
            ["appointment.organization_id", "appointment.id"],
            name=op.f("fk_plan_appointment_id_appointment"),
        ),
        sa.PrimaryKeyConstraint("organization_id", "id", name=op.f("pk_plan")),
    )
    op.create_table(
        "plan_move",
        sa.Column("organization_id", sa.String(length=64), nullable=False),
        sa.Column("plan_id", sa.String(length=64), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("appointment_id", sa.String(length=64), nullable=False),
        sa.Column("patient_id", sa.String(length=64), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(length=32), nullable=False),
        sa.Column("old", sa.JSON(), nullable=False),
        sa.Column("new", sa.JSON(), nullable=True),
        sa.Column("hold_id", sa.String(length=64), nullable=True),
        sa.Column("moved_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["organization_id", "appointment_id"],
            ["appointment.organization_id", "appointment.id"],
            name=op.f("fk_plan_move_appointment_id_appointment"),
        ),
        sa.ForeignKeyConstraint(
            ["organization_id", "hold_id"],
            ["appointment.organization_id", "appointment.id"],
            name=op.f("fk_plan_move_hold_id_appointment"),
        ),
        sa.ForeignKeyConstraint(
            ["organization_id", "patient_id"],
            ["patient.organization_id", "patient.id"],
            name=op.f("fk_plan_move_patient_id_patient"),
        ),
        sa.ForeignKeyConstraint(
            ["organization_id", "plan_id"], ["plan.organization_id", "plan.id"], name=op.f("fk_plan_move_plan_id_plan")
        ),
        sa.PrimaryKeyConstraint("organization_id", "plan_id", "number", name=op.f("pk_plan_move")),
    )
    with op.batch_alter_table("plan_move", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_plan_move_organization_id_appointment_id"), ["organization_id", "appointment_id"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_plan_move_organization_id_patient_id"), ["organization_id", "patient_id"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_plan_move_organization_id_plan_id_status"), ["organization_id", "plan_id", "status"], unique=False
        )
