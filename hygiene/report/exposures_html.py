"""HTML: one page for the exposures, which somebody reads who was not there; see :mod:`hygiene.report.page`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TextIO

from hygiene.exposure import STATES, Exposure, Moment
from hygiene.finding import SEVERITIES
from hygiene.report.figures import duration, figures
from hygiene.report.outlook import in_words, next_step
from hygiene.report.page import Cell, Column, Row, bars, cards, identifier, page, quiet_line, table, text

_COLUMNS = (
    Column("State", numeric=True),
    Column("Severity", numeric=True),
    Column("Secret"),
    Column("Place"),
    Column("Introduced"),
    Column("Stored"),
    Column("Rotated"),
    Column("Revoked"),
    Column("Exposed for", numeric=True),
)
_DAY = 86400
_AGES = (("under 1 h", 3600), ("under 1 day", _DAY), ("under 7 days", 7 * _DAY), ("under 30 days", 30 * _DAY))
_MEANINGS = (
    "Open: nothing was done yet. Contained: stored and replaced in the code, the leaked value may still work. "
    "Rotated: a new value is in use, the leaked one may still work. Closed: the leaked value is worthless. "
    "Accepted: somebody answers for leaving it."
)


def write_html(exposures: Sequence[Exposure], stream: TextIO, now: datetime, *, log_verifies: bool) -> None:
    """Write one page at the time ``now``."""
    told = figures(exposures, now)
    body = ""
    if not log_verifies:
        body += '<p class="warning"><strong>The audit log does not verify</strong>, so it proves none of this.</p>\n'
    body += "".join(f"<p>{text(sentence)}</p>\n" for sentence in in_words(exposures, now))
    body += cards([(state.capitalize(), str(count)) for state, count in told.states.items()])
    spans = (("store", told.to_contain), ("rotate", told.to_rotate), ("revoke", told.to_revoke))
    body += cards(
        [
            *((f"Median to {name}", duration(span.median) if span else "–") for name, span in spans),
            ("Oldest still active", duration(told.oldest_active)),
        ]
    )
    if exposures:
        charts = bars("Exposures by state", list(told.states.items()))
        charts += bars("Time from commit to rotation", _histogram([e.seconds_to(e.rotated) for e in exposures]))
        charts += bars("Age of those still active", _histogram([_active_age(e, now) for e in exposures]))
        body += f'<div class="charts">{charts}</div>\n<h2>Exposures</h2>\n<p class="quiet">{_MEANINGS}</p>\n'
        rows = [_row(exposure, now) for exposure in exposures]
        body += table("Exposures", _COLUMNS, rows, ("state", "severity", "rule"))
    lead = f"As of {now:%Y-%m-%d %H:%M %Z}"
    stream.write(page("Exposures of secrets", lead, body))


def _row(exposure: Exposure, now: datetime) -> Row:
    paths = exposure.paths or ("(no longer found)",)
    age = exposure.seconds_to(exposure.revoked or Moment(now, "", ""))
    live = "" if exposure.verification == "unverified" else quiet_line(exposure.verification)
    state, severity = exposure.state, exposure.severity
    cells = (
        Cell(
            f'<span class="tag {state}">{state}</span>{quiet_line(exposure.reason)}{_next(exposure)}',
            str(STATES.index(state)),
        ),
        Cell(f'<span class="tag {severity}">{severity}</span>{live}', str(-SEVERITIES.index(severity))),
        Cell(f"{text(exposure.description)}<br><code>{text(exposure.secret)}</code>"),
        Cell(f"<code>{text(paths[0])}</code>{_details(exposure)}", paths[0]),
        _moment(exposure.introduced),
        _moment(exposure.stored, exposure.reference),
        _moment(exposure.rotated),
        _moment(exposure.revoked),
        Cell(text(duration(age)), str(age if age is not None else -1)),
    )
    return Row(cells, (("state", state), ("severity", severity), ("rule", exposure.rule)))


def _next(exposure: Exposure) -> str:
    step = next_step(exposure)
    return quiet_line(f"next: {step}") if step else ""


def _moment(moment: Moment | None, more: str = "") -> Cell:
    if moment is None:
        return Cell('<span class="quiet">–</span>', "9999")
    evidence = moment.evidence if ":" in moment.evidence else f"commit {moment.evidence[:12]}"
    told = quiet_line(moment.who) + quiet_line(more) + identifier(evidence)
    return Cell(f'<span class="date">{moment.time:%Y-%m-%d %H:%M}</span>{told}', moment.time.isoformat())


def _details(exposure: Exposure) -> str:
    lists = (
        ("more paths", exposure.paths[1:]),
        ("commits", exposure.commits),
        ("refs", exposure.refs),
        ("evidence", exposure.evidence),
        ("fingerprint", (exposure.fingerprint,)),
    )
    parts = [
        f'<p class="quiet">{name}</p><ul class="places">'
        + "".join(f"<li><code>{text(value)}</code></li>" for value in values[:50])
        + (f"<li>{len(values) - 50} more</li>" if len(values) > 50 else "")
        + "</ul>"
        for name, values in lists
        if values
    ]
    return f"<details><summary>details</summary>{''.join(parts)}</details>"


def _active_age(exposure: Exposure, now: datetime) -> float | None:
    return exposure.seconds_to(Moment(now, "", "")) if exposure.state in STATES[:3] else None


def _histogram(values: Sequence[float | None]) -> list[tuple[str, int]]:
    known = [value for value in values if value is not None]
    counts, below = [], 0.0
    for name, limit in _AGES:
        counts.append((name, sum(below <= value < limit for value in known)))
        below = limit
    return [*counts, ("30 days and more", sum(value >= below for value in known))]
