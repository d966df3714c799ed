"""Pushes that webhooks tell of, how things stood each day, and whether a credential is live."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "event",
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("received", MOMENT, nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("id", BIG, primary_key=True),
        sa.UniqueConstraint("digest", name=op.f("uq_event_digest")),
    )
    op.create_index(op.f("ix_event_state_id"), "event", ["state", "id"])
    op.create_table(
        "snapshot",
        sa.Column("day", sa.Text(), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("repositories", BIG, nullable=False),
        sa.Column("exposures", BIG, nullable=False),
        sa.Column("places", BIG, nullable=False),
        sa.Column("critical", BIG, nullable=False),
        sa.Column("high", BIG, nullable=False),
        sa.Column("medium", BIG, nullable=False),
        sa.Column("low", BIG, nullable=False),
        sa.Column("rotated", BIG, nullable=False),
        sa.Column("closed", BIG, nullable=False),
        sa.Column("id", BIG, primary_key=True),
        sa.UniqueConstraint("scope", "day", name=op.f("uq_snapshot_scope_day")),
    )
    op.add_column("exposure", sa.Column("verification", sa.Text(), nullable=False, server_default="unverified"))


def downgrade() -> None:
    """Drop the tables."""
    op.drop_column("exposure", "verification")
    for table in ("snapshot", "event"):
        op.drop_table(table)
