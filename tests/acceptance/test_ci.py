"""Each step of the GitHub Action, run here as it is there: scripts that read INPUT_… and write to the files GitHub names."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import neo4j
import pytest

from tests.acceptance.commands import offline_environment
from tests.conftest import Neo4jTarget

STEPS = Path(__file__).parents[2] / "scripts" / "ci"
BIN = Path(sys.executable).parent


@pytest.fixture
def job(tmp_path: Path) -> dict[str, str]:
    """The environment of a job; the project is in ``project``."""
    project = tmp_path / "project"
    (project / "migrations").mkdir(parents=True)
    (project / "seeds").mkdir()
    constraint = "CREATE CONSTRAINT a_id FOR (a:A) REQUIRE a.id IS UNIQUE;\n"
    (project / "migrations" / "V1__a.cypher").write_text(constraint)
    (project / "seeds" / "a.cypher.j2").write_text("---\nprofiles: [ci]\n---\nMERGE (:A {id: 1});\n")
    files = {
        name: str(tmp_path / name.lower())
        for name in ("GITHUB_ENV", "GITHUB_PATH", "GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY")
    }
    kept = {key: value for key, value in offline_environment().items() if not key.startswith("GITHUB_")}
    return (
        kept
        | files
        | {
            "RUNNER_TEMP": str(tmp_path / "runner"),
            "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}",
            "GRAPHMIGRATE_SERVER_PROVIDER": "jvm",
            "PROJECT": str(project),
        }
    )


def step(name: str, job: dict[str, str], *arguments: str, **inputs: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [STEPS / name, *arguments],
        cwd=job["PROJECT"],
        env={**job, **{f"INPUT_{key.upper()}": value for key, value in inputs.items()}},
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        timeout=280,
    )


STAND_IN = """#!/bin/sh
echo "$1: $(env | grep -E '^(NEO4J|GRAPHMIGRATE)_' | sort | tr '\\n' ' ')" >>"$CALLS"
if [ "$1 $2" = "server status" ]; then cat "$FACTS"; fi
"""
PRODUCTION = "bolt://production.example"
STARTED = "NEO4J_PASSWORD=its-own NEO4J_URI=bolt://127.0.0.1:1 NEO4J_USERNAME=neo4j "
OF_PRODUCTION = {
    f"{prefix}_{name}": value
    for prefix in ("NEO4J", "GRAPHMIGRATE")
    for name, value in {
        "URI": PRODUCTION,
        "USERNAME": "admin",
        "PASSWORD": "p",
        "DATABASE": "shop",
        "CA_FILE": "ca.pem",
    }.items()
}


@pytest.fixture
def asked(job: dict[str, str], tmp_path: Path) -> Callable[[str], list[str]]:
    """Put a stand-in for ``graphmigrate`` on the path; gives the connections that its calls of a command were told."""
    (tmp_path / "bin").mkdir()
    program = tmp_path / "bin" / "graphmigrate"
    program.write_text(STAND_IN)
    program.chmod(0o755)
    (tmp_path / "password").write_text("its-own")
    facts = {
        "bolt_uri": "bolt://127.0.0.1:1",
        "username": "neo4j",
        "password_file": str(tmp_path / "password"),
    }
    (tmp_path / "facts").write_text(json.dumps(facts, indent=2))
    calls = tmp_path / "calls"
    job |= {"CALLS": str(calls), "FACTS": str(tmp_path / "facts")}
    job["PATH"] = f"{program.parent}{os.pathsep}{job['PATH']}"
    del job["GRAPHMIGRATE_SERVER_PROVIDER"]

    def of(command: str) -> list[str]:
        told = (line.partition(": ") for line in calls.read_text().splitlines())
        return [connection for name, _, connection in told if name == command]

    return of


def test_a_database_of_the_job_is_left_alone(job: dict[str, str], asked: Callable[[str], list[str]]) -> None:
    done = step(
        "all", job | OF_PRODUCTION, test="env | grep -E '^(NEO4J|GRAPHMIGRATE)_' | sort | tr '\\n' ' '"
    )
    assert done.returncode == 0, done.stderr
    assert "give it as the input uri" in done.stderr
    assert asked("migrate") == [STARTED]
    assert set(asked("validate") + asked("plan") + asked("seed")) == {STARTED}
    assert STARTED in done.stdout
    assert PRODUCTION not in done.stdout


def test_what_is_given_counts_more_than_what_the_job_says(
    job: dict[str, str], asked: Callable[[str], list[str]]
) -> None:
    password = "r'e\"v $i 5%=="
    job |= OF_PRODUCTION | {"NEO4J_PASSWORD_FILE": "/prod", "GITHUB_ACTIONS": "true"}
    given = {"uri": "bolt://review.example", "username": "reader", "password": password}
    done = step("all", job, "database", "validate", **given)
    assert f"::add-mask::{password.replace('%', '%25')}\n" in done.stdout
    shown = f"NEO4J_PASSWORD={password} NEO4J_URI=bolt://review.example NEO4J_USERNAME=reader "
    assert asked("wait") == [
        f"GRAPHMIGRATE_CA_FILE=ca.pem GRAPHMIGRATE_DATABASE=shop NEO4J_CA_FILE=ca.pem NEO4J_DATABASE=shop {shown}"
    ]
    assert asked("validate") == asked("wait") * 2


def test_a_second_use_in_a_job_knows_nothing_of_the_first(
    job: dict[str, str], asked: Callable[[str], list[str]]
) -> None:
    """Neither the database that the first was given, nor the one that it started and stopped."""
    assert step("database", job, uri=PRODUCTION, password="p").returncode == 0
    assert step("stop", job).returncode == 0
    for _ in range(2):
        assert step("database", job).returncode == 0
        assert step("migrate", job).returncode == 0
        assert step("stop", job).returncode == 0
    assert asked("migrate") == [STARTED] * 2
    assert len(asked("wait")) == 1
    assert not Path(job["GITHUB_ENV"]).exists()
    assert not Path(job["RUNNER_TEMP"], "graphmigrate", "connection").exists()


def test_all_steps_on_a_server_of_their_own(job: dict[str, str]) -> None:
    """What ``make ci`` runs: the database is started, used and stopped."""
    test = "graphmigrate summary --output json >summary.json; echo $NEO4J_URI >uri"
    done = step("all", job, profile="ci", test=test)
    assert done.returncode == 0, done.stdout + done.stderr
    project = Path(job["PROJECT"])
    assert json.loads((project / "summary.json").read_text())["labels"] == {"A": 1}
    assert "### graphmigrate: 1 migration to apply" in Path(job["GITHUB_STEP_SUMMARY"]).read_text()
    stopped = neo4j.GraphDatabase.driver((project / "uri").read_text().strip())
    with stopped as driver, pytest.raises(neo4j.exceptions.ServiceUnavailable):
        driver.verify_connectivity()


def test_the_steps_on_a_given_database(
    job: dict[str, str], driver: neo4j.Driver, neo4j_target: Neo4jTarget
) -> None:
    target = neo4j_target
    done = step("database", job, uri=target.uri, username=target.username, password=target.password)
    assert done.returncode == 0, done.stderr
    for name in ("validate", "plan", "migrate"):
        assert step(name, job).returncode == 0, name
    assert Path(job["GITHUB_OUTPUT"]).read_text() == f"plan={job['RUNNER_TEMP']}/graphmigrate/plan.md\n"
    assert step("seed", job, profile="ci").returncode == 0
    assert driver.execute_query("MATCH (a:A) RETURN count(a)").records[0][0] == 1
    assert step("test", job, test="exit 7").returncode == 7
    (Path(job["PROJECT"]) / "migrations" / "V1__a.cypher").write_text("RETURN 1;\n")
    job["GITHUB_ACTIONS"] = "true"
    failed = step("plan", job)  # a plan that finds a mismatch fails, and the comment says so
    assert failed.returncode == 6
    assert "GM602" in Path(job["GITHUB_STEP_SUMMARY"]).read_text()
    assert "::error title=GM602" in failed.stdout
    (Path(job["PROJECT"]) / "migrations" / "V1__a.cypher").unlink()


def test_findings_and_costs_stand_at_their_lines_on_github(
    job: dict[str, str], driver: neo4j.Driver, neo4j_target: Neo4jTarget
) -> None:
    project = Path(job["PROJECT"])
    job |= {"GITHUB_ACTIONS": "true", "GITHUB_WORKSPACE": str(project.parent)}
    step("database", job, uri=neo4j_target.uri, password=neo4j_target.password)
    (project / "migrations" / "V2__b.cypher").write_text("\nMATCH (a:A) DETACH DELETE a;\n")
    assert "::notice title=plan,file=project/migrations/V2__b.cypher,line=2" in step("plan", job).stdout
    assert "**V2** deletes data" in Path(job["GITHUB_STEP_SUMMARY"]).read_text()
    (project / "migrations" / "V3__c.cypher").write_text("// graphmigrate: nonsense\nRETURN 1;\n")
    (project / "seeds" / "b.cypher.j2").write_text("{{ missing }}\n")
    done = step("validate", job)  # both kinds of files, before the database is asked
    assert done.returncode == 2
    assert "::error title=GM124,file=project/migrations/V3__c.cypher,line=1" in done.stdout
    assert "file=project/seeds/b.cypher.j2,line=1" in done.stdout


def test_a_wrong_password_fails_the_first_step(job: dict[str, str], neo4j_target: Neo4jTarget) -> None:
    done = step("database", job, uri=neo4j_target.uri, username="neo4j", password="certainly wrong")
    assert done.returncode == 3
    assert "certainly wrong" not in done.stdout + done.stderr


def test_the_password_is_masked_on_github(job: dict[str, str], neo4j_target: Neo4jTarget) -> None:
    job["GITHUB_ACTIONS"] = "true"
    done = step("database", job, uri=neo4j_target.uri, password=neo4j_target.password)
    assert f"::add-mask::{neo4j_target.password}\n" in done.stdout


def test_a_project_without_seeds(job: dict[str, str]) -> None:
    (Path(job["PROJECT"]) / "seeds" / "a.cypher.j2").unlink()
    assert "There are no seeds." in step("seed", job).stdout
    (Path(job["PROJECT"]) / "seeds").rmdir()
    assert "There are no seeds." in step("seed", job).stdout


def test_install_brings_the_command_alone(job: dict[str, str]) -> None:
    done = step("install", job, python=sys.executable)
    assert done.returncode == 0, done.stderr
    folder = Path(Path(job["GITHUB_PATH"]).read_text().strip())
    assert [each.name for each in folder.iterdir()] == ["graphmigrate"]
    said = subprocess.run([folder / "graphmigrate", "explain", "602"], capture_output=True, text=True)
    assert said.stdout.startswith("# GM602: ")


class Comments(BaseHTTPRequestHandler):
    """The part of GitHub's REST interface that the step uses (REST API, "Issue comments")."""

    bodies: dict[int, str]
    refuses = False

    def do_GET(self) -> None:
        page = [{"id": key, "body": body} for key, body in self.bodies.items()]
        self.answer(200, page if self.path.endswith("page=1") else [])

    def do_POST(self) -> None:
        self.write(max(self.bodies, default=0) + 1, "/repos/o/r/issues/5/comments")

    def do_PATCH(self) -> None:
        self.write(int(self.path.rsplit("/", 1)[1]), "/repos/o/r/issues/comments/")

    def write(self, key: int, path: str) -> None:
        sent = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.refuses or not self.path.startswith(path) or self.headers["Authorization"] != "Bearer t":
            self.answer(403, {"message": "Resource not accessible by integration"})
            return
        self.bodies[key] = sent["body"]
        self.answer(200, {"id": key})

    def answer(self, status: int, content: object) -> None:
        self.send_response(status)
        self.end_headers()
        self.wfile.write(json.dumps(content).encode())

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def github(handler: type[Comments]) -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def test_the_comment_is_written_once_and_then_renewed(job: dict[str, str], tmp_path: Path) -> None:
    handler = type("Handler", (Comments,), {"bodies": {1: "Looks good", 2: None}})
    file, event = tmp_path / "plan.md", tmp_path / "event.json"
    event.write_text(json.dumps({"pull_request": {"number": 5}}))
    job |= {"GITHUB_EVENT_PATH": str(event), "GITHUB_REPOSITORY": "o/r", "GITHUB_TOKEN": "t"}
    with github(handler) as url:
        for text in ("first", "second"):
            file.write_text(text)
            assert step("comment", job | {"GITHUB_API_URL": url}, str(file)).returncode == 0
        assert handler.bodies == {1: "Looks good", 2: None, 3: "<!-- graphmigrate plan -->\nsecond"}
        handler.refuses = True  # a fork's token
        done = step("comment", job | {"GITHUB_API_URL": url}, str(file))
    assert (done.returncode, "::warning::" in done.stderr) == (0, True)


def test_a_long_plan_is_shortened_and_what_it_opened_is_closed(job: dict[str, str], tmp_path: Path) -> None:
    handler = type("Handler", (Comments,), {"bodies": {}})
    file, event = tmp_path / "plan.md", tmp_path / "event.json"
    event.write_text(json.dumps({"pull_request": {"number": 5}}))
    job |= {"GITHUB_EVENT_PATH": str(event), "GITHUB_REPOSITORY": "o/r", "GITHUB_TOKEN": "t"}
    block = (
        "<details><summary>V{}</summary>\n\n````cypher\n```\n"
        + "RETURN 'ä' AS a;\n" * 900
        + "````\n\n</details>\n"
    )
    file.write_text("### 9 to apply\n\n" + "".join(map(block.format, range(9))))
    with github(handler) as url:
        assert step("comment", job | {"GITHUB_API_URL": url}, str(file)).returncode == 0
    [body] = handler.bodies.values()
    assert 60_000 < len(body) <= 65_536
    assert body.count("<details>") == body.count("</details>")
    assert body.count("````") % 2 == 0
    assert body.endswith("the rest stands in the job's summary.\n")


def test_no_pull_request_no_comment(job: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "plan.md").write_text("text")
    assert "no comment is written" in step("comment", job, str(tmp_path / "plan.md")).stderr
