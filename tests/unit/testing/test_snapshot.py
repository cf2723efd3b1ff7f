"""What makes two contents differ."""

from __future__ import annotations

import pytest

from graphmigrate.testing.snapshot import Contents, Node, Relationship, difference, same


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        (1, 1, True),
        (1, 1.0, False),
        (1, True, False),
        ([1, 2], [1, 2.0], False),
        ({"a": [1]}, {"a": [1]}, True),
        ({"a": 1}, {"b": 1}, False),
        (float("nan"), float("nan"), True),
        (0.0, 0.0, True),
    ],
)
def test_same_is_the_same_to_the_database(one: object, other: object, expected: bool) -> None:
    assert same(one, other) is expected


def test_an_id_that_was_given_away_is_no_relationship_of_before() -> None:
    labels = frozenset({"A"})
    wanted = Contents({"1": Node(labels, {}), "2": Node(labels, {})}, {"r": Relationship("T", "1", "2", {})})
    turned, hanging = Relationship("T", "1", "1", {}), Relationship("T", "1", "3", {})
    now = Contents({"1": Node(labels, {"x": 1}), "3": Node(labels, {})}, {"r": turned, "s": hanging})
    change = difference(now, wanted)
    assert change.added_nodes == ["3"]
    assert change.added_relationships == ["r"]  # s goes with its node
    assert list(change.changed_nodes) == ["1"]
    assert change.gone_nodes == ["2"]
    assert change.gone_relationships == ["r"]
    assert not change.only_added
    assert difference(wanted, wanted).nothing
