"""The pytest plugin in a stranger's project: pytest itself is run, in a process of its own, on a real server."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from textwrap import dedent
from urllib.parse import urlsplit

import neo4j
import pytest

from graphmigrate.server import docker, machine
from graphmigrate.server.model import DEFAULT
from tests.conftest import REPOSITORY, Neo4jTarget
from tests.projects import rows

pytest_plugins = ["pytester"]

PROJECT = {
    "graphmigrate.toml": "protected = true\n",  # the target that the configuration is about, not a test database
    "migrations/V1__people.cypher": "CREATE CONSTRAINT person_id FOR (p:Person) REQUIRE p.id IS UNIQUE;\n",
    "migrations/V2__robot.cypher": "CREATE (:Person {id: 'robot'});\n",
    "seeds/people.cypher.j2": "UNWIND ['ada', 'bob'] AS id MERGE (:Person {id: id})\n",
    "seeds/towns.cypher.j2": "MERGE (:Town {name: {{ 'Leiden' }}})\n",
}
THREE_LINES = """
def test_a_person_can_be_stored(migrated_graph):
    migrated_graph.execute_query("CREATE (:Person {id: 'ada'})")
    assert migrated_graph.execute_query("MATCH (p:Person) RETURN count(p)").records[0][0] == 2
"""


@pytest.fixture
def stranger(
    pytester: pytest.Pytester,
    driver: neo4j.Driver,
    neo4j_target: Neo4jTarget,
    monkeypatch: pytest.MonkeyPatch,
) -> pytest.Pytester:
    """A project whose tests are given the (empty) server of these tests."""
    for name in os.environ:
        if name.startswith(("NEO4J_", "GRAPHMIGRATE_", "PYTEST_XDIST")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("GRAPHMIGRATE_TEST_URI", neo4j_target.uri)
    monkeypatch.setenv("GRAPHMIGRATE_TEST_USERNAME", neo4j_target.username)
    monkeypatch.setenv("GRAPHMIGRATE_TEST_PASSWORD", neo4j_target.password)
    write(pytester.path, PROJECT)
    return pytester


def write(folder: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def run(stranger: pytest.Pytester, *arguments: str) -> pytest.RunResult:
    return stranger.runpytest_subprocess("-p", "no:cacheprovider", *arguments, timeout=280)


def test_three_lines_are_a_test_and_the_database_is_empty_afterwards(
    stranger: pytest.Pytester, driver: neo4j.Driver, neo4j_target: Neo4jTarget
) -> None:
    stranger.makepyfile(THREE_LINES)
    result = run(stranger)
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines([f"graphmigrate: Neo4j at {neo4j_target.uri} (GRAPHMIGRATE_TEST_URI)"])
    assert rows(driver, "MATCH (n) RETURN count(n)") == [[0]]
    assert not rows(driver, "SHOW CONSTRAINTS YIELD name")


def test_each_test_gets_the_state_that_its_mark_names(stranger: pytest.Pytester) -> None:
    stranger.makepyfile(
        """
        import pytest

        def ids(graph):
            return [r[0] for r in graph.execute_query(
                "MATCH (n) WHERE n:Person OR n:Town RETURN coalesce(n.id, n.name) AS id ORDER BY id").records]

        def test_migrated(migrated_graph):
            assert ids(migrated_graph) == ["robot"]
            migrated_graph.execute_query("MATCH (n) DETACH DELETE n")

        def test_seeded(seeded_graph):
            assert ids(seeded_graph) == ["Leiden", "ada", "bob", "robot"]
            seeded_graph.execute_query("DROP CONSTRAINT person_id")

        @pytest.mark.graph(seeds=["people"])
        class TestSome:
            def test_named(self, seeded_graph):
                assert ids(seeded_graph) == ["ada", "bob", "robot"]

            @pytest.mark.graph(until="V1")
            def test_older(self, migrated_graph):
                assert ids(migrated_graph) == ["ada", "bob"]

        @pytest.mark.graph(until="V1")
        def test_a_migration(migrated_graph, graph_migrator):
            assert ids(migrated_graph) == []
            migrated_graph.execute_query("CREATE (:Person {id: 'x'})")
            graph_migrator.migrate()
            assert ids(migrated_graph) == ["robot", "x"]

        def test_migrated_again(migrated_graph):
            assert ids(migrated_graph) == ["robot"]
            assert migrated_graph.execute_query(
                "SHOW CONSTRAINTS YIELD name WHERE name = 'person_id' RETURN name").records

        @pytest.mark.graph(seed="people")
        def test_misspelt(migrated_graph):
            pass

        @pytest.mark.graph(seeds="peple")
        def test_no_such_seed(seeded_graph):
            pass
        """
    )
    result = run(stranger, "--strict-markers")
    result.assert_outcomes(passed=6, errors=2)
    result.stdout.fnmatch_lines_random(
        ["@pytest.mark.graph takes seeds, profile, until and allow_empty, not seed.", "GM???: *peple*"]
    )
    assert "another exception" not in result.stdout.str()


def test_several_projects_take_turns(stranger: pytest.Pytester) -> None:
    conftest = """
        from pathlib import Path
        import pytest
        from graphmigrate import load_settings

        @pytest.fixture(scope="session")
        def graphmigrate_settings():
            return load_settings(folder=Path(__file__).parent, environment={}, connect=False).settings
        """
    suite = """
        from pathlib import Path

        def test_its_own_migrations(migrated_graph, graph_migrator):
            city = migrated_graph.execute_query("MATCH (c:City) RETURN c.of").records[0][0]
            assert [city] == [Path(__file__).parent.name]
            assert not graph_migrator.migrate().applied
        """
    for name in ("a", "b"):
        write(
            stranger.path / name,
            {
                "conftest.py": dedent(conftest),
                f"test_{name}.py": dedent(suite),
                "migrations/V1__city.cypher": f"CREATE (:City {{of: '{name}'}});\n",
            },
        )
    run(stranger).assert_outcomes(passed=2)


def test_what_other_fixtures_and_tests_leave_is_gone_and_logs_are_the_tests_own(
    stranger: pytest.Pytester,
) -> None:
    stranger.makepyfile(
        test_fixtures="""
        import pytest

        def labels(graph):
            query = "MATCH (n:Session|Before|After) RETURN labels(n)[0] AS label"
            return [label for (label,) in graph.execute_query(query).records]

        @pytest.fixture(scope="session")
        def of_session(neo4j_driver):
            neo4j_driver.execute_query("CREATE (:Session)")

        @pytest.fixture
        def before(neo4j_driver):
            neo4j_driver.execute_query("CREATE (:Before)")

        @pytest.fixture
        def after(migrated_graph):
            migrated_graph.execute_query("CREATE (:After)")

        def test_wide(of_session, migrated_graph):
            assert labels(migrated_graph) == []

        def test_narrow(before, after, migrated_graph):
            assert labels(migrated_graph) == ["After"]
        """,
        test_logs="""
        import logging

        def test_nothing_is_captured(seeded_graph, graph_migrator, caplog):
            graph_migrator.migrate()
            records = caplog.get_records("setup") + caplog.records
            assert [each for each in records if each.levelno >= logging.WARNING] == []
        """,
        test_open=dedent(
            """
            def test_fails(migrated_graph):
                transaction = migrated_graph.session().begin_transaction()
                transaction.run("CREATE (:Person {id: 'ada'})")
                assert False
            """
        )
        + THREE_LINES,
    )
    run(stranger, "--timeout", "60").assert_outcomes(passed=4, failed=1)


def test_a_password_in_the_address_is_not_printed(
    stranger: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GRAPHMIGRATE_TEST_URI", "bolt://neo4j:s3cret@localhost:7687")
    stranger.makepyfile(THREE_LINES)
    result = run(stranger)
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(
        ["graphmigrate: The URI from GRAPHMIGRATE_TEST_URI has a user name or password in it.", "GM155: *"]
    )
    assert "s3cret" not in result.stdout.str() + result.stderr.str()


def test_a_database_with_data_is_refused_and_left_alone(
    stranger: pytest.Pytester, driver: neo4j.Driver
) -> None:
    driver.execute_query("CREATE (:Customer {name: 'a real one'})")
    stranger.makepyfile(THREE_LINES)
    result = run(stranger, "--graphmigrate-wipe")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["GM740: The database at * holds 1 node that these tests did not make*"])
    assert rows(driver, "MATCH (n) RETURN n.name") == [["a real one"]]
    assert not rows(driver, "SHOW CONSTRAINTS YIELD name")


def test_a_wrong_migration_is_told_with_its_place(stranger: pytest.Pytester) -> None:
    write(stranger.path, {"migrations/V3__wrong.cypher": "MATCH (n:Person) RETRUN n;\n"})
    stranger.makepyfile(THREE_LINES + THREE_LINES.replace("test_a", "test_b"))
    result = run(stranger)
    result.assert_outcomes(errors=2)
    result.stdout.fnmatch_lines(["*V3__wrong.cypher:1:18:*"])


READY_MADE = {
    "pytest.ini": "[pytest]\ngraphmigrate_docs = docs/*.md\n",
    "docs/queries.md": "# Queries\n```cypher\n:param id => 'ada'\nMATCH (p:Person {id: $id}) RETURN p.id\n```\n"
    "An example:\n```cypher\nCREATE (:Person {id: 'no'})\n```\n",
}


FOR_DEMOS = "---\nprofiles: [demo]\n---\nMERGE (:Person {id: 'demo'});\n"


def test_ready_made_tests(stranger: pytest.Pytester) -> None:
    write(stranger.path, READY_MADE | {"seeds/demo.cypher.j2": FOR_DEMOS})
    stranger.makepyfile(THREE_LINES)
    result = run(stranger, "--graphmigrate-tests", "-v")
    result.assert_outcomes(passed=6, skipped=2)
    result.stdout.fnmatch_lines(
        [
            "graphmigrate::test_files_are_valid PASSED*",
            "graphmigrate::test_migrations_apply_from_empty PASSED*",
            "graphmigrate::test_a_second_run_does_nothing PASSED*",
            "graphmigrate::test_seeds_load_twice PASSED*",
            "graphmigrate::test_documented_queries_answer[[]docs/queries.md:4[]] PASSED*",
            "graphmigrate::test_documented_queries_answer[[]docs/queries.md:8[]] SKIPPED*",
        ]
    )


def test_ready_made_tests_of_the_shipped_project(stranger: pytest.Pytester) -> None:
    for name in ("migrations", "seeds"):
        shutil.rmtree(stranger.path / name)
        shutil.copytree(REPOSITORY / name, stranger.path / name)
    run(stranger, "--graphmigrate-tests").assert_outcomes(passed=5, skipped=1)


def test_ready_made_tests_of_a_project_without_seeds(stranger: pytest.Pytester) -> None:
    shutil.rmtree(stranger.path / "seeds")
    write(
        stranger.path,
        {
            "pytest.ini": "[pytest]\ngraphmigrate_docs = a.md\n",
            "a.md": "```cypher\nMATCH (n:Person) RETURN n\n```\n",
        },
    )
    result = run(stranger, "--graphmigrate-tests")
    result.assert_outcomes(passed=4, skipped=2)


def test_ready_made_tests_can_fail(stranger: pytest.Pytester) -> None:
    write(stranger.path, READY_MADE)
    write(
        stranger.path,
        {
            "docs/wrong.md": "```cypher\nMATCH (p:Persona) RETURN p\n```\n```cypher\nMATCH (p:Person) RETURN q\n```\n",
            "seeds/twice.cypher.j2": "MERGE (:Visit {at: datetime()})\n",
        },
    )
    result = run(stranger, "--graphmigrate-tests", "-k", "not second and not queries.md")
    result.assert_outcomes(passed=2, failed=3, skipped=1)
    result.stdout.fnmatch_lines_random(
        ["*loading a seed again has made something twice*", "*finds nothing in the seeded graph*"]
    )
    write(stranger.path, {"migrations/V3__wrong.cypher": "CREATE (:Person {id: 'robot'})\n"})
    write(stranger.path, {"seeds/people.cypher.j2": "MERGE (:Person {id: {{ nobody }}})\n"})
    result = run(stranger, "--graphmigrate-tests", "-k", "valid or empty")
    result.assert_outcomes(failed=2)
    result.stdout.fnmatch_lines_random(["*people.cypher.j2:1:*", "GM501: *"])


def test_nothing_heavy_is_imported_before_a_fixture_is_used(
    stranger: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")  # other plugins import what they like
    stranger.makepyfile(
        """
        import sys
        HEAVY = {"neo4j", "jinja2", "testcontainers", "docker", "rich", "yaml", "click", "platformdirs"}
        def test_light():
            assert not HEAVY & set(sys.modules)
            assert not {"graphmigrate.migrator", "graphmigrate.server", "graphmigrate.testing.database"} & set(sys.modules)
        """
    )
    run(stranger, "-p", "graphmigrate.testing.plugin").assert_outcomes(passed=1)


@pytest.mark.docker
@pytest.mark.slow
def test_a_container_by_testcontainers(stranger: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    if reason := docker.unusable() or docker.missing_image(DEFAULT.image, print):
        pytest.skip(reason)
    monkeypatch.delenv("GRAPHMIGRATE_TEST_URI")
    monkeypatch.setenv("TESTCONTAINERS_RYUK_DISABLED", "true")  # another image, which may not be here
    stranger.makepyfile(
        THREE_LINES
        + "\ndef test_uri(neo4j_server): open('uri', 'w').write(neo4j_server.uri + ' ' + neo4j_server.provider)\n"
    )
    result = run(stranger, "--graphmigrate-server", "docker")
    result.assert_outcomes(passed=2)
    result.stdout.fnmatch_lines(
        ["graphmigrate: Neo4j in Docker (as asked for)*", "graphmigrate: tested on Neo4j 5.26.* (docker)"]
    )
    uri, provider = (stranger.path / "uri").read_text().split()
    assert provider == "docker"
    with (
        neo4j.GraphDatabase.driver(uri, connection_timeout=2) as gone,
        pytest.raises(neo4j.exceptions.ServiceUnavailable),
    ):
        gone.verify_connectivity()


@pytest.mark.slow
def test_each_worker_has_a_server_of_its_own_and_ctrl_c_leaves_none(
    stranger: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GRAPHMIGRATE_TEST_URI")
    stranger.makepyfile(
        """
        import os, time, pathlib
        def wait(graph, server):
            here = pathlib.Path(__file__).parent / os.environ["PYTEST_XDIST_WORKER"]
            here.with_suffix(".new").write_text(server.uri)
            here.with_suffix(".new").rename(here)
            time.sleep(200)
        def test_one(migrated_graph, neo4j_server):
            wait(migrated_graph, neo4j_server)
        def test_two(migrated_graph, neo4j_server):
            wait(migrated_graph, neo4j_server)
        """
    )
    words = [sys.executable, "-m", "pytest", "-n", "2", "--graphmigrate-server", "jvm"]
    with subprocess.Popen(
        words, cwd=stranger.path, stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as run:
        while run.poll() is None and len(list(stranger.path.glob("gw?"))) < 2:
            time.sleep(0.2)
        if run.poll() is None:
            os.killpg(run.pid, signal.SIGINT)
        output, _ = run.communicate(timeout=120)
    if "GM183" in output:
        pytest.skip("no local JVM can run Neo4j here")
    uris = {path.read_text() for path in stranger.path.glob("gw?")}
    assert len(uris) == 2, output
    deadline = time.monotonic() + 60
    while any(machine.is_open(urlsplit(uri).port or 0) for uri in uris):
        assert time.monotonic() < deadline, "a server was left behind"
        time.sleep(0.2)


def test_an_address_that_refuses_is_told_in_seconds(
    stranger: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GRAPHMIGRATE_TEST_URI", "bolt://127.0.0.1:1")
    stranger.makepyfile(THREE_LINES + THREE_LINES.replace("test_a", "test_b"))
    began = time.monotonic()
    result = run(stranger)
    assert time.monotonic() - began < 60  # a busy machine; the plugin itself waits for 5 s
    result.assert_outcomes(errors=2)
    result.stdout.fnmatch_lines(["GM301: *127.0.0.1:1*", "hint: Start that Neo4j, or name none*"])


def test_hints_speak_of_fixtures(stranger: pytest.Pytester) -> None:
    for name in ("migrations", "seeds"):
        shutil.rmtree(stranger.path / name)
    stranger.makepyfile(THREE_LINES)
    result = run(stranger)
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(
        ["GM110: *", "hint: The fixture graphmigrate_settings says where the project is*"]
    )
    stranger.makepyfile(
        "import pytest\n@pytest.mark.graph(allow_empty=True)\ndef test_it(migrated_graph): pass\n"
    )
    run(stranger).assert_outcomes(passed=1)


def test_a_data_migration_is_tested_from_the_version_before_it(stranger: pytest.Pytester) -> None:
    write(
        stranger.path,
        {
            "migrations/V11__index.cypher": "CREATE INDEX person_last FOR (p:Person) ON (p.last);\n",
            "migrations/V12__names.cypher": "MATCH (p:Person) SET p.last = split(p.name, ' ')[1];\n",
            "migrations/U12__names.cypher": "MATCH (p:Person) REMOVE p.last;\n",
        },
    )
    stranger.makepyfile(
        """
        def test_names_are_split(graphmigrate_at):
            graph = graphmigrate_at("V11")
            graph.driver.execute_query("CREATE (:Person {id: 'x', name: 'Ada Lovelace'})")
            assert [each.version for each in graph.migrate_to("V12").applied] == ["12"]
            assert last(graph) == "Lovelace"
            assert [each.version for each in graph.undo().undone] == ["12"]
            assert last(graph) is None

        def test_the_next_one_finds_nothing_of_it(graphmigrate_at):
            assert not graphmigrate_at("V12").driver.execute_query("MATCH (p:Person {id: 'x'}) RETURN p").records

        def last(graph):
            return graph.driver.execute_query("MATCH (p:Person {id: 'x'}) RETURN p.last AS last").records[0]["last"]
        """
    )
    run(stranger).assert_outcomes(passed=2)
