"""Who acts, as far as the system vouches for it; and what the entry says it rests on."""

from __future__ import annotations

import base64
import json
import os
import pwd

import pytest

from hygiene.prove.actor import current_actor


def test_actor_is_the_effective_user_and_not_what_the_environment_says(tmp_path):
    lies = {"USER": "somebody", "LOGNAME": "somebody", "SUDO_USER": "somebody", "USERNAME": "somebody"}
    actor = current_actor(tmp_path, lies)
    assert actor.user == pwd.getpwuid(os.geteuid()).pw_name
    assert "somebody" not in str(actor)


def _token(claims):
    parts = ({"alg": "none"}, claims)
    head = ".".join(base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in parts)
    return head + ".c2ln"


def test_actor_of_ci_is_the_subject_and_the_entry_says_what_vouches_for_it(tmp_path):
    subject = "repo:org/name:ref:refs/heads/main"
    actor = current_actor(tmp_path, {"HYGIENE_ID_TOKEN": _token({"sub": subject})})
    assert (actor.subject, actor.auth) == (subject, "oidc-token-not-verified-here")
    said = {"GITHUB_ACTIONS": "true", "GITHUB_REPOSITORY": "org/name", "GITHUB_REF": "refs/heads/main"}
    actor = current_actor(tmp_path, said)
    assert (actor.subject, actor.auth) == (subject, "ci-environment")


def test_subject_of_a_token_that_anybody_can_write_is_not_said_to_be_vouched_for(tmp_path):
    forged = current_actor(tmp_path, {"HYGIENE_ID_TOKEN": _token({"sub": "repo:org/name:environment:production"})})
    assert "not-verified" in forged.auth
    assert forged.user == pwd.getpwuid(os.geteuid()).pw_name


@pytest.mark.parametrize("token", ["", "x", "a.b.c", "a.W10.c", _token({"sub": 7}), _token({}), "." * 2, "é.é.é"])
def test_token_that_is_none_vouches_for_nobody(tmp_path, token):
    assert current_actor(tmp_path, {"HYGIENE_ID_TOKEN": token}).subject == ""
