"""Ready-made tests of a project's migrations, seeds and documented queries: ``pytest --graphmigrate-tests`` adds them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from graphmigrate.errors import GraphMigrateError, Problem, Severity, UsageError
from graphmigrate.migrator import Migrator
from graphmigrate.results import State
from graphmigrate.testing.documents import Documented, documented
from graphmigrate.testing.restore import loads_unasked
from graphmigrate.testing.snapshot import difference, read
from graphmigrate.testing.words import explained

if TYPE_CHECKING:
    from collections.abc import Iterable

    import neo4j

    from graphmigrate.settings import Settings
    from graphmigrate.testing.restore import Keeper

USES_CREATE = "GM556"


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
        if loads_unasked(migrator):
            migrator.check_seeds()


@explained()
def test_migrations_apply_from_empty(graphmigrate_keeper: Keeper) -> None:
    """All migrations apply to a database that holds nothing."""
    graphmigrate_keeper.empty()
    with graphmigrate_keeper.migrator() as migrator:
        migrator.migrate()
        _refuse(migrator.validate())
        rows = migrator.status().rows
    waiting = [
        f"V{row.version} is {row.state}" for row in rows if row.state not in {State.APPLIED, State.SKIPPED}
    ]
    assert not waiting, f"after a run: {', '.join(waiting)}"


@explained()
def test_a_second_run_does_nothing(migrated_graph: neo4j.Driver, graph_migrator: Migrator) -> None:
    """Migrating again applies nothing and commits nothing."""
    before = read(migrated_graph)
    assert graph_migrator.migrate().applied == ()
    now = difference(read(migrated_graph), before)
    assert now.harmless, f"a second run changed the database: {now}"
    assert not now.added_nodes, f"a second run added {len(now.added_nodes)} node(s)"


@pytest.mark.usefixtures("seeded_graph")
@explained()
def test_seeds_load_twice(graph_migrator: Migrator) -> None:
    """Loading again does nothing; and even where it is forced, a seed without CREATE makes nothing twice."""
    if not loads_unasked(graph_migrator):
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
