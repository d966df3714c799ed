#!/usr/bin/env python3
"""Rewrite every labelled credential of a CredData-like data set, and check each result with its language's own tool.

usage: bench/rewriting.py DATASET [--reasons N] [--only EXT] [--no-tools]

DATASET holds data/ (files) and meta/*.csv (labels; true rows with a place are taken). For each file all its true
rows are targets. Printed: rows rewritten and left by reason, files that fail their parser after but not before, and
files in which a byte outside of the edits changed. Nothing is written into DATASET. Exits 0 where it is absent.
"""

import argparse
import ast
import collections
import csv
import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
import xml.dom.minidom

import yaml

from hygiene.reference import Reference
from hygiene.replace.plan import Naming, Place
from hygiene.replace.planning import build_plan

NOT_A_CREDENTIAL = {"UUID", "AWS S3 Bucket", "Firebase Domain", "Tencent WeChat API App ID", "Nonce", "Salt", "Seed"}
TOOLS = {
    ".js": ["node", "--check"],
    ".mjs": ["node", "--check"],
    ".cjs": ["node", "--check"],
    ".rb": ["ruby", "-c"],
    ".php": ["php", "-l"],
    ".sh": ["bash", "-n"],
    ".go": ["gofmt", "-e", "-l"],
}


def rows(dataset):
    """Give the true rows by path: (first line, last line, value start, value end); 1-based lines, columns from 0."""
    found = collections.defaultdict(set)
    for table in sorted((dataset / "meta").glob("*.csv")):
        for row in csv.DictReader(table.open()):
            if row["GroundTruth"] == "T" and not set(row["Category"].split(":")) <= NOT_A_CREDENTIAL:
                value = (row["ValueStart"], row["ValueEnd"])
                columns = tuple(int(text) if text else -1 for text in value)
                found[row["FilePath"]].add((int(row["LineStart"]), int(row["LineEnd"]), *columns))
    return found


def span(content, first, last, start, end):
    """Give the byte span of a row's value, or None for a row without a place."""
    lines = content.split(b"\n")
    offset = sum(len(line) + 1 for line in lines[: first - 1])
    line = lines[first - 1].decode("utf-8", "surrogateescape")
    if start >= 0 and first == last and end > start:
        begin = len(line[:start].encode("utf-8", "surrogateescape"))
        return offset + begin, offset + len(line[:end].encode("utf-8", "surrogateescape"))
    block = b"\n".join(lines[first - 1 : last])
    key = re.search(rb"-----BEGIN.*?-----END[^-]*-----", block, re.DOTALL)
    return (offset + key.start(), offset + key.end()) if key else None


def parses(path, content):
    """Say whether the file parses with its own tool; None where there is none."""
    suffix = pathlib.PurePath(path).suffix
    try:
        if suffix == ".py":
            ast.parse(content)
        elif suffix == ".json":
            json.loads(content.decode("utf-8-sig"))
        elif suffix in (".yml", ".yaml"):
            list(yaml.compose_all(content, yaml.SafeLoader))
        elif suffix == ".toml":
            tomllib.loads(content.decode())
        elif suffix in (".xml", ".plist", ".config"):
            xml.dom.minidom.parseString(content)
        elif suffix in TOOLS and shutil.which(TOOLS[suffix][0]):
            with tempfile.NamedTemporaryFile(suffix=suffix) as file:
                file.write(content)
                file.flush()
                return subprocess.run([*TOOLS[suffix], file.name], capture_output=True, timeout=60).returncode == 0
        else:
            return None
    except Exception:
        return False
    return True


def outside_unchanged(file):
    """Say whether the bytes outside of the edits are those of the original."""
    position, at = 0, 0
    before, after = file.before, file.after
    mark = len(before) - len(before.removeprefix(b"\xef\xbb\xbf"))
    for edit in file.edits:
        kept = before[position : edit.start + mark]
        if after[at : at + len(kept)] != kept:
            return False
        at += len(kept) + len(edit.replacement)
        position = edit.end + mark
    return after[at:] == before[position:]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dataset", type=pathlib.Path)
    parser.add_argument("--reasons", type=int, default=15)
    parser.add_argument("--only", default="")
    parser.add_argument("--show", default="", help="show rows left whose reason holds this")
    parser.add_argument("--no-tools", action="store_true")
    options = parser.parse_args()
    if not (options.dataset / "meta").is_dir():
        print(f"skipped: no data set at {options.dataset}")
        return 0
    tally, reasons, broken, changed = collections.Counter(), collections.Counter(), [], []
    kinds = collections.defaultdict(collections.Counter)
    for path, found in sorted(rows(options.dataset).items()):
        suffix = pathlib.PurePath(path).suffix or "none"
        if options.only and suffix != options.only:
            continue
        content = (options.dataset / path).read_bytes()
        places = set()
        for row in found:
            where = span(content, *row)
            tally["without a place"] += where is None
            if where is not None:
                places.add(Place(path, *where, row[0], "labelled", f"{where[0]}"))
        naming = Naming("bench", lambda name: Reference("embedded", name))
        plan = build_plan({path: content}, places, naming)
        for step in plan.steps:
            tally[step.grade] += 1
            kinds[suffix][step.grade] += 1
            if step.grade == "manual":
                reasons[suffix, step.reason] += 1
                if options.show and options.show in step.reason:
                    print(path, step.line, content.split(b"\n")[step.line - 1][:160])
        for file in plan.files:
            tally["files"] += 1
            if not outside_unchanged(file):
                changed.append(path)
            if not options.no_tools and parses(path, file.before) and not parses(path, file.after):
                broken.append(path)
    done = tally["safe"] + tally["needs-wiring"]
    unsupported = sum(count for (_, reason), count in reasons.items() if "no rewriter" in reason)
    supported = done + tally["manual"] - unsupported
    print(f"rows with a place: {done + tally['manual']} ({tally['without a place']} have none)")
    left = supported - done
    print(f"in supported formats: {supported}, rewritten {done} = {done / max(1, supported):.1%}")
    print(f"  safe {tally['safe']}, needs-wiring {tally['needs-wiring']}, left {left}; no rewriter {unsupported}")
    print(f"files rewritten: {tally['files']}")
    print(f"  that fail their parser after: {len(broken)}; with a byte outside of the edits changed: {len(changed)}")
    for suffix, counts in sorted(kinds.items(), key=lambda item: -sum(item[1].values()))[:20]:
        print(f"  {suffix:12} {dict(counts)}")
    for (suffix, reason), count in reasons.most_common(options.reasons):
        print(f"  {count:5} {suffix:8} {reason}")
    for path in broken[:20]:
        print("BROKEN", path)
    for path in changed[:20]:
        print("CHANGED", path)
    return 1 if broken or changed else 0


if __name__ == "__main__":
    sys.exit(main())
