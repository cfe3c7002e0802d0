"""Callbacks: what becomes of them, who reached nobody, messages left and ordered."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "callback",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("arrived_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("called", sa.String(length=32), nullable=False),
        sa.Column("number", sa.Text(), nullable=True),
        sa.Column("number_key", sa.String(length=64), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_callback")),
    )
    with op.batch_alter_table("callback", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_callback_arrived_at"), ["arrived_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_callback_number_key"), ["number_key"], unique=False)

    op.create_table(
        "ordered_message",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("text", sa.Text(), nullable=True),
        sa.Column("from_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ordered_by", sa.String(), nullable=False),
        sa.Column("ordered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("cancelled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("cancelled_by", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ordered_message")),
    )
    with op.batch_alter_table("ordered_message", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_ordered_message_from_at"), ["from_at"], unique=False)

    op.create_table(
        "callback_change",
        sa.Column("callback_id", sa.String(length=64), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("operator_id", sa.String(length=16), nullable=True),
        sa.Column("detail", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["callback_id"], ["callback.id"], name=op.f("fk_callback_change_callback_id_callback")
        ),
        sa.ForeignKeyConstraint(
            ["operator_id"], ["operator.id"], name=op.f("fk_callback_change_operator_id_operator")
        ),
        sa.PrimaryKeyConstraint("callback_id", "seq", name=op.f("pk_callback_change")),
    )
    op.create_table(
        "callback_in_hand",
        sa.Column("callback_id", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(
            ["callback_id"], ["callback.id"], name=op.f("fk_callback_in_hand_callback_id_callback")
        ),
        sa.PrimaryKeyConstraint("callback_id", name=op.f("pk_callback_in_hand")),
    )
    op.create_table(
        "callback_message",
        sa.Column("callback_id", sa.String(length=64), nullable=False),
        sa.Column("file", sa.String(length=80), nullable=False),
        sa.Column("seconds", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("heard_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("heard_by", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(
            ["callback_id"], ["callback.id"], name=op.f("fk_callback_message_callback_id_callback")
        ),
        sa.PrimaryKeyConstraint("callback_id", name=op.f("pk_callback_message")),
    )
    op.create_table(
        "callback_note",
        sa.Column("callback_id", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["callback_id"], ["callback.id"], name=op.f("fk_callback_note_callback_id_callback")
        ),
        sa.PrimaryKeyConstraint("callback_id", name=op.f("pk_callback_note")),
    )
    op.create_table(
        "callback_case",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("callback_id", sa.String(length=64), nullable=False),
        sa.Column("case_id", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["callback_id"], ["callback.id"], name=op.f("fk_callback_case_callback_id_callback")
        ),
        sa.ForeignKeyConstraint(
            ["case_id"], ["case.id"], name=op.f("fk_callback_case_case_id_case")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_callback_case")),
    )
    with op.batch_alter_table("callback_case", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_callback_case_callback_id"), ["callback_id"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_callback_case_case_id"), ["case_id"], unique=False)

    op.create_table(
        "called_back",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("callback_id", sa.String(length=64), nullable=False),
        sa.Column("case_id", sa.Integer(), nullable=True),
        sa.Column("phone_id", sa.Integer(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("asked", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["callback_id"], ["callback.id"], name=op.f("fk_called_back_callback_id_callback")
        ),
        sa.ForeignKeyConstraint(["case_id"], ["case.id"], name=op.f("fk_called_back_case_id_case")),
        sa.ForeignKeyConstraint(
            ["phone_id"], ["phone.id"], name=op.f("fk_called_back_phone_id_phone")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_called_back")),
        sa.UniqueConstraint("callback_id", name=op.f("uq_called_back_callback_id")),
    )
    with op.batch_alter_table("called_back", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_called_back_case_id"), ["case_id"], unique=False)

    with op.batch_alter_table("operator", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("callbacks_only", sa.Boolean(), nullable=False, server_default=sa.false())
        )

    with op.batch_alter_table("result", schema=None) as batch_op:
        batch_op.add_column(sa.Column("callback_id", sa.String(length=64), nullable=True))
        batch_op.create_index(batch_op.f("ix_result_callback_id"), ["callback_id"], unique=False)
        batch_op.create_index(
            "uq_result_first_of_callback",
            ["callback_id"],
            unique=True,
            sqlite_where=sa.text("replaces_id IS NULL"),
            postgresql_where=sa.text("replaces_id IS NULL"),
        )
        batch_op.create_foreign_key(
            batch_op.f("fk_result_callback_id_callback"), "callback", ["callback_id"], ["id"]
        )
