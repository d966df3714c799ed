from __future__ import annotations

from pathlib import Path

import pytest

from hygiene.errors import SourceError, UsageError
from hygiene.fleet.listing import file, folder
from hygiene.fleet.listing.protocol import Wanted
from hygiene.fleet.listing.registry import kind_of


def _bare(path: Path) -> None:
    (path / "objects").mkdir(parents=True)
    (path / "refs").mkdir()
    (path / "HEAD").write_text("ref: refs/heads/main\n")


def test_folder_lists_clones_and_bare_mirrors_at_any_depth(tmp_path: Path) -> None:
    (tmp_path / "a/.git").mkdir(parents=True)
    (tmp_path / "a/vendored/.git").mkdir(parents=True)
    _bare(tmp_path / "org/b.git")
    (tmp_path / "loop").symlink_to(tmp_path)
    (tmp_path / "empty").mkdir()
    listing = folder.listing(Wanted(str(tmp_path)), {}, {"path:/gone"})
    assert [one.name for one in listing.repositories] == ["a", "org/b.git"]
    assert listing.gone == ("path:/gone",)


def test_folder_that_is_a_repository_lists_itself(tmp_path: Path) -> None:
    _bare(tmp_path)
    assert [one.path for one in folder.listing(Wanted(str(tmp_path)), {}, ()).repositories] == [str(tmp_path)]


def test_folder_that_is_gone_is_an_error_and_not_an_empty_fleet(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="gone"):
        folder.listing(Wanted(str(tmp_path / "x")), {}, {"path:/known"})


def test_file_skips_what_is_no_repository_with_its_line(tmp_path: Path) -> None:
    _bare(tmp_path / "mine.git")
    (tmp_path / "list").write_text(
        "# ours\n\nmine.git\nhttps://example.com/org/shop.git\ngit@example.com:org/api.git\n"
        "https://user:word@example.com/x\nnowhere\next::sh -c true\nhttp://example.com/x\n-x\n"
        "https://\nhttps://example.com\nhttps://[::1/x\nssh://host:port/x\n"
    )
    listing = file.listing(Wanted(str(tmp_path / "list")), {}, ())
    assert [one.name for one in listing.repositories] == ["mine", "example.com/org/shop", "example.com/org/api"]
    assert [place for place, _ in listing.skipped] == [f"list:{number}" for number in range(6, 15)]
    assert "word" not in str(listing)


@pytest.mark.parametrize("content", [b"\xff\xfe\x00", None])
def test_file_that_can_not_be_read_is_an_error(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / "list").write_bytes(content)
    with pytest.raises(SourceError):
        file.listing(Wanted(str(tmp_path / "list")), {}, ())


def test_kind_is_told_from_how_the_source_is_written(tmp_path: Path) -> None:
    (tmp_path / "list").write_text("")
    assert kind_of(str(tmp_path)) == ("folder", str(tmp_path))
    assert kind_of(str(tmp_path / "list"))[0] == "file"
    assert kind_of("github:acme") == ("github", "acme")
    with pytest.raises(UsageError):
        kind_of(str(tmp_path / "nothing"))
