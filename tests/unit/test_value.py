from __future__ import annotations

import copy
import pickle
from typing import ClassVar

import pytest

from graphmigrate.value import NOTHING, Value


class Point(Value):
    unit: ClassVar[str] = "cm"

    x: int
    y: int = 0

    @property
    def sum(self) -> int:
        return self.x + self.y


class Named(Point):
    _unshown = frozenset({"secret"})

    name: str = ""
    secret: str = ""


def test_it_holds_what_its_class_names_by_order_or_by_name() -> None:
    assert [Point(1).y, Point(1, 2).y, Point(y=3, x=1).y] == [0, 2, 3]
    assert Point(1, 2).sum == 3
    assert Named._fields == ("x", "y", "name", "secret")


@pytest.mark.parametrize(
    ("args", "named"),
    [((), {}), ((1, 2, 3), {}), ((1,), {"z": 3}), ((), {"y": 1, "z": 3}), ((1, 2), {"y": 3})],
)
def test_what_its_class_does_not_name_and_what_is_missing_is_refused(
    args: tuple[int, ...], named: dict[str, int]
) -> None:
    with pytest.raises(TypeError, match="Point takes x, y"):
        Point(*args, **named)


def test_it_equals_another_of_its_class_that_holds_the_same() -> None:
    assert Point(1) == Point(1, 0)
    assert Point(1) != Point(2)
    assert Point(1) != Named(1)
    assert Point(1) != (1, 0)
    assert {Point(1), Point(x=1, y=0)} == {Point(1)}


def test_it_never_changes() -> None:
    point = Point(1)
    for change in (
        lambda: setattr(point, "x", 2),
        lambda: delattr(point, "x"),
        lambda: setattr(point, "z", 2),
    ):
        with pytest.raises(AttributeError, match="never changes"):
            change()
    assert point._replace(y=5) == Point(1, 5)
    assert point == Point(1)
    with pytest.raises(TypeError):
        point._replace(z=1)
    with pytest.raises(TypeError):
        NOTHING["x"] = 1  # type: ignore[index]


def test_it_is_shown_by_its_names_without_the_unshown() -> None:
    assert repr(Point(y=2, x=1)) == "Point(x=1, y=2)"
    assert repr(Named(1, name="a", secret="b")) == "Named(x=1, y=0, name='a')"


def test_it_can_be_matched_copied_and_pickled() -> None:
    match Point(1, 2):
        case Point(x=1, y=found):
            assert found == 2
        case _:
            pytest.fail("it did not match")
    assert copy.deepcopy(Named(1)) == pickle.loads(pickle.dumps(Named(1))) == Named(1)
