"""Migration, resume and rollback on a real repository, with a store in memory."""

import pytest

from hygiene.errors import ConflictError, JournalError, StoreError
from hygiene.replace.manifest import read_manifest
from hygiene.replace.migrations import open_migrations
from hygiene.replace.rollback import roll_back
from hygiene.secret import Secret
from tests.unit.replace.migrating import Project, git

FILES = {
    "app/db.py": 'password = "⟦pa55-w0rd⟧"\nurl = "postgres://u:⟦pa55-w0rd⟧@h/d"\n',
    "web/server.js": "const token = '⟦t0ken-ABC⟧'\n",
    "deploy.sh": "export DB_PASSWORD='⟦pa55-w0rd⟧'\n",
    "conf.yml": "mail:\n  password: ⟦m41l-pass⟧\n",
    "notes.bin": "⟦t0ken-ABC⟧\n",
}
UNTRACKED = {".env": 'DB_PASSWORD=⟦pa55-w0rd⟧\nMULTI="⟦line\\none⟧"\n'}
VALUES = (b"pa55-w0rd", b"t0ken-ABC", b"m41l-pass", b"line\\none")


@pytest.fixture
def project(tmp_path):
    return Project(tmp_path / "shop", FILES, UNTRACKED)


def undo(project, **options):
    journal = open_migrations(project.root).newest()
    return roll_back(project.tree, project.store, project.recorder, journal, **{"delete_stored": False, **options})


def test_migrate_labels_the_password_of_an_address_with_its_login(tmp_path):
    files = {"a.py": 'x = "postgresql://app:⟦pa55-w0rd⟧@db.example.org:5433/shop"\n', "b.py": 'y = "⟦t0ken-ABC⟧"\n'}
    files["c.js"] = "const u = `https://u:⟦0ther-pass⟧@${host}/v1`\n"
    project = Project(tmp_path / "shop", files)
    project.migrate()
    labels = {told.name: dict(told.labels) for told in project.store.list()}
    login = {"provider": "postgresql", "user": "app", "host": "db.example.org", "port": "5433", "database": "shop"}
    assert login.items() <= labels["shop/x-password"].items()
    assert not [told for told in labels.values() if "$" in told.get("host", "") or told.get("provider") == "https"]
    assert sum("user" in told for told in labels.values()) == 2


def test_migrate_stores_each_value_once_and_rewrites_every_place(project):
    outcome = project.migrate()
    assert outcome.left == ()
    assert sorted(secret.reveal() for secret in (project.store.get(name) for name in outcome.stored)) == sorted(
        [b"pa55-w0rd", b"t0ken-ABC", b"m41l-pass", b"line\none"]
    )
    after = project.contents()
    assert after["app/db.py"] == (
        b'import os\n\npassword = os.environ["DB_PASSWORD"]\n'
        b'url = "postgres://u:" + os.environ["DB_PASSWORD"] + "@h/d"\n'
    )
    assert after["deploy.sh"] == b'export DB_PASSWORD="${DB_PASSWORD:?DB_PASSWORD is not set}"\n'
    assert after[".env"] == b'DB_PASSWORD=ref+embedded://shop/db-password\nMULTI="ref+embedded://shop/multi"\n'
    assert after["notes.bin"] == project.before["notes.bin"]
    manifest = read_manifest(project.root / "secrets.toml")
    assert sorted(manifest) == ["DB_PASSWORD", "MULTI", "SERVER_TOKEN"]
    assert after[".gitignore"] == b"/.env\n"


def test_migrate_leaves_what_it_cannot_rewrite_with_a_reason(project):
    manual = project.plan().manual
    assert [(step.path, step.line) for step in manual] == [("notes.bin", 1)]
    assert manual[0].reason and manual[0].advice


def test_migrate_twice_changes_nothing(project):
    project.migrate()
    after = project.contents()
    project.places = [place for place in project.places if place.path == "notes.bin"]
    assert project.plan().files == ()
    assert project.contents() == after


def test_rollback_gives_every_byte_back(project):
    before = project.contents()
    outcome = project.migrate()
    undone = undo(project)
    assert project.contents() == before
    assert undone.left == ()
    assert set(undone.restored) == set(outcome.written)
    assert len(project.store.told) == 4


def test_rollback_with_delete_stored_removes_what_the_migration_made(project):
    project.migrate()
    assert len(undo(project, delete_stored=True).deleted) == 4
    with pytest.raises(StoreError):
        project.store.get("shop/db-password")


def test_rollback_leaves_a_file_that_was_edited_since(project):
    project.migrate()
    (project.root / "deploy.sh").write_text("echo mine\n")
    undone = undo(project)
    assert [item.path for item in undone.left] == ["deploy.sh"]
    assert (project.root / "deploy.sh").read_text() == "echo mine\n"
    assert (project.root / "app/db.py").read_bytes() == project.before["app/db.py"]


def test_journal_and_record_hold_no_value(project):
    migration = project.start()
    migration.run()
    text = migration.journal.path.read_bytes()
    assert all(value not in text for value in VALUES)
    assert migration.journal.path.stat().st_mode & 0o777 == 0o600


def test_migrate_refuses_to_begin_while_another_is_unfinished(project):
    project.start()
    with pytest.raises(JournalError):
        project.start()


@pytest.mark.parametrize("fails_at", range(1, 5))
def test_migrate_whose_store_fails_edits_nothing_that_is_not_stored_and_resumes(project, fails_at):
    calls, put = [], project.store.put

    def failing(name, *arguments, **options):
        calls.append(name)
        if len(calls) == fails_at:
            raise StoreError("the store is down")
        return put(name, *arguments, **options)

    project.store.put = failing
    with pytest.raises(StoreError):
        project.start().run()
    stored = {secret.reveal() for versions in project.store.values.values() for secret in versions.values()}
    for name, content in project.contents().items():
        for value in (b"pa55-w0rd", b"t0ken-ABC", b"m41l-pass"):
            if value in project.before.get(name, b""):
                assert value in content or value in stored
    project.store.put = put
    migration = project.resume()
    assert migration.run().left == ()
    open_migrations(project.root).keep(migration.journal)
    assert all(len(versions) == 1 for versions in project.store.values.values())
    assert b"pa55" not in b"".join(project.contents().values())


def test_migrate_whose_store_reads_back_another_value_stops(project):
    project.store.get = lambda name, **options: Secret(b"other")
    with pytest.raises(StoreError, match="read back"):
        project.start().run()
    assert project.contents() == project.before


def test_migrate_leaves_all_files_of_a_secret_when_one_was_changed(project):
    migration = project.start()
    (project.root / "deploy.sh").write_text("echo mine\n")
    outcome = migration.run()
    assert {item.path for item in outcome.left} == {"deploy.sh", "app/db.py", ".env"}
    assert (project.root / "app/db.py").read_bytes() == project.before["app/db.py"]
    assert b"SERVER_TOKEN" in (project.root / "web/server.js").read_bytes()
    assert sorted(read_manifest(project.root / "secrets.toml")) == ["SERVER_TOKEN"]


def test_resume_when_the_value_is_nowhere_is_an_error(project):
    migration = project.start()
    migration.journal.record("storing", names=["shop/db-password"])
    for name in ("app/db.py", "deploy.sh", ".env"):
        (project.root / name).unlink()
    outcome = project.resume().run()
    assert {item.path for item in outcome.left} == {"deploy.sh", "app/db.py", ".env"}


def test_migrate_skips_links_submodules_and_read_only_files(tmp_path):
    project = Project(tmp_path / "shop", {"a.py": 'p = "⟦pa55-w0rd⟧"\n', "b.py": 'p = "⟦pa55-w0rd⟧"\n'})
    (project.root / "b.py").chmod(0o444)
    target = project.root / "a.py"
    target.rename(project.root / "real.py")
    target.symlink_to("real.py")
    steps = {step.path: step for step in project.plan().steps}
    assert "symbolic link" in steps["a.py"].reason
    assert "read-only" in steps["b.py"].reason


def test_dirty_files_are_told(project):
    (project.root / "deploy.sh").write_text("echo mine\n")
    assert project.tree.changed(["deploy.sh", "app/db.py"]) == ["deploy.sh"]
    git(project.root, "add", "deploy.sh")
    assert project.tree.changed(["deploy.sh", "app/db.py"]) == ["deploy.sh"]


def test_rollback_after_a_rotation_uses_the_version_that_was_migrated(project):
    before = project.contents()
    project.migrate()
    project.store.put("shop/multi", Secret(b"rotated"), token="r" * 32)
    undo(project)
    assert project.contents() == before


def test_undo_with_a_changed_secret_in_the_store_refuses(project):
    project.migrate()
    project.store.get = lambda name, **options: Secret(b"rotated")
    with pytest.raises(ConflictError, match=r"\.env"):
        undo(project)


def test_names_come_from_what_says_most(tmp_path):
    files = {
        "a.py": 'url = "https://u:⟦pa55-w0rd⟧@h"\n',
        "b.sh": "export MAIL_TOKEN=⟦pa55-w0rd⟧\n",
        "c.py": 'x = "⟦other-1⟧"\n',
    }
    plan = Project(tmp_path / "shop", files).plan()
    assert [(entry.name, entry.variables) for entry in plan.entries] == [
        ("shop/mail-token", ("MAIL_TOKEN",)),
        ("shop/c-secret", ("C_SECRET",)),
    ]


def test_value_that_stands_elsewhere_in_a_found_file_is_replaced_there_too(tmp_path):
    value = "pa55-w0rd-0123"
    files = {"a.py": f'password = "⟦{value}⟧"\n# was {value}, not {value}9\nlogin("u", "{value}")\n', "b.txt": value}
    project = Project(tmp_path / "shop", files)
    project.migrate()
    assert (project.root / "a.py").read_text() == (
        'import os\n\npassword = os.environ["A_PASSWORD"]\n'
        f'# was <A_PASSWORD>, not {value}9\nlogin("u", os.environ["A_PASSWORD"])\n'
    )
    assert (project.root / "b.txt").read_text() == value  # no scan said that this file holds a secret


def test_rewriter_that_fails_leaves_its_file_and_no_other(project, monkeypatch):
    from hygiene.replace.rewriters import shell

    def fail(self, node, file):
        raise RuntimeError("s3cret words")

    monkeypatch.setattr(shell.Shell, "literal", fail)
    plan = project.plan()
    left = {step.path: step.reason for step in plan.manual}
    assert left["deploy.sh"] == "its rewriter failed (RuntimeError); please report it"
    assert {file.path for file in plan.files} == {"app/db.py", "web/server.js", "conf.yml", ".env"}
