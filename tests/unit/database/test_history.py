"""What the rows of the history say together."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from graphmigrate import Migrator
from graphmigrate.database.history import COMPLETE, STARTED, HistoryRow, history_of
from graphmigrate.migrations.files import collect
from graphmigrate.results import Target


@pytest.fixture
def empty(tmp_path: Path) -> dict[str, Any]:
    for name in ("migrations", "seeds"):
        (tmp_path / name).mkdir()
    return {name: tmp_path / name for name in ("migrations", "seeds")} | {"allow_empty": True}


def test_the_version_is_that_of_the_highest_complete_migration(
    empty: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in (1, 2):
        (empty["migrations"] / f"V{number}__x.cypher").write_text("RETURN 1;\n")
    rows = [
        HistoryRow(
            f"default/migration/{file.version.canonical}@1",
            file.version,
            "x",
            "cypher",
            file.checksum,
            state,
            1,
            2,
        )
        for file, state in zip(collect(empty["migrations"]).files, (COMPLETE, STARTED), strict=True)
    ]
    migrator = Migrator(uri="bolt://127.0.0.1:1", **empty)
    workspace = migrator._workspace
    monkeypatch.setattr(workspace, "_known_target", Target("bolt://h", "neo4j", "community", "5.26.25"))
    monkeypatch.setattr(workspace, "files_and_history", lambda: (workspace.files(), history_of(rows)))
    assert migrator.migrate(target="1").version == "1"
