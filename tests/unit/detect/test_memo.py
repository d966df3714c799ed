from hygiene.detect.memo import Memo


def test_memo_same_argument_is_answered_once_until_it_is_full():
    asked = []
    memo = Memo(lambda name: asked.append(name) or len(name), most=2)
    assert [memo["a"], memo["bb"], memo["a"], memo["bb"]] == [1, 2, 1, 2]
    assert asked == ["a", "bb"]
    assert memo["ccc"] == 3
    assert memo["a"] == 1
    assert asked == ["a", "bb", "ccc", "a"]
    assert len(memo) == 2
