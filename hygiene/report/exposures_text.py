"""The exposures for a person at a terminal, and as JSON for a program."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any, TextIO

from hygiene import __version__
from hygiene.exposure import Exposure, Moment
from hygiene.report.figures import Span, duration, figures
from hygiene.report.outlook import in_words, next_step
from hygiene.report.terminal import printable
from hygiene.report.text import count


def write_text(exposures: Sequence[Exposure], stream: TextIO, now: datetime) -> None:
    """Write each exposure's story and the figures."""
    for exposure in exposures:
        _write_story(exposure, stream, now)
    told = figures(exposures, now)
    states = ", ".join(f"{count} {state}" for state, count in told.states.items() if count)
    stream.write(f"{count(len(exposures), 'leaked secret')}: {states or 'none'}\n")
    for name, span in (("stored", told.to_contain), ("rotated", told.to_rotate), ("revoked", told.to_revoke)):
        if span:
            stream.write(f"from commit to {name}: {_span_text(span)}\n")
    for sentence in in_words(exposures, now):
        stream.write(f"{sentence}\n")


def write_json(exposures: Sequence[Exposure], stream: TextIO, now: datetime, *, log_verifies: bool) -> None:
    """Write the exposures and their figures as one JSON document."""
    told = figures(exposures, now)
    document = {
        "tool": {"name": "hygiene", "version": __version__},
        "log_verifies": log_verifies,
        "summary": {
            "in_words": in_words(exposures, now),
            "exposures": len(exposures),
            "states": told.states,
            "seconds_to_contain": told.to_contain and told.to_contain._asdict(),
            "seconds_to_rotate": told.to_rotate and told.to_rotate._asdict(),
            "seconds_to_revoke": told.to_revoke and told.to_revoke._asdict(),
        },
        "exposures": [exposure_object(exposure) for exposure in exposures],
    }
    json.dump(document, stream, indent=2)
    stream.write("\n")


def exposure_object(exposure: Exposure) -> dict[str, Any]:
    """Give an exposure as JSON can hold it."""
    fields = exposure._asdict()
    for name, value in fields.items():
        if isinstance(value, Moment):
            fields[name] = {"time": value.time.isoformat(), "who": value.who, "evidence": value.evidence}
    return {**fields, "next": next_step(exposure)}


def _write_story(exposure: Exposure, stream: TextIO, now: datetime) -> None:
    place = printable(exposure.paths[0]) if exposure.paths else "(no longer found)"
    more = f" and {len(exposure.paths) - 1} more" if len(exposure.paths) > 1 else ""
    stream.write(f"{exposure.state.upper()}  {exposure.severity}  {printable(exposure.description)}  {place}{more}\n")
    facts = [exposure.secret, exposure.verification if exposure.verification != "unverified" else ""]
    stream.write(f"    {printable('  '.join(filter(None, facts)))}  fingerprint {printable(exposure.fingerprint)}\n")
    if exposure.introduced:
        age = duration(exposure.seconds_to(exposure.revoked or Moment(now, "", "")))
        stream.write(_line("introduced", exposure.introduced) + f", exposed for {age}\n")
        refs = [ref.removeprefix("refs/heads/").removeprefix("refs/") for ref in exposure.refs]
        stream.write(
            f"    in {count(len(exposure.commits), 'commit')}, on {printable(', '.join(refs[:5])) or 'no ref'}\n"
        )
    if exposure.stored:
        stream.write(_line("stored", exposure.stored) + f" as {printable(exposure.reference)}\n")
    if exposure.replaced:
        stream.write(f"    replaced by {', '.join(commit[:12] for commit in exposure.replaced[:5])}\n")
    for name, moment in (("rotated", exposure.rotated), ("revoked", exposure.revoked)):
        if moment:
            stream.write(_line(name, moment) + "\n")
    if exposure.accepted:
        until = f" until {exposure.accepted_until}" if exposure.accepted_until else ""
        stream.write(_line("accepted", exposure.accepted) + printable(f"{until}: {exposure.reason}") + "\n")
    if step := next_step(exposure):
        stream.write(f"    next: {printable(step)}\n")


def _line(name: str, moment: Moment) -> str:
    evidence = moment.evidence if ":" in moment.evidence else f"commit {moment.evidence[:12]}"
    return printable(f"    {name} {moment.time:%Y-%m-%d %H:%M %Z} by {moment.who} ({evidence})")


def _span_text(span: Span) -> str:
    return f"median {duration(span.median)}, longest {duration(span.longest)}, over {count(span.times, 'secret')}"
