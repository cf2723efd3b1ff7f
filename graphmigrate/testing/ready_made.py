"""Ready-made tests of a project's migrations, seeds and documented queries: ``pytest --graphmigrate-tests`` adds them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import pytest

from graphmigrate.cypher.statements import split
from graphmigrate.errors import (
    GraphMigrateError,
    HistoryMismatch,
    Place,
    Problem,
    ProjectError,
    Severity,
    UsageError,
)
from graphmigrate.migrator import Migrator
from graphmigrate.results import State, version_name
from graphmigrate.testing.database import has_default_seeds
from graphmigrate.testing.plugin import explained
from graphmigrate.testing.snapshot import difference, read

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    import neo4j

    from graphmigrate.settings import Settings
    from graphmigrate.testing.database import TestDatabase

USES_CREATE: Final = "GM556"
_BLOCK: Final = re.compile(r"^([ \t]*)```cypher[^\n]*\n(.*?)^\1```", re.MULTILINE | re.DOTALL)
# As people type it into Neo4j Browser and cypher-shell: ":param name => 'x'" and ":param name: 'x'".
_PARAMETER: Final = re.compile(r"^\s*:params?\s+(\w+)\s*(?:=>|:)\s*(.+?);?\s*$")


@dataclass(frozen=True, slots=True)
class Documented:
    """One statement of a page; ``parameters`` are expressions in Cypher by name."""

    text: str
    place: Place
    parameters: dict[str, str] = field(default_factory=dict)


def documented(root: Path, name: str) -> Iterator[Documented]:
    """Yield the statements in ```cypher blocks of a page, or of all pages that a pattern such as ``docs/**/*.md`` matches.

    Raises UsageError (GM150) where there is no such page.
    """
    pages = sorted(root.glob(name))
    if not pages:
        raise UsageError(
            f"graphmigrate_docs names {name!r}, and there is no such page under {root}.",
            hint="Names begin at pytest's root folder; patterns such as docs/*.md work.",
            code="GM150",
        )
    for page in pages:
        yield from _of_page(page.read_text("utf-8"), page.relative_to(root).as_posix())


def _of_page(text: str, name: str) -> Iterator[Documented]:
    for block in _BLOCK.finditer(text):
        before = text.count("\n", 0, block.start(2))
        lines = block[2].splitlines()
        parameters = {found[1]: found[2] for line in lines if (found := _PARAMETER.match(line))}
        kept = ("" if _PARAMETER.match(line) else line for line in lines)
        for statement in split("\n".join(kept), name):
            place = Place(name, before + statement.place.line, statement.place.column)
            yield Documented(statement.text, place, parameters)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Make one test of each documented query."""
    if "documented_query" not in metafunc.fixturenames:
        return
    config = metafunc.config
    try:
        found = [
            each for name in config.getini("graphmigrate_docs") for each in documented(config.rootpath, name)
        ]
    except GraphMigrateError as error:
        raise pytest.UsageError(f"{error.error_code}: {error.message} {error.hint or ''}") from None
    names = [f"{each.place.file}:{each.place.line}" for each in found]
    metafunc.parametrize("documented_query", found, ids=names)


@explained()
def test_files_are_valid(graphmigrate_settings: Settings) -> None:
    """Every file of migrations and seeds can be read."""
    with Migrator(graphmigrate_settings) as migrator:
        _refuse(migrator.validate(offline=True))
        if has_default_seeds(migrator):
            migrator.check_seeds(rows=False, offline=True)


@explained()
def test_migrations_apply_from_empty(graphmigrate_database: TestDatabase) -> None:
    """All migrations apply to a database that holds nothing."""
    graphmigrate_database.empty()
    with graphmigrate_database.migrator() as migrator:
        migrator.migrate()
        _refuse(migrator.validate())
        rows = migrator.status().rows
    waiting = [
        f"{version_name(row.version)} is {row.state}"
        for row in rows
        if row.state not in {State.APPLIED, State.SKIPPED}
    ]
    assert not waiting, f"after a run: {', '.join(waiting)}"


@explained()
def test_a_second_run_does_nothing(migrated_graph: neo4j.Driver, graph_migrator: Migrator) -> None:
    """Migrating again applies nothing and commits nothing."""
    before = read(migrated_graph)
    assert graph_migrator.migrate().applied == ()
    now = difference(read(migrated_graph), before)
    assert now.nothing, f"a second run changed the database: {now}"


@explained()
def test_undone_and_applied_again(migrated_graph: neo4j.Driver, graph_migrator: Migrator) -> None:
    """Up, undo, up: as far back as the migrations can be undone, the schema and the data are the same again."""
    before, last = _schema_and_data(migrated_graph), None
    try:
        while graph_migrator.undo().undone:
            last = graph_migrator.status()
    except (HistoryMismatch, ProjectError) as error:
        if last is None:
            pytest.skip(f"the last migration cannot be undone: {error.message}")
    graph_migrator.migrate()
    assert _schema_and_data(migrated_graph) == before


def _schema_and_data(driver: neo4j.Driver) -> list[list[str]]:
    """Return the statements that make the schema again, and how many nodes and relationships are alike in all they have."""
    queries = (
        "SHOW INDEXES YIELD name, createStatement RETURN *",
        "SHOW CONSTRAINTS YIELD name, createStatement RETURN *",
        "MATCH (n) WHERE NOT n:__GraphMigrate RETURN labels(n), properties(n), count(*)",
        "MATCH (a)-[r]->(b) RETURN labels(a), type(r), properties(r), labels(b), count(*)",
    )
    return [sorted(repr(each.data()) for each in driver.execute_query(query).records) for query in queries]


@pytest.mark.usefixtures("seeded_graph")
@explained()
def test_seeds_load_twice(graph_migrator: Migrator) -> None:
    """Loading again does nothing; and even where it is forced, a seed without CREATE makes nothing twice."""
    if not has_default_seeds(graph_migrator):
        pytest.skip("there are no seeds that load without a profile")
    before = graph_migrator.summary()
    assert graph_migrator.seed().loaded == ()
    for name in [seed.name for seed in graph_migrator.seeds() if seed.state == "loaded"]:
        try:
            graph_migrator.seed([name], force=True)
        except UsageError as error:
            if error.error_code != USES_CREATE:
                raise
    assert graph_migrator.summary() == before, "loading a seed again has made something twice"


def test_documented_queries_answer(documented_query: Documented, seeded_graph: neo4j.Driver) -> None:
    """A query that a page shows runs and finds something in the seeded graph."""
    with seeded_graph.session() as session:
        parameters = {
            name: session.run(f"RETURN {text} AS value").single(strict=True)["value"]
            for name, text in documented_query.parameters.items()
        }
        if session.run(f"EXPLAIN {documented_query.text}", parameters).consume().query_type != "r":
            pytest.skip("it does not only read")
        rows = session.run(documented_query.text, parameters).fetch(1)
    assert rows, (
        f"{documented_query.place.file}:{documented_query.place.line}: the query finds nothing in the seeded graph"
    )


def _refuse(problems: Iterable[Problem]) -> None:
    errors = [str(each) for each in problems if each.severity is Severity.ERROR]
    if errors:
        pytest.fail("\n".join(errors), pytrace=False)
