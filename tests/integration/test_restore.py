"""A ledger that something else has changed: every command says so, and a way out leads back to a clean state."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import neo4j
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from graphmigrate.database.queries import LEDGER_CONSTRAINTS
from graphmigrate.database.shape import NAMES
from graphmigrate.errors import GraphMigrateError, HistoryMismatch, UsageError
from graphmigrate.events import Warned
from tests.conftest import Neo4jTarget, wipe
from tests.projects import Project, count, rows

FILES = {
    "V1__a": "CREATE (:A);",
    "V2__b": "CREATE INDEX b FOR (n:B) ON (n.x);\nCREATE (:B);",
    "V3__c": "CREATE (:C);",
}
# Every node of ours, in an order that does not depend on how it was changed before.
ONE = "MATCH (n:__GraphMigrate) WITH n ORDER BY labels(n), n.key, elementId(n) SKIP $at LIMIT 1 "
MIGRATIONS = "MATCH (n:__GraphMigrateMigration) RETURN properties(n) AS p ORDER BY n.key"
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


@dataclass(frozen=True)
class Applied:
    """A project whose migrations are applied, and every node as it was then."""

    project: Project
    nodes: list[list[Any]]

    def put_back(self, driver: neo4j.Driver) -> Project:
        """Make every node what it was: much faster than to wipe and to migrate."""
        driver.execute_query("MATCH (n) DETACH DELETE n")
        create = "UNWIND $nodes AS node CREATE (n:$(node[0])) SET n = node[1]"
        driver.execute_query(create, nodes=self.nodes)
        driver.execute_query(LEDGER_CONSTRAINTS["__graphmigrate_key"])
        return self.project


@pytest.fixture(scope="module")
def once_applied(
    session_driver: neo4j.Driver, neo4j_target: Neo4jTarget, tmp_path_factory: pytest.TempPathFactory
) -> Applied:
    wipe(session_driver)
    project = Project(neo4j_target, tmp_path_factory.mktemp("applied")).write(**FILES)
    (project.folder / "seeds").mkdir()
    (project.folder / "seeds" / "s.cypher.j2").write_text("MERGE (:S {id: 1});")
    project.migrate(target="2")
    project.migrate()
    return Applied(project, rows(session_driver, "MATCH (n) RETURN labels(n), properties(n)"))


@pytest.fixture
def applied(once_applied: Applied, session_driver: neo4j.Driver) -> Project:
    return once_applied.put_back(session_driver)


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
    applied: Project, session_driver: neo4j.Driver, query: str
) -> None:
    change(session_driver, query)
    for command in ("status", "plan", "validate", "migrate", "seed", "summary"):
        error = told(applied, command)
        assert isinstance(error, HistoryMismatch), command
        assert (error.error_code, error.exit_code) == ("GM612", 6)
        assert "repair" in (error.hint or "")
    check_undamaged(applied, session_driver)


def test_nodes_that_lost_every_label_are_found_again(applied: Project, session_driver: neo4j.Driver) -> None:
    session_driver.execute_query("MATCH (n) REMOVE n:$(labels(n))")
    error = told(applied, "migrate")
    assert isinstance(error, HistoryMismatch)
    assert error.error_code == "GM612"
    lead_out(applied)
    assert applied.migrate().applied == ()
    assert [row.state.value for row in applied.call("status").rows] == ["applied"] * 3


def test_a_single_node_is_restored_as_it_was(applied: Project, session_driver: neo4j.Driver) -> None:
    of_v2 = "MATCH (n:__GraphMigrate {key: 'default/migration/2@1'}) "
    before = rows(
        session_driver,
        of_v2 + "RETURN n {.*, run: null, installed_on: null, execution_time: null, installed_by: null}",
    )
    change(session_driver, of_v2 + "REMOVE n.version, n.step SET n.steps = 'two'")
    error = told(applied, "status")
    assert error
    assert "version is missing" in error.message
    assert "steps is 'two'" in error.message
    (action,) = applied.call("repair").actions
    assert action.resolution == "graphmigrate repair --restore V2"
    (done,) = applied.call("repair", restore=["2"]).actions
    assert done.done
    made = "SHOW CONSTRAINTS YIELD name WHERE name STARTS WITH '__graphmigrate' RETURN count(*)"
    assert rows(session_driver, made) == [[2]]
    after = rows(
        session_driver,
        of_v2 + "RETURN n {.*, run: null, installed_on: null, execution_time: null, installed_by: null}",
    )
    # No record says these: an undo of a restored migration needs a U file.
    unknown = {"language", "made", "dropped"}
    kept = {name: value for name, value in before[0][0].items() if name not in unknown}
    assert {name: after[0][0].get(name) for name in kept} == kept
    with pytest.raises(UsageError, match="its node is as it must be"):
        applied.call("repair", restore=["V2"])
    check_undamaged(applied, session_driver)


def test_what_is_foreign_on_our_nodes_is_a_warning(applied: Project, session_driver: neo4j.Driver) -> None:
    session_driver.execute_query(
        "MATCH (n:__GraphMigrateMigration {version: '1'}) SET n:Searchable, n.note = 'x' CREATE (n)-[:SAME]->(n)"
    )
    (warning,) = applied.call("status").problems
    assert (warning.code, warning.severity.value) == ("GM612", "warning")
    assert "the label Searchable, the property note, 1 relationship" in warning.message
    assert applied.migrate().applied == ()
    summary = applied.call("summary")
    assert "Searchable" not in summary.labels
    assert "SAME" not in summary.relationship_types
    for statement in (warning.hint or "").partition("To take it off: ")[2].split("; "):
        session_driver.execute_query(statement)
    assert not applied.call("status").problems


def test_what_is_foreign_on_many_nodes_is_told_once(applied: Project, session_driver: neo4j.Driver) -> None:
    session_driver.execute_query("MATCH (n:__GraphMigrate) SET n:App, n.`seen at` = 1, n.`a``\\u005Cb` = 2")
    (warning,) = applied.call("status").problems
    assert re.match(r"\d+ of graphmigrate's own nodes have what is not their own", warning.message)
    session_driver.execute_query((warning.hint or "").partition("To take it off: ")[2])
    assert not applied.call("status").problems


def test_a_constraint_of_ours_that_is_missing_is_told(applied: Project, session_driver: neo4j.Driver) -> None:
    assert not applied.call("status").problems
    change(session_driver)
    applied.events.clear()
    for found in (applied.call("status").problems, applied.migrate().warnings):
        (warning,) = found
        assert (warning.code, warning.severity.value) == ("GM612", "warning")
        assert "__graphmigrate_key" in warning.message
    assert [each.problem for each in applied.events if isinstance(each, Warned)] == [warning]
    assert applied.call("validate") == (warning,)
    told = applied.call("repair").actions
    assert [(each.version, each.done) for each in told] == [("ledger", False)]
    assert told[0].finding == warning.message.rstrip(".")
    assert warning.hint.endswith(f"To make it now: {told[0].resolution}")
    before = rows(session_driver, MIGRATIONS)
    done = applied.call("repair", restore=["ledger"]).actions
    assert [(each.finding, each.done) for each in done] == [(told[0].finding, True)]
    assert rows(session_driver, MIGRATIONS) == before
    assert not applied.call("status").problems
    assert not applied.call("validate")
    assert not applied.call("repair").actions
    with pytest.raises(UsageError, match="its node is as it must be"):
        applied.call("repair", restore=["ledger"])


@settings(
    max_examples=8,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],  # each example asks a server: a failure is told as it was found
)
@given(damages=st.lists(st.tuples(changes, st.integers(0, 6)), min_size=1, max_size=3))
def test_no_damage_ends_in_an_internal_error_or_a_corner(
    once_applied: Applied,
    session_driver: neo4j.Driver,
    damages: list[tuple[tuple[str, Any], int]],
) -> None:
    driver, applied = session_driver, once_applied.put_back(session_driver)
    for (query, value), at in damages:
        change(driver, query, value=value, at=at)
    for command in ("status", "plan", "validate", "summary"):
        told(applied, command)
    check_undamaged(applied, driver)
