"""When a message went out, and mail addresses beside numbers."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from scheduling_core.models.base import UtcDateTime

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("communication") as batch_op:
        batch_op.add_column(sa.Column("sent_at", UtcDateTime(), nullable=True))
        batch_op.alter_column("phone", existing_type=sa.String(length=40), type_=sa.String(length=320), existing_nullable=False)


def downgrade() -> None:
    with op.batch_alter_table("communication") as batch_op:
        batch_op.alter_column("phone", existing_type=sa.String(length=320), type_=sa.String(length=40), existing_nullable=False)
        batch_op.drop_column("sent_at")
