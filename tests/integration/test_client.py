"""``:use`` and ``:param`` lines, against a real server."""

from __future__ import annotations

import neo4j
import pytest

from graphmigrate.errors import HistoryMismatch, MigrationFailed, PreflightError, ProjectError
from tests.projects import Project, rows


def test_values_are_parameters_wherever_a_statement_runs(project: Project, driver: neo4j.Driver) -> None:
    project.write(
        V1__params=""":use neo4j
:param name => 'it\\'s; {x} $y'
:param {name: 'Ann', tags: ['a', 'b'], own: {size: 2}}
CREATE (:Person {name: $name, tags: $tags, size: $own.size});
:param rows => 10
UNWIND range(1, $rows) AS i CALL (i) { CREATE (:Row {i: i}) } IN TRANSACTIONS OF 3 ROWS;
:param batch => 2
MATCH (r:Row) WHERE r.i <= $batch SET r.low = true;
""",
        V2__batches="""// graphmigrate: batch 3
:param n => 9
MATCH (r:Row) WHERE r.i < $n AND r.seen IS NULL WITH r LIMIT $batch SET r.seen = true;
""",
    )
    assert not [each for each in project.call("plan").problems if each.severity == "error"]
    project.migrate()
    assert rows(driver, "MATCH (p:Person) RETURN p.name, p.tags, p.size") == [["Ann", ["a", "b"], 2]]
    assert rows(driver, "MATCH (r:Row) RETURN count(r), count(r.low), count(r.seen)") == [[10, 2, 8]]


def test_explain_gets_the_values(project: Project, driver: neo4j.Driver) -> None:
    project.write(V1__index=":param wrong => 1\nCREATE INDEX x FOR (n:N) ON (n.a) OPTIONS $wrong;")
    with pytest.raises((PreflightError, MigrationFailed)) as caught:
        project.migrate()
    assert caught.value.place is not None
    assert caught.value.place.line == 2
    assert rows(driver, "SHOW INDEXES YIELD name WHERE name = 'x' RETURN name") == []


def test_a_changed_value_is_an_edit_of_the_statements_that_use_it(
    project: Project, driver: neo4j.Driver
) -> None:
    text = ":param a => 1\nCREATE (:A {a: $a});\nCREATE INDEX i FOR (n:A) ON (n.a);\n:param b => {0}\nRETURN 1 / $b;"
    project.write(V1__half=text.replace("{0}", "0"))
    with pytest.raises(MigrationFailed):
        project.migrate()
    project.write(V1__half=text.replace("{0}", "1").replace("a => 1", "a => 2"))
    with pytest.raises(HistoryMismatch) as caught:
        project.migrate()
    assert caught.value.error_code == "GM605"
    project.write(V1__half=text.replace("{0}", "1"))
    project.migrate()
    assert rows(driver, "MATCH (a:A) RETURN a.a") == [[1]]


def test_another_database_and_a_missing_value_are_refused_at_their_place(
    project: Project, driver: neo4j.Driver
) -> None:
    project.write(V1__use="CREATE (:A);\n:use movies\nCREATE (:B);")
    with pytest.raises(PreflightError) as caught:
        project.migrate()
    assert caught.value.error_code == "GM106"
    assert str(caught.value.place).endswith("V1__use.cypher:2:1")
    assert "--database movies" in (caught.value.hint or "")
    project.write(V1__use="CREATE (:A {a: $later});\n:param later => 1\nCREATE (:B);")
    with pytest.raises(ProjectError) as missing:
        project.migrate()
    assert missing.value.error_code == "GM129"
    assert str(missing.value.place).endswith("V1__use.cypher:1:16")
    assert rows(driver, "MATCH (n) WHERE NOT n:__GraphMigrate RETURN n") == []
