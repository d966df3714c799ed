import pytest

from hygiene.cli import entry
from hygiene.errors import AuditError, ConfigError, SourceError, StoreError, UsageError

VALUE = "s3cr3t" + "-value-in-an-exception"


@pytest.mark.parametrize(
    ("error", "code"), [(UsageError, 2), (ConfigError, 3), (SourceError, 4), (StoreError, 5), (AuditError, 6)]
)
def test_run_known_error_prints_it_with_its_hint_and_gives_its_code(monkeypatch, capsys, error, code):
    def fail(_arguments):
        raise error("it broke", hint="mend it")

    monkeypatch.setattr(entry, "load_app", lambda: fail)
    assert entry.run(["scan"]) == code
    output = capsys.readouterr()
    assert output.err == "hygiene: error: it broke\nhygiene: hint: mend it\n"
    assert output.out == ""


def test_run_unknown_error_shows_neither_message_nor_locals(monkeypatch, capsys):
    def fail(_arguments):
        value = VALUE
        raise RuntimeError(value)

    monkeypatch.setattr(entry, "load_app", lambda: fail)
    assert entry.run(["scan"]) == 70
    assert VALUE not in "".join(capsys.readouterr())


def test_run_interrupted_gives_130(monkeypatch):
    def fail(_arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr(entry, "load_app", lambda: fail)
    assert entry.run(["scan"]) == 130


def test_run_unknown_command_is_a_usage_error(capsys):
    assert entry.run(["scna"]) == 2
    assert "scna" in capsys.readouterr().err
