"""The nodes of seeds are read strictly: what differs from the format is named, and nothing is loaded on top of it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from graphmigrate.database.connection import Database
from graphmigrate.database.shape import Node
from graphmigrate.errors import HistoryMismatch
from graphmigrate.seeds import ledger

LOAD = {
    "key": "default/seed/people@1",
    "name": "people",
    "checksum": "a" * 64,
    "variables": "{}",
    "state": "loading",
    "commits": 3,
    "part": 0,
    "offset": 0,
    "rows": 5000,
    "run": "r",
    "spread": "column3:id",
    "installed_by": "neo4j",
    "installed_on": "2026-11-30T20:00:00Z",
}
LANE = {
    "key": "default/seed-lane/people@1/0/000",
    "load": LOAD["key"],
    "commits": 2,
    "offset": 7,
    "rows": 3,
    "run": "r",
}


def read(monkeypatch: pytest.MonkeyPatch, *nodes: dict[str, Any]) -> Any:
    found = [
        Node.of(f"{number}", {"__GraphMigrate", "__GraphMigrateSeed"}, 0, (), values)
        for number, values in enumerate(nodes)
    ]
    monkeypatch.setattr(ledger, "read_nodes", lambda _: found)
    return ledger.read_loads(cast(Database, SimpleNamespace(settings=SimpleNamespace(ledger="default"))))


def test_a_load_is_read_with_its_lanes(monkeypatch: pytest.MonkeyPatch) -> None:
    history, made = read(
        monkeypatch, LOAD, LANE, {**LOAD, "key": "default/seed/people@2", "state": "resetting"}
    )
    assert (history["people"].generation, made["people"].generation) == (2, 1)
    assert made["people"].committed == 5003
    assert [lane.offset for lane in made["people"].lanes] == [7]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"rows": None}, "rows is missing"),
        ({"rows": -1}, "rows is -1, not a number, 0 or more"),
        ({"commits": "3"}, "commits is '3', not a number, 1 or more"),
        ({"state": "done"}, "state is 'done', not loaded, loading or resetting"),
        ({"spread": "by hand"}, "spread is 'by hand', not column or turn"),
        ({"checksum": "x"}, "checksum is 'x', not 64 hexadecimal digits"),
        ({"variables": None}, "variables is missing"),
        ({"name": "others"}, "but name is 'others'"),
        ({"key": "default/seed/people"}, "but name is 'people'"),
    ],
)
def test_a_changed_node_is_named(monkeypatch: pytest.MonkeyPatch, changes: dict[str, Any], said: str) -> None:
    values = {name: value for name, value in {**LOAD, **changes}.items() if value is not None}
    with pytest.raises(HistoryMismatch) as raised:
        read(monkeypatch, values, LANE)
    assert raised.value.error_code == "GM612"
    assert said in raised.value.message
    assert "graphmigrate repair" in str(raised.value.hint)


def test_a_lane_of_another_load_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(HistoryMismatch, match="but load is 'default/seed/others@1'"):
        read(monkeypatch, LOAD, {**LANE, "load": "default/seed/others@1"})
