"""How many exposures are in each state, counted by blocks of them and not for every report."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_COUNT = """
insert into exposure_count (block, state, weight, exposures)
select id / 256, state, weight, count(*) from exposure where repositories > 0 group by id / 256, state, weight
"""


def upgrade() -> None:
    """Make the table, and count what is there."""
    op.create_table(
        "exposure_count",
        sa.Column("block", BIG, nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("weight", BIG, nullable=False),
        sa.Column("exposures", BIG, nullable=False),
        sa.Column("id", BIG, primary_key=True),
    )
    op.execute(_COUNT)
    op.create_index(op.f("ix_exposure_count_block"), "exposure_count", ["block"])


def downgrade() -> None:
    """Drop the table."""
    op.drop_table("exposure_count")
