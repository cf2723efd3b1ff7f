"""What each command really prints with --output json fits its schema."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import neo4j
import pytest
from jsonschema import Draft7Validator

from scripts.json_fields import OBJECTS
from scripts.json_schemas import SCHEMAS, file_name
from tests.acceptance.commands import Folder
from tests.conftest import Neo4jTarget

# In the order of a project's life; each command with the arguments that it gets.
COMMANDS = {
    "wait": "",
    "init": "",
    "new": "add customers",
    "import": "more.csv --label More --key id",
    "validate": "",
    "plan": "",
    "migrate": "",
    "run": "fix.cypher",
    "adopt": "--dry-run",
    "baseline": "1",
    "status": "",
    "repair": "",
    "seed list": "",
    "seed check": "",
    "seed show": "people",
    "seed": "--force",
    "summary": "--query 'RETURN 1'",
    "doctor": "",
    "entrypoint": "-- true",
    "undo": "",
    "clean": "--yes",
    "squash": "--to 1 --keep-order",
    "server status": "",
    "server stop": "",
    "completion": "bash",
    "explain": "",
    "explain GM602": "",
}
NEED_A_SERVER_OF_THEIR_OWN = {"server start", "server url"}
ARE_FINDINGS = {"doctor": 1, "validate": 2, "plan": 2}  # exit codes of commands that still print their object


def schema(name: str) -> Draft7Validator:
    return Draft7Validator(json.loads((SCHEMAS / name).read_text()))


def test_every_command_fits_its_schema(
    neo4j_target: Neo4jTarget, driver: neo4j.Driver, tmp_path: Path
) -> None:
    assert {*COMMANDS, *NEED_A_SERVER_OF_THEIR_OWN} == set(OBJECTS)
    folder = Folder(tmp_path, neo4j_target.env)
    (tmp_path / "fix.cypher").write_text("MATCH (c:Customer) SET c.fixed = true;")
    driver.execute_query("CREATE (:SchemaMigration {version: 1, dirty: false})")  # of golang-migrate
    (tmp_path / "more.csv").write_text("id,name\n1,a\n")
    for name, more in COMMANDS.items():
        arguments = shlex.split(more)
        done = folder.run(*name.split(), *arguments, GRAPHMIGRATE_OUTPUT="json")
        assert done.returncode in {0, ARE_FINDINGS.get(name)}, (name, done.stderr)
        schema(file_name(name)).validate(json.loads(done.stdout))
        if name == "new":  # its file has no statement yet
            Path(tmp_path, json.loads(done.stdout)["file"]).write_text(
                "MATCH (c:Customer) DETACH DELETE c;\n"
            )


@pytest.mark.parametrize(
    "arguments", ["migrate --to 99", "explain GM999", "seed nobody", "status --nonsense"]
)
def test_errors_fit_theirs(
    arguments: str, neo4j_target: Neo4jTarget, driver: neo4j.Driver, tmp_path: Path
) -> None:
    folder = Folder(tmp_path, neo4j_target.env).write(V1__a="RETURN 1;")
    done = folder.run(*arguments.split(), "--output", "json")
    assert done.returncode
    schema("error.json").validate(json.loads(done.stdout))
