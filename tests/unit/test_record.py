import pickle
from typing import NamedTuple as Standard

import pytest

from hygiene.record import NamedTuple


def make(base):
    """The same class from either base; annotations as text, as ``from __future__ import annotations`` leaves them."""

    class Point(base):
        x: "int"
        y: "int" = 2
        names: "tuple[str, ...]" = ()

        @property
        def total(self):
            return self.x + self.y

    return Point


@pytest.fixture(params=[NamedTuple, Standard], ids=["ours", "typing"])
def point(request):
    return make(request.param)


def test_record_behaves_as_typing_does(point):
    one = point(1)
    assert one == (1, 2, ()) == point(y=2, x=1)
    assert (one.x, one.y, one.names, one.total) == (1, 2, (), 3)
    assert one._replace(x=5) == (5, 2, ())
    assert one._asdict() == {"x": 1, "y": 2, "names": ()}
    assert point._fields == ("x", "y", "names")
    assert point._make([1, 2, 3]) == (1, 2, 3)
    assert repr(one).endswith("Point(x=1, y=2, names=())")
    assert isinstance(one, tuple)
    assert hash(one) == hash((1, 2, ()))


def test_record_wrong_fields_are_refused(point):
    for wrong in (point, lambda: point(1, 2, (), 4), lambda: point(1, z=3)):
        with pytest.raises(TypeError):
            wrong()
    with pytest.raises((ValueError, TypeError)):
        point(1)._replace(z=1)
    with pytest.raises(AttributeError):
        point(1).x = 3


def test_record_can_be_matched(point):
    match point(7):
        case point(x, y):
            assert (x, y) == (7, 2)


class Kept(NamedTuple):
    x: "int"


def test_record_can_be_pickled():
    assert pickle.loads(pickle.dumps(Kept(3))) == Kept(3)


def test_record_has_no_room_for_other_attributes():
    with pytest.raises(AttributeError):
        Kept(3).other = 1
