"""Probes 1 to 5, and 11 to 14: what a commit adds is read from the index, whatever its form."""

import json
import os

import pytest

from tests.probes.conftest import LINE, TOKEN, stopped

ENCODINGS = {
    "utf-16 with a mark": LINE.encode("utf-16"),
    "utf-16-le": LINE.encode("utf-16-le"),
    "utf-16-be": LINE.encode("utf-16-be"),
    "null byte": b"\0\0head\0" + LINE.encode(),
    "latin-1": "# café\n".encode("latin-1") + LINE.encode(),
    "crlf": b"a = 1\r\n" + LINE.encode().replace(b"\n", b"\r\n"),
    "one line of 5 MB": b"x = " + b"1 " * 1_300_000 + LINE.encode().strip() + b" 2" * 1_300_000,
}


def test_probe_01_secret_cleaned_in_the_working_tree_only_blocks(any_project):
    any_project.write("app.py", LINE)
    any_project.git("add", "app.py")
    any_project.write("app.py", "token = None\n")
    stopped(any_project.commit(), "app.py:1:10", "GitHub")


def test_probe_02_clean_hunk_passes_and_the_other_blocks(project):
    project.write("app.py", "a\n" * 20)
    project.save()
    project.write("app.py", "b\n" + "a\n" * 20 + LINE)
    project.git("add", "-p", input=b"s\ny\nn\n")
    assert project.commit()[0] == 0
    project.git("add", "app.py")
    stopped(project.commit(), "app.py:22:10")


def test_probe_03_first_commit_blocks_an_empty_one_passes_and_an_amended_one_is_told(project):
    project.write("app.py", LINE)
    project.git("add", "app.py")
    stopped(project.commit(), "app.py:1:10")
    project.git("rm", "-q", "--cached", "app.py")
    assert project.commit("--allow-empty")[0] == 0
    project.save("app.py")
    project.write("other.py", "x = 1\n")
    project.git("add", "other.py")
    code, said = project.commit("--amend")
    assert code == 0
    assert "already in HEAD" in said
    assert "app.py:1:10" in said
    assert TOKEN not in said


@pytest.mark.parametrize("arguments", [(), ("-a",), ("app.py",), ("-i", "app.py"), ("-o", "app.py")])
def test_probe_04_every_way_to_commit_has_the_same_verdict(project, arguments):
    project.write("app.py", "clean\n")
    project.save()
    project.write("app.py", LINE)
    if not arguments:
        project.git("add", "app.py")
    stopped(project.commit(*arguments), "app.py:1:10")
    project.write("app.py", "clean again\n")
    project.git("add", "app.py")
    assert project.commit(*arguments)[0] == 0


def test_probe_05_conflict_resolved_with_a_secret_blocks_here_and_in_ci(project):
    project.write("app.py", "0\n")
    base = project.save()
    for branch, text in (("other", "1\n"), ("main", "2\n")):
        project.git("checkout", "-q", "-B", branch, base)
        project.write("app.py", text)
        project.save()
    assert project.git("merge", "other", ok=False).returncode == 1
    project.write("app.py", LINE)
    project.git("add", "app.py")
    stopped(project.commit(), "app.py:1:10")
    project.git("commit", "-qnm", "merged anyway")
    found = project.hygiene("scan", "--range", f"{base}..HEAD", "--format", "json", code=1)
    (finding,) = json.loads(found.stdout)["findings"]
    assert finding["path"] == "app.py"
    assert finding["provenance"][0]["commit"] == project.git("rev-parse", "HEAD").stdout.decode().strip()


@pytest.mark.parametrize("kind", ENCODINGS)
def test_probe_11_encoding_hides_nothing(project, kind):
    project.write("data.txt", ENCODINGS[kind])
    project.git("add", "-A")
    stopped(project.commit(), "data.txt:")


@pytest.mark.parametrize("attributes", ["*.env -diff", "*.env binary", "*.env diff=custom", "*.env filter=lfs"])
def test_probe_12_attributes_hide_nothing(project, attributes):
    project.write(".gitattributes", attributes + "\n")
    project.write("shop.env", LINE)
    project.git("add", "-A")
    stopped(project.commit(), "shop.env:1:10")


def test_probe_12_lfs_pointer_is_listed_as_skipped(project):
    pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:" + "5f" * 32 + "\nsize 12345\n"
    project.write("data.bin", pointer)
    project.git("add", "-A")
    found = project.hygiene("scan", "--staged", "--format", "json", code=0)
    (skipped,) = json.loads(found.stdout)["skipped"]
    assert skipped["path"] == "data.bin"
    assert "LFS" in skipped["reason"]


NAMES = ["with space.py", "tab\there.py", "line\nfeed.py", b"caf\xe9.py", "-dash.py", "é.py", "/".join(["d" * 60] * 5)]
FORMATS = ("text", "json", "jsonl", "sarif", "csv", "junit", "gitlab", "github", "html")


@pytest.mark.parametrize("name", NAMES, ids=["space", "tab", "newline", "not UTF-8", "dash", "accent", "300 long"])
def test_probe_13_odd_name_is_found_and_told_right_in_every_format(project, name):
    project.write(name, LINE)
    project.git("add", "-A")
    assert project.commit()[0] == 1
    for form in FORMATS:
        said = project.hygiene("scan", "--staged", "--format", form, code=1).stdout
        if form in ("json", "jsonl"):
            document = json.loads(said)
            (finding,) = document["findings"] if form == "json" else [document]
            assert finding["path"].encode("utf-8", "surrogateescape") == os.fsencode(name)
        else:
            assert any(spelling in said for spelling in _spelled(os.fsencode(name))), (form, said)


def _spelled(name: bytes) -> list[bytes]:
    """Give the ways in which a format may write a path: as it is, escaped, or by the bytes of a URI."""
    from urllib.parse import quote

    text = name.decode("utf-8", "backslashreplace")
    shown = text.replace("\t", "\\t").replace("\n", "\\n")
    known = {
        json.dumps(text).strip('"'),
        text,
        shown,
        quote(name),
        text.replace("\n", "&#10;"),
        text.replace("\t", "&#9;"),
        text.replace("\n", "%0A"),
    }
    known |= {word.replace("\\", "\\\\") for word in set(known)}
    return [word.encode() for word in known] + [name, shown.replace("\\n", "\\x0a").replace("\\t", "\\x09").encode()]


def test_probe_14_link_type_change_and_move_with_an_added_line_are_found(project):
    project.write("old.py", "line\n" * 50)
    (project.folder / "link").symlink_to("old.py")
    project.save()
    project.git("mv", "old.py", "new.py")
    project.write("new.py", "line\n" * 50 + LINE)
    project.git("add", "-A")
    stopped(project.commit(), "new.py:51:10")
    project.git("reset", "-q", "--hard")
    (project.folder / "link").unlink()
    project.write("link", LINE)
    project.git("add", "-A")
    stopped(project.commit(), "link:1:10")
    project.git("reset", "-q", "--hard")
    (project.folder / "token").symlink_to(TOKEN)
    project.git("add", "-A")
    stopped(project.commit(), "token:1:1")


def test_probe_14_link_to_the_outside_is_not_followed(project, tmp_path):
    (tmp_path / "outside").write_text(LINE)
    (project.folder / "link").symlink_to(tmp_path / "outside")
    (project.folder / "up").symlink_to(tmp_path)
    project.git("add", "-A")
    assert project.commit()[0] == 0
    project.hygiene("scan", code=0)
