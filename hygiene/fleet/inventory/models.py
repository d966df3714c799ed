"""The inventory's tables. A finding is one path of one repository; what it leaks is an exposure, told once."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from hygiene.fleet.inventory.base import Base

ACTIVE, ARCHIVED, GONE = "active", "archived", "gone"  # states of a repository
BLOCK = 256  # exposures that are counted together
OPEN, ROTATED, CLOSED = "open", "rotated", "closed"  # states of an exposure
QUEUED, DONE, FAILED = "queued", "done", "failed"  # states of a task


class Setting(Base):
    """A fact about the inventory itself, such as the id of the key that its fingerprints are made with."""

    __tablename__ = "setting"
    name: Mapped[str] = mapped_column(unique=True)
    value: Mapped[str]


class Source(Base):
    """A place that lists repositories."""

    __tablename__ = "source"
    __table_args__ = (UniqueConstraint("kind", "location"),)
    kind: Mapped[str]  # file, folder, github, gitlab
    location: Mapped[str]  # a path, or the organisation
    api: Mapped[str]  # base URL of the API
    team: Mapped[str]  # who answers for its repositories where nothing else tells
    archived: Mapped[bool]  # take archived repositories, too
    forks: Mapped[bool]  # take forks, too
    listed: Mapped[datetime | None]
    memory: Mapped[dict[str, Any]]  # what the next listing can do without asking again
    problem: Mapped[str]  # why the last listing failed


class Owner(Base):
    """Somebody who answers for code: a team, a user, or the address of an active committer."""

    __tablename__ = "owner"
    name: Mapped[str] = mapped_column(unique=True)


class Repository(Base):
    """One repository, whatever it is called today."""

    __tablename__ = "repository"
    __table_args__ = (Index(None, "critical", "high", "medium", "low", "id"),)
    source_id: Mapped[int] = mapped_column(ForeignKey("source.id"), index=True)
    key: Mapped[str] = mapped_column(unique=True)  # stays when it is renamed or moved
    name: Mapped[str] = mapped_column(index=True)
    url: Mapped[str]  # to fetch from; empty for a folder that is scanned in place
    path: Mapped[str]  # of the clone or mirror
    state: Mapped[str] = mapped_column(index=True)
    owner_id: Mapped[int | None] = mapped_column(ForeignKey("owner.id"), index=True)
    tips: Mapped[str]  # digest of the refs that the last whole scan saw
    scanned: Mapped[str]  # digest of those tips, of the rules and of the policy
    scanned_at: Mapped[datetime | None]
    added: Mapped[datetime]
    seconds: Mapped[float]  # that its scan took
    bytes: Mapped[int]
    blobs: Mapped[int]
    commits: Mapped[int]
    problem: Mapped[str]  # why it was not scanned, or not whole
    critical: Mapped[int]  # findings that nobody accepted and that are still there
    high: Mapped[int]
    medium: Mapped[int]
    low: Mapped[int]


class Share(Base):
    """How many findings of a repository one owner answers for: of those that count, by severity."""

    __tablename__ = "share"
    __table_args__ = (Index(None, "repository_id"), Index(None, "owner_id"))
    repository_id: Mapped[int] = mapped_column(ForeignKey("repository.id"))
    owner_id: Mapped[int | None] = mapped_column(ForeignKey("owner.id"))
    critical: Mapped[int]
    high: Mapped[int]
    medium: Mapped[int]
    low: Mapped[int]


class Run(Base):
    """One ``fleet scan``."""

    __tablename__ = "run"
    started: Mapped[datetime]
    finished: Mapped[datetime | None]
    state: Mapped[str]  # running, done, interrupted
    engine: Mapped[str]
    repositories: Mapped[int]
    changed: Mapped[int]
    failed: Mapped[int]
    bytes: Mapped[int]


class Task(Base):
    """A piece of work: a repository at some tips, or a part of one. Its result is written together with its state."""

    __tablename__ = "task"
    __table_args__ = (UniqueConstraint("repository_id", "digest", "kind", "part"), Index(None, "state"))
    repository_id: Mapped[int] = mapped_column(ForeignKey("repository.id"))
    digest: Mapped[str]
    kind: Mapped[str]  # whole, part, place
    part: Mapped[int]
    parts: Mapped[int]
    bytes: Mapped[int]
    state: Mapped[str]
    attempts: Mapped[int]
    problem: Mapped[str]
    result: Mapped[dict[str, Any]]  # of a part: the ids of the objects in which something matched
    finished: Mapped[datetime | None]


class Exposure(Base):
    """One leaked secret, in however many repositories."""

    __tablename__ = "exposure"
    __table_args__ = (Index(None, "state", "weight", "repositories", "id"),)
    fingerprint: Mapped[str] = mapped_column(unique=True)
    rule: Mapped[str]
    description: Mapped[str]
    weight: Mapped[int]  # severity: 0 low … 3 critical
    length: Mapped[int]  # bytes of the value
    state: Mapped[str]
    verification: Mapped[str] = mapped_column(server_default="unverified")  # live, dead, unknown
    repositories: Mapped[int]  # that still hold it
    places: Mapped[int]
    first_seen: Mapped[datetime]
    last_seen: Mapped[datetime]
    closed: Mapped[datetime | None]


class ExposureCount(Base):
    """How many exposures of one block are in a state, by severity: of those that a repository still holds."""

    __tablename__ = "exposure_count"
    __table_args__ = (Index(None, "block"),)
    block: Mapped[int]  # the exposures' number // BLOCK
    state: Mapped[str]
    weight: Mapped[int]
    exposures: Mapped[int]


class Finding(Base):
    """One path of one repository that leaks an exposure."""

    __tablename__ = "finding"
    __table_args__ = (
        UniqueConstraint("repository_id", "exposure_id", "path", "place"),
        Index(None, "exposure_id", "id"),
        Index(None, "repository_id", "weight", "id"),
        Index(None, "owner_id", "weight", "id"),
    )
    repository_id: Mapped[int] = mapped_column(ForeignKey("repository.id"))
    exposure_id: Mapped[int] = mapped_column(ForeignKey("exposure.id"))
    owner_id: Mapped[int | None] = mapped_column(ForeignKey("owner.id"))
    path: Mapped[str]
    place: Mapped[str]  # tells apart findings of one path that are not joined
    rule: Mapped[str]
    weight: Mapped[int]  # severity while it counts; -1 accepted, -2 no longer there
    confidence: Mapped[str]
    status: Mapped[str]  # new, baselined, allowlisted
    line_start: Mapped[int]
    line_end: Mapped[int]
    column_start: Mapped[int]
    column_end: Mapped[int]
    blob: Mapped[str]
    commit: Mapped[str]  # the first that holds it
    last_commit: Mapped[str]
    author: Mapped[str]
    email: Mapped[str]
    date: Mapped[str]
    commits: Mapped[str]  # all that brought a version of it, separated by blanks
    first_seen: Mapped[datetime]
    gone: Mapped[datetime | None]


class Rotation(Base):
    """The end of an exposure: one new value for all places."""

    __tablename__ = "rotation"
    exposure_id: Mapped[int] = mapped_column(ForeignKey("exposure.id"), unique=True)
    name: Mapped[str]  # in the store
    reference: Mapped[str]
    state: Mapped[str]  # prepared, rotated, closed
    started: Mapped[datetime]
    rotated: Mapped[datetime | None]
    closed: Mapped[datetime | None]
    version: Mapped[str]  # that leaked
    evidence: Mapped[str]


class Branch(Base):
    """The migration branch of one repository for one rotation."""

    __tablename__ = "branch"
    __table_args__ = (UniqueConstraint("rotation_id", "repository_id"),)
    rotation_id: Mapped[int] = mapped_column(ForeignKey("rotation.id"))
    repository_id: Mapped[int] = mapped_column(ForeignKey("repository.id"), index=True)
    name: Mapped[str]
    commit: Mapped[str]
    state: Mapped[str]  # prepared, by hand, clean (the default branch no longer shows the value)
    problem: Mapped[str]


class Event(Base):
    """A push that a webhook told of."""

    __tablename__ = "event"
    __table_args__ = (Index(None, "state", "id"),)
    digest: Mapped[str] = mapped_column(unique=True)  # of the body: a replay is the same event
    key: Mapped[str]  # of the repository: forge and number
    url: Mapped[str]  # to clone from
    received: Mapped[datetime]
    state: Mapped[str]  # queued, done, unknown (no such repository here)


class Snapshot(Base):
    """How things stood at the end of a day, as a whole (scope empty) or for one owner."""

    __tablename__ = "snapshot"
    __table_args__ = (UniqueConstraint("scope", "day"),)
    day: Mapped[str]  # ISO 8601
    scope: Mapped[str]
    repositories: Mapped[int]
    exposures: Mapped[int]
    places: Mapped[int]
    critical: Mapped[int]
    high: Mapped[int]
    medium: Mapped[int]
    low: Mapped[int]
    rotated: Mapped[int]
    closed: Mapped[int]
