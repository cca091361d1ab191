"""Plans for several urgent visits: each with its patient, time and appointment in the plan's `need`."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    plan = sa.table(
        "plan",
        *(sa.column(name, sa.String) for name in ("organization_id", "id", "kind", "appointment_id")),
        sa.column("need", sa.JSON),
    )
    connection = op.get_bind()
    for row in connection.execute(sa.select(plan).where(plan.c.kind == "urgent")).all():
        visit = {"patient_id": row.need["patient_id"], "time": row.need["time"], "appointment_id": row.appointment_id}
        need = {"visits": [visit], "reasons": row.need.get("reasons", [])}
        own = (plan.c.organization_id == row.organization_id) & (plan.c.id == row.id)
        connection.execute(sa.update(plan).where(own).values(need=need))
    with op.batch_alter_table("plan", schema=None) as batch_op:
        batch_op.drop_constraint(op.f("fk_plan_appointment_id_appointment"), type_="foreignkey")
        batch_op.drop_column("appointment_id")
