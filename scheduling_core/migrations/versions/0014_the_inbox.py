"""Whom a conversation is assigned to, until when it sleeps, and what staff leave on it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("conversation", schema=None) as batch_op:
        batch_op.add_column(sa.Column("assignee_id", sa.String(length=64), nullable=True))
        batch_op.add_column(sa.Column("team", sa.String(length=64), nullable=True))
        batch_op.add_column(sa.Column("handed_over_by", sa.String(length=200), nullable=True))
        batch_op.add_column(sa.Column("waiting_since", sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("snoozed_until", sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.create_foreign_key(
            op.f("fk_conversation_assignee_id_staff_account"),
            "staff_account",
            ["organization_id", "assignee_id"],
            ["organization_id", "id"],
        )
        batch_op.create_index(
            op.f("ix_conversation_organization_id_open_owner_last_turn_at"),
            ["organization_id", "open", "owner", "last_turn_at"],
        )
        batch_op.create_index(op.f("ix_conversation_organization_id_settled_at"), ["organization_id", "settled_at"])
    op.execute("UPDATE conversation SET waiting_since = last_turn_at WHERE owner = 'staff' AND open")
    op.create_index(op.f("ix_task_organization_id_conversation_id"), "task", ["organization_id", "conversation_id"])

    op.create_table(
        "conversation_line",
        sa.Column("organization_id", sa.String(length=64), nullable=False),
        sa.Column("sequence", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("conversation_id", sa.String(length=64), nullable=False),
        sa.Column("after_sequence", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("author", sa.String(length=200), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id", "conversation_id"],
            ["conversation.organization_id", "conversation.id"],
            name=op.f("fk_conversation_line_conversation_id_conversation"),
        ),
        sa.PrimaryKeyConstraint("sequence", name=op.f("pk_conversation_line")),
    )
    op.create_index(
        op.f("ix_conversation_line_organization_id_conversation_id"), "conversation_line", ["organization_id", "conversation_id"]
    )

    op.create_table(
        "conversation_view",
        sa.Column("organization_id", sa.String(length=64), nullable=False),
        sa.Column("conversation_id", sa.String(length=64), nullable=False),
        sa.Column("staff_id", sa.String(length=64), nullable=False),
        sa.Column("read_sequence", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("looking_until", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id", "conversation_id"],
            ["conversation.organization_id", "conversation.id"],
            name=op.f("fk_conversation_view_conversation_id_conversation"),
        ),
        sa.ForeignKeyConstraint(
            ["organization_id", "staff_id"],
            ["staff_account.organization_id", "staff_account.id"],
            name=op.f("fk_conversation_view_staff_id_staff_account"),
        ),
        sa.PrimaryKeyConstraint("organization_id", "conversation_id", "staff_id", name=op.f("pk_conversation_view")),
    )
    op.create_index(
        op.f("ix_conversation_view_organization_id_looking_until"), "conversation_view", ["organization_id", "looking_until"]
    )

    op.create_table(
        "canned_reply",
        sa.Column("organization_id", sa.String(length=64), nullable=False),
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("language", sa.String(length=16), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("organization_id", "id", name=op.f("pk_canned_reply")),
    )
    op.create_index("uq_canned_reply_name_language", "canned_reply", ["organization_id", "name", "language"], unique=True)
