import pytest

from hygiene.cli import boundary
from hygiene.errors import AuditError, ConfigError, SourceError, StoreError, UsageError

VALUE = "s3cr3t" + "-value-in-an-exception"


@pytest.mark.parametrize(
    ("error", "code"), [(UsageError, 2), (ConfigError, 3), (SourceError, 4), (StoreError, 5), (AuditError, 6)]
)
def test_run_known_error_prints_it_with_its_hint_and_gives_its_code(monkeypatch, capsys, error, code):
    def fail(_arguments):
        raise error("it broke", hint="mend it")

    monkeypatch.setattr(boundary, "load_app", lambda: fail)
    assert boundary.run(["scan"]) == code
    output = capsys.readouterr()
    assert output.err == "hygiene: error: it broke\nhygiene: hint: mend it\n"
    assert output.out == ""


def test_run_unknown_error_shows_neither_message_nor_locals(monkeypatch, capsys):
    def fail(_arguments):
        value = VALUE
        raise RuntimeError(value)

    monkeypatch.setattr(boundary, "load_app", lambda: fail)
    assert boundary.run(["scan"]) == 70
    assert VALUE not in "".join(capsys.readouterr())


def test_run_interrupted_gives_130(monkeypatch):
    def fail(_arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr(boundary, "load_app", lambda: fail)
    assert boundary.run(["scan"]) == 130


@pytest.mark.parametrize(
    ("arguments", "meant"), [(["scna"], "Did you mean 'scan'?"), (["secret", "lst"], "Did you mean 'list'?")]
)
def test_run_misspelt_command_is_a_usage_error_with_a_suggestion(capsys, arguments, meant):
    assert boundary.run(arguments) == 2
    said = capsys.readouterr().err
    assert arguments[-1] in said
    assert meant in said


def test_run_unknown_command_like_no_other_is_a_usage_error_without_a_suggestion(capsys):
    assert boundary.run(["xyzzy"]) == 2
    assert "Did you mean" not in capsys.readouterr().err
