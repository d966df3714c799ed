from tests.rules.published import COMMONEST, rates


def test_published_commonest_types_are_found_and_their_lookalikes_are_not():
    measured = rates()
    assert measured.types == len(set(COMMONEST)) >= 150
    assert measured.found >= 0.95, [(sample.rule, sample.text[:80]) for sample in measured.missed][:40]
    assert measured.alarms <= 0.02, [(sample.rule, sample.text[:80]) for sample in measured.false][:40]
