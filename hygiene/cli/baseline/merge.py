"""``hygiene baseline merge``: git's merge driver for the baseline."""

from __future__ import annotations

from pathlib import Path

import click

from hygiene.detect.baseline import merged, parse_baseline, write_baseline

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command("merge")
@click.argument("ancestor", type=_FILE)
@click.argument("ours", type=_FILE)
@click.argument("theirs", type=_FILE)
def merge(ancestor: Path, ours: Path, theirs: Path) -> int:
    """Merge two versions of a baseline into OURS, for git to call.

    \b
    git config merge.hygiene-baseline.driver "hygiene baseline merge %O %A %B"
    echo ".hygiene.baseline.json merge=hygiene-baseline" >> .gitattributes
    """
    texts = [path.read_bytes() for path in (ancestor, ours, theirs)]
    start = parse_baseline(texts[0], str(ancestor)) if texts[0].strip() else None  # empty: both branches made one
    result = merged(parse_baseline(texts[1], str(ours)), parse_baseline(texts[2], str(theirs)), start)
    write_baseline(ours, result)
    return 0
