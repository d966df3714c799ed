"""How many findings each owner has in each repository, counted once and not for every report."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_COUNT = """
insert into share (repository_id, owner_id, critical, high, medium, low)
select repository_id, owner_id,
       sum(case when weight = 3 then 1 else 0 end), sum(case when weight = 2 then 1 else 0 end),
       sum(case when weight = 1 then 1 else 0 end), sum(case when weight = 0 then 1 else 0 end)
from finding where weight >= 0 group by repository_id, owner_id
"""


def upgrade() -> None:
    """Make the table, and count what is there."""
    op.create_table(
        "share",
        sa.Column("repository_id", BIG, sa.ForeignKey("repository.id"), nullable=False),
        sa.Column("owner_id", BIG, sa.ForeignKey("owner.id"), nullable=True),
        sa.Column("critical", BIG, nullable=False),
        sa.Column("high", BIG, nullable=False),
        sa.Column("medium", BIG, nullable=False),
        sa.Column("low", BIG, nullable=False),
        sa.Column("id", BIG, primary_key=True),
    )
    op.execute(_COUNT)
    op.create_index(op.f("ix_share_repository_id"), "share", ["repository_id"])
    op.create_index(op.f("ix_share_owner_id"), "share", ["owner_id"])


def downgrade() -> None:
    """Drop the table."""
    op.drop_table("share")
