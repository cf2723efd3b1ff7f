"""The package as a library: light to import, typed for its users, quiet unless logging is set up."""

from __future__ import annotations

import inspect
import json
import logging
import subprocess
import sys
from pathlib import Path

import pytest

import graphmigrate
from graphmigrate import Migrator, Settings, UsageError
from graphmigrate.errors import Place, Problem, Severity
from graphmigrate.events import Holder, LockAwaited, SeedProgress, Warned
from graphmigrate.logs import JsonFormatter, log, logged
from graphmigrate.results import Status, Target

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
    assert graphmigrate.load_settings is graphmigrate.config.load  # type: ignore[attr-defined]
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


def test_a_keyword_wins_over_the_settings(tmp_path: Path) -> None:
    settings = Settings(uri="bolt://a", migrations=Path("a"), seeds=Path("s"))
    migrator = Migrator(settings, uri="bolt://b", migrations=tmp_path / "m", password="hunter2")
    assert (migrator.settings.uri, migrator.settings.migrations, migrator.settings.seeds) == (
        "bolt://b",
        tmp_path / "m",
        Path("s"),
    )
    assert "hunter2" not in repr(migrator.settings)


def test_a_project_is_found_as_the_command_line_finds_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NEO4J_URI", "bolt://elsewhere:7687")
    (tmp_path / "graphmigrate.toml").write_text("ledger = 'mine'\nmigrations = 'db'\n")
    settings = Migrator.from_project(tmp_path).settings
    assert (settings.uri, settings.ledger, settings.migrations) == (
        "bolt://elsewhere:7687",
        "mine",
        tmp_path / "db",
    )


def test_every_method_is_documented_with_its_arguments() -> None:
    page = (Path(__file__).parents[2] / "docs" / "reference" / "library.md").read_text()
    for name, method in inspect.getmembers(Migrator, callable):
        if not name.startswith("_"):
            signature = inspect.signature(method)
            bare = [
                each.replace(annotation=inspect.Parameter.empty)
                for each in signature.parameters.values()
                if each.name != "self"
            ]
            written = str(inspect.Signature(bare)).replace("'", '"')
            assert f"`{name}{written}`" in page


def test_who_takes_a_project_without_a_server_is_told_where_it_was_not_looked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("NEO4J_URI", "GRAPHMIGRATE_URI"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(UsageError, match="Neither a driver nor a URI") as told:
        Migrator.from_project(tmp_path).wait(0)
    assert told.value.error_code == "GM745"
    assert "from_project() set NEO4J_URI" in str(told.value.hint)


class AsyncDriver:
    """Stands for neo4j.AsyncDriver: only its name is looked at."""


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ({}, "GM745"),
        ({"driver": AsyncDriver()}, "GM746"),
        ({"uri": "bolt://neo4j:secret@localhost"}, "GM155"),
        ({"uri": "http://localhost:7474"}, "GM154"),
        ({"uri": "bolt://localhost", "ledger": "team/a"}, "GM158"),
    ],
)
def test_mistakes_are_told_before_anything_is_sent(
    arguments: dict[str, object], code: str, tmp_path: Path
) -> None:
    with pytest.raises(UsageError) as told:
        Migrator(migrations=tmp_path, **arguments).status()  # type: ignore[arg-type]
    assert told.value.error_code == code
    assert told.value.hint
    assert "secret" not in str(told.value)


def test_events_are_logged_and_passed_on(caplog: pytest.LogCaptureFixture) -> None:
    problem = Problem("GM112", "odd", "mend it", Place("V1__a.cypher", 3, 7), Severity.WARNING)
    events = [SeedProgress("people", 10), LockAwaited(Holder("r", "h", "u"), 1.5), Warned(problem)]
    heard: list[object] = []
    with caplog.at_level(logging.DEBUG, "graphmigrate"):
        for event in events:
            logged(heard.append)(event)
    assert heard == events
    assert [(each.name, each.levelname) for each in caplog.records] == [
        ("graphmigrate.seed", "DEBUG"),
        ("graphmigrate.migrate", "INFO"),
        ("graphmigrate.migrate", "WARNING"),
    ]
    lines = [json.loads(JsonFormatter().format(each)) for each in caplog.records]
    assert lines[0]["event"] == "SeedProgress"
    assert lines[0]["rows"] == 10
    assert lines[1]["holder"]["host"] == "h"
    assert lines[2]["problem"] == {"code": "GM112", "hint": "mend it", "place": "V1__a.cypher:3:7"}
    assert lines[2]["message"] == "V1__a.cypher:3:7: odd"


def test_nothing_is_printed_unless_logging_is_set_up(capfd: pytest.CaptureFixture[str]) -> None:
    code = (
        "from graphmigrate.logs import log; from graphmigrate.events import Warned; "
        "from graphmigrate.errors import Problem; log(Warned(Problem('GM000', 'odd')))"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
    assert capfd.readouterr() == ("", "")


def test_log_is_a_listener() -> None:
    listen: graphmigrate.events.Listener = log  # type: ignore[name-defined]
    listen(SeedProgress("people", 1))


def test_a_warning_leaves_nothing_to_do() -> None:
    target = Target("bolt://x", "neo4j", "community", "5.26.25")
    stray = Problem("GM115", "A file that is not a migration.", severity=Severity.WARNING)
    assert Status(target, (), (stray,)).clean
    assert not Status(target, (), (Problem("GM602", "It was edited."),)).clean
