"""The package as a library: light to import, typed for its users, quiet unless logging is set up."""

from __future__ import annotations

import inspect
import json
import logging
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import neo4j
import pytest

import graphmigrate
from graphmigrate import ConnectionFailed, Migrator, ProjectError, Settings, UsageError
from graphmigrate.database.history import COMPLETE, STARTED, HistoryRow, history_of
from graphmigrate.errors import Place, Problem, Severity
from graphmigrate.events import Holder, LockAwaited, SeedProgress, Warned
from graphmigrate.log import JsonFormatter, log, logged
from graphmigrate.migrations.files import collect
from graphmigrate.results import AppliedMigration, MigrateResult, Status, Target

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
    assert told.value.error_code == "GM151"
    assert "from_project() set NEO4J_URI" in str(told.value.hint)


class AsyncDriver:
    """Stands for neo4j.AsyncDriver: only its name is looked at."""


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ({}, "GM151"),
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


CALLS: dict[str, Callable[[Migrator], object]] = {
    "migrate": lambda migrator: migrator.migrate(),
    "plan": lambda migrator: migrator.plan(),
    "status": lambda migrator: migrator.status(),
    "validate": lambda migrator: migrator.validate(),
    "baseline": lambda migrator: migrator.baseline("1"),
    "repair": lambda migrator: migrator.repair(),
    "wait": lambda migrator: migrator.wait(0),
    "seed": lambda migrator: migrator.seed(),
    "check_seeds": lambda migrator: migrator.check_seeds(),
    "seeds": lambda migrator: migrator.seeds(),
    "summary": lambda migrator: migrator.summary(),
    "query": lambda migrator: migrator.query("RETURN 1"),
}


@pytest.fixture
def empty(tmp_path: Path) -> dict[str, Any]:
    for name in ("migrations", "seeds"):
        (tmp_path / name).mkdir()
    return {name: tmp_path / name for name in ("migrations", "seeds")} | {"allow_empty": True}


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("given", [False, True])
def test_a_server_that_is_down_is_told_without_the_drivers_words(
    name: str, given: bool, empty: dict[str, Any]
) -> None:
    nowhere = "bolt://127.0.0.1:1"
    with neo4j.GraphDatabase.driver(nowhere) as driver, pytest.raises(ConnectionFailed) as told:
        CALLS[name](Migrator(uri=None if given else nowhere, driver=driver if given else None, **empty))
    assert told.value.error_code == "GM301"
    assert ("the given driver's server" if given else nowhere) in told.value.message


@pytest.mark.parametrize("name", [name for name, _ in inspect.getmembers(Migrator, inspect.isfunction)])
def test_no_public_method_lets_an_error_of_the_driver_through(name: str) -> None:
    if not name.startswith("_") and name not in {"close", "query"}:
        assert getattr(Migrator, name).__code__ is Migrator.summary.__code__  # both are the translation's


def test_what_is_not_of_the_driver_stays_what_it_is(
    empty: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("graphmigrate.migrations.findings.validate", lambda *_, **__: {}["x"])
    with pytest.raises(KeyError):
        Migrator(uri="bolt://127.0.0.1:1", **empty).validate()


def test_a_version_that_is_none_is_told_before_anything_is_asked(empty: dict[str, Any]) -> None:
    with pytest.raises(ProjectError) as told:
        Migrator(uri="bolt://127.0.0.1:1", **empty).baseline("nonsense")
    assert told.value.error_code == "GM119"


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


def test_events_are_logged_and_passed_on(caplog: pytest.LogCaptureFixture) -> None:
    problem = Problem("GM112", "odd", "fix it", Place("V1__a.cypher", 3, 7), Severity.WARNING)
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
    assert lines[2]["problem"] == {"code": "GM112", "hint": "fix it", "place": "V1__a.cypher:3:7"}
    assert lines[2]["message"] == "V1__a.cypher:3:7: odd"


def test_nothing_is_printed_unless_logging_is_set_up(capfd: pytest.CaptureFixture[str]) -> None:
    code = (
        "from graphmigrate.log import log; from graphmigrate.events import Warned; "
        "from graphmigrate.errors import Problem; log(Warned(Problem('GM000', 'odd')))"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
    assert capfd.readouterr() == ("", "")


def test_log_is_a_listener() -> None:
    listen: graphmigrate.events.Listener = log  # type: ignore[name-defined]
    listen(SeedProgress("people", 1))


def test_a_warning_leaves_nothing_to_do() -> None:
    target = Target("bolt://x", "neo4j", "community", "5.26.25")
    stray = Problem("GM113", "A file that is not a migration.", severity=Severity.WARNING)
    assert Status(target, (), (stray,)).clean
    assert not Status(target, (), (Problem("GM602", "It was edited."),)).clean


def test_an_address_alone_is_enough() -> None:
    settings = Migrator(
        "bolt://host:7687/movies", auth=("ada", "secret-word"), driver_options={"keep_alive": False}
    ).settings
    assert (settings.uri, settings.database) == ("bolt://host:7687", "movies")
    assert settings.driver_options == {"keep_alive": False, "auth": ("ada", "secret-word")}
    assert "secret-word" not in repr(settings)


def test_what_the_driver_made_is_no_driver() -> None:
    with (
        neo4j.GraphDatabase.driver("bolt://127.0.0.1:1") as driver,
        driver.session() as session,
        pytest.raises(UsageError) as caught,
    ):
        Migrator(driver=session).status()
    assert caught.value.error_code == "GM746"
    assert "Session" in caught.value.message
    assert "Migrator(driver=driver)" in str(caught.value.hint)


def test_a_result_as_text() -> None:
    target = Target("bolt://host", "movies", "community", "5.26")
    applied = (AppliedMigration("1", "people", 0.5), AppliedMigration("2", "index", 0.5))
    assert (
        str(MigrateResult(target, applied, (), "2", 1.0))
        == "Applied V1, V2; the schema of movies is at version 2."
    )
    assert str(MigrateResult(target, (), (), None, 1.0)) == "Nothing to do; the schema of movies is empty."
