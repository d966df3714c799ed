"""AWS Secrets Manager beyond the contract: failures on the way, and moto's known lies, each named where it matters.

Lies of moto 5 that the store must be right in spite of: it takes values of more than 65,536 bytes and any name;
it writes to secrets that are scheduled for deletion; after a stage moved, a read without a stage gives the old
value; it never throttles, never loses an answer, and is never a little behind; and it enforces IAM policies only for
resources ``*``, so that the compiled ones are compared here and not enforced.
"""

import json
import shutil
import subprocess
import time
import uuid

import boto3
import pytest
from botocore.awsrequest import AWSResponse

from hygiene.cli.boundary import run
from hygiene.config import Config, Role
from hygiene.errors import AccessDeniedError, ConfigError, ConflictError, ForeignSecretError, NotFoundError, StoreError
from hygiene.reference import parse_reference
from hygiene.secret import Secret
from hygiene.store.protocol import CURRENT, PENDING
from hygiene.store.registry import open_store
from tests.contract.places import aws


def token():
    return str(uuid.uuid4())


@pytest.fixture
def place(request, tmp_path, monkeypatch):
    with aws(request, tmp_path, monkeypatch) as opened:
        yield opened


@pytest.fixture
def store(place, monkeypatch):
    monkeypatch.setattr(time, "sleep", lambda seconds: None)  # the SDK's back-off
    return place.open()


@pytest.fixture
def outside(place):
    return boto3.client("secretsmanager", region_name="eu-central-1")


class Answers:
    """Stands between the SDK and the server: ``plan`` says what a request is answered instead (None: passed on)."""

    def __init__(self, store, plan):
        self.seen = []
        self._plan = plan
        store._client.meta.events.register("before-send.secretsmanager", self._answer)

    def _answer(self, request, **_):
        action = request.headers["X-Amz-Target"].decode().rpartition(".")[2]
        self.seen.append(action)
        planned = self._plan(action, self.seen.count(action))
        if isinstance(planned, Exception):
            raise planned
        if planned is None:
            return None
        status, body = planned
        raw = json.dumps(body).encode()

        class Raw:
            def stream(self, *_, **__):
                yield raw

        return AWSResponse(request.url, status, {"x-amzn-errortype": body.get("__type", "")}, Raw())


def _error(code, status=400):
    return status, {"__type": code, "message": "the value p4ssw0rd-in-message is wrong"}


def test_get_after_promote_gives_the_new_value_though_moto_lies_without_a_stage(store, outside):
    one = store.put("a", Secret(b"old"), token=token())
    two = store.put("a", Secret(b"new"), token=token(), stage=PENDING)
    store.promote("a", two.id, expect=one.id)
    assert store.get("a") == Secret(b"new")
    lied = outside.get_secret_value(SecretId="team/app/a")["SecretString"]
    assert lied in ("old", "new")  # "old" is moto's lie; were it mended, nothing here would change


@pytest.mark.parametrize("name", ["api-secret", "api-secret_", "x-123456", "plain"])
def test_name_that_ends_like_an_arn_is_kept_under_a_safe_one_and_comes_back(store, outside, name):
    store.put(name, Secret(b"v"), token=token())
    stored = outside.list_secrets()["SecretList"][0]["Name"]
    assert not (stored[-7] == "-" and stored[-6:].isalnum())
    assert [told.name for told in store.list()] == [name]
    assert store.name_of(store.reference(name)) == name
    assert store.describe(name).name == name


def test_stranger_with_a_risky_name_is_seen_and_left_alone(place, store):
    place.foreign("api-secret", b"theirs")
    assert store.get("api-secret") == Secret(b"theirs")
    with pytest.raises(ForeignSecretError) as caught:
        store.put("api-secret", Secret(b"v"), token=token())
    assert "hygiene:owner=hygiene" in caught.value.hint
    store.adopt("api-secret")
    store.put("api-secret", Secret(b"v"), token=token())
    assert store.get("api-secret") == Secret(b"v")


def test_reference_resolves_by_region_alone(store):
    store.put("a", Secret(b"v"), token=token())
    reference = parse_reference(str(store.reference("a")))
    assert str(reference) == "ref+awssecrets://team/app/a?region=eu-central-1"
    other = open_store("awssecrets://eu-central-1", Config())
    assert other.get(other.name_of(reference)) == Secret(b"v")
    with pytest.raises(NotFoundError):
        open_store("awssecrets://us-east-1", Config()).name_of(reference)


def test_existing_but_empty_secret_can_be_filled_after_adoption(store, outside):
    outside.create_secret(Name="team/app/empty")
    with pytest.raises(NotFoundError):
        store.get("empty")
    store.adopt("empty")
    store.put("empty", Secret(b"v"), token=token())
    assert store.get("empty") == Secret(b"v")


def test_conditional_put_cut_off_before_its_promotion_is_completed_by_the_retry(store, place, outside):
    one = store.put("a", Secret(b"old"), token=token())
    Answers(store, lambda action, _: _error("AccessDeniedException") if action == "UpdateSecretVersionStage" else None)
    once = token()
    with pytest.raises(AccessDeniedError):
        store.put("a", Secret(b"new"), token=once, expect=one.id)
    fresh = place.open()
    assert fresh.get("a") == Secret(b"old")
    assert fresh.put("a", Secret(b"new"), token=once, expect=one.id).id == once
    assert fresh.get("a") == Secret(b"new")
    stages = outside.describe_secret(SecretId="team/app/a")["VersionIdsToStages"]
    assert sorted(map(sorted, stages.values())) == [["AWSCURRENT"], ["AWSPREVIOUS"]]


def test_conditional_put_that_loses_a_race_conflicts_and_leaves_the_winner(store, place):
    one = store.put("a", Secret(b"old"), token=token())
    rival = place.open()

    def plan(action, _):
        if action == "UpdateSecretVersionStage" and rival.get("a") == Secret(b"old"):
            rival.put("a", Secret(b"rival"), token=token())

    Answers(store, plan)
    with pytest.raises(ConflictError):
        store.put("a", Secret(b"mine"), token=token(), expect=one.id)
    assert rival.get("a") == Secret(b"rival")


@pytest.mark.parametrize(("code", "status"), [("ThrottlingException", 400), ("InternalServiceError", 500)])
def test_passing_trouble_is_retried_and_lasting_trouble_is_bounded(store, code, status):
    store.put("a", Secret(b"v"), token=token())
    answers = Answers(store, lambda action, count: _error(code, status) if count <= 2 else None)
    assert store.get("a") == Secret(b"v")
    assert answers.seen.count("GetSecretValue") == 3
    lasting = Answers(store, lambda action, count: _error(code, status))
    with pytest.raises(StoreError, match=code) as caught:
        store.get("a")
    assert lasting.seen.count("GetSecretValue") <= 8
    assert "p4ssw0rd" not in str(caught.value) + caught.value.hint


def test_write_whose_answer_is_lost_says_what_is_not_known(store):
    from botocore.exceptions import ReadTimeoutError

    Answers(store, lambda action, _: ReadTimeoutError(endpoint_url="x") if action == "CreateSecret" else None)
    with pytest.raises(StoreError, match="not known"):
        store.put("a", Secret(b"v"), token=token())


def test_write_that_happened_though_its_answer_was_lost_is_one_version_after_the_retry(store, place, outside):
    once = token()
    sent = []

    def lose_answer(request, **_):
        if b"CreateSecret" in request.headers["X-Amz-Target"] and not sent:
            sent.append(True)
            outside.create_secret(
                Name="team/app/a",
                SecretString="v",
                ClientRequestToken=once,
                Tags=[{"Key": "hygiene:owner", "Value": "hygiene"}],
            )
            return _answer_500(request)
        return None

    def _answer_500(request):
        class Raw:
            def stream(self, *_, **__):
                yield b"{}"

        return AWSResponse(request.url, 500, {}, Raw())

    store._client.meta.events.register("before-send.secretsmanager", lose_answer)
    assert store.put("a", Secret(b"v"), token=once).id == once
    assert len(outside.list_secret_version_ids(SecretId="team/app/a")["Versions"]) == 1


def test_answer_that_lies_about_success_is_found_out_by_reading(store):
    store.put("a", Secret(b"old"), token=token())
    Answers(store, lambda action, _: (200, {"Name": "a"}) if action == "PutSecretValue" else None)
    with pytest.raises(StoreError, match="said"):
        store.put("a", Secret(b"new"), token=token())
    assert store.get("a") == Secret(b"old")


@pytest.mark.parametrize("code", ["AccessDeniedException", "403"])
def test_denial_is_told_as_one(store, code):
    Answers(store, lambda action, _: _error(code))
    with pytest.raises(AccessDeniedError, match="not allow"):
        store.get("a")


def test_writer_that_may_not_read_can_retry(store):
    once = token()
    store.put("a", Secret(b"v"), token=once)
    Answers(store, lambda action, _: _error("AccessDeniedException") if action == "GetSecretValue" else None)
    assert store.put("a", Secret(b"v"), token=once).id == once
    with pytest.raises(ConflictError):
        store.put("a", Secret(b"other"), token=once)


def test_wrong_clock_and_missing_credentials_have_hints(store, monkeypatch, tmp_path):
    Answers(store, lambda action, _: _error("InvalidSignatureException", 403))
    with pytest.raises(StoreError) as caught:
        store.get("a")
    assert "clock" in caught.value.hint
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    with pytest.raises(StoreError, match="no credentials"):
        open_store("awssecrets://eu-central-1", Config()).get("a")


def test_new_secret_takes_kms_key_and_replicas_from_the_uri(place, outside):
    store = open_store("awssecrets://eu-central-1/team/app?kms_key=alias/hygiene&replicas=eu-west-1", Config())
    store.put("a", Secret(b"v"), token=token())
    told = outside.describe_secret(SecretId="team/app/a")
    assert told["KmsKeyId"] == "alias/hygiene"
    assert [replica["Region"] for replica in told["ReplicationStatus"]] == ["eu-west-1"]


def test_secret_scheduled_for_deletion_is_not_written_though_moto_would(store, outside):
    store.put("a", Secret(b"v"), token=token())
    store.delete("a")
    outside.put_secret_value(SecretId="team/app/a", SecretString="moto takes this")
    with pytest.raises(ConflictError, match="scheduled for deletion"):
        store.put("a", Secret(b"w"), token=token())


def test_list_tells_the_same_as_describe(store):
    store.put("a", Secret(b"v"), token=token(), labels=(("rule", "x"),))
    told, described = next(iter(store.list())), store.describe("a")
    assert told.staged(CURRENT).id == described.staged(CURRENT).id
    assert (told.owner, told.labels, told.expires, told.due) == (
        described.owner,
        described.labels,
        described.expires,
        described.due,
    )


@pytest.mark.skipif(shutil.which("vals") is None, reason="the vals program is not on the path")
def test_vals_evaluates_our_references_to_the_same_values(store):
    store.put("api-secret", Secret(b"one value"), token=token())
    store.put("pair", Secret(b'{"id": "two", "key": "three"}'), token=token())
    references = [store.reference("api-secret"), store.reference("pair", field="key")]
    done = [
        subprocess.run([shutil.which("vals"), "get", str(reference)], capture_output=True, check=True, timeout=60)
        for reference in references
    ]
    assert [run.stdout.strip() for run in done] == [b"one value", b"three"]


@pytest.mark.skipif(shutil.which("vals") is None, reason="the vals program is not on the path")
def test_vals_evaluates_the_manifest_that_is_exported_for_it(store, tmp_path, monkeypatch, capsys):
    store.put("api-secret", Secret(b"one value"), token=token())
    store.put("pair", Secret(b'{"id": "two", "key": "three: \\"3\\""}'), token=token())
    references = {"API": store.reference("api-secret"), "KEY": store.reference("pair", field="key")}
    (tmp_path / "secrets.toml").write_text("".join(f'{name} = "{ref}"\n' for name, ref in references.items()))
    monkeypatch.chdir(tmp_path)
    assert run(["secret", "export", "--format", "vals"]) == 0
    (tmp_path / "vals.yaml").write_text(capsys.readouterr().out)
    done = subprocess.run(
        [shutil.which("vals"), "eval", "-f", "vals.yaml", "-o", "json"], capture_output=True, check=True
    )
    assert json.loads(done.stdout) == {"API": "one value", "KEY": 'three: "3"'}


ROLES = (
    Role("app", ("arn:aws:iam::123456789012:role/app",), ("shop/**", "api-secret"), ("read",)),
    Role("ops", ("arn:aws:iam::123456789012:user/kim",), ("**",), ("rotate", "delete")),
)


def test_roles_become_iam_policies_attached_to_their_members(store):
    iam = boto3.client("iam", region_name="us-east-1")
    iam.create_role(RoleName="app", AssumeRolePolicyDocument="{}")
    iam.create_user(UserName="kim")
    assert [change.action for change in store.plan_access(ROLES)] == ["write-policy", "write-policy"]
    store.apply_access(ROLES)
    assert store.check_access(ROLES) == []
    (attached,) = iam.list_attached_role_policies(RoleName="app")["AttachedPolicies"]
    assert attached["PolicyName"] == "hygiene-eu-central-1-team-app-app"
    policy = iam.get_policy(PolicyArn=attached["PolicyArn"])["Policy"]
    document = iam.get_policy_version(PolicyArn=policy["Arn"], VersionId=policy["DefaultVersionId"])
    secrets, listing = document["PolicyVersion"]["Document"]["Statement"]
    assert "secretsmanager:PutSecretValue" not in secrets["Action"]
    assert secrets["Resource"] == [
        "arn:aws:secretsmanager:eu-central-1:*:secret:team/app/shop/*",
        "arn:aws:secretsmanager:eu-central-1:*:secret:team/app/api-secret_-??????",
    ]
    assert listing["Action"] == ["secretsmanager:ListSecrets"]
    changed = (ROLES[0]._replace(may=("write",), members=()), *ROLES[1:])
    for _ in range(6):  # more versions than IAM keeps
        store.apply_access(changed)
        store.apply_access(ROLES)
    store.apply_access(changed)
    assert iam.list_attached_role_policies(RoleName="app")["AttachedPolicies"] == []
    store.apply_access(())
    assert iam.list_attached_user_policies(UserName="kim")["AttachedPolicies"] == []


@pytest.mark.parametrize("glob", ["shop/*", "a/**/b", "db-**", "a?"])
def test_pattern_that_iam_cannot_express_is_refused_and_not_widened(store, glob):
    with pytest.raises(ConfigError, match="can't express"):
        store.plan_access((Role("r", (), (glob,), ("read",)),))
