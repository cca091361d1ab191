"""What Alembic runs: always on the connection that `scheduling_core.migrating` gives it, inside its transaction."""

from __future__ import annotations

from typing import Any, Literal

import sqlalchemy as sa
from alembic import context

from scheduling_core.models import Base, UtcDateTime


def _render(kind: str, item: Any, _: Any) -> str | Literal[False]:
    """Migrations name plain types, so that they still run when a type or an enumeration of ours has changed."""
    if kind == "type" and isinstance(item, UtcDateTime):
        return "sa.DateTime(timezone=True)"
    if kind == "type" and isinstance(item, sa.Enum):
        return f"sa.String(length={item.length})"
    return False


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    render_as_batch=context.config.attributes.get("batch", True),  # SQLite cannot alter a column in place
    render_item=_render,
    compare_type=True,
)
context.run_migrations()
