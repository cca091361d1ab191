"""The models of who may not come, and the waitlist read in the order of joining."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "no_show_model",
        sa.Column("organization_id", sa.String(length=64), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.Column("trained_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("organization_id", "number", name=op.f("pk_no_show_model")),
    )
    op.drop_index("ix_appointment_waiting", table_name="appointment")
    op.create_index(
        "ix_appointment_waiting",
        "appointment",
        ["organization_id", "service_id", "created_at", "id"],
        sqlite_where=sa.text("status = 'waitlist'"),
        postgresql_where=sa.text("status = 'waitlist'"),
    )
