"""Repositories, findings, exposures and their end."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "exposure",
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("weight", BIG, nullable=False),
        sa.Column("length", BIG, nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("repositories", BIG, nullable=False),
        sa.Column("places", BIG, nullable=False),
        sa.Column("first_seen", MOMENT, nullable=False),
        sa.Column("last_seen", MOMENT, nullable=False),
        sa.Column("closed", MOMENT, nullable=True),
        sa.Column("id", BIG, primary_key=True),
        sa.UniqueConstraint("fingerprint", name=op.f("uq_exposure_fingerprint")),
    )
    op.create_index(
        op.f("ix_exposure_state_weight_repositories_id"), "exposure", ["state", "weight", "repositories", "id"]
    )
    op.create_table(
        "owner",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("id", BIG, primary_key=True),
        sa.UniqueConstraint("name", name=op.f("uq_owner_name")),
    )
    op.create_table(
        "run",
        sa.Column("started", MOMENT, nullable=False),
        sa.Column("finished", MOMENT, nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("engine", sa.Text(), nullable=False),
        sa.Column("repositories", BIG, nullable=False),
        sa.Column("changed", BIG, nullable=False),
        sa.Column("failed", BIG, nullable=False),
        sa.Column("bytes", BIG, nullable=False),
        sa.Column("id", BIG, primary_key=True),
    )
    op.create_table(
        "setting",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("id", BIG, primary_key=True),
        sa.UniqueConstraint("name", name=op.f("uq_setting_name")),
    )
    op.create_table(
        "source",
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("location", sa.Text(), nullable=False),
        sa.Column("api", sa.Text(), nullable=False),
        sa.Column("team", sa.Text(), nullable=False),
        sa.Column("archived", sa.Boolean(), nullable=False),
        sa.Column("forks", sa.Boolean(), nullable=False),
        sa.Column("listed", MOMENT, nullable=True),
        sa.Column("memory", sa.JSON(), nullable=False),
        sa.Column("problem", sa.Text(), nullable=False),
        sa.Column("id", BIG, primary_key=True),
        sa.UniqueConstraint("kind", "location", name=op.f("uq_source_kind_location")),
    )
    op.create_table(
        "repository",
        sa.Column("source_id", BIG, sa.ForeignKey("source.id"), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("owner_id", BIG, sa.ForeignKey("owner.id"), nullable=True),
        sa.Column("tips", sa.Text(), nullable=False),
        sa.Column("scanned", sa.Text(), nullable=False),
        sa.Column("scanned_at", MOMENT, nullable=True),
        sa.Column("added", MOMENT, nullable=False),
        sa.Column("seconds", sa.Double(), nullable=False),
        sa.Column("bytes", BIG, nullable=False),
        sa.Column("blobs", BIG, nullable=False),
        sa.Column("commits", BIG, nullable=False),
        sa.Column("problem", sa.Text(), nullable=False),
        sa.Column("critical", BIG, nullable=False),
        sa.Column("high", BIG, nullable=False),
        sa.Column("medium", BIG, nullable=False),
        sa.Column("low", BIG, nullable=False),
        sa.Column("id", BIG, primary_key=True),
        sa.UniqueConstraint("key", name=op.f("uq_repository_key")),
    )
    op.create_index(
        op.f("ix_repository_critical_high_medium_low_id"), "repository", ["critical", "high", "medium", "low", "id"]
    )
    op.create_index(op.f("ix_repository_name"), "repository", ["name"])
    op.create_index(op.f("ix_repository_owner_id"), "repository", ["owner_id"])
    op.create_index(op.f("ix_repository_source_id"), "repository", ["source_id"])
    op.create_index(op.f("ix_repository_state"), "repository", ["state"])
    op.create_table(
        "rotation",
        sa.Column("exposure_id", BIG, sa.ForeignKey("exposure.id"), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("started", MOMENT, nullable=False),
        sa.Column("rotated", MOMENT, nullable=True),
        sa.Column("closed", MOMENT, nullable=True),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("evidence", sa.Text(), nullable=False),
        sa.Column("id", BIG, primary_key=True),
        sa.UniqueConstraint("exposure_id", name=op.f("uq_rotation_exposure_id")),
    )
    op.create_table(
        "branch",
        sa.Column("rotation_id", BIG, sa.ForeignKey("rotation.id"), nullable=False),
        sa.Column("repository_id", BIG, sa.ForeignKey("repository.id"), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("commit", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("problem", sa.Text(), nullable=False),
        sa.Column("id", BIG, primary_key=True),
        sa.UniqueConstraint("rotation_id", "repository_id", name=op.f("uq_branch_rotation_id_repository_id")),
    )
    op.create_index(op.f("ix_branch_repository_id"), "branch", ["repository_id"])
    op.create_table(
        "finding",
        sa.Column("repository_id", BIG, sa.ForeignKey("repository.id"), nullable=False),
        sa.Column("exposure_id", BIG, sa.ForeignKey("exposure.id"), nullable=False),
        sa.Column("owner_id", BIG, sa.ForeignKey("owner.id"), nullable=True),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("weight", BIG, nullable=False),
        sa.Column("confidence", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("line_start", BIG, nullable=False),
        sa.Column("line_end", BIG, nullable=False),
        sa.Column("column_start", BIG, nullable=False),
        sa.Column("column_end", BIG, nullable=False),
        sa.Column("blob", sa.Text(), nullable=False),
        sa.Column("commit", sa.Text(), nullable=False),
        sa.Column("last_commit", sa.Text(), nullable=False),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("date", sa.Text(), nullable=False),
        sa.Column("commits", sa.Text(), nullable=False),
        sa.Column("first_seen", MOMENT, nullable=False),
        sa.Column("gone", MOMENT, nullable=True),
        sa.Column("id", BIG, primary_key=True),
        sa.UniqueConstraint(
            "repository_id",
            "exposure_id",
            "path",
            "place",
            name=op.f("uq_finding_repository_id_exposure_id_path_place"),
        ),
    )
    op.create_index(op.f("ix_finding_exposure_id_id"), "finding", ["exposure_id", "id"])
    op.create_index(op.f("ix_finding_owner_id_weight_id"), "finding", ["owner_id", "weight", "id"])
    op.create_index(op.f("ix_finding_repository_id_weight_id"), "finding", ["repository_id", "weight", "id"])
    op.create_table(
        "task",
        sa.Column("repository_id", BIG, sa.ForeignKey("repository.id"), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("part", BIG, nullable=False),
        sa.Column("parts", BIG, nullable=False),
        sa.Column("bytes", BIG, nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("attempts", BIG, nullable=False),
        sa.Column("problem", sa.Text(), nullable=False),
        sa.Column("result", sa.JSON(), nullable=False),
        sa.Column("finished", MOMENT, nullable=True),
        sa.Column("id", BIG, primary_key=True),
        sa.UniqueConstraint(
            "repository_id", "digest", "kind", "part", name=op.f("uq_task_repository_id_digest_kind_part")
        ),
    )
    op.create_index(op.f("ix_task_state"), "task", ["state"])


def downgrade() -> None:
    """Drop the tables."""
    for table in (
        "task",
        "finding",
        "branch",
        "rotation",
        "repository",
        "source",
        "setting",
        "run",
        "owner",
        "exposure",
    ):
        op.drop_table(table)
