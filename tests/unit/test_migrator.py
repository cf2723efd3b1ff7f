"""The façade: what it refuses, and what it lets through."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

import neo4j
import pytest

from graphmigrate import ConnectionFailed, Migrator, ProjectError, Settings, UsageError


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
    assert caught.value.exit_code == 2
    assert "Migrator(driver=driver)" in str(caught.value.hint)


@pytest.mark.parametrize("given", [AsyncDriver(), object(), 7])
def test_what_is_given_alone_is_taken_for_the_driver(given: Any) -> None:
    with pytest.raises(UsageError) as caught:
        Migrator(given).status()
    assert caught.value.error_code == "GM746"
    assert type(given).__name__ in caught.value.message
    assert caught.value.hint


def test_a_driver_alone_is_enough(empty: dict[str, Any]) -> None:
    with (
        neo4j.GraphDatabase.driver("bolt://127.0.0.1:1") as driver,
        pytest.raises(ConnectionFailed),
    ):
        Migrator(driver, **empty).status()
