"""The access-control example on Community Edition: parsed by the server, skipped, and recorded so."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import neo4j
import pytest

from graphmigrate.cli.app import COMMANDS
from graphmigrate.cypher.model import Kind
from graphmigrate.database import queries
from graphmigrate.migrations.files import collect
from graphmigrate.migrations.reader import read
from graphmigrate.schema.reader import read_ddl
from tests.acceptance.commands import Folder
from tests.conftest import Neo4jTarget
from tests.projects import Project, dump

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "access-control"
TYPES_FILE = EXAMPLE / "migrations" / "V6__relationship_types.cypher"
ALL = [
    statement
    for file in collect(EXAMPLE / "migrations").files
    for statement in read(file, max_statement_bytes=10_000)[0].statements
]
TYPES = [each for each in ALL if each.file.endswith(TYPES_FILE.name)]
STATEMENTS = [each for each in ALL if each not in TYPES]


@pytest.fixture
def community(driver: neo4j.Driver) -> neo4j.Driver:
    if driver.execute_query(queries.FACTS).records[0]["edition"] != "community":
        pytest.skip("the given server is not Community Edition")
    return driver


def test_all_are_administration_commands_that_may_run_twice() -> None:
    assert len(STATEMENTS) > 30
    assert {each.kind for each in STATEMENTS} == {Kind.SYSTEM}
    assert [
        each.text for each in STATEMENTS if not re.match(r"GRANT|DENY|.* IF NOT EXISTS$", each.text)
    ] == []


def test_no_role_may_make_another_node_one_that_it_may_change() -> None:
    """SET LABEL cannot be restricted to certain nodes."""
    assert [each.text for each in STATEMENTS if "LABEL" in each.text] == []


def test_relationship_types_that_roles_are_granted_are_made_before_the_first_load() -> None:
    """A right on a type that does not exist yet does not hold."""
    granted = {
        name
        for each in STATEMENTS
        for names in re.findall(r" RELATIONSHIPS ([\w, ]+?) TO", each.text)
        for name in names.split(", ")
    }
    made = {re.fullmatch(r"CALL db\.createRelationshipType\('(\w+)'\)", each.text)[1] for each in TYPES}  # type: ignore[index]
    assert made == granted == {"HAS", "RUN", "TRAINED_ON"}


def test_a_relationship_type_that_is_there_is_made_once_more(project: Project) -> None:
    text = TYPES_FILE.read_text().partition("\n")[2]  # without the line that skips it on Community Edition
    project.write(V1__types=text, V2__again=text)
    project.migrate()


def test_the_server_parses_them_and_community_has_no_roles(community: neo4j.Driver) -> None:
    codes = {explain(community, each.text) for each in STATEMENTS}
    assert codes == {"Neo.ClientError.Statement.UnsupportedAdministrationCommand"}
    assert explain(community, "GRANT NONSENSE ON HOME GRAPH TO x") == "Neo.ClientError.Statement.SyntaxError"


def explain(driver: neo4j.Driver, statement: str) -> str:
    with pytest.raises(neo4j.exceptions.ClientError) as caught:
        driver.execute_query(f"EXPLAIN {statement}")
    return str(caught.value.code)


def test_community_skips_them_and_says_so(
    community: neo4j.Driver, neo4j_target: Neo4jTarget, tmp_path: Path
) -> None:
    shutil.copytree(EXAMPLE, tmp_path, dirs_exist_ok=True)
    folder = Folder(tmp_path, neo4j_target.env)
    process = folder.run("migrate", "--output", "json")
    assert process.returncode == 0, process.stderr
    skipped = json.loads(process.stdout)["skipped"]
    assert [each["version"] for each in skipped] == ["1", "2", "3", "4", "5", "6"]
    assert {each["reason"] for each in skipped} == {"assumes that edition is enterprise; it is community"}
    status = json.loads(folder.run("status", "--output", "json").stdout)
    assert {each["state"] for each in status["rows"]} == {"skipped"}
    before = dump(community, volatile=True)
    assert folder.run("migrate").returncode == 0
    assert dump(community, volatile=True) == before


def test_every_command_has_its_rights_documented() -> None:
    page = (ROOT / "docs" / "reference" / "privileges.md").read_text()
    commands = [name for section in COMMANDS.values() for name in section]
    assert [name for name in [*commands, "seed list"] if f"`{name}`" not in page] == []


def test_the_labels_of_the_history_are_documented() -> None:
    page = (ROOT / "docs" / "reference" / "privileges.md").read_text()
    code = "".join(path.read_text() for path in (ROOT / "graphmigrate").rglob("*.py"))
    labels = set(re.findall(r"__GraphMigrate[A-Z]\w+", code)) - {"__GraphMigrateTest"}
    assert labels == set(re.findall(r"__GraphMigrate[A-Z]\w+", page))


def test_the_example_is_for_the_shipped_model() -> None:
    created = (
        read_ddl(statement.text)
        for file in collect(ROOT / "migrations").files[:1]
        for statement in read(file, max_statement_bytes=10_000)[0].statements
    )
    labels = {label for each in created if each and each.target for label in each.target.labels}
    named = {
        word
        for each in STATEMENTS
        for part in re.findall(r" NODES ([\w, ]+?) TO", each.text)
        for word in part.split(", ")
    }
    assert named == labels
