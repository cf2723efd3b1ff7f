"""The present schema becomes the first migration, on a real server."""

from __future__ import annotations

import neo4j
import pytest

from graphmigrate.errors import UsageError
from tests.conftest import wipe
from tests.projects import Project, rows

pytestmark = pytest.mark.depends_on_version

SCHEMA = [
    "CREATE CONSTRAINT u FOR (n:A) REQUIRE n.id IS UNIQUE",
    "CREATE CONSTRAINT FOR ()-[r:R]-() REQUIRE (r.a, r.b) IS UNIQUE",
    "CREATE INDEX rg FOR (n:A) ON (n.x, n.y)",
    "CREATE TEXT INDEX tx FOR ()-[r:R]-() ON (r.t)",
    "CREATE POINT INDEX pt FOR (n:A) ON (n.p)",
    "CREATE POINT INDEX pt2 FOR (n:A) ON (n.q) OPTIONS {indexConfig: {`spatial.cartesian.min`: [-100.0, -100.0]}}",
    "CREATE FULLTEXT INDEX ft FOR (n:A|`B ``c`) ON EACH [n.t, n.`u v`]",
    "CREATE FULLTEXT INDEX ft2 FOR ()-[n:R|S]-() ON EACH [n.t] OPTIONS {indexConfig: {`fulltext.analyzer`: 'english'}}",
    "CREATE VECTOR INDEX v FOR (n:A) ON (n.v) "
    "OPTIONS {indexConfig: {`vector.dimensions`: 3, `vector.similarity_function`: 'euclidean'}}",
    "CREATE INDEX `odd ``name` FOR (n:`L 1`) ON (n.`p q`)",
    "CREATE CONSTRAINT unique_version___Neo4jMigration FOR (m:__Neo4jMigration) REQUIRE m.version IS UNIQUE",
]


def catalogue(driver: neo4j.Driver) -> list[list[object]]:
    ours = "labelsOrTypes <> [] AND NOT labelsOrTypes[0] STARTS WITH '__'"
    prefix = "CYPHER 25 " if _has_25(driver) else ""
    found = [
        rows(
            driver,
            f"{prefix}SHOW {what} YIELD name, createStatement, labelsOrTypes WHERE {ours} RETURN name, createStatement",
        )
        for what in ("CONSTRAINTS", "INDEXES")
    ]
    return sorted(row for part in found for row in part)


def test_a_new_database_that_runs_the_file_has_an_equal_catalogue(
    project: Project, driver: neo4j.Driver
) -> None:
    for statement in SCHEMA:
        driver.execute_query(statement)
    if _has_25(driver):
        driver.execute_query("CYPHER 25 CREATE VECTOR INDEX v2 FOR (n:A|C) ON n.w WITH [n.x]")
    before = catalogue(driver)
    result = project.call("baseline", "V1", from_database=True)
    assert result.marked == ("1",)
    (path,) = result.files
    assert path.endswith("migrations/V1__as_found.cypher")
    text = (project.folder / "migrations" / "V1__as_found.cypher").read_text()
    assert "LOOKUP" not in text
    assert "__" not in text
    assert text.count("OPTIONS") == 3
    assert text.count("IF NOT EXISTS") == len(SCHEMA) - 1 + _has_25(driver)
    assert project.call("status").clean
    assert project.migrate().applied == ()
    wipe(driver)
    project.migrate()
    assert catalogue(driver) == before


def _has_25(driver: neo4j.Driver) -> bool:
    (found,) = rows(
        driver, "CALL dbms.components() YIELD name, versions WHERE name = 'Neo4j Kernel' RETURN versions[0]"
    )
    return str(found[0]).startswith("20")


def test_a_taken_version_and_an_empty_schema_are_refused(project: Project, driver: neo4j.Driver) -> None:
    with pytest.raises(UsageError) as empty:
        project.call("baseline", "V1", from_database=True)
    assert "no constraint and no index" in empty.value.message
    driver.execute_query(SCHEMA[0])
    project.write(V1__mine="RETURN 1;")
    with pytest.raises(UsageError) as taken:
        project.call("baseline", "V1", from_database=True)
    assert "--as" in (taken.value.hint or "")
    assert [each.name for each in (project.folder / "migrations").iterdir()] == ["V1__mine.cypher"]
    assert project.call("baseline", "V7", from_database=True).marked == ("7",)
    assert {row.version: str(row.state) for row in project.call("status").rows}["7"] == "applied"
