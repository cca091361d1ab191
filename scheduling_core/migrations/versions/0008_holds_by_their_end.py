"""Holds found by their end, so that a worker can end those that nobody wanted."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(
        "ix_appointment_hold_expires_at",
        "appointment",
        ["organization_id", "hold_expires_at"],
        sqlite_where=sa.text("status = 'proposed'"),
        postgresql_where=sa.text("status = 'proposed'"),
    )


def downgrade() -> None:
    op.drop_index("ix_appointment_hold_expires_at", table_name="appointment")
