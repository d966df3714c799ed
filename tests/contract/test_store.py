"""The one suite that every backend passes; what one can't do it says in its capabilities, and is asked for less."""

import uuid
from datetime import UTC, datetime, timedelta

import pytest

from hygiene.errors import ConflictError, ForeignSecretError, NotFoundError, StoreError, UsageError
from hygiene.secret import Secret
from hygiene.store.protocol import CURRENT, OWNER, PENDING, PREVIOUS, Expect


def token():
    return str(uuid.uuid4())


def needs(store, *abilities):
    for ability in abilities:
        if not getattr(store.capabilities, ability):
            pytest.skip(f"{store.uri.partition(':')[0]} says that it has no {ability}")


def value(text="v"):
    return Secret(f"{text}-{uuid.uuid4()}".encode())


def stages(store, name):
    return {stage: version.id for version in store.describe(name).versions for stage in version.stages}


@pytest.fixture(autouse=True)
def _writable(store):
    needs(store, "writable")


def test_put_new_secret_reads_back_by_another_client(place, store):
    secret = value()
    version = store.put("shop/db-password", secret, token=token())
    other = place.open()
    assert other.get("shop/db-password") == secret
    told = other.describe("shop/db-password")
    assert (told.name, told.owner) == ("shop/db-password", OWNER)
    assert told.staged(CURRENT).id == version.id
    assert abs(told.created - datetime.now(UTC)) < timedelta(minutes=5)


def test_describe_unknown_name_is_none_and_get_is_not_found(store):
    assert store.describe("shop/nothing") is None
    with pytest.raises(NotFoundError):
        store.get("shop/nothing")


def test_reference_leads_back_to_the_name(store):
    reference = store.reference("shop/db-password")
    assert store.name_of(reference) == "shop/db-password"


def test_name_of_reference_into_another_store_is_not_found(store):
    from hygiene.reference import Reference

    scheme = "embedded" if store.reference("x").scheme != "embedded" else "awssecrets"
    with pytest.raises(NotFoundError):
        store.name_of(Reference(scheme, "shop/x"))


def test_put_second_version_moves_current_and_previous(store):
    first, second = value(), value()
    one = store.put("a", first, token=token())
    two = store.put("a", second, token=token())
    assert store.get("a") == second
    if store.capabilities.versions:
        assert store.get("a", version=one.id) == first
        assert store.get("a", version=two.id) == second
    if store.capabilities.stages:
        assert store.get("a", stage=PREVIOUS) == first
        assert stages(store, "a") == {CURRENT: two.id, PREVIOUS: one.id}


def test_put_pending_leaves_current_until_promoted(store):
    needs(store, "stages")
    old, new = value("old"), value("new")
    one = store.put("a", old, token=token())
    two = store.put("a", new, token=token(), stage=PENDING)
    assert store.get("a") == old
    assert store.get("a", stage=PENDING) == new
    assert stages(store, "a") == {CURRENT: one.id, PENDING: two.id}
    store.promote("a", two.id, expect=one.id)
    assert store.get("a") == new
    assert store.get("a", stage=PREVIOUS) == old
    assert stages(store, "a") == {CURRENT: two.id, PREVIOUS: one.id}


def test_promote_twice_is_the_same_as_once(store):
    needs(store, "stages")
    one = store.put("a", value(), token=token())
    two = store.put("a", value(), token=token(), stage=PENDING)
    store.promote("a", two.id, expect=one.id)
    before = stages(store, "a")
    store.promote("a", two.id, expect=one.id)
    assert stages(store, "a") == before


def test_promote_when_current_is_another_conflicts_and_changes_nothing(store):
    needs(store, "stages")
    one = store.put("a", value(), token=token())
    store.put("a", value(), token=token())
    three = store.put("a", value(), token=token(), stage=PENDING)
    before = stages(store, "a")
    with pytest.raises(ConflictError):
        store.promote("a", three.id, expect=one.id)
    assert stages(store, "a") == before


def test_promote_unknown_version_is_not_found(store):
    needs(store, "stages")
    one = store.put("a", value(), token=token())
    with pytest.raises(NotFoundError):
        store.promote("a", token(), expect=one.id)


def test_promote_back_to_previous_rolls_back(store):
    needs(store, "stages", "versions")
    old = value()
    one = store.put("a", old, token=token())
    two = store.put("a", value(), token=token())
    store.promote("a", one.id, expect=two.id)
    assert store.get("a") == old


def test_unstage_pending_takes_it_off_and_twice_is_once(store):
    needs(store, "stages")
    store.put("a", value(), token=token())
    store.put("a", value(), token=token(), stage=PENDING)
    store.unstage("a", PENDING)
    store.unstage("a", PENDING)
    with pytest.raises(NotFoundError):
        store.get("a", stage=PENDING)


def test_put_pending_of_a_new_secret_is_refused(store):
    needs(store, "stages")
    with pytest.raises(ConflictError):
        store.put("new/one", value(), token=token(), stage=PENDING)
    assert store.describe("new/one") is None


def test_put_pending_again_replaces_the_pending_version(store):
    needs(store, "stages")
    store.put("a", value(), token=token())
    store.put("a", value(), token=token(), stage=PENDING)
    last = value()
    store.put("a", last, token=token(), stage=PENDING)
    assert store.get("a", stage=PENDING) == last


def test_put_same_token_and_value_is_a_no_op(place, store):
    secret, once = value(), token()
    first = store.put("a", secret, token=once)
    again = place.open().put("a", secret, token=once)
    assert again.id == first.id
    if store.capabilities.versions:
        assert len(store.describe("a").versions) == 1


def test_put_same_token_after_a_newer_version_changes_nothing(store):
    needs(store, "versions")
    secret, once = value(), token()
    first = store.put("a", secret, token=once)
    newer = value()
    store.put("a", newer, token=token())
    assert store.put("a", secret, token=once).id == first.id
    assert store.get("a") == newer


def test_put_same_token_with_another_value_conflicts(store):
    needs(store, "versions")
    secret, once = value(), token()
    store.put("a", secret, token=once)
    with pytest.raises(ConflictError):
        store.put("a", value(), token=once)
    assert store.get("a") == secret


def test_put_expecting_absent_conflicts_where_it_exists(store):
    secret = value()
    store.put("a", secret, token=token(), expect=Expect.ABSENT)
    with pytest.raises(ConflictError):
        store.put("a", value(), token=token(), expect=Expect.ABSENT)
    assert store.get("a") == secret


def test_put_expecting_a_version_succeeds_once(store):
    needs(store, "cas")
    one = store.put("a", value(), token=token())
    secret = value()
    store.put("a", secret, token=token(), expect=one.id)
    with pytest.raises(ConflictError):
        store.put("a", value(), token=token(), expect=one.id)
    assert store.get("a") == secret


def test_put_retry_of_a_conditional_write_that_went_through_succeeds(store):
    needs(store, "cas", "versions")
    one = store.put("a", value(), token=token())
    secret, once = value(), token()
    two = store.put("a", secret, token=once, expect=one.id)
    assert store.put("a", secret, token=once, expect=one.id).id == two.id


def test_put_foreign_secret_is_refused_until_adopted(place, store):
    place.foreign("theirs/key", b"their value")
    assert store.describe("theirs/key").owner != OWNER
    for change in (
        lambda: store.put("theirs/key", value(), token=token()),
        lambda: store.expire("theirs/key", None),
        lambda: store.delete("theirs/key"),
    ):
        with pytest.raises(ForeignSecretError, match="theirs/key"):
            change()
    assert place.open().get("theirs/key") == Secret(b"their value")
    store.adopt("theirs/key")
    secret = value()
    store.put("theirs/key", secret, token=token())
    assert store.get("theirs/key") == secret
    assert store.describe("theirs/key").owner == OWNER


def test_delete_can_be_undone(store):
    needs(store, "recoverable_delete")
    secret = value()
    store.put("a", secret, token=token())
    store.delete("a")
    assert store.describe("a").deleted is not None
    with pytest.raises(NotFoundError):
        store.get("a")
    with pytest.raises(ConflictError):
        store.put("a", value(), token=token(), expect=Expect.ABSENT)
    with pytest.raises(ConflictError):
        store.put("a", value(), token=token())
    store.delete("a")
    store.restore("a")
    assert store.describe("a").deleted is None
    assert store.get("a") == secret


def test_delete_for_good_frees_the_name(store):
    store.put("a", value(), token=token())
    store.delete("a", recoverable=False)
    assert store.describe("a") is None
    with pytest.raises(NotFoundError):
        store.get("a")
    secret = value()
    store.put("a", secret, token=token(), expect=Expect.ABSENT)
    assert store.get("a") == secret
    assert [told.name for told in store.list()] == ["a"]


def test_changes_to_an_unknown_secret_are_not_found(store):
    for change in (
        lambda: store.delete("none"),
        lambda: store.expire("none", None),
        lambda: store.mark_due("none", None),
        lambda: store.restore("none"),
    ):
        with pytest.raises(NotFoundError):
            change()


def test_expire_is_told_and_removed(store):
    needs(store, "expiry")
    at = datetime.now(UTC).replace(microsecond=0) + timedelta(days=3)
    store.put("a", value(), token=token(), expires=at)
    assert store.describe("a").expires == at
    later = at + timedelta(days=1)
    store.expire("a", later)
    assert store.describe("a").expires == later
    assert store.describe("a").staged(CURRENT).expires == later
    store.expire("a", None)
    assert store.describe("a").expires is None


def test_expiry_of_a_pending_version_begins_when_promoted(store):
    needs(store, "expiry", "stages")
    one = store.put("a", value(), token=token())
    at = datetime.now(UTC).replace(microsecond=0) + timedelta(days=3)
    two = store.put("a", value(), token=token(), stage=PENDING, expires=at)
    assert store.describe("a").expires is None
    store.promote("a", two.id, expect=one.id)
    assert store.describe("a").expires == at


def test_mark_due_is_told_and_ends_with_a_new_current_version(store):
    needs(store, "expiry")
    at = datetime.now(UTC).replace(microsecond=0)
    store.put("a", value(), token=token())
    store.mark_due("a", at)
    assert store.describe("a").due == at
    store.put("a", value(), token=token())
    assert store.describe("a").due is None


def test_labels_are_kept_by_a_put_without_labels(store):
    labels = (("provider", "postgres"), ("rule", "db-url"))
    store.put("a", value(), token=token(), labels=labels)
    store.put("a", value(), token=token())
    assert store.describe("a").labels == labels


def test_list_gives_all_names_in_order_and_by_prefix(store):
    names = [*(f"team/{number:03d}" for number in range(23)), "zone/a", "zone/a/b"]
    for name in reversed(names):
        store.put(name, value(), token=token())
    assert [told.name for told in store.list()] == names
    assert [told.name for told in store.list("zone/")] == ["zone/a", "zone/a/b"]
    assert [told.name for told in store.list("nowhere")] == []


def test_name_may_be_the_folder_of_another(store):
    first, second = value(), value()
    store.put("a", first, token=token())
    store.put("a/b", second, token=token())
    assert (store.get("a"), store.get("a/b")) == (first, second)
    store.delete("a", recoverable=False)
    assert store.get("a/b") == second


@pytest.mark.parametrize(
    "content", [b"\x00\xff\x80binary", "ünïcödé\n".encode(), b" spaces \n\n", b'{"id":"a","key":"b"}', b"x"]
)
def test_value_reads_back_byte_for_byte(place, store, content):
    if not store.capabilities.binary and b"\xff" in content:
        with pytest.raises(StoreError):
            store.put("a", Secret(content), token=token())
        return
    store.put("a", Secret(content), token=token())
    assert place.open().get("a").reveal() == content


def test_put_value_of_the_greatest_size_and_one_byte_more(store):
    limit = store.capabilities.max_bytes
    store.put("a", Secret(b"x" * limit), token=token())
    assert len(store.get("a")) == limit
    with pytest.raises(StoreError, match=str(limit)):
        store.put("b", Secret(b"x" * (limit + 1)), token=token())
    assert store.describe("b") is None


def test_put_empty_value_is_refused(store):
    with pytest.raises(StoreError, match="empty"):
        store.put("a", Secret(b""), token=token())
    assert store.describe("a") is None


@pytest.mark.parametrize("name", ["", "/a", "a/", "a//b", "a/../b", "..", "a b", "ä", "a\n", "x" * 257])
def test_names_that_break_the_rules_are_refused_before_the_call(store, name):
    with pytest.raises(UsageError):
        store.put(name, value(), token=token())


@pytest.mark.parametrize("wrong", ["", "short", "A" * 32, "x" * 65])
def test_tokens_that_break_the_rules_are_refused(store, wrong):
    with pytest.raises(UsageError):
        store.put("a", value(), token=wrong)


def test_get_unknown_version_or_stage_is_not_found(store):
    store.put("a", value(), token=token())
    if store.capabilities.versions:
        with pytest.raises(NotFoundError):
            store.get("a", version=token())
    if store.capabilities.stages:
        with pytest.raises(NotFoundError):
            store.get("a", stage=PENDING)


def test_no_value_in_what_is_told(store):
    secret = value("canary")
    store.put("a", secret, token=token(), labels=(("rule", "x"),))
    told = store.describe("a")
    assert secret.reveal().decode() not in repr(told) + repr(list(store.list()))
