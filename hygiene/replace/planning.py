"""Building a plan from what was found. Pure: contents in, plan out."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from hygiene.address import labels_around
from hygiene.replace.checks import edits_of
from hygiene.replace.edits import apply_edits
from hygiene.replace.grouping import NamedSecret, named_secrets
from hygiene.replace.opened import Opened, drafts, open_file, rewrite_checked
from hygiene.replace.plan import Entry, FilePlan, Naming, Place, Plan, Step, manual_step, outermost
from hygiene.replace.rewriters.protocol import NEEDS_WIRING, Change, Skip, Style, Target
from hygiene.replace.undo import can_be_undone

ENVIRONMENT_READS = Style()
_IN_ADDRESS = re.compile(rb"([^\s/?#\"']+)@[\w\-.\[\]:,${}<>%]+(?:[/?#][^\s]*)?\Z")
_BEFORE_PASSWORD = re.compile(rb"[a-z][a-z0-9+.\-]*://[^\s/?#@\"':]*:\Z", re.IGNORECASE)
_LONGEST_USER = 200
_DATABASES = frozenset({"amqp", "amqps", "mariadb", "mysql", "postgres", "postgresql", "redis", "rediss"})
_PLAIN = re.compile(r"[\w.\-@]+")  # what a program puts together when it runs is no host and no user
_TELLING = 12  # bytes; a shorter text may stand elsewhere by chance


def build_plan(
    contents: Mapping[str, bytes | str],
    places: Iterable[Place],
    naming: Naming,
    style: Style = ENVIRONMENT_READS,
    *,
    spread: bool = True,
) -> Plan:
    """Plan the migration of ``places``; ``contents`` gives each path's bytes, or the reason why it is left alone.

    With ``spread``, other places of the same values in the same files are planned, too.
    """
    steps: list[Step] = []
    opened: dict[str, Opened] = {}
    found: dict[str, list[Place]] = {}
    for path, inside in _by_path(places).items():
        one = open_file(path, contents[path])
        if isinstance(one, Skip):
            steps += [manual_step(place, one.reason, one.advice) for place in inside]
        else:
            opened[path], found[path] = one, [_password_only(place, one.text.original) for place in inside]
    learned = [draft for path, one in opened.items() for draft in drafts(one, found[path], style)]
    for path, more in (_repeated(opened, found, learned) if spread else {}).items():
        found[path] = sorted([*found[path], *more])
        learned += drafts(opened[path], more, style)
    named = named_secrets(learned, naming)
    owner = {place: secret for secret in named for place in secret.places}
    files = []
    for path, one in opened.items():
        file, own = _file(one, found[path], owner, naming, style)
        steps += own
        files += [file] if file is not None else []
    return Plan(tuple(sorted(steps, key=_order)), _entries(named, steps, naming, opened), tuple(files))


def _repeated(
    opened: Mapping[str, Opened], found: Mapping[str, Sequence[Place]], learned: Iterable[tuple[Place, Change]]
) -> dict[str, list[Place]]:
    """Find where else in the opened files a value stands as it was written: a scan sees it only in telling places."""
    written: dict[bytes, Place] = {}
    for place, _ in learned:
        text = opened[place.path].text.original[place.start : place.end]
        if len(text) >= _TELLING and not text.isalpha():
            written.setdefault(text, place)
    if not written:
        return {}
    pattern = re.compile(
        rb"(?<![A-Za-z0-9_])(?:%b)(?![A-Za-z0-9_])" % b"|".join(map(re.escape, sorted(written, reverse=True)))
    )
    repeated: dict[str, list[Place]] = {}
    for path, one in opened.items():
        taken = [(place.start, place.end) for place in found[path]]
        for match in pattern.finditer(one.text.original):
            if all(match.end() <= start or end <= match.start() for start, end in taken):
                line = one.text.original.count(b"\n", 0, match.start()) + 1
                place = written[match.group()]._replace(path=path, start=match.start(), end=match.end(), line=line)
                repeated.setdefault(path, []).append(place)
    return repeated


def _password_only(place: Place, content: bytes) -> Place:
    """Narrow a place that runs on over the host of an address to the password in it."""
    found = _IN_ADDRESS.match(content, place.start, place.end)
    before = content[max(0, place.start - _LONGEST_USER) : place.start]
    if found is None or not found[1] or not _BEFORE_PASSWORD.search(before):
        return place
    return place._replace(end=found.end(1))


def _by_path(places: Iterable[Place]) -> dict[str, list[Place]]:
    by_path: dict[str, list[Place]] = {}
    for place in sorted(set(places)):
        by_path.setdefault(place.path, []).append(place)
    return {path: outermost(found) for path, found in by_path.items()}


def _order(step: Step) -> tuple[str, int, int]:
    return step.path, step.line, step.place.start


def _file(
    opened: Opened, places: Sequence[Place], owner: Mapping[Place, NamedSecret], naming: Naming, style: Style
) -> tuple[FilePlan | None, list[Step]]:
    targets: dict[Target, Place] = {}
    for place in places:
        secret = owner.get(place)
        # What can't be rewritten has no name; the rewriter says why.
        names = (secret.variables[place], str(naming.reference_to(secret.name))) if secret else ("", "ref+embedded://x")
        targets[opened.target(place, *names)] = place
    rewrite = rewrite_checked(opened, list(targets), style)
    lost = [change for change in rewrite.changes if not can_be_undone(opened.file, change)]
    steps = [manual_step(targets[skip.target], skip.reason, skip.advice) for skip in rewrite.skips]
    if lost:
        reason, advice = "the value is written with escapes that could not be restored", "replace it by hand"
        steps += [manual_step(targets[change.target], reason, advice) for change in lost]
        kept = [change.target for change in rewrite.changes if change not in lost]
        rewrite = rewrite_checked(opened, kept, style)
    steps += [
        _step(targets[change.target], change, owner[targets[change.target]], naming) for change in rewrite.changes
    ]
    if not rewrite.changes:
        return None, steps
    before = opened.text.original
    after = apply_edits(before, opened.original_edits(rewrite))
    ids = tuple(targets[change.target].id for change in rewrite.changes)
    return FilePlan(opened.file.path, before, after, tuple(edits_of(rewrite)), rewrite.changes, ids), steps


def _step(place: Place, change: Change, secret: NamedSecret, naming: Naming) -> Step:
    grade, reason = change.grade, change.reason
    if place in secret.unlisted:
        grade = NEEDS_WIRING
        reason = f"{change.hint} has another value elsewhere: use a rendered copy, hygiene render {place.path} -o FILE"
    variable = secret.variables[place]
    reference = str(naming.reference_to(secret.name))
    return Step(
        place.id,
        place.path,
        place.line,
        place.rule,
        secret.name,
        variable,
        reference,
        grade,
        reason,
        "",
        place,
        change.environment or variable,
        change.uses,
    )


def _entries(
    named: Iterable[NamedSecret], steps: Iterable[Step], naming: Naming, opened: Mapping[str, Opened]
) -> tuple[Entry, ...]:
    by_place = {step.place: step for step in steps if step.name}
    entries = []
    for secret in named:
        own = [by_place[place] for place in secret.places if place in by_place]
        if not own:
            continue
        listed = [step.environment for step in own if step.uses == "variable" and step.place not in secret.unlisted]
        entries.append(
            Entry(
                secret.name,
                naming.reference_to(secret.name),
                secret.secret,
                tuple(dict.fromkeys(listed)),
                tuple(step.id for step in own),
                own[0].rule,
                own[0].place.fingerprint,
                _login_labels([step.place for step in own], opened),
            )
        )
    return tuple(entries)


def _login_labels(places: Iterable[Place], opened: Mapping[str, Opened]) -> tuple[tuple[str, str], ...]:
    """Give what the first address with the password tells: user, host, port, database, and a database's kind."""
    for place in places:
        labels = labels_around(opened[place.path].text.original, place.start, place.end)
        known = {key: text for key, text in labels.items() if _PLAIN.fullmatch(text)}
        if known.get("provider") not in _DATABASES:
            known.pop("provider", None)
        if known:
            return tuple(known.items())
    return ()
