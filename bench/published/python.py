"""The little of Python that detect-secrets' tests are written in: tuples of a line and of whether it holds a secret."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping


class Unknown(ValueError):
    """An expression that takes more of Python than this."""


def cases(text: str) -> Iterator[tuple[str, bool] | None]:
    """Give the lines that a test module's tuples hold and what is said of each; None for one that can't be read."""
    tree = ast.parse(text)
    names: dict[str, str] = {}
    for node in tree.body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            try:
                names[node.targets[0].id] = _text(node.value, names)
            except Unknown:
                continue
    for node in ast.walk(tree):
        if isinstance(node, ast.Tuple) and len(node.elts) >= 2 and not isinstance(node.ctx, ast.Store):
            verdict = _verdict(node.elts[1])
            if verdict is not None:
                try:
                    yield _text(node.elts[0], names), verdict
                except Unknown:
                    yield None


def _verdict(node: ast.expr) -> bool | None:
    """Whether a case's second part says that there is a secret: True, or the secret itself; False or None: no."""
    if isinstance(node, ast.Constant) and isinstance(node.value, bool):
        return node.value
    if isinstance(node, ast.Constant) and node.value is None:
        return False
    return True if isinstance(node, ast.Name) and node.id.endswith("_SECRET") else None


def _text(node: ast.expr, names: Mapping[str, str]) -> str:
    if isinstance(node, ast.Constant) and isinstance(node.value, str | bytes):
        return node.value if isinstance(node.value, str) else node.value.decode("latin-1")
    if isinstance(node, ast.Name) and node.id in names:
        return names[node.id]
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return _text(node.left, names) + _text(node.right, names)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "format":
        parts = [_text(part, names) for part in node.args]
        try:
            return _text(node.func.value, names).format(*parts)
        except (IndexError, KeyError) as error:
            raise Unknown(str(error)) from error
    raise Unknown(ast.dump(node)[:80])
