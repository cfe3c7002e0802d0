"""What pacing believed of each attempt, what operators did, and what was learned of both."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "pacing_belief",
        sa.Column("name", sa.String(length=32), nullable=False),
        sa.Column("value", sa.Double(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_pacing_belief")),
    )
    op.create_table(
        "seat_change",
        sa.Column("operator_id", sa.String(length=16), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.ForeignKeyConstraint(
            ["operator_id"], ["operator.id"], name=op.f("fk_seat_change_operator_id_operator")
        ),
        sa.PrimaryKeyConstraint("operator_id", "at", name=op.f("pk_seat_change")),
    )
    with op.batch_alter_table("seat_change", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_seat_change_at"), ["at"], unique=False)

    with op.batch_alter_table("attempt", schema=None) as batch_op:
        batch_op.add_column(sa.Column("chance", sa.Double(), nullable=True))
        batch_op.add_column(sa.Column("miss", sa.Double(), nullable=True))

    with op.batch_alter_table("plan", schema=None) as batch_op:
        batch_op.add_column(sa.Column("chances", sa.JSON(), nullable=True))
