"""When a patient was last written to, which the rate of recalls counts."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("outreach", sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index(op.f("ix_outreach_organization_id_kind_sent_at"), "outreach", ["organization_id", "kind", "sent_at"])
