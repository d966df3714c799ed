"""Where a rotation stands: decided from its journal alone, without any I/O."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import Enum
from typing import Any, NamedTuple


class Step(Enum):
    """What a rotation does next, in order."""

    STORE = "store"  # the prepared value, as pending
    ISSUE = "issue"  # make the new value valid at the provider
    VERIFY = "verify"  # log in with the stored pending value
    PROMOTE = "promote"  # pending becomes current
    REVOKE = "revoke"  # the old value dies
    FINISH = "finish"
    ABORT = "abort"  # undo, since someone asked for it before the old value was revoked


class State(NamedTuple):
    """What the journal says."""

    done: frozenset[str] = frozenset()  # the events that were recorded
    token: str = ""  # of the pending write, once announced
    version: str = ""  # of the pending value, once stored
    known: frozenset[str] = frozenset()  # credentials that the provider had before we issued
    sealed: str = ""  # the issued value, sealed, where it could not be stored yet

    def begun(self, event: str) -> bool:
        """Say whether ``event`` was recorded."""
        return event in self.done


def state_from_entries(entries: Iterable[Mapping[str, Any]]) -> State:
    """Fold a journal's entries into the state that they lead to."""
    state = State()
    for entry in entries:
        event = str(entry["event"])
        state = state._replace(done=state.done | {event})
        if event == "storing":
            state = state._replace(token=str(entry["token"]))
        elif event == "stored":
            state = state._replace(version=str(entry["version"]))
        elif event == "issuing":
            state = state._replace(known=frozenset(map(str, entry["known"])))
        elif event == "sealed":
            state = state._replace(sealed=str(entry["value"]))
    return state


def next_step(state: State, *, prepares: bool) -> Step:
    """Say what comes next; ``prepares`` where the value is known before the provider changes."""
    if state.begun("aborting"):
        return Step.ABORT
    order = (
        *(((Step.STORE, "stored"),) if prepares else ()),
        (Step.ISSUE, "issued"),
        (Step.VERIFY, "verified"),
        (Step.PROMOTE, "promoted"),
        (Step.REVOKE, "revoked"),
    )
    return next((step for step, event in order if not state.begun(event)), Step.FINISH)
