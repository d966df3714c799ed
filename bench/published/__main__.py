"""What is found of published examples at default confidence, and what is said of published counter-examples.

usage: python -m bench.published [--gitleaks DIR] [--kingfisher DIR] [--trufflehog DIR] [--detect-secrets DIR]
       [--misses N] [--alarms N]

Ours are made anew at each run. The peers' are read from a checkout of their sources, where one is given; their
commonest types (bench/published/common.py) are counted apart, and their misses and false alarms are those printed.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from bench.published.common import common_types
from bench.published.measure import Group, measure, measure_published, missed_types
from bench.published.peers import Reading, read_detect_secrets, read_gitleaks, read_kingfisher, read_trufflehog
from hygiene.detect.rulecheck import RuleBench
from hygiene.detect.rules import load_rules

LEAST_FOUND = 0.95
MOST_ALARMS = 0.02
PEERS: dict[str, Callable[[Path], Reading]] = {
    "gitleaks": read_gitleaks,
    "kingfisher": read_kingfisher,
    "trufflehog": read_trufflehog,
    "detect-secrets": read_detect_secrets,
}


def main() -> int:
    """Print the tables; give 1 where a promise is missed on our own list."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for peer in PEERS:
        parser.add_argument(f"--{peer}", type=Path, metavar="DIR")
    parser.add_argument("--misses", type=int, default=0, help="print so many of each table's misses")
    parser.add_argument("--alarms", type=int, default=0, help="print so many of each table's false alarms")
    options = parser.parse_args()
    rules = load_rules()
    bench = RuleBench(rules)
    found, alarms = _own(list(measure(rules, bench)), options)
    for peer, read in PEERS.items():
        if folder := getattr(options, peer.replace("-", "_")):
            reading = read(folder)
            _peer(
                f"{peer} ({reading.unread} expressions unread)",
                list(measure_published(bench, reading.found, common_types(peer))),
                options,
            )
        else:
            print(f"\n{peer}: no folder given, left out")
    return int(found < LEAST_FOUND or alarms > MOST_ALARMS)


def _own(groups: Sequence[Group], options: argparse.Namespace) -> tuple[float, float]:
    """Print our own list; give the shares of credentials found and of others reported."""
    _rows("our own", groups)
    shares = []
    for wanted, word in ((True, "positive"), (False, "negative")):
        chosen = [group for group in groups if group.credential is wanted]
        texts, heard = sum(group.texts for group in chosen), sum(group.heard for group in chosen)
        shares.append(heard / texts if texts else float(wanted))
        print(f"  all {word}: {heard} of {texts}, {_share(heard, texts)}")
        _wrong(chosen, options)
    return shares[0], shares[1]


def _peer(name: str, groups: Sequence[Group], options: argparse.Namespace) -> None:
    _rows(name, groups)
    for group in groups:
        if group.kind.startswith("common types"):
            missed = ", ".join(f"{kind} {count}" for kind, count in sorted(missed_types(group).items()))
            print(f"  {'false alarms' if not group.credential else 'missed'}: {missed or 'none'}")
            _wrong([group], options)


def _rows(name: str, groups: Iterable[Group]) -> None:
    print(f"\n{name:44} {'texts':>6} {'found':>7} {'by a rule of its own':>21} {'at any confidence':>18}")
    for group in groups:
        shares = [_share(part, group.texts) for part in (group.heard, group.specific, group.any_confidence)]
        print(f"  {group.kind:42} {group.texts:6} {shares[0]:>7} {shares[1]:>21} {shares[2]:>18}")


def _wrong(groups: Iterable[Group], options: argparse.Namespace) -> None:
    for credential, shown in ((True, options.misses), (False, options.alarms)):
        for line in [line for group in groups if group.credential is credential for line in group.wrong][:shown]:
            print(f"    {line}")


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f} %" if whole else "-"


if __name__ == "__main__":
    sys.exit(main())
