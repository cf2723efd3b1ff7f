"""The project as a run sees it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from graphmigrate.errors import Severity
from graphmigrate.events import ignore
from graphmigrate.migrations.files import collect
from graphmigrate.migrations.workspace import Workspace
from graphmigrate.migrator import Migrator
from graphmigrate.settings import Settings, load


def write(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).write_text("RETURN 1;\n")


def found(folder: Path) -> list[tuple[str, str, Severity]]:
    return [
        (problem.code, Path(problem.place.file).name if problem.place else "", problem.severity)
        for problem in collect(folder).problems
    ]


def lack(folder: Path, **settings: Any) -> list[tuple[str, Severity]]:
    """What is said of a project without a migration file."""
    settings = {"migrations": folder / "migrations", "seeds": folder / "seeds"} | settings
    found = Workspace(Settings(**settings), None, ignore).files(strict=False).problems
    return [(each.message, each.severity) for each in found]


def test_a_folder_without_a_migration_is_an_error_with_its_absolute_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    missing = f"There is no migrations folder {tmp_path}/migrations."
    empty = f"The folder {tmp_path}/migrations holds no migration file."
    assert lack(Path()) == [(missing, Severity.ERROR)]
    Path("migrations").mkdir()
    assert lack(Path()) == [(empty, Severity.ERROR)]
    assert lack(Path(), allow_empty=True) == []
    write(Path("migrations"), "README.md")
    assert lack(Path()) == [(empty, Severity.ERROR)]
    write(Path("migrations"), "v1__a.cypher")
    assert [severity for _, severity in lack(Path())] == [Severity.ERROR]  # the name alone is what is wrong
    write(Path("migrations"), "V1__a.cypher")
    Path("migrations/v1__a.cypher").unlink()
    assert lack(Path()) == []


def test_a_project_of_seeds_needs_no_migration_unless_its_folder_was_named(tmp_path: Path) -> None:
    seeds = tmp_path / "seeds"
    seeds.mkdir()
    write(seeds, "_shared.cypher.j2", "people.csv")
    assert lack(tmp_path)[0][1] is Severity.ERROR
    write(seeds, "people.cypher.j2")
    assert lack(tmp_path)[0][1] is Severity.WARNING
    assert lack(tmp_path, allow_empty=False)[0][1] is Severity.ERROR
    assert load(folder=tmp_path, environment={}, connect=False).settings.allow_empty is None
    named = {"GRAPHMIGRATE_MIGRATIONS": "migrations"}
    assert load(folder=tmp_path, environment=named, connect=False).settings.allow_empty is False
    both = named | {"GRAPHMIGRATE_ALLOW_EMPTY": "true"}
    assert load(folder=tmp_path, environment=both, connect=False).settings.allow_empty is True
    with Migrator(uri="bolt://localhost", migrations=tmp_path / "migrations", seeds=seeds) as migrator:
        assert migrator.settings.allow_empty is False
    with Migrator(uri="bolt://localhost", migrations=tmp_path, allow_empty=True) as migrator:
        assert migrator.settings.allow_empty is True
