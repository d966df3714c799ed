"""Each attack that docs/audit.md lists is tried by a test that is named here, or is said not to be noticed."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
TRIED = {
    "an entry edited, removed, inserted, repeated, two swapped": (
        "unit/prove/test_chain.py::test_one_byte_changed_anywhere_in_an_entry_names_that_entry",
        "unit/prove/test_chain.py::test_one_line_dropped_names_the_missing_entry",
        "unit/prove/test_chain.py::test_two_lines_swapped_names_the_first_of_them",
        "unit/prove/test_chain.py::test_line_repeated_is_inserted",
        "unit/prove/test_chain.py::test_entry_forged_with_recomputed_hash_is_rewritten",
    ),
    "the log recomputed by someone who can read it, not the state": (
        "unit/prove/test_chain.py::test_whole_log_recomputed_without_the_key_is_named_by_mac_and_by_head",
    ),
    "the log cut at its end": (
        "unit/prove/test_chain.py::test_tail_cut_is_truncated_and_tells_the_range",
        "unit/prove/test_chain.py::test_everything_removed_is_truncated",
        "unit/prove/test_log.py::test_log_refuses_to_go_on_after_tampering",
    ),
    "the state removed to hide a cut": ("unit/prove/test_log.py::test_log_with_state_removed_to_hide_a_cut_is_named",),
    "the past recomputed by root with today's key": (
        "unit/prove/test_chain.py::test_past_rewritten_with_todays_key_is_named_by_the_verifiers_key",
        "unit/prove/test_attacks.py::test_attack_recompute_by_root_is_found_by_the_verification_key",
    ),
    "the past recomputed by root who has had every key": (
        "unit/prove/test_attacks.py::test_attack_recompute_by_root_with_all_keys_is_found_only_by_an_anchor",
    ),
    "an old copy of log *and* state put back; the whole folder removed": (
        "unit/prove/test_attacks.py::test_attack_old_copy_of_log_and_state_is_found_only_by_an_anchor",
        "unit/prove/test_attacks.py::test_attack_whole_log_removed_is_found_by_an_anchor_of_this_folder",
    ),
    "two histories shown to two readers": (
        "unit/prove/test_attacks.py::test_attack_fork_shown_to_another_reader_is_refused_by_the_one_ref",
    ),
    "the anchors deleted or put back": (
        "unit/prove/test_attacks.py::test_attack_anchors_deleted_or_put_back_are_missed_where_one_was_seen",
    ),
    "an entry appended to a chain that was ended": (
        "unit/prove/test_attacks.py::test_attack_entry_appended_to_an_ended_chain_is_found",
    ),
    "guessing a value from the log": (
        "unit/prove/test_attacks.py::test_attack_guessing_a_value_from_the_log_finds_nothing_to_compare_with",
    ),
    "a value smuggled into a field": (
        "unit/prove/test_log.py::test_log_value_that_was_learnt_reaches_no_field",
        "unit/prove/test_log.py::test_log_credentials_in_urls_headers_and_pem_are_redacted",
    ),
    "filling the disk": (
        "unit/prove/test_log.py::test_log_full_disk_refuses_before_the_access",
        "faults/test_embedded_faults.py::test_full_disk_through_the_command_has_its_exit_code_and_hint",
    ),
    '"that was not me"': (
        "unit/prove/test_actor.py::test_actor_is_the_effective_user_and_not_what_the_environment_says",
    ),
}


def listed() -> list[str]:
    """Give the first column of the table in docs/audit.md."""
    _, _, section = (ROOT / "docs" / "audit.md").read_text().partition("## What is noticed, and by what")
    rows = [line for line in section.partition("\n## ")[0].splitlines() if line.startswith("| ")]
    return [row.split(" | ")[0].removeprefix("| ") for row in rows if row.split(" | ")[0] != "| attack"]


def names_in(path: Path) -> set[str]:
    return {node.name for node in ast.parse(path.read_text()).body if isinstance(node, ast.FunctionDef)}


def test_table_and_tests_name_the_same_attacks():
    assert listed() == list(TRIED)


@pytest.mark.parametrize("attack", TRIED)
def test_attack_is_tried_by_tests_that_exist(attack):
    for test in TRIED[attack]:
        file, _, name = test.partition("::")
        assert name in names_in(ROOT / "tests" / file), test
