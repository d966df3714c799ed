"""Reads all that a source has, as a scan does."""

import pickle


def gather(source):
    """Give the bytes of each blob by id (windows joined), and what was skipped."""
    found = {}
    items = list(source.items())
    for blob in source.read(items):
        known = found.get(blob.id, b"")
        assert blob.start <= len(known)
        found[blob.id] = known[: blob.start] + blob.data
    return found, list(source.skipped())


def contents(source):
    """Give the bytes that a pickled copy of ``source`` reads, sorted."""
    copy = pickle.loads(pickle.dumps(source))
    return sorted(blob.data for blob in copy.read(list(source.items())))


def by_path(source):
    """Give the bytes of what has a place, by its paths."""
    found, _ = gather(source)
    places = source.provenance(found)
    return {place.path: found[name] for name, where in places.items() for place in where}
