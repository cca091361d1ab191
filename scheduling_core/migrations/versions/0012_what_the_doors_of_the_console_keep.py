"""What the doors of the console keep."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "audit_seal",
        sa.Column("organization_id", sa.String(length=64), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("seal", sa.String(length=64), nullable=False),
        sa.Column("sealed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("organization_id", "number", name=op.f("pk_audit_seal")),
    )
    op.create_table(
        "sign_in_failure",
        sa.Column("organization_id", sa.String(length=64), nullable=False),
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("account", sa.String(length=64), nullable=False),
        sa.Column("address", sa.String(length=64), nullable=False),
        sa.Column("at", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("organization_id", "id", name=op.f("pk_sign_in_failure")),
    )
    op.create_index(op.f("ix_sign_in_failure_organization_id_account_at"), "sign_in_failure", ["organization_id", "account", "at"])
    op.create_index(op.f("ix_sign_in_failure_organization_id_address_at"), "sign_in_failure", ["organization_id", "address", "at"])

    op.create_table(
        "signing_key",
        sa.Column("organization_id", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=32), nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("organization_id", "name", name=op.f("pk_signing_key")),
    )
    op.create_table(
        "broken_glass",
        sa.Column("organization_id", sa.String(length=64), nullable=False),
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("account_id", sa.String(length=64), nullable=False),
        sa.Column("patient_id", sa.String(length=64), nullable=False),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.Column("until", sa.Float(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id", "account_id"],
            ["staff_account.organization_id", "staff_account.id"],
            name=op.f("fk_broken_glass_account_id_staff_account"),
        ),
        sa.ForeignKeyConstraint(
            ["organization_id", "patient_id"],
            ["patient.organization_id", "patient.id"],
            name=op.f("fk_broken_glass_patient_id_patient"),
        ),
        sa.PrimaryKeyConstraint("organization_id", "id", name=op.f("pk_broken_glass")),
    )
    op.create_index(
        op.f("ix_broken_glass_organization_id_account_id_patient_id"),
        "broken_glass",
        ["organization_id", "account_id", "patient_id"],
    )

    op.create_table(
        "passkey",
        sa.Column("organization_id", sa.String(length=64), nullable=False),
        sa.Column("id", sa.String(length=1024), nullable=False),
        sa.Column("account_id", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("public_key", sa.LargeBinary(), nullable=False),
        sa.Column("sign_count", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["organization_id", "account_id"],
            ["staff_account.organization_id", "staff_account.id"],
            name=op.f("fk_passkey_account_id_staff_account"),
        ),
        sa.PrimaryKeyConstraint("organization_id", "id", name=op.f("pk_passkey")),
    )
    op.create_index(op.f("ix_passkey_organization_id_account_id"), "passkey", ["organization_id", "account_id"])

    op.create_table(
        "recovery_code",
        sa.Column("organization_id", sa.String(length=64), nullable=False),
        sa.Column("account_id", sa.String(length=64), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id", "account_id"],
            ["staff_account.organization_id", "staff_account.id"],
            name=op.f("fk_recovery_code_account_id_staff_account"),
        ),
        sa.PrimaryKeyConstraint("organization_id", "account_id", "digest", name=op.f("pk_recovery_code")),
    )
    op.create_table(
        "sign_in_link",
        sa.Column("organization_id", sa.String(length=64), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("account_id", sa.String(length=64), nullable=False),
        sa.Column("until", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id", "account_id"],
            ["staff_account.organization_id", "staff_account.id"],
            name=op.f("fk_sign_in_link_account_id_staff_account"),
        ),
        sa.PrimaryKeyConstraint("organization_id", "digest", name=op.f("pk_sign_in_link")),
    )
    op.create_table(
        "staff_session",
        sa.Column("organization_id", sa.String(length=64), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("account_id", sa.String(length=64), nullable=True),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.Column("browser", sa.String(length=200), nullable=False),
        sa.Column("address", sa.String(length=64), nullable=False),
        sa.Column("began", sa.Float(), nullable=False),
        sa.Column("seen", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id", "account_id"],
            ["staff_account.organization_id", "staff_account.id"],
            name=op.f("fk_staff_session_account_id_staff_account"),
        ),
        sa.PrimaryKeyConstraint("organization_id", "digest", name=op.f("pk_staff_session")),
    )
    op.create_index(op.f("ix_staff_session_organization_id_account_id"), "staff_session", ["organization_id", "account_id"])

    op.add_column("audit_event", sa.Column("sealed_in", sa.Integer(), nullable=True))
    op.create_index(
        "ix_audit_event_unsealed",
        "audit_event",
        ["organization_id", "sequence"],
        sqlite_where=sa.text("seal IS NULL"),
        postgresql_where=sa.text("seal IS NULL"),
    )

    op.add_column("patient", sa.Column("restricted", sa.Boolean(), nullable=False, server_default=sa.false()))

    op.add_column("staff_account", sa.Column("language", sa.String(length=16), nullable=False, server_default="en"))
    op.add_column("staff_account", sa.Column("password", sa.String(length=200), nullable=True))
    op.add_column("staff_account", sa.Column("totp_secret", sa.String(length=64), nullable=True))
    op.add_column("staff_account", sa.Column("totp_step", sa.Integer(), nullable=False, server_default="0"))
