"""A store whose every access leaves evidence: the intent before, the outcome after, and no access without both.

Reading or changing a value is recorded; telling about secrets (``describe``, ``list``) reads no value and is recorded
only where it is refused, or where what is there does not verify.
"""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping
from contextlib import AbstractContextManager, contextmanager, suppress
from datetime import datetime

from hygiene.errors import AccessDeniedError, HygieneError, IntegrityError
from hygiene.prove.event import DENIED, FAILED, Recorder
from hygiene.prove.redact import Redactor
from hygiene.reference import NAME_PATTERN, Reference
from hygiene.secret import Secret
from hygiene.store.protocol import (
    CURRENT,
    DELETE,
    READ,
    WRITE,
    Capabilities,
    Expect,
    Explained,
    Store,
    StoredSecret,
    Version,
)

_ITS_OWN = "the store's own policy"  # which decides without telling us by what
_NONE = "none"  # no rule allows it, so it is denied
_UNKNOWN = "unknown"  # the store's policy does not verify


def audited(store: Store, recorder: Recorder) -> Store:
    """Wrap ``store`` so that ``recorder`` witnesses each access; AuditError where it can't, and nothing is done."""
    return _Audited(store, recorder)


class _Audited:
    def __init__(self, store: Store, recorder: Recorder) -> None:
        self._store = store
        self._recorder = recorder
        # A recorder with a sink that redacts is told the values that pass, so that none slips into an entry.
        self._redactor: Redactor | None = getattr(recorder, "redactor", None)

    @property
    def uri(self) -> str:
        return self._store.uri

    @property
    def capabilities(self) -> Capabilities:
        return self._store.capabilities

    def reference(self, name: str, *, field: str = "") -> Reference:
        return self._store.reference(name, field=field)

    def name_of(self, reference: Reference) -> str:
        return self._store.name_of(reference)

    def describe(self, name: str) -> StoredSecret | None:
        with self._refusals("secret.describe", name):
            return self._store.describe(name)

    def list(self, prefix: str = "") -> Iterator[StoredSecret]:
        with self._refusals("secret.list", prefix):
            yield from self._store.list(prefix)

    def put(
        self,
        name: str,
        secret: Secret,
        *,
        expect: str | Expect = Expect.ANYTHING,
        token: str,
        stage: str = CURRENT,
        expires: datetime | None = None,
        labels: tuple[tuple[str, str], ...] = (),
    ) -> Version:
        self._learn(secret)
        with self._access("secret.put", name, WRITE, stage=stage, **_labels(labels)) as result:
            version = self._store.put(
                name, secret, expect=expect, token=token, stage=stage, expires=expires, labels=labels
            )
            result.update(version=version.id, stage=stage, **_labels(labels))
        return version

    def get(self, name: str, *, stage: str = CURRENT, version: str | None = None) -> Secret:
        detail = {"version": version} if version else {"stage": stage}
        # The value is handed out behind the last line, when its outcome is on record.
        with self._witnessed(self._recorder.reading("secret.get", self._object(name), **detail), name, READ):
            secret = self._store.get(name, stage=stage, version=version)
            self._learn(secret)
        return secret

    def promote(self, name: str, version: str, *, expect: str) -> None:
        with self._access("secret.promote", name, WRITE, version=version, former=expect):
            self._store.promote(name, version, expect=expect)

    def unstage(self, name: str, stage: str) -> None:
        with self._access("secret.unstage", name, WRITE, stage=stage):
            self._store.unstage(name, stage)

    def expire(self, name: str, at: datetime | None) -> None:
        with self._access("secret.expire", name, WRITE, at=_time(at)):
            self._store.expire(name, at)

    def mark_due(self, name: str, at: datetime | None) -> None:
        with self._access("secret.mark-due", name, WRITE, at=_time(at)):
            self._store.mark_due(name, at)

    def adopt(self, name: str) -> None:
        with self._access("secret.adopt", name, WRITE):
            self._store.adopt(name)

    def delete(self, name: str, *, recoverable: bool = True) -> None:
        with self._access("secret.delete", name, DELETE, recoverable=str(recoverable).lower()):
            self._store.delete(name, recoverable=recoverable)

    def restore(self, name: str) -> None:
        with self._access("secret.restore", name, DELETE):
            self._store.restore(name)

    @contextmanager
    def _access(self, action: str, name: str, verb: str, **detail: str) -> Iterator[MutableMapping[str, str]]:
        with self._witnessed(self._recorder.access(action, self._object(name), **detail), name, verb) as result:
            yield result

    @contextmanager
    def _witnessed(
        self, access: AbstractContextManager[MutableMapping[str, str]], name: str, verb: str
    ) -> Iterator[MutableMapping[str, str]]:
        with access as result:
            try:
                yield result
            finally:
                result["decided_by"] = self._rule(verb, name)

    def _rule(self, verb: str, name: str) -> str:
        """Name the rule that an access was allowed or denied by."""
        if not isinstance(self._store, Explained):
            return _ITS_OWN
        with suppress(HygieneError):
            return self._store.rule_for(verb, name) or _NONE
        return _UNKNOWN

    @contextmanager
    def _refusals(self, action: str, name: str) -> Iterator[None]:
        try:
            yield
        except (AccessDeniedError, IntegrityError) as error:
            outcome = DENIED if isinstance(error, AccessDeniedError) else FAILED
            what = self._object(name) if NAME_PATTERN.match(name) else f"{self._store.uri} {name}".rstrip()
            self._recorder.record(action, what, outcome, error=type(error).__name__)
            raise

    def _object(self, name: str) -> str:
        return str(self._store.reference(name))

    def _learn(self, secret: Secret) -> None:
        if self._redactor is not None:
            self._redactor.learn(secret)


def _labels(labels: tuple[tuple[str, str], ...]) -> dict[str, str]:
    return {f"label_{key}": value for key, value in labels}


def _time(at: datetime | None) -> str:
    return at.isoformat() if at else "never"
