"""Fitted models → the file that the product reads; see ``hygiene/detect/classifier_model.py`` for its format."""

from __future__ import annotations

import json
from array import array
from typing import Any

from bench.accuracy.fit import GATE_LEAST, NEAR_LEAST, OWN_LEAST, Fitted
from hygiene.detect.classifier import FEATURES
from hygiene.detect.classifier_model import MAGIC, PREFIXES, SECTIONS, TREES


def model_bytes(fitted: Fitted, tables: tuple[bytes, frozenset[bytes]], head: dict[str, Any]) -> bytes:
    """Give the content of the model's file; ``head`` holds thresholds and where the model came from."""
    bigrams, words = tables
    parts: dict[str, bytes] = {
        "bigrams": bigrams,
        "words": b"\n".join(sorted(words)),
        "linear": fitted.linear.weights.tobytes(),
    }
    for prefix, booster in zip(PREFIXES, (fitted.gate, fitted.own, fitted.near, fitted.trees), strict=True):
        trees = _trees(booster.dump_model()["tree_info"])
        parts.update({prefix + name: items for name, items in trees.items()})
    sizes = {name: len(parts[name]) for name, _ in SECTIONS}
    line = {
        "features": FEATURES,
        "sizes": sizes,
        "scale": fitted.linear.scale,
        "bias": fitted.linear.bias,
        "base": 0.0,
        "gate_least": GATE_LEAST,
        "own_least": OWN_LEAST,
        "near_least": NEAR_LEAST,
        **head,
    }
    return MAGIC + json.dumps(line).encode() + b"\n" + b"".join(parts[name] for name, _ in SECTIONS)


def _trees(trees: list[dict[str, Any]]) -> dict[str, bytes]:
    flat: dict[str, array] = {name: array(code) for name, code in TREES}

    def add(node: dict[str, Any]) -> int:
        if "leaf_value" in node and "split_feature" not in node:
            flat["leaf"].append(node["leaf_value"])
            return -len(flat["leaf"])
        at = len(flat["feature"])
        flat["feature"].append(node["split_feature"])
        flat["threshold"].append(node["threshold"])
        flat["left"].append(0)
        flat["right"].append(0)
        flat["left"][at] = add(node["left_child"])
        flat["right"][at] = add(node["right_child"])
        return at

    for tree in trees:
        flat["roots"].append(add(tree["tree_structure"]))
    return {name: items.tobytes() for name, items in flat.items()}
