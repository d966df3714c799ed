"""What a report on exposures says in words: how it stands, what is urgent, and what to do next."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime

from hygiene.exposure import Exposure
from hygiene.report.figures import duration, figures
from hygiene.report.text import count

_ROTATE, _STORE, _END = "rotate", "store", "end"
_ACTS = {_ROTATE: "to rotate", _STORE: "to store or to revoke", _END: "whose old value is still to be ended"}


def in_words(exposures: Sequence[Exposure], now: datetime) -> tuple[str, ...]:
    """Give the sentences that a manager needs, the first one alone where nothing is left to do."""
    if not exposures:
        return ("No credential is known to have leaked.",)
    return tuple(_sentences(exposures, now))


def next_step(exposure: Exposure) -> str:
    """Say what to do about one exposure, as a command where there is one; "" where it is over."""
    act = _act(exposure)
    if act == _ROTATE:
        return f"hygiene rotate {_name(exposure)}"
    if act == _END:
        return f"end the leaked value: hygiene rotate --resume, or by hand and hygiene rotate confirm {_name(exposure)}"
    if act == _STORE:
        path = exposure.paths[0] if exposure.paths else "PATH"
        return f"hygiene migrate --apply {path}, or end it: hygiene revoke {exposure.fingerprint} --now"
    if exposure.state == "accepted" and exposure.accepted_until:
        return f"look at it again by {exposure.accepted_until}"
    return ""


def _sentences(exposures: Sequence[Exposure], now: datetime) -> Iterator[str]:
    told = figures(exposures, now)
    active = [exposure for exposure in exposures if _act(exposure)]
    parts = [
        f"{_are(told.states['closed'])} worthless by now" if told.states["closed"] else "",
        f"{len(active):,} may still work" if active else "",
        f"{told.states['accepted']:,} {_stays(told.states['accepted'])} with a reason"
        if told.states["accepted"]
        else "",
    ]
    yield f"{count(len(exposures), 'credential')} leaked: {', '.join(filter(None, parts))}."
    if not active:
        return
    live = sum(exposure.verification == "live" for exposure in active)
    grave = sum(exposure.severity == "critical" for exposure in active)
    facts = [
        f"{_are(live)} known to work" if live else "",
        f"{_are(grave)} critical" if grave else "",
        f"the oldest leaked {duration(told.oldest_active)} ago" if told.oldest_active is not None else "",
    ]
    if any(facts):
        yield f"Of those that may still work, {', '.join(filter(None, facts))}."
    acts = Counter(map(_act, active))
    yield f"Next: {'; '.join(f'{acts[act]:,} {words}' for act, words in _ACTS.items() if acts[act])}."


def _are(number: int) -> str:
    return f"{number:,} {'is' if number == 1 else 'are'}"


def _stays(number: int) -> str:
    return "stays" if number == 1 else "stay"


def _act(exposure: Exposure) -> str:
    if exposure.state == "rotated":
        return _END
    if exposure.state in ("open", "contained"):
        return _ROTATE if exposure.reference else _STORE
    return ""


def _name(exposure: Exposure) -> str:
    return exposure.reference.partition("://")[2].partition("#")[0].partition("?")[0]
