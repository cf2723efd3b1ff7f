"""From an empty folder to a graph, and what is printed on the way."""

from __future__ import annotations

import os
import pty
import re
import subprocess
from pathlib import Path

import neo4j
import pytest

from tests.acceptance.commands import COMMAND, Folder, held_node, wait_until_held
from tests.conftest import Neo4jTarget
from tests.projects import dump


@pytest.fixture
def project(tmp_path: Path, neo4j_target: Neo4jTarget, driver: neo4j.Driver) -> Folder:
    folder = Folder(tmp_path, neo4j_target.env)
    assert folder.run("init").returncode == 0
    return folder


def test_new_takes_the_next_version_of_history_and_files_together(project: Folder) -> None:
    assert project.run("migrate").returncode == 0
    assert project.run("baseline", "V7", "--without-files").returncode == 0
    made = project.run("new", "x")
    assert (made.stdout, made.stderr) == ("migrations/V8__x.cypher\n", "")
    unreachable = project.run("new", "y", NEO4J_URI="bolt://127.0.0.1:1")
    assert unreachable.stdout == "migrations/V9__y.cypher\n"
    assert unreachable.stderr.startswith("The history was not read, so the version follows the files alone: ")


def test_a_sum_is_kept_by_new_and_names_what_does_not_fit(project: Folder) -> None:
    assert project.run("new", "--sum").stdout == "migrations/graphmigrate.sum\n"
    made = project.run("new", "--timestamp", "third", "one")
    assert re.fullmatch(r"migrations/V20\d{12}__third_one.cypher\n", made.stdout)
    path = project.path / made.stdout.strip()
    path.write_text("RETURN 3;\n")
    for command in (["validate", "--offline"], ["migrate"], ["new", "fourth"]):
        refused = project.run(*command)
        assert refused.returncode == 2
        assert (
            f"error[GM114]: {path.name} is not what graphmigrate.sum says" in refused.stdout + refused.stderr
        )
        assert "graphmigrate new --sum" in refused.stdout + refused.stderr
    assert len(list(path.parent.glob("*.cypher"))) == 3
    assert project.run("new", "--sum").returncode == 0
    assert project.run("migrate").returncode == 0


def test_versions_may_be_ordered_as_text(project: Folder) -> None:
    (project.path / "graphmigrate.toml").write_text('version_order = "lexicographic"\n')
    project.write(V9__last="MATCH (t:Tenth) SET t.seen = true;", V10__first="CREATE (:Tenth);")
    migrated = project.run("migrate")
    assert migrated.returncode == 0, migrated.stderr
    assert re.findall("applied (V[0-9]+)", migrated.stderr) == ["V1", "V10", "V2", "V9"]
    assert "Nothing to do: the schema is at version 9" in project.run("migrate").stderr
    assert project.run("new", "x").stdout == "migrations/V9.1__x.cypher\n"


def test_an_empty_folder_becomes_a_project_that_works(project: Folder, driver: neo4j.Driver) -> None:
    migrated = project.run("migrate")
    assert migrated.returncode == 0, migrated.stderr
    assert migrated.stdout == ""
    assert "applied V1 create person constraint" in migrated.stderr
    seeded = project.run("seed")
    assert seeded.returncode == 0, seeded.stderr
    summary = project.run("summary")
    assert summary.returncode == 0, summary.stderr
    assert re.search(r"^Person +4$", summary.stdout, re.M)
    assert re.search(r"^KNOWS +5$", summary.stdout, re.M)
    assert re.search(r"^Ada Lovelace +2 ", summary.stdout, re.M)
    before = dump(driver, volatile=True)
    again = [project.run(command) for command in ("migrate", "seed")]
    assert [each.returncode for each in again] == [0, 0]
    assert all("Nothing to do" in each.stderr for each in again)
    assert dump(driver, volatile=True) == before


def test_quiet_prints_results_only(project: Folder) -> None:
    migrated, seeded = (project.run(command, "--quiet") for command in ("migrate", "seed"))
    assert (migrated.returncode, migrated.stdout, migrated.stderr) == (0, "", "")
    assert (seeded.returncode, seeded.stderr) == (0, "")
    assert "Person      4" in seeded.stdout
    status = project.run("status", "--quiet")
    assert status.stderr == ""
    assert status.stdout.count("applied") == 2


def test_a_failed_statement_is_shown_in_its_line(project: Folder) -> None:
    project.write(V3__wrong="// a comment\nMATCH (p:Person)\nRETRUN p;")
    process = project.run("migrate")
    assert process.returncode == 2
    assert "  --> migrations/V3__wrong.cypher:3:1" in process.stderr
    assert "  3 | RETRUN p;" in process.stderr
    assert "    | ^" in process.stderr


@pytest.mark.parametrize("pending", [False, True])
def test_a_plan_that_would_be_refused_does_not_end_with_nothing_to_do(project: Folder, pending: bool) -> None:
    project.run("migrate")
    [first, _] = sorted((project.path / "migrations").glob("V*.cypher"))
    first.write_text("CREATE (:Other);")
    if pending:
        project.write(V3__more="CREATE (:More);")
    process = project.run("plan")
    assert process.returncode == 6
    assert process.stderr.endswith("\n1 problem; nothing would be applied.\n")


def test_a_run_at_work_is_not_called_interrupted(project: Folder, driver: neo4j.Driver) -> None:
    project.write(V3__a="MATCH (held:Held) CALL (held) { SET held.touched = true } IN TRANSACTIONS;")
    with held_node(driver):
        at_work = project.start("migrate")
        wait_until_held(driver, at_work)
        looks = {command: project.run(command) for command in ("plan", "validate", "status", "repair")}
    assert at_work.wait(60) == 0
    at_work.communicate()
    for command, process in looks.items():
        said = process.stdout + process.stderr
        assert process.returncode == 0, (command, said)
        assert "was interrupted" not in said, command
        assert ("V3: a run that means to apply it" if command == "repair" else "[GM211]") in said, command
        assert "repair --rerun V3" not in said, command


def test_a_reader_that_goes_away_is_no_error(project: Folder) -> None:
    project.run("migrate")
    line = f"{' '.join(COMMAND)} status | true; exit ${{PIPESTATUS[0]}}"
    process = subprocess.run(
        ["bash", "-c", line], cwd=project.path, env=project.env, capture_output=True, text=True
    )
    assert process.returncode == 0
    assert "Traceback" not in process.stderr
    assert "BrokenPipe" not in process.stderr


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")
@pytest.mark.parametrize("command", ["status", "--version"])
def test_a_full_disk_is_said(project: Folder, command: str) -> None:
    line = f"{' '.join(COMMAND)} {command} > /dev/full"
    process = subprocess.run(
        ["bash", "-c", line], cwd=project.path, env=project.env, capture_output=True, text=True
    )
    assert process.returncode == 5
    assert "GM167" in process.stderr


def test_closed_output_streams(project: Folder) -> None:
    line = f"{' '.join(COMMAND)} migrate >&- 2>&-"
    assert subprocess.run(["bash", "-c", line], cwd=project.path, env=project.env).returncode == 0
    assert project.run("status", "--exit-code").returncode == 0


def test_a_terminal_without_unicode(project: Folder) -> None:
    project.write(V3__größe="CREATE INDEX size FOR (p:Person) ON (p.größe);")
    process = project.run("status", PYTHONIOENCODING="ascii", PYTHONUTF8="0")
    assert process.returncode == 0, process.stderr
    assert "gr\\xf6" in process.stdout


def on_a_terminal(
    folder: Folder, *arguments: str, answer: bytes | None = None, **env: str
) -> tuple[int, str]:
    """Run with a pseudo terminal; ``answer`` is typed once a password is asked for."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(folder.path)
        os.execve(COMMAND[0], [*COMMAND, *arguments], {**folder.env, "TERM": "xterm", **env})
    said = b""
    while True:
        try:
            piece = os.read(terminal, 4096)
        except OSError:
            break
        if not piece:
            break
        said += piece
        if answer and b"password:" in said:
            os.write(terminal, answer + b"\n")
            answer = None
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), said.decode()


def test_a_terminal_gets_colours_bars_and_tables_that_fit(project: Folder) -> None:
    code, said = on_a_terminal(project, "migrate", COLUMNS="60")
    assert code == 0
    assert "\x1b[" in said
    assert "2/2" in said
    code, said = on_a_terminal(project, "status", COLUMNS="60")
    assert code == 0
    assert "\x1b[32mapplied\x1b[0m" in said
    table = [
        re.sub(r"\x1b\[[\d;?]*[a-zA-Z]", "", line)
        for line in said.splitlines()
        if "VERSION" in line or "create" in line
    ]
    assert len(table) == 3
    assert all(len(line) <= 60 for line in table)
    code, said = on_a_terminal(project, "status", NO_COLOR="1")
    assert "\x1b[3" not in said


def test_the_password_is_asked_for_without_echo(project: Folder, neo4j_target: Neo4jTarget) -> None:
    if not neo4j_target.password:
        pytest.skip("the given server asks for no password")
    code, said = on_a_terminal(
        project, "status", "--password", answer=neo4j_target.password.encode(), NEO4J_PASSWORD="wrong-secret"
    )
    assert code == 0, said
    assert neo4j_target.password not in said
    assert "wrong-secret" not in said


def test_no_secret_is_ever_printed(project: Folder, neo4j_target: Neo4jTarget) -> None:
    secret = neo4j_target.password or "never-shown-secret"
    project.write(V3__wrong="RETRUN 1;")
    for arguments in (
        ["migrate"],
        ["plan"],
        ["status"],
        ["summary", "--query", "RETURN nothing"],
        ["seed", "nowhere"],
    ):
        process = project.run(*arguments, "--debug", "--output", "json", NEO4J_PASSWORD=secret)
        assert secret not in process.stdout + process.stderr


def test_reading_commands_write_nothing(project: Folder, driver: neo4j.Driver) -> None:
    for prepare in ([], ["migrate"], ["seed"]):
        if prepare:
            assert project.run(*prepare).returncode == 0
        before = dump(driver, volatile=True)
        for command in ("status", "plan", "validate", "repair", "summary", "seed list", "migrate --dry-run"):
            assert project.run(*command.split()).returncode == 0, command
        assert dump(driver, volatile=True) == before
