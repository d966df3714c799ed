"""Ends the journal of a rotation that nothing can finish any more."""

from __future__ import annotations

from hygiene.journal import Journal
from hygiene.prove.event import OK, Recorder
from hygiene.rotate.rotation import Rotated
from hygiene.rotate.state import state_from_entries
from hygiene.store.protocol import Store


def abandoned(journal: Journal, store: Store, recorder: Recorder, why: str) -> Rotated:
    """End a rotation that we can neither finish nor take back, and say what may be left at the provider."""
    name, provider = str(journal.facts["name"]), str(journal.facts["provider"])
    begun = state_from_entries(journal.entries()).begun("issuing")
    left = "its old and a new value may be valid at the provider: end both there" if begun else "nothing was changed"
    reference = str(store.reference(name))
    recorder.record("rotate.abort", reference, OK, provider=provider, evidence=f"{why}; {left}")
    journal.finish()
    return Rotated(name, reference, provider, "aborted", evidence=f"{why}; {left}")
