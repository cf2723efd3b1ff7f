"""What is known before anything runs: statements that need no EXPLAIN, editions, languages."""

from __future__ import annotations

import neo4j
import pytest

from graphmigrate.database.preflight import reads_any_label
from graphmigrate.errors import MigrationFailed, PreflightError
from graphmigrate.events import Warned
from graphmigrate.schema.reader import read_ddl
from tests.conftest import Neo4jTarget
from tests.projects import Project, count, rows
from tests.unit.schema.test_compare import FAULTS
from tests.unit.schema.test_reader import PLAIN

pytestmark = pytest.mark.depends_on_version

# As names of everything: words that mean something elsewhere in Cypher.
WORDS = [
    *(
        "all",
        "and",
        "any",
        "as",
        "call",
        "constraint",
        "create",
        "cypher",
        "delete",
        "drop",
        "each",
        "exists",
    ),
    *("false", "for", "foreach", "if", "in", "index", "is", "not", "null", "on", "or", "options"),
    *(
        "range",
        "remove",
        "require",
        "return",
        "set",
        "show",
        "true",
        "type",
        "unique",
        "unwind",
        "use",
        "when",
    ),
    *("where", "with", "xor", "yield", "node", "relationship"),
]
NAMED = (
    "CREATE CONSTRAINT {0} FOR ({0}:{0}) REQUIRE {0}.{0} IS UNIQUE",
    "CREATE CONSTRAINT {0} IF NOT EXISTS FOR ()-[{0}:{0}]-() REQUIRE ({0}.{0}, {0}.`a b`) IS UNIQUE",
    "CREATE INDEX {0} FOR ({0}:{0}) ON ({0}.{0})",
    "CREATE RANGE INDEX {0} IF NOT EXISTS FOR ()-[{0}:{0}]-() ON ({0}.{0}, {0}.b)",
    "DROP INDEX {0} IF EXISTS",
    "DROP CONSTRAINT {0}",
)


def test_what_is_taken_without_a_question_can_be_parsed_by_every_server(driver: neo4j.Driver) -> None:
    texts = [*PLAIN, *(form.format(word) for form in NAMED for word in WORDS)]
    plain = [text for text in texts if (action := read_ddl(text)) and action.plain]
    assert len(plain) > len(texts) / 2
    refused = []
    with driver.session() as session:
        for text in plain:
            try:
                session.run(f"EXPLAIN {text}").consume()
            except neo4j.exceptions.Neo4jError as error:
                refused.append((text, error.message))
    assert refused == []


def test_what_explain_lets_pass_is_refused_before_anything_runs(
    project: Project, driver: neo4j.Driver
) -> None:
    project.write(V1__data="CREATE (:Person);", V2__wrong=";\n".join(FAULTS) + ";")
    with pytest.raises(PreflightError) as caught:
        project.migrate()
    told = [each.message for each in caught.value.problems]
    assert sorted(told) == sorted(FAULTS.values())
    assert count(driver, "Person") == 0


def test_every_fault_is_one_for_the_server(driver: neo4j.Driver) -> None:
    for text in FAULTS:
        with pytest.raises(neo4j.exceptions.Neo4jError):
            driver.execute_query(text)


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        (
            "CREATE CONSTRAINT x FOR (n:A) REQUIRE n.p IS NOT NULL",
            "Neo4j Community Edition has no existence constraints.",
        ),
        (
            "CREATE CONSTRAINT x FOR (n:A) REQUIRE n.p IS NODE KEY",
            "Neo4j Community Edition has no key constraints.",
        ),
        ("CREATE ROLE reader IF NOT EXISTS", None),
        (
            "ALTER CURRENT GRAPH TYPE ADD { (p:Person => {name :: STRING}) }",
            "Neo4j Community Edition has no ALTER CURRENT GRAPH TYPE ADD.",
        ),
        (
            "CYPHER 25 CREATE AUTH RULE x IF NOT EXISTS SET CONDITION true",
            "Neo4j Community Edition has no CREATE AUTH RULE.",
        ),
    ],
)
def test_an_edition_s_limits_are_told_alike_before_anything_runs(
    project: Project, driver: neo4j.Driver, statement: str, told: str | None
) -> None:
    languages = driver.execute_query(
        "CALL dbms.components() YIELD name, versions WHERE name = 'Cypher' RETURN versions"
    ).records
    if ("GRAPH TYPE" in statement or "AUTH RULE" in statement) and not languages:
        pytest.skip("this server has no Cypher 25")
    if "GRAPH TYPE" in statement:
        statement = f"CYPHER 25 {statement}"
    project.write(V1__data="CREATE (:Person);", V2__enterprise=f"{statement};")
    with pytest.raises(PreflightError) as caught:
        project.migrate()
    assert (caught.value.error_code, count(driver, "Person")) == ("GM205", 0)
    assert (
        caught.value.hint
        == "Put it into a migration of its own that begins with: // assume that edition is enterprise"
    )
    assert told in {None, caught.value.message}
    project.write(V2__enterprise=f"// assume that edition is enterprise\n{statement};")
    assert [each.version for each in project.migrate().applied] == ["1"]


def test_each_migration_records_its_language_and_a_change_is_warned_of(
    project: Project, driver: neo4j.Driver, neo4j_target: Neo4jTarget
) -> None:
    default = "25" if default_language(driver) == "CYPHER 25" else "5"
    project.write(
        V1__default="CREATE (:Person);", V2__fixed="// graphmigrate: cypher 5\nMATCH (p:Person) SET p.n = 1;"
    )
    project.migrate()
    found = rows(driver, "MATCH (m:__GraphMigrateMigration) RETURN m.version, m.language ORDER BY m.version")
    assert found == [["1", default], ["2", "5"]]
    driver.execute_query("MATCH (m:__GraphMigrateMigration) SET m.language = '4'")
    project.write(V3__silent="MATCH (p:Person) SET p.n = 2;")
    (problem,) = project.call("plan").problems
    assert (problem.code, problem.place.line) == ("GM133", 1)
    project.migrate()
    assert [each.problem.code for each in project.events if isinstance(each, Warned)] == ["GM133"]


def test_the_language_of_the_header_decides(project: Project, driver: neo4j.Driver) -> None:
    """Setting all properties by an entity is Cypher 5; 25 refuses it."""
    if default_language(driver) is None:
        pytest.skip("this server has one language")
    text = "CREATE (a:A {n: 1})\nCREATE (b:B)\nSET b = a"
    project.write(V1__five=f"// graphmigrate: cypher 5\n{text};")
    project.migrate()
    assert rows(driver, "MATCH (b:B) RETURN b.n") == [[1]]
    project.write(V2__later=f"// graphmigrate: cypher 25\n{text};")
    with pytest.raises((PreflightError, MigrationFailed)) as caught:
        project.migrate()
    assert (caught.value.place.line, caught.value.place.column) == (4, 9)


def default_language(driver: neo4j.Driver) -> str | None:
    found = driver.execute_query("SHOW DATABASES YIELD * WHERE name = 'neo4j'").records
    return found[0].get("defaultLanguage")


@pytest.mark.parametrize(
    ("query", "reads_any"),
    [
        ("MATCH (n) CALL (n) { SET n.seen = true } IN TRANSACTIONS", True),
        ("MATCH (n) WHERE elementId(n) = 'x' CALL (n) { DELETE n } IN TRANSACTIONS", True),
        ("MATCH (a:A) CALL (a) { MATCH (n) WHERE n.id = a.id SET n.seen = true } IN TRANSACTIONS", True),
        ("MATCH (n:A) CALL (n) { DETACH DELETE n } IN TRANSACTIONS", False),
        ("MATCH (n)-[r]->() CALL (r) { DELETE r } IN TRANSACTIONS", False),
        ("MATCH (n)-[*1..3]->(m) CALL (n) { SET n.seen = true } IN TRANSACTIONS", False),
        ("LOAD CSV FROM 'file:///x' AS row CALL (row) { CREATE (:A {id: row[0]}) } IN TRANSACTIONS", False),
    ],
)
def test_the_plan_tells_what_reads_nodes_of_any_label(
    driver: neo4j.Driver, query: str, reads_any: bool
) -> None:
    with driver.session() as session:
        plan = session.run(f"EXPLAIN {query}").consume().plan
    assert plan
    assert reads_any_label(plan) is reads_any
