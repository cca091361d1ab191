"""The words by which patients are found, records that were merged, and what staff note on tasks."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from scheduling_core import patient_keys

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

_PER_STEP = 500


def upgrade() -> None:
    with op.batch_alter_table("patient", schema=None) as batch_op:
        batch_op.add_column(sa.Column("merged_into", sa.String(length=64), nullable=True))
        batch_op.create_foreign_key(
            op.f("fk_patient_merged_into_patient"), "patient", ["organization_id", "merged_into"], ["organization_id", "id"]
        )
    op.create_index(
        "ix_patient_merged_into",
        "patient",
        ["organization_id", "merged_into"],
        sqlite_where=sa.text("merged_into IS NOT NULL"),
        postgresql_where=sa.text("merged_into IS NOT NULL"),
    )
    op.create_table(
        "patient_key",
        sa.Column("organization_id", sa.String(length=64), nullable=False),
        sa.Column("key", sa.String(length=100).with_variant(sa.String(length=100, collation="C"), "postgresql"), nullable=False),
        sa.Column("patient_id", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id", "patient_id"],
            ["patient.organization_id", "patient.id"],
            name=op.f("fk_patient_key_patient_id_patient"),
        ),
        sa.PrimaryKeyConstraint("organization_id", "key", "patient_id", name=op.f("pk_patient_key")),
    )
    op.create_index(op.f("ix_patient_key_organization_id_patient_id"), "patient_key", ["organization_id", "patient_id"])
    op.create_table(
        "patient_merge",
        sa.Column("organization_id", sa.String(length=64), nullable=False),
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("kept_id", sa.String(length=64), nullable=False),
        sa.Column("merged_id", sa.String(length=64), nullable=False),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.Column("agent", sa.String(length=200), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("undone_by", sa.String(length=200), nullable=True),
        sa.Column("undone_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["organization_id", "kept_id"],
            ["patient.organization_id", "patient.id"],
            name=op.f("fk_patient_merge_kept_id_patient"),
        ),
        sa.ForeignKeyConstraint(
            ["organization_id", "merged_id"],
            ["patient.organization_id", "patient.id"],
            name=op.f("fk_patient_merge_merged_id_patient"),
        ),
        sa.PrimaryKeyConstraint("organization_id", "id", name=op.f("pk_patient_merge")),
    )
    op.create_index(op.f("ix_patient_merge_organization_id_kept_id"), "patient_merge", ["organization_id", "kept_id"])
    op.create_index(
        "uq_patient_merge_in_force",
        "patient_merge",
        ["organization_id", "merged_id"],
        unique=True,
        sqlite_where=sa.text("undone_at IS NULL"),
        postgresql_where=sa.text("undone_at IS NULL"),
    )
    with op.batch_alter_table("task", schema=None) as batch_op:
        batch_op.add_column(sa.Column("owner_id", sa.String(length=64), nullable=True))
        batch_op.add_column(sa.Column("snoozed_until", sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("outcome", sa.String(length=500), nullable=True))
        batch_op.create_foreign_key(
            op.f("fk_task_owner_id_staff_account"), "staff_account", ["organization_id", "owner_id"], ["organization_id", "id"]
        )
        batch_op.create_index(op.f("ix_task_organization_id_patient_id"), ["organization_id", "patient_id"])
    _write_keys()


def _write_keys() -> None:
    """By which patients on file are found from now on."""
    connection = op.get_bind()
    found = connection.execute(sa.text("SELECT organization_id, id FROM patient ORDER BY organization_id, id")).tuples().all()
    for organization in sorted({organization for organization, _ in found}):
        own = [patient_id for theirs, patient_id in found if theirs == organization]
        for first in range(0, len(own), _PER_STEP):
            patient_keys.write(connection, organization, own[first : first + _PER_STEP])
