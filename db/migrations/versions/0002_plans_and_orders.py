"""Plans, rosters, profiles ordered in mid-month, payments, escalations, caller-ID schedule."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "answer_sum",
        sa.Column("month", sa.String(length=64), nullable=False),
        sa.Column("band", sa.String(length=32), nullable=False),
        sa.Column("non_weekday", sa.Boolean(), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("contacts", sa.Integer(), nullable=False),
        sa.Column("ended", sa.Integer(), nullable=False),
        sa.Column("closed", sa.Integer(), nullable=False),
        sa.Column("ring_s", sa.Integer(), nullable=False),
        sa.Column("handling_s", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint(
            "month", "band", "non_weekday", "kind", "ordinal", name=op.f("pk_answer_sum")
        ),
    )
    op.create_table(
        "caller_id_change",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("number", sa.String(length=16), nullable=False),
        sa.Column("from_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ordered_by", sa.String(), nullable=False),
        sa.Column("ordered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("cancelled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("cancelled_by", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_caller_id_change")),
    )
    with op.batch_alter_table("caller_id_change", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_caller_id_change_from_at"), ["from_at"], unique=False)

    op.create_table(
        "escalation_criterion",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("label", sa.String(), nullable=False),
        sa.Column("talk_result", sa.String(length=32), nullable=True),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("added_by", sa.String(), nullable=False),
        sa.Column("removed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("removed_by", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_escalation_criterion")),
    )
    op.create_table(
        "roster_hour",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("hour", sa.Integer(), nullable=False),
        sa.Column("operators", sa.Integer(), nullable=False),
        sa.Column("entered_by", sa.String(), nullable=False),
        sa.Column("entered_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("day", "hour", name=op.f("pk_roster_hour")),
    )
    op.create_table(
        "payment_file",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("campaign_id", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("handed_by", sa.String(), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("paid", sa.Integer(), nullable=False),
        sa.Column("known", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["campaign_id"], ["campaign.id"], name=op.f("fk_payment_file_campaign_id_campaign")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payment_file")),
    )
    op.create_table(
        "plan",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("campaign_id", sa.Integer(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("made_by", sa.String(), nullable=False),
        sa.Column("figures", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["campaign_id"], ["campaign.id"], name=op.f("fk_plan_campaign_id_campaign")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_plan")),
    )
    with op.batch_alter_table("plan", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_plan_campaign_id"), ["campaign_id"], unique=False)

    op.create_table(
        "profile_order",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("campaign_id", sa.Integer(), nullable=False),
        sa.Column("from_day", sa.Date(), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("ordered_by", sa.String(), nullable=False),
        sa.Column("ordered_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["campaign_id"], ["campaign.id"], name=op.f("fk_profile_order_campaign_id_campaign")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_profile_order")),
    )
    with op.batch_alter_table("profile_order", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_profile_order_campaign_id"), ["campaign_id"], unique=False
        )

    op.create_table(
        "planned_attempt",
        sa.Column("phone_id", sa.Integer(), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("gain", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["phone_id"], ["phone.id"], name=op.f("fk_planned_attempt_phone_id_phone")
        ),
        sa.PrimaryKeyConstraint("phone_id", "starts_at", name=op.f("pk_planned_attempt")),
    )
    with op.batch_alter_table("attempt_change", schema=None) as batch_op:
        batch_op.add_column(sa.Column("early_media", sa.Boolean(), nullable=True))

    with op.batch_alter_table("case_fact", schema=None) as batch_op:
        batch_op.add_column(sa.Column("criterion_id", sa.Integer(), nullable=True))
        batch_op.create_foreign_key(
            batch_op.f("fk_case_fact_criterion_id_escalation_criterion"),
            "escalation_criterion",
            ["criterion_id"],
            ["id"],
        )

    with op.batch_alter_table("phone", schema=None) as batch_op:
        batch_op.add_column(sa.Column("planned_from", sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("gain", sa.Integer(), nullable=False, server_default="0"))
        batch_op.drop_index("ix_phone_due")
        batch_op.create_index("ix_phone_due", ["campaign_id", "rank", "due_at", "id"])
