"""One writer of the fault tests: mixed operations on an audited embedded store, each put acknowledged when done."""

import random
import uuid

from hygiene.config import Config
from hygiene.errors import ConflictError, NotFoundError
from hygiene.prove.audited import audited
from hygiene.prove.event import Actor
from hygiene.prove.log import open_log
from hygiene.secret import Secret
from hygiene.store.protocol import CURRENT, PENDING
from hygiene.store.registry import open_store

NAMES = [f"team/{number:02d}" for number in range(48)]


def audited_store(home):
    """The store and its log below ``home``, as the composition opens them: with signed checkpoints."""
    log = open_log(home / "audit", Actor("storm"))
    return audited(open_store("embedded:", Config(), notify=lambda key: None), log)


def storm(store, seed, count, acknowledge):
    """Do ``count`` operations; a put is acknowledged as ``name token``."""
    choice = random.Random(seed)
    for _ in range(count):
        name, roll = choice.choice(NAMES), choice.random()
        try:
            if roll < 0.40:
                token = str(uuid.uuid4())
                store.put(name, Secret(token.encode()), token=token)
                acknowledge(f"{name} {token}\n")
            elif roll < 0.60:
                value = store.get(name)
                assert uuid.UUID(value.reveal().decode())
            elif roll < 0.70:
                told = store.describe(name)
                current = told and told.staged(CURRENT)
                if current:
                    token = str(uuid.uuid4())
                    store.put(name, Secret(token.encode()), token=token, stage=PENDING, expect=current.id)
                    acknowledge(f"{name} {token}\n")
                    store.promote(name, token, expect=current.id)
            elif roll < 0.80:
                store.describe(name)
            elif roll < 0.85:
                store.unstage(name, PENDING)
            elif roll < 0.90:
                assert all(told.name in NAMES for told in store.list("team/0"))
            elif roll < 0.95:
                store.expire(name, None)
            else:
                store.mark_due(name, None)
        except (ConflictError, NotFoundError):
            pass  # someone else was quicker, or nothing is there yet


def assert_whole(home, acknowledged):
    """Everything that was acknowledged is there and opens; nothing is torn; the audit chain verifies."""
    from hygiene.prove.verify import verify_folder

    store = open_store("embedded:", Config(), notify=lambda key: None)
    told = {secret.name: secret for secret in store.list()}
    for name, token in acknowledged:
        assert token in {version.id for version in told[name].versions}, f"{name} lost {token}"
    for secret in told.values():
        for version in secret.versions:
            assert store.get(secret.name, version=version.id).reveal().decode() == version.id
    for verdict in verify_folder(home / "audit"):
        assert verdict.problems == ()
        assert verdict.entries > len(acknowledged)
