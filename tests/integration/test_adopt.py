"""Taking over the histories of other tools: as they were left by real runs, and by running the tools themselves."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path
from typing import Any

import neo4j
import pytest

from graphmigrate.errors import GraphMigrateError, HistoryMismatch, LockTimeout, UsageError
from tests.projects import Project, rows

LEDGERS = sorted((Path(__file__).parents[1] / "golden" / "ledgers").glob("*.json"))
THEIRS = (
    "MATCH (m) WHERE m:__Neo4jMigration OR m:SchemaMigration OPTIONAL MATCH (m)-[r]-() "
    "RETURN elementId(m) AS id, properties(m), labels(m), collect(properties(r)) ORDER BY id"
)


def load(driver: neo4j.Driver, ledger: Path, folder: Path) -> dict[str, Any]:
    """Write the nodes and files of a golden ledger."""
    found: dict[str, Any] = json.loads(ledger.read_text())
    ids = [
        rows(driver, "CREATE (m:__Neo4jMigration) SET m = $node RETURN elementId(m)", node=node)[0][0]
        for node in found["nodes"]
    ]
    for source, kind, target, values in found["relationships"]:
        query = (
            f"MATCH (a), (b) WHERE elementId(a) = $a AND elementId(b) = $b CREATE (a)-[r:{kind}]->(b) "
            "SET r = $values SET r.at = datetime($values.at), r.in = duration($values.in)"
        )
        driver.execute_query(query, a=ids[source], b=ids[target], values=values)
    for name, text in found["files"].items():
        (folder / name).write_bytes(text.encode())
    return found


@pytest.mark.parametrize("ledger", LEDGERS, ids=lambda path: path.stem)
def test_a_history_as_a_real_run_left_it(project: Project, driver: neo4j.Driver, ledger: Path) -> None:
    found = load(driver, ledger, project.folder / "migrations")
    before = rows(driver, THEIRS)
    shown = project.call("adopt", dry_run=True)
    assert rows(driver, "MATCH (n:__GraphMigrate) RETURN n") == []
    result = project.call("adopt")
    assert result.adopted == shown.adopted
    assert ledger.stem.startswith(result.tool)
    assert len(result.adopted) == len(found["nodes"]) - 1
    by_file = {each.file: each.compared.partition(" ")[0] for each in result.adopted if each.file}
    assert set(by_file) == set(found["files"])
    assert {name: how for name, how in by_file.items() if how != "checksum"} in ({}, {"V2__code.py": "not"})
    assert {each.compared for each in result.adopted if not each.file} <= {"no file"}
    assert all(each.installed_on for each in result.adopted)
    assert {row.state for row in project.call("status").rows} == {"applied"}
    assert {row.installed_by for row in project.call("status").rows} == {"somebody"}
    assert (project.call("adopt").adopted, project.call("adopt").known) == ((), len(result.adopted))
    project.write(V100__ours="CREATE (:Ours);")
    assert [each.version for each in project.migrate().applied] == ["100"]
    assert not rows(driver, "MATCH (n:A) RETURN n")
    assert rows(driver, THEIRS) == before


def test_a_repeatable_runs_again_once_it_is_changed(project: Project, driver: neo4j.Driver) -> None:
    load(driver, LEDGERS[0], project.folder / "migrations")
    project.call("adopt")
    (project.folder / "migrations" / "R011__views.cypher").write_text("CREATE (:Again);")
    assert [each.version for each in project.migrate().applied] == ["011"]
    assert rows(driver, "MATCH (n:Again) RETURN count(n)") == [[1]]


def test_a_file_that_is_not_what_was_applied(project: Project, driver: neo4j.Driver) -> None:
    load(driver, LEDGERS[0], project.folder / "migrations")
    project.write(V001__first="CREATE (:Other);")
    with pytest.raises(HistoryMismatch) as caught:
        project.call("adopt")
    assert caught.value.error_code == "GM602"
    assert "graphmigrate adopt --accept V001" in (caught.value.hint or "")
    assert rows(driver, "MATCH (n:__GraphMigrateMigration) RETURN n") == []
    result = project.call("adopt", accept=["V1"])
    assert result.adopted[0].compared == "accepted as it is"
    assert project.call("status").clean


def test_golang_migrate_says_one_version(project: Project, driver: neo4j.Driver) -> None:
    driver.execute_query(
        "UNWIND [[1, 1], [2, 2], [4, 3], [3, 4]] AS each "
        "CREATE (:SchemaMigration {version: each[0], dirty: false, ts: datetime({epochSeconds: each[1]})})"
    )
    project.write(V1__a="CREATE (:A);", V2__b="CREATE (:B);", V4__later="CREATE (:Later);")
    result = project.call("adopt")
    assert [(each.version, each.file) for each in result.adopted] == [
        ("1", "V1__a.cypher"),
        ("2", "V2__b.cypher"),
        ("3", None),
    ]
    assert [each.version for each in project.migrate().applied] == ["4"]


@pytest.mark.parametrize(
    ("query", "error", "code", "said"),
    [
        ("CREATE (:Person)", UsageError, "GM610", "No history of"),
        ("CREATE (:__NodestreamMigration__ {name: 'a'})", UsageError, "GM610", "there is one of nodestream"),
        (
            "CREATE (:__Neo4jMigration {version: '1'}), (:__Neo4jMigrationsLock {id: 'x', name: 'host'})",
            LockTimeout,
            "GM401",
            "holds its lock (host)",
        ),
        ("CREATE (:SchemaMigration {version: 7, dirty: true})", HistoryMismatch, "GM211", "inside version 7"),
        (
            "CREATE (:SchemaMigration {version: 7, dirty: false}), (:__Neo4jMigration {version: '1'})",
            UsageError,
            "GM610",
            "and",
        ),
        ("CREATE (:__Neo4jMigration {version: '1', project: 'shop'})", UsageError, "GM610", "projects: shop"),
        ("CREATE (:__Neo4jMigration {version: 'one'})", GraphMigrateError, "GM119", "'one' is not a version"),
    ],
)
def test_what_cannot_be_adopted(
    project: Project, driver: neo4j.Driver, query: str, error: type[GraphMigrateError], code: str, said: str
) -> None:
    driver.execute_query(query)
    project.write(V1__a="CREATE (:A);")
    with pytest.raises(error) as caught:
        project.call("adopt")
    assert caught.value.error_code == code
    assert said in caught.value.message
    assert caught.value.hint
    assert rows(driver, "MATCH (n:__GraphMigrateMigration) RETURN n") == []


def test_nodes_that_do_not_count_and_projects(project: Project, driver: neo4j.Driver) -> None:
    driver.execute_query(
        "CREATE (:__Neo4jMigration {version: 'BASELINE', project: 'shop'})-[:MIGRATED_TO]->"
        "(:__Neo4jMigration {version: '1', project: 'shop'})-[:MIGRATED_TO]->"
        "(:__Neo4jMigration {version: '2', project: 'shop', flyway_failed: true}), "
        "(:__Neo4jMigration {version: '3', project: 'shop', type: 'DELETE'}), (:__Neo4jMigration {project: 'shop'}), "
        "(:__Neo4jMigration {version: '4', project: 'other'}), "
        "(:__Neo4jMigration {version: '5', project: 'shop', migrationTarget: 'elsewhere'})"
    )
    result = project.call("adopt", project="shop")
    assert [each.version for each in result.adopted] == ["1"]


def test_odd_values_become_rows_that_are_sound(project: Project, driver: neo4j.Driver) -> None:
    driver.execute_query(
        "CREATE (a:__Neo4jMigration {version: 1, description: 5, checksum: 7, type: ['x'], repeatable: 'no'})"
        "-[:MIGRATED_TO {at: localdatetime('2026-01-02T03:04:05'), in: 'soon', by: 9}]->"
        "(b:__Neo4jMigration {version: '2'})-[:MIGRATED_TO {at: [1], in: [2], by: [3]}]->"
        "(c:__Neo4jMigration {version: '3'})-[:MIGRATED_TO]->(b), "
        "(r:__Neo4jMigration {version: '4'})-[:MIGRATED_TO]->(:__Neo4jMigration {version: '5'})-[:MIGRATED_TO]->(r)"
    )
    result = project.call("adopt")
    assert sorted(each.version for each in result.adopted) == ["1", "2", "3", "4", "5"]
    status = project.call("status")
    assert {row.state for row in status.rows} == {"applied"}
    assert not [each for each in status.problems if each.severity == "error"]


# ---- the tools themselves


FORTY = {
    **{
        f"V{number:03d}__step_{number}.cypher": [
            "// assume that edition is community\n"
            f"CREATE CONSTRAINT c{number} IF NOT EXISTS FOR (n:L{number}) REQUIRE n.id IS UNIQUE;\n",
            f"CREATE (:A {{id: {number}}});\nMATCH (n:A) SET n.x = 'it;s';\n",
            f"CREATE (:B {{id: {number}}});\r\nCREATE (:C);\r\n",
            f"CREATE INDEX i{number} IF NOT EXISTS FOR (n:I{number}) ON (n.a);",
            "/* block */ MERGE (:D {t: 'ü'});\n",
        ][number % 5]
        for number in range(1, 38)
    },
    "V040__dotted.cypher": "CREATE (:Dot);\n",
    "V040_1__use.cypher": ":use neo4j\nCREATE (:Dot2);\n",
    "R050__views.cypher": "MERGE (:View {n: 1});\n",
}
POM = """<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>
<groupId>x</groupId><artifactId>x</artifactId><version>1</version><dependencies><dependency>
<groupId>eu.michael-simons.neo4j</groupId><artifactId>neo4j-migrations-cli</artifactId><version>2.17.3</version>
</dependency></dependencies></project>"""


def call(command: list[str], folder: Path, **env: str) -> str:
    done = subprocess.run(
        command, cwd=folder, env={**os.environ, **env}, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture
def java_tool(tmp_path: Path, neo4j_target: Any) -> list[str]:
    """The command line of neo4j-migrations."""
    java, maven = shutil.which("java"), shutil.which("mvn")
    if not java or not maven:
        pytest.skip("neo4j-migrations needs Java and Maven")
    (tmp_path / "pom.xml").write_text(POM)
    fetch = [
        maven,
        "-q",
        "-B",
        f"--file={tmp_path / 'pom.xml'}",
        "dependency:copy-dependencies",
        "-DoutputDirectory=lib",
    ]
    if subprocess.run(fetch, cwd=tmp_path, capture_output=True, timeout=300).returncode:
        pytest.skip("Maven cannot fetch neo4j-migrations here")
    main = [
        java,
        "-XX:TieredStopAtLevel=1",
        "-cp",
        f"{tmp_path}/lib/*",
        "ac.simons.neo4j.migrations.cli.MigrationsCli",
    ]
    place = f"--location=file://{tmp_path}/migrations"
    return [*main, "-a", neo4j_target.uri, "-u", "neo4j", "--password:env=ITS_PASSWORD", place]


def test_forty_migrations_of_neo4j_migrations(
    project: Project, driver: neo4j.Driver, neo4j_target: Any, java_tool: list[str]
) -> None:
    for name, text in FORTY.items():
        (project.folder / "migrations" / name).write_bytes(text.encode())
    secret = {"ITS_PASSWORD": neo4j_target.password}
    call([*java_tool, "migrate"], project.folder, **secret)
    info, theirs = call([*java_tool, "info"], project.folder, **secret), rows(driver, THEIRS)
    assert info.count("APPLIED") == len(FORTY) == 40
    result = project.call("adopt")
    assert {each.compared for each in result.adopted} == {"checksum of neo4j-migrations"}
    status = project.call("status")
    assert status.clean
    assert [row.state for row in status.rows] == ["applied"] * 40
    assert project.migrate().applied == ()
    project.write(V060__ours="MATCH (n) WHERE NOT n:__GraphMigrate AND n.id IS NOT NULL SET n.seen = true;")
    assert [each.version for each in project.migrate().applied] == ["060"]
    (project.folder / "migrations" / "V060__ours.cypher").unlink()
    assert call([*java_tool, "info"], project.folder, **secret) == info
    assert rows(driver, THEIRS) == theirs


@pytest.fixture
def python_tool(tmp_path: Path, neo4j_target: Any) -> list[str]:
    """The command line of neo4j-python-migrations, in an environment of its own."""
    venv.create(tmp_path / "venv", with_pip=True)
    python = str(tmp_path / "venv" / "bin" / "python")
    install = [python, "-m", "pip", "install", "-q", "neo4j-python-migrations==0.1.5"]
    if sys.version_info >= (3, 14) or subprocess.run(install, capture_output=True, timeout=300).returncode:
        pytest.skip("pip cannot install neo4j-python-migrations here")
    scheme, _, address = neo4j_target.uri.partition("://")
    host, _, port = address.partition(":")
    options = ["--scheme", scheme, "--host", host, "--port", port, "--path", str(tmp_path / "migrations")]
    return [python, "-m", "neo4j_python_migrations", *options]


def test_forty_migrations_of_neo4j_python_migrations(
    project: Project, driver: neo4j.Driver, neo4j_target: Any, python_tool: list[str]
) -> None:
    files = {name: text for name, text in FORTY.items() if name[0] == "V" and ":use" not in text}
    for name, text in files.items():
        whole = text.replace("it;s", "it")  # it cuts at any semicolon, and drops what follows the last one
        whole = whole if whole.rstrip().endswith(";") else f"{whole};"
        (project.folder / "migrations" / name.replace("V0", "V")).write_bytes(whole.encode())
    secret = {"NEO4J_MIGRATIONS_PASS": neo4j_target.password}
    call([*python_tool, "migrate"], project.folder, **secret)
    info, theirs = call([*python_tool, "analyze"], project.folder, **secret), rows(driver, THEIRS)
    result = project.call("adopt")
    assert len(result.adopted) == len(files)
    assert {each.compared.partition(" ")[0] for each in result.adopted} == {"checksum"}
    assert project.call("status").clean
    assert project.migrate().applied == ()
    assert call([*python_tool, "analyze"], project.folder, **secret) == info
    assert rows(driver, THEIRS) == theirs
