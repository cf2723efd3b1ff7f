"""What clean takes away, and what it leaves."""

from __future__ import annotations

from typing import Any

import neo4j
import pytest

from graphmigrate.errors import MigrationFailed, UsageError
from tests.chaos.network import killed_at
from tests.chaos.proxy import proxy
from tests.chaos.runners import runners
from tests.projects import Project, rows


def left(driver: neo4j.Driver) -> list[Any]:
    schema = "YIELD name, type WHERE type <> 'LOOKUP' RETURN name"
    return [
        *rows(driver, f"SHOW INDEXES {schema}"),
        *rows(driver, f"SHOW CONSTRAINTS {schema}"),
        *rows(driver, "MATCH (n) RETURN labels(n)"),
    ]


@pytest.fixture
def made(project: Project, driver: neo4j.Driver) -> Project:
    driver.execute_query("CREATE INDEX by_hand FOR (a:A) ON (a.hand)")
    project.write(
        V1__a="CREATE INDEX a FOR (a:A) ON (a.a);\nCREATE CONSTRAINT b FOR (a:A) REQUIRE a.b IS UNIQUE;\nCREATE (:A)-[:R]->(:A);",
        V2__b="DROP INDEX a;\nCREATE INDEX IF NOT EXISTS FOR (a:A) ON (a.hand);",
    ).migrate()
    return project


def test_what_migrations_made_goes_and_the_rest_stays(made: Project, driver: neo4j.Driver) -> None:
    driver.execute_query("CREATE INDEX a FOR (a:A) ON (a.a)")  # V2 dropped that name: this one is somebody's
    planned = made.call("clean", dry_run=True)
    assert (planned.constraints, planned.indexes, planned.nodes, planned.done) == (("b",), (), None, False)
    done = made.call("clean")
    assert done.constraints == ("b",)
    assert left(driver) == [["a"], ["by_hand"], [["A"]], [["A"]]]
    assert made.call("clean").records <= 1  # its own, by which it holds the ledger


def test_all_data_leaves_nothing_but_what_stood_before(made: Project, driver: neo4j.Driver) -> None:
    made.write(V3__c="CREATE INDEX c FOR (a:A) ON (a.c);\nMATCH (a:A) SET a.x = 1 / 0;")
    with pytest.raises(MigrationFailed):
        made.migrate()
    done = made.call("clean", all_data=True)
    assert (done.nodes, done.relationships, done.indexes) == (2, 1, ("c",))
    assert left(driver) == [["by_hand"]]
    made.more["protected"] = True
    with pytest.raises(UsageError) as caught:
        made.call("clean")
    assert caught.value.error_code == "GM530"


def test_killed_at_some_messages_the_next_one_ends_it(made: Project, driver: neo4j.Driver) -> None:
    words = ("clean", "--all-data", "--yes")
    with runners(made.target.env) as warm:
        with proxy(made.target.uri) as counting:
            code, output = warm.finish(made.folder, counting.uri, *words)
        assert code == 0, output
        total = len(counting.log)
        for k in range(total // 4, total, total // 4):
            driver.execute_query("CREATE INDEX a FOR (a:A) ON (a.a)")
            driver.execute_query("DROP INDEX a")
            made.migrate()
            killed_at(k, warm, made.folder, made.target.uri, *words)
            code, output = warm.finish(made.folder, made.target.uri, *words)
            assert code == 0, output
            assert left(driver) == [["by_hand"]]
