"""What holds for every store, so that the next one keeps to it."""

import subprocess
import sys
from pathlib import Path

from hygiene.reference import SCHEMES
from hygiene.store.registry import _BACKENDS

DOCS = Path(__file__).resolve().parents[2] / "docs" / "stores"


def test_registry_imports_no_sdk_until_a_store_is_opened():
    banned = ("boto3", "hvac", "conjur_api", "pyrage", "cryptography", "requests", "sqlite3")
    program = f"import sys, hygiene.store.registry; print([m for m in {banned!r} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert done.stdout == b"[]\n"


def test_every_scheme_of_a_reference_has_a_backend_and_a_page_that_names_it():
    assert set(SCHEMES) == set(_BACKENDS)
    pages = {path.name: path.read_text() for path in DOCS.glob("*.md") if path.name != "README.md"}
    for scheme, (module, _) in _BACKENDS.items():
        page = module.rpartition(".")[2].replace("_", "-") + ".md"
        assert f"{scheme}:" in pages[page]
        assert page in (DOCS / "README.md").read_text()
