"""How patients want to be reached."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("patient", sa.Column("prefers", sa.String(length=32), nullable=True))
