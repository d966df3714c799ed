"""Kubernetes Secrets: base64 under ``data`` becomes a reference under ``stringData``, or an ExternalSecret."""

import base64

import yaml

from hygiene.replace.checks import failed_check, rewritten
from hygiene.replace.rewriters.protocol import File, Style, Target
from hygiene.replace.rewriters.registry import find_rewriter
from tests.unit.replace.migrating import Project
from tests.unit.replace.test_migrate import undo

HEAD = "apiVersion: v1\nkind: Secret\nmetadata:\n  name: shop\n  namespace: prod\ntype: Opaque\n"


def encoded(text):
    return base64.b64encode(text.encode()).decode()


def rewrite(text, *values, scheme="embedded"):
    content = text.encode()
    targets = []
    for number, value in enumerate(values, 1):
        start = content.index(value.encode())
        targets.append(Target(start, start + len(value), f"V{number}", f"ref+{scheme}://v/{number}#/f"))
    file = File("k8s/secret.yaml", content)
    rewriter = find_rewriter(file.path, content)
    result = rewriter.rewrite(file, targets, Style())
    assert failed_check(rewriter, file, result) == ""
    return rewritten(file, result).decode(), result


def test_all_keys_of_a_secret_become_strings():
    text = f"{HEAD}data:\n  a: {encoded('one-secret')}\n  b: {encoded('two-secret')}\n---\nx: 1\n"
    after, result = rewrite(text, encoded("one-secret").rstrip("="), encoded("two-secret"))
    assert after == f"{HEAD}stringData:\n  a: 'ref+embedded://v/1#/f'\n  b: 'ref+embedded://v/2#/f'\n---\nx: 1\n"
    assert [change.value.reveal() for change in result.changes] == [b"one-secret", b"two-secret"]


def test_one_key_of_several_moves():
    text = f"{HEAD}data:\n  a: {encoded('one-secret')}\n  b: {encoded('harmless')}\nimmutable: true\n"
    after, _ = rewrite(text, encoded("one-secret"))
    expected = f"{HEAD}data:\n  b: {encoded('harmless')}\nstringData:\n  a: 'ref+embedded://v/1#/f'\nimmutable: true\n"
    assert after == expected
    assert yaml.safe_load(after)["stringData"] == {"a": "ref+embedded://v/1#/f"}


def test_store_with_an_operator_gives_an_external_secret():
    text = f"{HEAD}data:\n  a: {encoded('one-secret')}\n  b: {encoded('two-secret')}\n"
    after, _ = rewrite(text, encoded("one-secret"), encoded("two-secret"), scheme="vault")
    document = yaml.safe_load(after)
    assert (document["apiVersion"], document["kind"]) == ("external-secrets.io/v1", "ExternalSecret")
    assert document["metadata"] == {"name": "shop", "namespace": "prod"}
    assert document["spec"]["target"] == {"name": "shop"}
    assert document["spec"]["data"] == [
        {"secretKey": "a", "remoteRef": {"key": "v/1", "property": "f"}},
        {"secretKey": "b", "remoteRef": {"key": "v/2", "property": "f"}},
    ]
    assert "type" not in document


def test_string_data_and_what_is_no_base64_text_stay_in_place():
    text = f"{HEAD}stringData:\n  a: plain-secret\n"
    assert rewrite(text, "plain-secret")[0] == f"{HEAD}stringData:\n  a: ref+embedded://v/1#/f\n"
    binary = base64.b64encode(bytes(range(128, 160))).decode()
    text = f"{HEAD}data:\n  a: {binary}\n"
    assert rewrite(text, binary)[0] == f"{HEAD}data:\n  a: ref+embedded://v/1#/f\n"


def test_secret_that_git_does_not_track_is_rolled_back(tmp_path):
    files = {"k.yaml": f"{HEAD}data:\n  a: ⟦{encoded('one-secret')}⟧\n  b: {encoded('harmless')}\n"}
    project = Project(tmp_path / "shop", {"a.txt": "a\n"}, files)
    before = project.contents()
    project.migrate()
    assert [project.store.get(name).reveal() for name in project.store.told] == [b"one-secret"]
    assert encoded("one-secret").encode() not in (project.root / "k.yaml").read_bytes()
    undo(project)
    assert project.contents() == before


def test_secret_with_comments_and_empty_keys_stays_in_place():
    text = f"{HEAD}data:\n  # why\n  a: {encoded('one-secret')}\n  b:\n"
    assert "ref+embedded://v/1" in rewrite(text, encoded("one-secret"))[0]
