"""The package as a library: light to import, typed for its users, quiet unless logging is set up."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import graphmigrate

PROGRAM = """
import logging
from pathlib import Path

import neo4j

from graphmigrate import Event, GraphMigrateError, MigrateResult, Migrator, Settings, State, load_settings
from graphmigrate.events import MigrationApplied


def told(event: Event) -> None:
    if isinstance(event, MigrationApplied):
        seconds: float = event.seconds
        logging.info("%s %.1f", event.version, seconds)


def run(driver: neo4j.Driver) -> list[str]:
    with Migrator(driver=driver, migrations=Path("db/migrations"), seeds="db/seeds", listen=told) as migrator:
        result: MigrateResult = migrator.migrate(target="3")
        pending = [row.version for row in migrator.status().rows if row.state is State.PENDING]
        return pending + [each.version for each in result.applied]


def settled(settings: Settings) -> int:
    try:
        with Migrator(settings, uri="bolt://localhost:7687", username="neo4j", password="x") as migrator:
            return len(migrator.seed(["people"], variables={"scale": "2"}).loaded)
    except GraphMigrateError as error:
        return error.exit_code


settled(load_settings().settings)
"""


def test_every_public_name_is_there() -> None:
    for name in graphmigrate.__all__:
        assert getattr(graphmigrate, name) is not None
    assert graphmigrate.load_settings is graphmigrate.settings.load  # type: ignore[attr-defined]
    with pytest.raises(AttributeError, match="no attribute 'Migrater'"):
        _ = graphmigrate.Migrater  # type: ignore[attr-defined]
    assert set(dir(graphmigrate)) == set(graphmigrate.__all__)


def test_a_name_is_looked_up_when_it_is_used() -> None:
    code = (
        "import sys, graphmigrate; assert not [each for each in sys.modules if each.startswith('graphmigrate.')]; "
        "graphmigrate.Migrator; assert 'neo4j' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize(("line", "wrong"), [("", 0), ("run(3)\n", 1), ("settled(settings=None)\n", 1)])
def test_a_program_that_uses_it_is_checked_strictly(line: str, wrong: int, tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text(PROGRAM + line)
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--cache-dir", str(tmp_path / "cache"), "program.py"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert done.stdout.count("error:") == wrong, done.stdout
    assert done.returncode == wrong
