"""What happened when, by what it happened to: reports read a span of days."""

from __future__ import annotations

from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_audit_event_organization_id_entity_at", "audit_event", ["organization_id", "entity", "at"])
