"""What the classifier costs: a commit's hook with and without it, its share of full histories, and each candidate.

Run: python bench/speed/judging.py [DATASET] [--history REPOSITORY]... DATASET is a folder in CredData's layout
(docs/model-card.md); without it candidates are not timed. The hook runs on ten staged files of a store's source, which
speak of keys all the time.
"""

import argparse
import contextlib
import multiprocessing
import os
import sys
import tempfile
import time
import tomllib
from pathlib import Path

from race import HERE, HYGIENE, best
from startup import of_a_store

sys.path.insert(0, str(HERE))

from hygiene.cli import entry
from hygiene.detect import classifier, classifier_gate, guess
from hygiene.detect.compile import patterns_from_rules
from hygiene.detect.engine import HyperscanEngine, compile_database
from hygiene.detect.rules import RuleSet, load_rules

MOST_MILLISECONDS = 10.0  # that the classifier adds to a hook
MOST_SHARE = 0.05  # of a full history scan without it
MOST_MICROSECONDS = 300.0  # a candidate
TIMES = 15
CALIBRATION = 100_000
SHARE = 5  # each fifth file of the data set


def hook():
    """Compare the hook with all rules and without the generic ones; give 1 where the promise is missed."""
    generic = [rule["id"] for rule in tomllib.loads((HERE / "rules/generic.toml").read_text())["rules"]]
    times = {}
    for name, disabled in (("with the classifier", []), ("without", generic)):
        with tempfile.TemporaryDirectory() as folder:
            of_a_store(Path(folder))
            Path(folder, ".hygiene.toml").write_text(f"[rules]\ndisable = {disabled}\n")
            times[name] = best([HYGIENE, "hook", "pre-commit"], folder, TIMES)
    for name, (wall, processor, megabytes) in times.items():
        spent = f"{wall * 1000:7.1f} ms by the clock, {processor * 1000:7.1f} ms processor time"
        print(f"hook {name:20} {spent}, {megabytes:.0f} MB")
    added = [1000 * (ours - other) for ours, other in zip(*times.values(), strict=True)][1]
    kept = added <= MOST_MILLISECONDS
    print(f"the classifier adds {added:.1f} ms of processor time; promised {MOST_MILLISECONDS:g}: {_word(kept)}")
    return int(not kept)


def history(repository):
    """Scan a history in this process, and time what decides on candidates; give 1 where the promise is missed."""
    spent = [0.0]
    asleep = _timed(spent, int)
    for _ in range(CALIBRATION):
        asleep()
    watch = spent[0] / CALIBRATION  # what the watch itself takes of each time
    spent[:] = [0.0]
    classifier_gate.Gate.value_features = _timed(spent, classifier_gate.Gate.value_features, watch)
    classifier.look = _timed(spent, classifier.look, watch)
    classifier.judge = _timed(spent, classifier.judge, watch)
    start = time.process_time()
    with contextlib.suppress(SystemExit), Path(os.devnull).open("w") as nowhere, contextlib.redirect_stdout(nowhere):
        entry.main(["scan", str(repository), "--history", "--no-cache", "--jobs", "1", "--quiet"])
    share = spent[0] / (time.process_time() - start - spent[0])
    kept = share <= MOST_SHARE
    print(f"{repository}: the classifier adds {share:.1%} of processor time; promised {MOST_SHARE:.0%}: {_word(kept)}")
    return int(not kept)


def _timed(spent, function, watch=0.0):
    def timed(*arguments):
        start = time.process_time()
        try:
            return function(*arguments)
        finally:
            spent[0] += time.process_time() - start - watch

    return timed


def candidates(dataset):
    """Time the net and the judgement of all candidates in a share of the files."""
    rules = load_rules()
    patterns = patterns_from_rules(RuleSet(tuple(rule for rule in rules.rules if rule.generic), rules.digest))
    engine = HyperscanEngine(patterns, compile_database(patterns))
    files = sorted(path for path in dataset.rglob("data/**/*") if path.is_file())[::SHARE]
    blobs = [(path.read_bytes(), path.relative_to(dataset).as_posix()) for path in files]
    places = [sorted(match.end for match in engine.matches(data)) for data, _path in blobs]
    judged = _counted()
    start = time.process_time()
    for (data, path), hits in zip(blobs, places, strict=True):
        list(guess.guesses(data, path, hits))
    spent = 1e6 * (time.process_time() - start)
    kept = spent / judged[0] <= MOST_MICROSECONDS
    print(f"{judged[0]} candidates: {spent / judged[0]:.0f} µs of processor time each, with finding them;")
    print(f"promised {MOST_MICROSECONDS:g}: {_word(kept)}")
    return int(not kept)


def _counted():
    """Count the candidates that the classifier is asked about."""
    count, asked = [0], classifier_gate.Gate.value_features

    def counted(*arguments):
        count[0] += 1
        return asked(*arguments)

    classifier_gate.Gate.value_features = counted
    return count


def _word(kept):
    return "kept" if kept else "MISSED"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dataset", type=Path, nargs="?")
    parser.add_argument("--history", type=Path, nargs="*", default=[], metavar="REPOSITORY")
    given = parser.parse_args()
    code = hook()
    if given.dataset is None:
        print("no data set given: candidates are not timed")
    else:
        code |= candidates(given.dataset)
    for repository in given.history:
        code |= _apart(history, repository)
    return code


def _apart(function, argument):
    """Give what ``function`` gives, in a process of its own: it replaces parts of the program."""
    with multiprocessing.get_context("fork").Pool(1) as pool:
        return pool.apply(function, (argument,))


if __name__ == "__main__":
    sys.exit(main())
