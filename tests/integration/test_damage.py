"""A ledger that something else has changed: every command says so, and a way out leads back to a clean state."""

from __future__ import annotations

import re
from typing import Any

import neo4j
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from graphmigrate.database.shape import NAMES
from graphmigrate.errors import GraphMigrateError, HistoryMismatch, UsageError
from tests.projects import Project, count, rows

FILES = {
    "V1__a": "CREATE (:A);",
    "V2__b": "CREATE INDEX b FOR (n:B) ON (n.x);\nCREATE (:B);",
    "V3__c": "CREATE (:C);",
}
# Every node of ours, in an order that does not depend on how it was changed before.
ONE = "MATCH (n:__GraphMigrate) WITH n ORDER BY labels(n), n.key, elementId(n) SKIP $at LIMIT 1 "
WRONG: list[Any] = [None, "", "x", "V2", 0, -1, 7, 2.5, True, [], ["a"], [1, 2]]
KINDS = ["", "Ledger", "Migration", "Run", "Attempt", "Seed"]

changes = st.one_of(
    st.builds(
        lambda name, value: (ONE + f"SET n.{name} = $value", value),
        st.sampled_from(NAMES),
        st.sampled_from(WRONG),
    ),
    st.sampled_from(
        [
            (ONE + "SET n = {}", None),
            (ONE + "DETACH DELETE n", None),
            (ONE + "CREATE (n)-[:R]->(:Other)", None),
        ]
    ),
    st.builds(lambda kind: (ONE + f"REMOVE n:__GraphMigrate{kind}", None), st.sampled_from(KINDS)),
    st.builds(
        lambda kind: (ONE + f"SET n:__GraphMigrate{kind or 'Searchable'}", None), st.sampled_from(KINDS)
    ),
    st.builds(
        lambda kind: (f"CREATE (:__GraphMigrate:__GraphMigrate{kind or 'Run'} {{state: $value}})", "x"),
        st.sampled_from(KINDS),
    ),
    st.just((ONE + "CREATE (m:__GraphMigrate:__GraphMigrateMigration) SET m = properties(n)", None)),
)
EVERYWHERE = [
    "MATCH (n) SET n = {}",
    "MATCH (n) REMOVE n.version",
    "MATCH (n) REMOVE n.key",
    "MATCH (n) REMOVE n.state",
    "MATCH (n) WHERE n.state IS NOT NULL SET n.status = n.state REMOVE n.state",
    "MATCH (n:__GraphMigrate) REMOVE n:__GraphMigrate",
    "MATCH (n:__GraphMigrateMigration) REMOVE n:__GraphMigrateMigration",
    "MATCH (n:__GraphMigrateRun) DETACH DELETE n",
    "MATCH (n:__GraphMigrateLedger) DETACH DELETE n",
    "MATCH (n) SET n.step = 'one', n.statements = 1",
]


@pytest.fixture
def applied(project: Project) -> Project:
    project.write(**FILES)
    (project.folder / "seeds").mkdir()
    (project.folder / "seeds" / "s.cypher.j2").write_text("MERGE (:S {id: 1});")
    project.migrate(target="2")
    project.migrate()
    return project


def change(driver: neo4j.Driver, *queries: str, **parameters: Any) -> None:
    """Change the ledger as an application could that has every right, with the constraint gone."""
    driver.execute_query("DROP CONSTRAINT __graphmigrate_key IF EXISTS")
    for query in queries:
        driver.execute_query(query, parameters)  # type: ignore[arg-type]


def told(project: Project, command: str) -> GraphMigrateError | None:
    """The error that a command ends with; any other kind of error fails the test."""
    try:
        project.call(command)
    except GraphMigrateError as error:
        return error
    return None


def lead_out(project: Project) -> None:
    """Follow what repair says, and where it says to decide, a baseline."""
    for _ in range(8):
        actions = project.call("repair").actions
        if not actions:
            return
        named = {
            found[1]
            for each in actions
            if (found := re.search(r"repair --restore (\S+?)(;|$)", each.resolution))
        }
        project.call("repair", restore=sorted(named)) if named else project.call("baseline", "3")
    pytest.fail(f"no way out: {actions}")


def check_undamaged(project: Project, driver: neo4j.Driver) -> None:
    lead_out(project)
    assert project.migrate().applied == ()
    assert [row.state.value for row in project.call("status").rows] == ["applied"] * 3
    assert [count(driver, label) for label in "ABC"] == [1, 1, 1]


@pytest.mark.parametrize("query", EVERYWHERE)
def test_what_an_application_does_to_every_node_is_told_and_led_out_of(
    applied: Project, driver: neo4j.Driver, query: str
) -> None:
    change(driver, query)
    for command in ("status", "plan", "validate", "migrate", "seed"):
        error = told(applied, command)
        assert isinstance(error, HistoryMismatch), command
        assert (error.error_code, error.exit_code) == ("GM612", 6)
        assert "repair" in (error.hint or "")
    check_undamaged(applied, driver)


def test_a_single_node_is_restored_as_it_was(applied: Project, driver: neo4j.Driver) -> None:
    of_v2 = "MATCH (n:__GraphMigrate {key: 'default/migration/2@1'}) "
    before = rows(
        driver,
        of_v2 + "RETURN n {.*, run: null, installed_on: null, execution_time: null, installed_by: null}",
    )
    change(driver, of_v2 + "REMOVE n.version, n.step SET n.steps = 'two'")
    error = told(applied, "status")
    assert error
    assert "version is missing" in error.message
    assert "steps is 'two'" in error.message
    (action,) = applied.call("repair").actions
    assert action.resolution == "graphmigrate repair --restore V2"
    (done,) = applied.call("repair", restore=["2"]).actions
    assert done.done
    made = "SHOW CONSTRAINTS YIELD name WHERE name STARTS WITH '__graphmigrate' RETURN count(*)"
    assert rows(driver, made) == [[2]]
    after = rows(
        driver,
        of_v2 + "RETURN n {.*, run: null, installed_on: null, execution_time: null, installed_by: null}",
    )
    kept = {name: value for name, value in before[0][0].items() if name != "language"}
    assert {name: after[0][0].get(name) for name in kept} == kept
    with pytest.raises(UsageError, match="its node is as it must be"):
        applied.call("repair", restore=["V2"])
    check_undamaged(applied, driver)


def test_what_is_foreign_on_our_nodes_is_a_warning(applied: Project, driver: neo4j.Driver) -> None:
    driver.execute_query(
        "MATCH (n:__GraphMigrateMigration {version: '1'}) SET n:Searchable, n.note = 'x' CREATE (n)-[:SAME]->(n)"
    )
    (warning,) = applied.call("status").problems
    assert (warning.code, warning.severity.value) == ("GM612", "warning")
    assert "the label Searchable, the property note, 1 relationship" in warning.message
    assert applied.migrate().applied == ()
    summary = applied.call("summary")
    assert "Searchable" not in summary.labels
    assert "SAME" not in summary.relationship_types


@pytest.fixture(scope="module")
def copies() -> dict[str, list[Any]]:
    return {}


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(damages=st.lists(st.tuples(changes, st.integers(0, 6)), min_size=1, max_size=3))
def test_no_damage_ends_in_an_internal_error_or_a_corner(
    applied: Project,
    driver: neo4j.Driver,
    copies: dict[str, list[Any]],
    damages: list[tuple[tuple[str, Any], int]],
) -> None:
    ours = "MATCH (n) WHERE any(label IN labels(n) WHERE label STARTS WITH '__GraphMigrate') "
    kept = copies.setdefault(str(applied.folder), rows(driver, ours + "RETURN labels(n), properties(n)"))
    change(driver, ours + "DETACH DELETE n")
    for labels, properties in kept:
        driver.execute_query(f"CREATE (n:{':'.join(labels)} $properties)", properties=properties)  # type: ignore[arg-type]
    for (query, value), at in damages:
        change(driver, query, value=value, at=at)
    for command in ("status", "plan", "validate", "summary"):
        told(applied, command)
    check_undamaged(applied, driver)
