"""The docs as a site: it builds, with no dead link and no page that the navigation leaves out."""

import subprocess
import sys
from pathlib import Path

CHECKOUT = Path(__file__).parents[2]


def built(configuration: Path, target: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "mkdocs", "build", "-f", str(configuration), "-d", str(target)]
    return subprocess.run(command, capture_output=True, text=True)


def test_site_builds_with_every_page(tmp_path):
    done = built(CHECKOUT / "mkdocs.yml", tmp_path)
    assert done.returncode == 0, done.stderr
    docs = CHECKOUT / "docs"
    pages = {path.relative_to(docs).with_suffix("").as_posix() for path in docs.rglob("*.md")}
    folders = {page.removesuffix("README").removesuffix("index").rstrip("/") for page in pages}
    assert {
        path.parent.relative_to(tmp_path).as_posix().removeprefix(".") for path in tmp_path.rglob("index.html")
    } == folders


def test_site_with_a_dead_link_does_not_build(tmp_path):
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs/index.md").write_text("# Title\n\n[there](nowhere.md) and [here](#nothing)\n")
    settings = (CHECKOUT / "mkdocs.yml").read_text()
    (tmp_path / "mkdocs.yml").write_text(settings.partition("nav:\n  - index.md")[0] + "nav:\n  - index.md\n")
    done = built(tmp_path / "mkdocs.yml", tmp_path / "site")
    assert done.returncode != 0
    assert "nowhere.md" in done.stderr and "nothing" in done.stderr
