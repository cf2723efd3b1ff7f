"""The table of docs/reference/exit-codes.md, each row by the real command."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from pathlib import Path

import neo4j
import pytest

from tests.acceptance.commands import HELD, Folder, held_node, wait_until_held
from tests.conftest import Neo4jTarget
from tests.projects import dump

DOCUMENT = Path(__file__).parents[2] / "docs" / "reference" / "exit-codes.md"


CONSTRAINT = "CREATE CONSTRAINT thing_id FOR (t:Thing) REQUIRE t.id IS UNIQUE;"


NOWHERE = ("--uri", "bolt://127.0.0.1:1")


@pytest.fixture
def project(tmp_path: Path, neo4j_target: Neo4jTarget, driver: neo4j.Driver) -> Folder:
    return Folder(tmp_path, neo4j_target.env).write(V1__constraint=CONSTRAINT)


def applied(project: Folder) -> Folder:
    assert project.run("migrate").returncode == 0
    return project


def edited(project: Folder) -> Folder:
    return applied(project).write(V1__constraint=f"{CONSTRAINT}\n")


Prepare = Callable[[Folder], object]


DUPLICATES = "CREATE (:Thing {id: 1}); CREATE (:Thing {id: 1});"


TABLE: list[tuple[int, str, Prepare, tuple[str, ...]]] = [
    (0, "applied", lambda project: None, ("migrate",)),
    (0, "nothing to do", applied, ("migrate",)),
    (0, "dry run", lambda project: None, ("migrate", "--dry-run")),
    (0, "pending, not asked", lambda project: None, ("status",)),
    (0, "pending, not asked", lambda project: None, ("plan",)),
    (0, "valid", lambda project: None, ("validate",)),
    (0, "ready", lambda project: None, ("wait", "--timeout", "30")),
    (0, "clean", applied, ("status", "--exit-code")),
    (0, "clean", applied, ("plan", "--exit-code")),
    (0, "marked", lambda project: None, ("baseline", "1")),
    (0, "shown", edited, ("repair",)),
    (0, "accepted", edited, ("repair", "--accept", "1")),
    (1, "pending", lambda project: None, ("status", "--exit-code")),
    (1, "pending", lambda project: None, ("plan", "--exit-code")),
    (1, "changed", edited, ("status", "--exit-code")),
    (2, "unknown command", lambda project: None, ("migrat",)),
    (2, "unknown version", lambda project: None, ("migrate", "--to", "x")),
    (2, "wrong name", lambda project: project.write(v2__x="RETURN 1;"), ("migrate",)),
    (2, "wrong name", lambda project: project.write(v2__x="RETURN 1;"), ("validate", "--offline")),
    (2, "one version twice", lambda project: project.write(V01__x="RETURN 1;"), ("migrate",)),
    (2, "syntax error in the last file", lambda project: project.write(V9__x="CRETE (:X);"), ("migrate",)),
    (2, "syntax error in the last file", lambda project: project.write(V9__x="CRETE (:X);"), ("plan",)),
    (2, "syntax error in the last file", lambda project: project.write(V9__x="CRETE (:X);"), ("validate",)),
    (
        2,
        "bad configuration",
        lambda project: (project.path / "graphmigrate.toml").write_text("x = 1"),
        ("migrate",),
    ),
    (2, "no folder", lambda project: None, ("migrate", "--migrations", "nowhere")),
    (2, "bad scheme", lambda project: None, ("migrate", "--uri", "http://127.0.0.1")),
    (2, "seeds before migrations", lambda project: (project.path / "seeds").mkdir(), ("seed",)),
    (2, "unknown column of the query", lambda project: None, ("summary", "--query", "RETURN nothing")),
    (3, "server down", lambda project: None, ("migrate", *NOWHERE)),
    (3, "server down", lambda project: None, ("status", *NOWHERE)),
    (3, "server down", lambda project: None, ("summary", *NOWHERE)),
    (3, "server down", lambda project: None, ("wait", "--timeout", "1", *NOWHERE)),
    (3, "unknown database", lambda project: None, ("migrate", "--database", "nowhere")),
    (5, "data violates a constraint", lambda project: project.write(V2__x=DUPLICATES), ("migrate",)),
    (5, "assert", lambda project: project.write(V2__x="// assert q' RETURN false\nRETURN 1;"), ("migrate",)),
    (6, "edited", edited, ("migrate",)),
    (6, "edited", edited, ("validate",)),
    (6, "edited", edited, ("plan",)),
    (
        6,
        "missing",
        lambda project: [
            applied(project).write(V2__next="RETURN 1;"),
            (project.path / "migrations/V1__constraint.cypher").unlink(),
        ],
        ("migrate",),
    ),
    (6, "out of order", lambda project: applied(project).write(V0__late="RETURN 1;"), ("migrate",)),
]


@pytest.mark.parametrize(
    ("code", "case", "prepare", "arguments"),
    TABLE,
    ids=[f"{row[0]}-{' '.join(row[3][:2])}-{row[1]}" for row in TABLE],
)
def test_exit_code(
    code: int, case: str, prepare: Prepare, arguments: tuple[str, ...], project: Folder
) -> None:
    prepare(project)
    process = project.run(*arguments)
    assert process.returncode == code, process.stderr
    assert "Traceback" not in process.stderr


@pytest.mark.parametrize("code", [2, 3, 5, 6])
def test_an_error_is_one_json_object_too(code: int, project: Folder) -> None:
    rows = [row for row in TABLE if row[0] == code and row[3][0] == "migrate"]
    _, _, prepare, arguments = rows[0]
    prepare(project)
    process = project.run(*arguments, "--output", "json")
    assert process.returncode == code
    assert list(json.loads(process.stdout)["error"]) == ["code", "message", "hint", "place", "problems"]
    assert "error[GM" in process.stderr


def test_the_lock_is_not_obtained_in_time(project: Folder, driver: neo4j.Driver) -> None:
    project.write(V2__slow=HELD)
    with held_node(driver):
        first = project.start("migrate")
        wait_until_held(driver, first)
        started = time.monotonic()
        second = project.run("migrate", "--lock-timeout", "0.5")
        assert second.returncode == 4, second.stderr
        assert time.monotonic() - started < 20
        assert project.run("status").returncode == 0
    _, err = first.communicate(timeout=60)
    assert first.returncode == 0, err
    assert project.run("status", "--exit-code").returncode == 0


def test_the_table_in_the_documentation_has_every_code() -> None:
    documented = {
        int(code)
        for row in re.findall(r"^\| ([\d, ]+) \|", DOCUMENT.read_text(), re.M)
        for code in row.split(",")
    }
    of_an_entrypoint = {126, 127}  # tests/acceptance/test_entrypoint.py
    assert documented == {row[0] for row in TABLE} | {4, 130, 143} | of_an_entrypoint


def test_what_failed_changed_nothing(project: Folder, driver: neo4j.Driver) -> None:
    before = dump(driver, volatile=True)
    for code, _, prepare, arguments in TABLE:
        if code == 2 and arguments[0] == "migrate":
            prepare(project)
            assert project.run(*arguments).returncode == 2
            assert dump(driver, volatile=True) == before
