"""What goes wrong at the edges: one or two lines, the right exit code, nothing changed."""

from __future__ import annotations

import os
import re
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import neo4j
import pytest

from graphmigrate.migrations.findings import MANY
from tests.acceptance.commands import Folder, assert_short
from tests.conftest import Neo4jTarget
from tests.projects import dump

READING = ("status", "plan", "validate", "summary")
COMMANDS = (*READING, "migrate", "baseline 1", "repair", "seed")


@pytest.fixture
def project(tmp_path: Path, neo4j_target: Neo4jTarget, driver: neo4j.Driver) -> Folder:
    (tmp_path / "seeds").mkdir()
    (tmp_path / "seeds" / "x.cypher.j2").write_text("MERGE (:Thing {id: 1});")
    return Folder(tmp_path, neo4j_target.env).write(V1__x="CREATE INDEX thing FOR (t:Thing) ON (t.id);")


@pytest.fixture
def unchanged(driver: neo4j.Driver) -> Iterator[None]:
    before = dump(driver, volatile=True)
    yield
    assert dump(driver, volatile=True) == before


def guess_passwords(target: Neo4jTarget, times: int) -> None:
    for _ in range(times):
        with (
            neo4j.GraphDatabase.driver(target.uri, auth=("stranger", "guess")) as guesser,
            pytest.raises((neo4j.exceptions.AuthError, neo4j.exceptions.ClientError)),
        ):
            guesser.verify_connectivity()


@pytest.mark.usefixtures("unchanged")
class TestConnections:
    @pytest.mark.parametrize("command", COMMANDS)
    def test_server_down(self, project: Folder, command: str) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            process = project.run(*command.split(), "--uri", f"bolt://127.0.0.1:{free.getsockname()[1]}")
        assert process.returncode == 3
        assert_short(process)
        assert "GM301" in process.stderr

    @pytest.mark.parametrize("command", ["status", "migrate"])
    def test_localhost_in_a_container_is_the_container_itself(self, project: Folder, command: str) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
            itself, other = (
                project.run(command, "--uri", f"bolt://{host}:{port}", KUBERNETES_SERVICE_HOST="10.0.0.1")
                for host in ("localhost", "127.0.0.2")
            )
        assert (itself.returncode, other.returncode) == (3, 3)
        assert_short(itself)
        assert "GM301" in itself.stderr
        assert "inside a container localhost is the container itself" in itself.stderr
        assert "server start" not in itself.stderr
        assert "container" not in other.stderr

    @pytest.mark.parametrize("command", COMMANDS)
    def test_unknown_database(self, project: Folder, command: str) -> None:
        process = project.run(*command.split(), "--database", "nowhere")
        assert process.returncode == 3
        assert_short(process)
        assert "nowhere" in process.stderr

    def test_unknown_host(self, project: Folder) -> None:
        process = project.run("status", "--uri", "bolt://nowhere.invalid")
        assert process.returncode == 3
        assert_short(process)
        assert "GM301" in process.stderr

    @pytest.mark.parametrize("scheme", ["bolt", "neo4j"])
    @pytest.mark.parametrize("command", ["status", "migrate"])
    def test_an_http_port(self, project: Folder, scheme: str, command: str) -> None:
        with http_port() as port:
            process = project.run(command, "--uri", f"{scheme}://127.0.0.1:{port}")
        assert process.returncode == 3
        assert_short(process)
        assert "HTTP" in process.stderr

    @pytest.mark.parametrize("scheme", ["bolt+s", "bolt+ssc", "neo4j+s", "neo4j+ssc"])
    def test_tls_against_a_plain_server(
        self, project: Folder, neo4j_target: Neo4jTarget, scheme: str
    ) -> None:
        address = neo4j_target.uri.partition("://")[2]
        process = project.run("status", "--uri", f"{scheme}://{address}")
        assert process.returncode == 3
        assert_short(process)
        assert "TLS" in process.stderr

    def test_wrong_password_and_then_the_rate_limit(
        self, project: Folder, neo4j_target: Neo4jTarget, driver: neo4j.Driver
    ) -> None:
        if not neo4j_target.password:
            pytest.skip("the given server asks for no password")
        create = "CREATE USER stranger IF NOT EXISTS SET PASSWORD 'the right one' CHANGE NOT REQUIRED"
        driver.execute_query(create, database_="system")  # the limit is for users that exist
        said = []
        for wrong_ones_before in (0, 4):  # in quick succession: the server forgets them after five seconds
            guess_passwords(neo4j_target, wrong_ones_before)
            process = project.run("migrate", "--username", "stranger", NEO4J_PASSWORD="wrong-secret")
            assert process.returncode == 3
            assert_short(process)
            assert "wrong-secret" not in process.stderr
            said += re.findall(r"GM\d+", process.stderr.splitlines()[0])
        driver.execute_query("DROP USER stranger", database_="system")
        assert said[0] == "GM302"
        assert said[-1] == "GM307"

    def test_waiting_fails_at_once_for_a_wrong_password(
        self, project: Folder, neo4j_target: Neo4jTarget
    ) -> None:
        if not neo4j_target.password:
            pytest.skip("the given server asks for no password")
        process = project.run(
            "wait", "--timeout", "60", "--username", "nobody", NEO4J_PASSWORD="wrong-secret"
        )
        assert process.returncode == 3
        assert_short(process)

    def test_the_password_from_a_file(self, project: Folder, neo4j_target: Neo4jTarget) -> None:
        if not neo4j_target.password:
            pytest.skip("the given server asks for no password")
        file = project.path / "secret"
        file.write_text(f"{neo4j_target.password}\n")
        file.chmod(0o600)
        process = project.run("status", "--password-file", "secret", NEO4J_PASSWORD="wrong-secret")
        assert process.returncode == 0, process.stderr


@pytest.mark.usefixtures("unchanged")
class TestMistakes:
    @pytest.mark.parametrize("query", ["CALL no.such.procedure()", "RETRUN 1", "CREATE (:Thing)"])
    def test_a_query_that_the_server_refuses(self, project: Folder, query: str) -> None:
        process = project.run("summary", "--query", query)
        assert process.returncode == 2, process.stderr
        assert_short(process)
        assert "error[GM173]: The query of --query was refused: " in process.stderr

    @pytest.mark.parametrize(
        "words", ["baseline nonsense", "repair --accept nonsense", "migrate --to nonsense"]
    )
    def test_a_version_that_is_none(self, project: Folder, words: str) -> None:
        process = project.run(*words.split())
        assert process.returncode == 2
        assert "GM119" in process.stderr


@pytest.mark.usefixtures("unchanged")
class TestFiles:
    def test_a_folder_that_is_a_file(self, project: Folder) -> None:
        process = project.run("migrate", "--migrations", "migrations/V1__x.cypher")
        assert process.returncode == 2
        assert_short(process)
        assert "is a file, not a folder" in process.stderr

    @pytest.mark.skipif(os.geteuid() == 0, reason="root may read every file")
    def test_a_file_without_the_right_to_read_it(self, project: Folder) -> None:
        (project.path / "migrations" / "V1__x.cypher").chmod(0)
        self.refused(project, "V1__x.cypher")

    @pytest.mark.skipif(not os.path.exists("/proc/self/mem"), reason="needs a file that nobody can read")
    def test_unreadable_file(self, project: Folder) -> None:
        (project.path / "migrations" / "V2__x.cypher").symlink_to("/proc/self/mem")
        self.refused(project, "V2__x.cypher")

    def test_a_link_to_nowhere(self, project: Folder) -> None:
        (project.path / "migrations" / "V2__x.cypher").symlink_to("nowhere")
        self.refused(project, "V2__x.cypher")

    def test_a_directory_named_like_a_migration(self, project: Folder) -> None:
        (project.path / "migrations" / "V2__x.cypher").mkdir()
        self.refused(project, "V2__x.cypher")

    def test_a_binary_file(self, project: Folder) -> None:
        (project.path / "migrations" / "V2__x.cypher").write_bytes(b"CREATE (:X);\x00\xff\xfe\x00")
        self.refused(project, "V2__x.cypher")

    def test_a_statement_over_the_limit(self, project: Folder) -> None:
        text = "CREATE (:X {x: '" + "x" * (10 * 1024 * 1024) + "'});"
        project.write(V2__x=text)
        process = self.refused(project, "V2__x.cypher")
        assert len(process.stderr) < 2000

    def test_the_limit_is_a_setting(self, project: Folder) -> None:
        project.write(V2__x="CREATE (:X {x: 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx'});")
        process = project.run("migrate", GRAPHMIGRATE_MAX_STATEMENT_SIZE="60")
        assert process.returncode == 2
        assert "V2__x.cypher" in process.stderr

    def refused(self, project: Folder, name: str):  # type: ignore[no-untyped-def]
        process = project.run("migrate")
        assert process.returncode == 2, process.stderr
        lines = process.stderr.strip().splitlines()
        assert lines[0].startswith("error[GM")
        assert name in process.stderr
        assert "hint: " in process.stderr
        assert "Traceback" not in process.stderr
        assert len(lines) <= 6
        return process


class http_port:  # noqa: N801
    """A port that answers everything as a web server does."""

    def __enter__(self) -> int:
        self.socket = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=self.serve, daemon=True).start()
        port: int = self.socket.getsockname()[1]
        return port

    def serve(self) -> None:
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            with connection:
                connection.recv(1000)
                connection.sendall(
                    b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
                )

    def __exit__(self, *_: object) -> None:
        self.socket.close()


def test_status_shows_an_error_only_where_it_ends_with_one(project: Folder, driver: neo4j.Driver) -> None:
    project.write(
        V1__x="CREATE (:Thing {id: 1});",
        V2__y="CREATE (:Thing {id: 1 / 0});",
        V3__z="CREATE (:Thing {id: 3});",
    )
    assert project.run("migrate").returncode == 5
    project.write(V1__x="CREATE (:Thing {id: 2});")  # edited, and V2 has failed
    before = dump(driver, volatile=True)
    found = project.run("status")
    assert found.returncode == 0
    assert "failed" in found.stdout
    assert "error[" not in found.stdout + found.stderr
    assert "GM602" in found.stdout + found.stderr
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        down = project.run("status", "--uri", f"bolt://127.0.0.1:{free.getsockname()[1]}")
    assert down.returncode == 3
    assert "error[GM301]" in down.stderr
    assert dump(driver, volatile=True) == before


def test_progress_is_shown_while_a_long_plan_is_checked(project: Folder, driver: neo4j.Driver) -> None:
    few = "CREATE (:Few);\n" * 3
    many = "".join(f"CREATE (:Many {{number: {number}}});\n" for number in range(MANY))
    before = dump(driver, volatile=True)
    short = project.write(V1__x=few).run("plan")
    long = project.write(V1__x=many).run("plan")
    assert (short.returncode, long.returncode) == (0, 0)
    assert "Checking" not in short.stderr
    assert f"Checking {MANY:,} statements …" in long.stderr
    assert dump(driver, volatile=True) == before
