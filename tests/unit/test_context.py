from __future__ import annotations

import pytest

from hygiene.address import labels_around

PASSWORD = "p" * 12


@pytest.mark.parametrize(
    ("text", "labels"),
    [
        (
            "URL = 'postgresql://app:{}@db.internal:5433/shop?sslmode=require'",
            {"provider": "postgresql", "user": "app", "host": "db.internal", "port": "5433", "database": "shop"},
        ),
        ('"redis://:{}@[::1]"', {"provider": "redis", "host": "::1"}),
        ("mysql+pymysql://a%40b:{}@h", {"provider": "mysql", "user": "a@b", "host": "h"}),
        ("password = '{}'", {}),
        ("postgresql://app:{}", {}),
        ("{}@host", {}),
        ("postgresql://app:{}@", {}),
    ],
)
def test_labels_come_from_the_url_around(text: str, labels: dict[str, str]) -> None:
    content = ("x" * 1000 + " " + text.format(PASSWORD)).encode()
    start = content.index(PASSWORD.encode())
    assert labels_around(content, start, start + len(PASSWORD)) == labels
