"""When patients came, were taken to a room and left, and the visits of a day that were cancelled or missed."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

_IS_GONE = sa.text("status IN ('cancelled', 'noshow') AND hold_expires_at IS NULL")


def upgrade() -> None:
    op.create_table(
        "attendance",
        sa.Column("organization_id", sa.String(length=64), nullable=False),
        sa.Column("appointment_id", sa.String(length=64), nullable=False),
        sa.Column("expected_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("arrived_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("roomed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["organization_id", "appointment_id"],
            ["appointment.organization_id", "appointment.id"],
            name=op.f("fk_attendance_appointment_id_appointment"),
        ),
        sa.PrimaryKeyConstraint("organization_id", "appointment_id", name=op.f("pk_attendance")),
    )
    op.create_index(
        "ix_appointment_gone",
        "appointment",
        ["organization_id", "start"],
        sqlite_where=_IS_GONE,
        postgresql_where=_IS_GONE,
    )


def downgrade() -> None:
    op.drop_index("ix_appointment_gone", table_name="appointment")
    op.drop_table("attendance")
