"""A glance settles clean commits, and nothing else."""

import os
import subprocess
import sys

import pytest

from tests.glance.conftest import CONFIG, PASSWORD, RULES, TOKEN


def test_glance_clean_commit_settles_it(hooked):
    assert hooked.hook() == (0, "glance")


def test_glance_staged_secret_is_left_to_the_ordinary_scan(hooked):
    hooked.stage(b=b"key = " + TOKEN + b"\n")
    assert hooked.hook() == (1, "look")


def test_glance_secret_only_in_the_working_tree_is_none_of_the_commit(hooked):
    hooked.write("a", b"key = " + TOKEN + b"\n")
    assert hooked.hook() == (0, "glance")


def test_glance_staged_secret_that_is_gone_from_the_working_tree_is_found(hooked):
    hooked.stage(b=TOKEN)
    (hooked.folder / "b").unlink()
    assert hooked.hook() == (1, "look")


def test_glance_secret_in_a_packed_object_is_found(hooked):
    hooked.commit(b=TOKEN)
    hooked.git("gc", "-q")
    hooked.git("reset", "-q", "--soft", "HEAD^")
    assert not list((hooked.folder / ".git/objects").glob("[0-9a-f][0-9a-f]/*"))
    assert hooked.hook() == (1, "look")


def test_glance_clean_packed_objects_are_settled(hooked):
    hooked.commit(b=b"clean\n", c=b"clean too\n")
    hooked.git("gc", "-q")
    hooked.git("reset", "-q", "--soft", "HEAD^")
    assert hooked.hook() == (0, "glance")


def test_glance_secret_in_a_file_name_is_found(hooked):
    hooked.stage(**{f"x {TOKEN.decode()} y": b"clean\n"})
    assert hooked.hook() == (1, "look")


def test_glance_file_name_that_is_no_utf8_is_settled(hooked):
    hooked.write(b"caf\xe9 with a newline\n.txt", b"clean\n")
    hooked.git("add", "-A")
    assert hooked.hook() == (0, "glance")


def test_glance_deleted_file_with_a_secret_is_settled(hooked):
    hooked.commit(b=TOKEN)
    (hooked.folder / "b").unlink()
    hooked.git("add", "-A")
    assert hooked.hook() == (0, "glance")


def test_glance_first_commit_is_left_to_the_ordinary_scan(hooked):
    hooked.stage(b=TOKEN)
    hooked.git("update-ref", "-d", "HEAD")
    assert hooked.hook() == (1, "look")


def test_glance_conflict_is_left_to_the_ordinary_scan(hooked):
    hooked.commit(a=b"base\n")
    hooked.git("checkout", "-qb", "side")
    hooked.commit(a=TOKEN)
    hooked.git("checkout", "-q", "main")
    hooked.commit(a=b"other\n")
    with pytest.raises(AssertionError):
        hooked.git("merge", "-q", "side")
    assert hooked.hook() == (1, "look")


def test_glance_large_object_is_left_to_the_ordinary_scan(hooked):
    hooked.stage(large=b"line\n" * (17 << 20 >> 2) + TOKEN)
    assert hooked.hook() == (1, "look")


def test_glance_corrupt_object_is_told_by_the_ordinary_scan(hooked):
    name = hooked.blob(b"value = 1\n")
    path = hooked.folder / ".git/objects" / name[:2] / name[2:]
    path.chmod(0o644)
    path.write_bytes(b"rubbish")
    assert hooked.hook() == (4, "look")


def test_glance_missing_object_is_told_by_the_ordinary_scan(hooked):
    name = hooked.blob(b"value = 1\n")
    (hooked.folder / ".git/objects" / name[:2] / name[2:]).unlink()
    assert hooked.hook() == (4, "look")


def test_glance_further_working_tree_reads_the_shared_objects(hooked):
    hooked.commit()
    hooked.git("worktree", "add", "-q", "../further")
    further = type(hooked)(hooked.folder.parent / "further2")
    further.folder = hooked.folder.parent / "further"
    further.stage(b=b"clean\n")
    assert further.hook() == (0, "look")  # another place, so another configuration
    assert further.hook() == (0, "glance")
    further.stage(b=TOKEN)
    assert further.hook() == (1, "look")


def test_glance_password_that_the_classifier_believes_is_left_to_the_ordinary_scan(hooked):
    hooked.stage(**{"settings.py": b'DB_PASSWORD = "' + PASSWORD + b'"\n'})
    assert hooked.hook() == (1, "look")


def test_glance_password_that_the_classifier_does_not_believe_is_settled(hooked):
    hooked.stage(**{"settings.py": b'DB_PASSWORD = os.environ["DB_PASSWORD"]\npassword = "your password"\n'})
    assert hooked.hook() == (0, "look")  # keeps what took long to make
    assert hooked.hook() == (0, "glance")


def test_glance_number_whose_digits_spell_a_word_is_settled(hooked):
    digits = b"secret".hex().encode()
    hooked.stage(**{"numbers.py": b"value = 0." + digits + b"123456\n" + b"other = 1" + digits + b"\n"})
    assert hooked.hook() == (0, "glance")


def test_glance_secret_in_hexadecimal_is_found(hooked):
    hooked.stage(b=b"value = " + (b"token: " + TOKEN).hex().encode() + b"\n")
    assert hooked.hook() == (1, "look")


def test_glance_with_a_finding_reads_what_is_clean_no_second_time(hooked):
    hooked.stage(b=TOKEN, c=b"clean\n")
    program = (
        "from hygiene.detect.glance import look; from hygiene.detect.sources.index import IndexSource\n"
        "import os; from pathlib import Path\n"
        "print(look.is_clean(os.getcwd(), os.environ['HYGIENE_CACHE']))\n"
        "print(*(item.path for item in IndexSource(Path.cwd(), settled=look.settled).items()))\n"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=hooked.folder, capture_output=True, check=True)
    assert done.stdout == b"False\nb\n"


def test_glance_git_without_patience_is_ended(hooked):
    os.mkfifo(hooked.folder / "pipe")
    hooked.git("config", "include.path", "../pipe")
    program = "from hygiene.detect.glance import process, look\nprocess._PATIENCE = 0.3\nprint(look.is_clean('.', '.'))"
    done = subprocess.run([sys.executable, "-c", program], cwd=hooked.folder, capture_output=True, timeout=60)
    assert done.stdout == b"False\n"


@pytest.mark.parametrize(
    ("arguments", "environment", "how"),
    [
        (("pre-merge-commit",), {}, "glance"),
        (("auto",), {"GIT_INDEX_FILE": ".git/index"}, "glance"),
        (("auto",), {}, "look"),
        (("pre-push",), {}, "look"),
    ],
)
def test_glance_is_for_the_stages_of_a_commit(hooked, arguments, environment, how):
    assert hooked.hook(*arguments, **environment) == (0, how)


def test_glance_in_a_folder_below_is_left_to_the_ordinary_scan(hooked):
    hooked.write("below/b", b"")
    repository = type(hooked)(hooked.folder.parent / "other")
    repository.folder = hooked.folder / "below"
    assert repository.hook() == (0, "look")


def test_glance_new_rule_file_makes_it_look_again(hooked):
    hooked.write(
        "rules/more.toml",
        RULES.partition('[[rules]]\nid = "generic')[0].replace("tkn_", "val_").replace("sample", "other").encode(),
    )
    hooked.stage(b=TOKEN.replace(b"tkn_", b"val_"))
    assert hooked.hook() == (1, "look")


def test_glance_changed_rule_file_makes_it_look_again(hooked):
    hooked.write("rules/sample.toml", RULES.replace("tkn_", "val_").encode())
    hooked.stage(b=TOKEN.replace(b"tkn_", b"val_"))
    assert hooked.hook() == (1, "look")


def test_glance_changed_configuration_makes_it_look_again(hooked):
    hooked.write(".hygiene.toml", CONFIG.encode() + b'disable = ["sample-token"]\n')
    hooked.stage(b=TOKEN)
    assert hooked.hook() == (0, "look")
    hooked.write(".hygiene.toml", CONFIG.encode())
    assert hooked.hook() == (1, "look")


def test_glance_broken_configuration_is_told(hooked):
    hooked.write(".hygiene.toml", b"[rules\n")
    assert hooked.hook() == (3, "look")
