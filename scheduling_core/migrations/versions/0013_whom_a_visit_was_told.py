"""Visits as those whom they concern were told of them. Those on the books count as told."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

_CHANGED = "changed_at IS NOT NULL"


def upgrade() -> None:
    op.add_column("appointment", sa.Column("changed_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index(
        "ix_appointment_changed_at",
        "appointment",
        ["organization_id", "changed_at"],
        sqlite_where=sa.text(_CHANGED),
        postgresql_where=sa.text(_CHANGED),
    )
    op.create_table(
        "told_visit",
        sa.Column("organization_id", sa.String(length=64), nullable=False),
        sa.Column("appointment_id", sa.String(length=64), nullable=False),
        sa.Column("status", sa.String(length=32), nullable=False),
        sa.Column("service_id", sa.String(length=64), nullable=False),
        sa.Column("practitioner_id", sa.String(length=64), nullable=False),
        sa.Column("location_id", sa.String(length=64), nullable=True),
        sa.Column("mode", sa.String(length=32), nullable=False),
        sa.Column("start", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id", "appointment_id"],
            ["appointment.organization_id", "appointment.id"],
            name=op.f("fk_told_visit_appointment_id_appointment"),
        ),
        sa.PrimaryKeyConstraint("organization_id", "appointment_id", name=op.f("pk_told_visit")),
    )
    op.execute(
        "INSERT INTO told_visit (organization_id, appointment_id, status, service_id, practitioner_id, location_id, mode, start,"
        " sequence, told_at) SELECT organization_id, id, status, service_id, practitioner_id, location_id, mode, start, sequence,"
        " updated_at FROM appointment WHERE status IN ('pending', 'booked', 'arrived', 'checked-in')"
        " AND practitioner_id IS NOT NULL AND start IS NOT NULL"
    )
