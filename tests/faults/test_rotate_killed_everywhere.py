"""SIGKILL after every step of every provider that really runs here, in a real process on a real store.

A step is an entry of the journal, and what was done at the provider or in the store but not noted yet. Each is
followed by ``--resume``, which has to end with one valid value.
"""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hygiene.journal import Journal
from hygiene.rotate.provider import Target
from hygiene.rotate.slots import StagedSlots
from hygiene.secret import Secret
from tests.faults.forked import run_forked
from tests.live.test_provider_rotation import CASES, Case, tls_servers, works  # noqa: F401

EVENTS = ("storing", "stored", "issuing", "issued", "verified", "promoted", "revoking", "revoked")
ACTS = ("issue", "revoke", "put_new", "promote")


class Home:
    """A home and a configuration in which one credential is rotated by the command line."""

    def __init__(self, folder: Path, case: Case) -> None:
        folder.mkdir()
        self.folder, self.environment = folder, {**os.environ, "HYGIENE_HOME": str(folder / "home")}
        target: Target = getattr(case.provider, "_target", None) or Target("shop/credential", {})
        self.name = target.name
        lines = [f"[providers.{case.provider.name}]", f"hosts = {json.dumps(target.hosts)}"]
        if target.admin is not None:
            self("secret", "put", "admin", "--raw", stdin=target.admin.reveal().decode())
            lines.append('admin = "ref+embedded://admin"')
        lines += ["[[rotation.secrets]]", f"names = {json.dumps(self.name)}", f'provider = "{case.provider.name}"']
        lines += [
            "[rotation.secrets.settings]",
            *(f"{key} = {json.dumps(text)}" for key, text in target.labels.items()),
        ]
        (folder / ".hygiene.toml").write_text("\n".join(lines) + "\n")
        self("secret", "put", self.name, "--raw", stdin=case.value.reveal().decode())

    def __call__(self, *arguments: str, stdin: str = "") -> str:
        done = run_forked(arguments, self.folder, self.environment, stdin)
        assert done.returncode == 0, (arguments, done.stdout, done.stderr)
        return done.stdout

    def killed(self, before: Callable[[], None]) -> bool:
        """Rotate in a process that ``before`` lets die on its way; says whether it did."""
        done = run_forked(("rotate", self.name), self.folder, self.environment, before=before)
        assert done.returncode in (0, -signal.SIGKILL), (done.stdout, done.stderr)
        return done.returncode != 0


def die_after(owner: Any, method: str, event: str = "") -> None:
    """Let this process be killed once ``owner.method`` (for ``event``, if named) has done its work."""
    original = getattr(owner, method)

    def dying(self: Any, *arguments: Any, **named: Any) -> None:
        original(self, *arguments, **named)
        if not event or arguments[0] == event:
            os.kill(os.getpid(), signal.SIGKILL)

    setattr(owner, method, dying)


@pytest.mark.slow
@pytest.mark.parametrize("kind", CASES)
def test_rotation_killed_after_any_step_resumes_to_one_valid_value(
    kind: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    points: list[tuple[str, Callable[[Case], Callable[[], None]]]] = [
        (event, lambda _case, event=event: lambda: die_after(Journal, "record", event)) for event in EVENTS
    ]
    points += [
        (act, lambda case, act=act: lambda: die_after(StagedSlots if "p" in act else type(case.provider), act))
        for act in ACTS
    ]
    killed = []
    for number, (point, dying) in enumerate(points):
        folder = tmp_path / str(number)
        folder.mkdir()
        case = CASES[kind](request, folder)
        home = Home(tmp_path / f"home-{number}", case)
        if home.killed(dying(case)):
            killed.append(point)
            (done,) = json.loads(home("rotate", "--resume", "--json"))
            assert done["outcome"] == "rotated", point
        current = Secret.from_text(home("secret", "get", home.name))
        assert current != case.value
        assert works(case, current) and not works(case, case.value), point
        assert case.left is None or case.left() == 1, point
    home("audit", "verify")
    assert json.loads(home("rotate", "--resume", "--json")) == []
    print(f"{kind}: killed {len(killed)} times: {', '.join(killed)}")
    assert killed == [point for point, _ in points]
