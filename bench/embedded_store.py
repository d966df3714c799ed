#!/usr/bin/env python3
"""Read from an embedded store of many secrets, against pyrage's bare decryption and one fsync in the same run.

usage: bench/embedded_store.py [--secrets N] [--reads N]

Printed: `list` of all secrets; `get` alone and `get` with policy check and audit (two entries, durable), each as a
multiple of decrypting the same records plus one fsync of as many bytes as an audit entry has.
"""

import argparse
import os
import statistics
import tempfile
import time
import uuid
from pathlib import Path

import pyrage

from hygiene.config import Config
from hygiene.prove.audited import audited
from hygiene.prove.log import open_log
from hygiene.secret import Secret
from hygiene.store.backends.embedded import layout
from hygiene.store.registry import open_store


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--secrets", type=int, default=10_000)
    parser.add_argument("--reads", type=int, default=500)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        os.environ["HYGIENE_HOME"] = folder
        names = [f"team{number % 50:02d}/service{number:05d}" for number in range(arguments.secrets)]
        fill(names)
        measure(Path(folder), names, names[:: max(1, len(names) // arguments.reads)])


def fill(names):
    """Make the secrets; durability of this part is not what is measured, so it is switched off."""
    real, os.fsync = os.fsync, lambda descriptor: None
    store = open_store("", Config(), notify=lambda key: None)
    for name in names:
        store.put(name, Secret(f"value of {name}".encode()), token=str(uuid.uuid4()))
    os.fsync = real


def measure(home, names, read):
    store = open_store("", Config())
    with_audit = audited(open_store("", Config()), open_log(home / "audit"))
    identity = [pyrage.x25519.Identity.from_str((home / "identity").read_text().split()[-1])]
    sealed = [next(layout.record_folder(home / "store", name).glob("@*.age")).read_bytes() for name in read]
    log = os.open(home / "floor", os.O_CREAT | os.O_WRONLY | os.O_APPEND)

    def floor(record):
        pyrage.decrypt(record, identity)
        os.write(log, b"x" * 500)
        os.fsync(log)

    for name in read[:5]:
        with_audit.get(name)
    floors, alone, audit = [], [], []
    for name, record in zip(read, sealed, strict=True):
        floors.append(timed(floor, record))
        alone.append(timed(store.get, name))
        audit.append(timed(with_audit.get, name))
    base = statistics.median(floors)
    print(f"{len(names):,} secrets, {len(read)} reads")
    print(f"decryption and one fsync  {base * 1e6:8.0f} µs")
    print(
        f"get                       {statistics.median(alone) * 1e6:8.0f} µs  {statistics.median(alone) / base:5.2f} x"
    )
    print(
        f"get, audited              {statistics.median(audit) * 1e6:8.0f} µs  {statistics.median(audit) / base:5.2f} x"
    )
    busy = time.process_time()
    listing = min(timed(lambda _: sum(1 for _ in store.list()), None) for _ in range(3))
    busy = (time.process_time() - busy) / 3
    print(
        f"list                      {listing:8.2f} s, of which {busy:.2f} s of CPU (the rest: others on this machine)"
    )


def timed(function, argument):
    start = time.perf_counter()
    function(argument)
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
