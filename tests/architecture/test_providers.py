from __future__ import annotations

from pathlib import Path

from hygiene.rotate.registry import ALIASES, PROVIDERS

ROOT = Path(__file__).parents[2]


def test_each_provider_is_one_file_one_line_in_the_registry_and_one_in_the_docs() -> None:
    files = {path.stem for path in (ROOT / "hygiene/rotate/providers").glob("*.py")} - {"__init__"}
    page = (ROOT / "docs/providers.md").read_text()
    assert files == set(PROVIDERS)
    assert all(f"| `{name}` |" in page for name in PROVIDERS)
    assert set(ALIASES.values()) <= set(PROVIDERS) and not set(ALIASES) & set(PROVIDERS)
