"""The hands of ``hygiene fleet respond``: clones to change, a store to keep the value in, a provider to rotate it."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from hygiene.cli.compose import Composition
from hygiene.cli.fleet.values import Values
from hygiene.cli.leaked import found_labels
from hygiene.cli.migrating import open_composed_store
from hygiene.cli.rotations import Request, Rotations
from hygiene.errors import ConflictError, NotFoundError, SourceError
from hygiene.finding import Finding
from hygiene.fleet.branches import Clone, Keeping, migrate_on_branch
from hygiene.fleet.inventory.rotations import BY_HAND, CLEAN, PREPARED, Affected, Case
from hygiene.fleet.key import FleetKey
from hygiene.fleet.respond import Prepared, Stored
from hygiene.fleet.tree import TreeSource
from hygiene.replace.plan import Place
from hygiene.store.protocol import CURRENT, Expect

_ASKED = 5  # repositories whose text is read for what a provider must know


class Options(NamedTuple):
    """What the user asked for."""

    store: str = ""
    push: bool = False  # to repositories that lie elsewhere, too
    provider: str = ""
    config: str = ""


class FleetHands:
    """Works with one store and one key."""

    def __init__(self, composition: Composition, key: FleetKey, folder: Path, options: Options) -> None:
        """Keep clones in ``folder``."""
        self._composition = composition
        self._store = open_composed_store(composition, options.store)
        self._values = Values(key, options.config)
        self._folder = folder
        self._options = options

    def prepare(self, case: Case, repository: Affected) -> Prepared:
        """Migrate the value's places in a fresh clone, on a branch that goes back to the repository."""
        found = list(self._values.found(case, repository, TreeSource(Path(repository.path))))
        if not found:
            return Prepared(CLEAN)
        branch = f"hygiene/{case.name.partition('/')[2]}"
        clone = Clone(self._folder / f"{repository.id}-{case.exposure}", repository.path, repository.url)
        with clone:
            keeping = Keeping(case.name, self._store, self._composition.recorder)
            result = migrate_on_branch(clone, branch, _places(found), keeping)
            if not result.commit:
                return Prepared(BY_HAND, problem=result.problem)
            if repository.url and not self._options.push:
                clone.keep()
                return Prepared(PREPARED, branch, result.commit, f"in {clone.path}: push it, or use --push")
            clone.push(branch)
        return Prepared(BY_HAND if result.problem else PREPARED, branch, result.commit, result.problem)

    def stored(self, case: Case) -> Stored | None:
        """Say where the value is kept."""
        told = self._store.describe(case.name)
        current = told.staged(CURRENT) if told is not None and told.deleted is None else None
        return Stored(str(self._store.reference(case.name)), current.id) if current else None

    def keep(self, case: Case, repository: Affected) -> None:
        """Store the value as the object in history has it."""
        found = self._values.in_history(case, repository)
        if found is None:
            raise SourceError(f"{repository.name} does not show the value any more", hint="scan again")
        expect = Expect.ABSENT if self._store.capabilities.cas else Expect.ANYTHING
        token = case.fingerprint.partition(":")[2]
        self._store.put(case.name, found.secret, expect=expect, token=token, labels=(("rule", case.rule),))

    def rotate(self, case: Case) -> str:
        """Rotate the version that leaked; one that was rotated already by a run that was cut short stays so."""
        rotations = Rotations(self._composition, self._options.store)
        labels = next(filter(None, (self._labels(case, one) for one in case.affected[:_ASKED])), {})
        request = Request(case.name, "leaked", case.version, self._options.provider, labels=labels)
        try:
            rotated = rotations.rotate(request)
        except ConflictError:
            stored = self.stored(case)
            if stored is None or stored.version == case.version or case.name in rotations.unfinished():
                raise
            return f"{stored.reference} is at version {stored.version}"
        except NotFoundError as error:
            raise SourceError(error.message, hint=error.hint) from error
        return rotated.evidence or rotated.reference

    def shows(self, case: Case, repository: Affected) -> bool:
        """Scan the files of the default branch."""
        return any(True for _ in self._values.found(case, repository, TreeSource(Path(repository.path))))

    def _labels(self, case: Case, repository: Affected) -> dict[str, str]:
        finding = self._values.in_history(case, repository)
        return found_labels(Path(repository.path), finding) if finding else {}


def _places(findings: list[Finding]) -> list[Place]:
    return sorted(
        {
            Place(where.path, one.start, one.end, one.line_start, one.rule, one.fingerprint)
            for one in findings
            for where in one.provenance
        }
    )
