"""The image, the Compose project, the entrypoint and the init folder, with a real daemon; skipped where there is none."""

from __future__ import annotations

import json
import re
import shutil
import socket
import subprocess
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from urllib.request import urlopen

import pytest

from graphmigrate import seeds
from tests.containers import (
    ENVIRONMENT,
    NEO4J,
    PASSWORD,
    PYTHON,
    ROOT,
    build,
    container,
    inspect,
    logs,
    python_in,
    require_images,
    run,
    wait_for,
)

pytestmark = [pytest.mark.docker, pytest.mark.timeout(900)]
MEGABYTE = 1_000_000
PROJECT = [f"--volume={ROOT}/{name}:/project/{name}:ro" for name in ("migrations", "seeds")]
HARDENED = ["--read-only", "--cap-drop=ALL", "--security-opt=no-new-privileges:true"]
SEEDS = len(seeds.prepare(ROOT / "seeds").seeds)  # those of no profile
AUTH = ["--env", f"NEO4J_AUTH=neo4j/{PASSWORD}"]
WHAT_IS_THERE = """
import neo4j, os
with neo4j.GraphDatabase.driver(os.environ["NEO4J_URI"], auth=("neo4j", os.environ["NEO4J_PASSWORD"])) as driver:
    for query in (
        "MATCH (m:__GraphMigrateMigration) RETURN m.version ORDER BY m.version",
        "MATCH (p:Project) RETURN count(p)",
    ):
        print(*(each[0] for each in driver.execute_query(query).records))
"""


@pytest.fixture(scope="module")
def image() -> Iterator[str]:
    require_images(NEO4J, PYTHON)
    tag = f"graphmigrate-test:{uuid.uuid4().hex[:12]}"
    yield build(tag, ROOT)
    run("rmi", tag, check=False)


@pytest.fixture(scope="module")
def init_image(image: str) -> Iterator[str]:
    tag = f"graphmigrate-test-init:{uuid.uuid4().hex[:12]}"
    yield build(tag, ROOT / "docker" / "neo4j-init", GRAPHMIGRATE=image)
    run("rmi", tag, check=False)


@pytest.fixture
def network() -> Iterator[str]:
    name = f"graphmigrate-test-{uuid.uuid4().hex[:12]}"
    run("network", "create", name)
    yield name
    run("network", "rm", name, check=False)


def test_the_image_is_small_and_brings_what_it_needs(image: str) -> None:
    added = inspect(image)["Size"] - inspect(PYTHON)["Size"]
    assert 0 < added <= 60 * MEGABYTE, f"{added / MEGABYTE:.1f} MB over its base"
    shown = inspect(image)["Config"]
    assert shown["User"] == "10001:10001"
    assert not [each for each in shown["Env"] if each.startswith(("GRAPHMIGRATE_", "NEO4J_"))]
    assert "org.opencontainers.image.licenses" in shown["Labels"]
    code = "import ssl, os; print(len(ssl.create_default_context().get_ca_certs()) > 50, os.getuid())"
    assert python_in(image, code) == "True 10001"
    installed = run("run", "--rm", "--entrypoint", "ls", image, "/opt/graphmigrate/bin").stdout.split()
    assert not {"pip", "pip3"} & set(installed)


def test_it_works_with_a_read_only_root_file_system_and_a_mounted_configuration(
    image: str, tmp_path: Path
) -> None:
    toml = tmp_path / "graphmigrate.toml"
    toml.write_text('migrations = "db"\n')
    validated = run("run", "--rm", *HARDENED, "--network=none", *PROJECT, image, "validate", "--offline")
    assert "files are well-formed" in validated.stderr
    mounted = [f"--volume={toml}:/project/graphmigrate.toml:ro", f"--volume={ROOT}/migrations:/project/db:ro"]
    configured = run("run", "--rm", *HARDENED, "--network=none", *mounted, image, "validate", "--offline")
    assert "files are well-formed" in configured.stderr
    unknown = run("run", "--rm", *HARDENED, image, "entrypoint", "--", "no-such-command", check=False)
    assert unknown.returncode == 127
    number = uuid.uuid4().int % 50_000 + 20_000  # a user that the image does not know, as OpenShift gives
    assert run("run", "--rm", f"--user={number}", image, "--version").stdout.startswith("graphmigrate ")


def test_five_containers_start_together_on_an_empty_database(image: str, network: str) -> None:
    command = ["sh", "-c", "echo served by $$; exec sleep 600"]
    given = [
        f"--network={network}",
        "--env",
        f"NEO4J_PASSWORD={PASSWORD}",
        "--env",
        "NEO4J_URI=bolt://graph:7687",
    ]
    words = [
        *HARDENED,
        *given,
        *PROJECT,
        "--env",
        "GRAPHMIGRATE_SEED=true",
        image,
        "entrypoint",
        "--",
        *command,
    ]
    names: list[str] = []
    with container(f"--network={network}", "--network-alias=graph", *AUTH, NEO4J):
        try:
            names.extend(run("run", "--detach", *words).stdout.strip() for _ in range(5))
            for name in names:
                served(name)
            told = [logs(each) for each in names]
            assert sum(each.count("  applied V") for each in told) == 3  # V4 and V5 are for Enterprise
            assert sum(each.count("  loaded ") for each in told) == SEEDS
            assert python_in(image, WHAT_IS_THERE, given).splitlines() == ["1 2 3", "8"]
        finally:
            run("rm", "--force", "--volumes", *names, check=False)


def served(name: str) -> None:
    """Wait until a container's command runs, in the process that the container began with."""
    deadline = time.monotonic() + 240
    while "served by" not in logs(name):
        state = inspect(name)["State"]
        assert state["Running"], f"exit code {state['ExitCode']}\n{logs(name)}"
        assert time.monotonic() < deadline, logs(name)
        time.sleep(0.3)
    assert "served by 1\n" in logs(name)


class TestInitFolder:
    """One test, whose containers start and stop at the same time: Neo4j takes ten seconds to stop."""

    def test_applies_restarts_fails_and_stops(self, init_image: str, tmp_path: Path) -> None:
        folder, broken, unreadable = (initial(tmp_path / name) for name in ("good", "broken", "unreadable"))
        (broken / "migrations" / "V6__wrong.cypher").write_text(
            "UNWIND [0] AS zero CREATE (:Fine {x: 1 / zero});"
        )
        (unreadable / "seeds" / "broken.cypher.j2").write_text("{% if %}")
        with (
            container(*AUTH, f"--volume={folder}:/docker-entrypoint-initdb.d:ro", init_image) as good,
            container(*AUTH, f"--volume={broken}:/docker-entrypoint-initdb.d:ro", init_image) as bad,
            container(*AUTH, f"--volume={unreadable}:/docker-entrypoint-initdb.d:ro", init_image) as early,
            container(*AUTH, NEO4J) as plain,
        ):
            wait_for("exited", bad)
            assert inspect(bad)["State"]["ExitCode"] in {0, 143}  # Neo4j's own, after SIGTERM
            assert inspect(bad)["State"]["Health"]["Status"] != "healthy"
            assert "V6__wrong.cypher:1" in logs(bad)
            assert "graphmigrate: exit code 5" in logs(bad)

            wait_for("exited", early)  # it failed before there was a server to end
            assert inspect(early)["State"]["ExitCode"] in {0, 143}
            assert "seeds/broken.cypher.j2:1" in logs(early)
            assert "graphmigrate: exit code 2" in logs(early)

            wait_for("running healthy", good)
            assert f"applied 3 migrations, loaded {SEEDS} seeds" in logs(good)
            process = run("exec", good, "cat", "/proc/1/comm", "/proc/1/environ").stdout
            assert process.startswith(
                "java\n"
            )  # the server itself, with the environment it would have without us
            assert "GRAPHMIGRATE" not in process

            while "Started." not in logs(plain):
                time.sleep(0.3)
            seconds = stop_together(good, plain)
            assert inspect(good)["State"]["ExitCode"] == inspect(plain)["State"]["ExitCode"]
            assert seconds[good] <= seconds[plain] * 1.5 + 3, seconds

            run("start", good)
            wait_for("running healthy", good)
            assert "nothing to migrate, nothing to seed" in logs(good)

    def test_a_command_that_is_not_the_server_is_left_alone(self, init_image: str, tmp_path: Path) -> None:
        folder = f"--volume={initial(tmp_path)}:/docker-entrypoint-initdb.d:ro"
        done = run("run", "--rm", folder, init_image, "echo", "only this")
        assert (done.stdout, done.stderr) == ("only this\n", "")


def initial(folder: Path) -> Path:
    for name in ("migrations", "seeds"):
        shutil.copytree(ROOT / name, folder / name)
    folder.chmod(0o755)
    return folder


def stop_together(*names: str) -> dict[str, float]:
    """Send SIGTERM to all; give the seconds until each has ended, on Docker's own clock."""
    started = time.monotonic()
    run("kill", "--signal=TERM", *names)
    seconds: dict[str, float] = {}
    while len(seconds) < len(names):
        assert time.monotonic() - started < 120
        for name in set(names) - set(seconds):
            if not inspect(name)["State"]["Running"]:
                seconds[name] = time.monotonic() - started
        time.sleep(0.1)
    return seconds


def compose() -> list[str]:
    """Find Compose, 2 or 1.29; skips where there is neither."""
    if run("compose", "version", check=False).returncode == 0:
        return ["docker", "compose"]
    if shutil.which("docker-compose"):
        return ["docker-compose"]
    pytest.skip("Compose is not installed")


def free_ports(count: int) -> list[str]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [str(each.getsockname()[1]) for each in sockets]
    for each in sockets:
        each.close()
    return ports


def test_compose_up_ends_with_an_application_that_answers(image: str) -> None:
    command = [*compose(), "--project-name", f"graphmigrate-test-{uuid.uuid4().hex[:8]}"]
    ports = dict(zip(("APP_PORT", "BROWSER_PORT", "BOLT_PORT"), free_ports(3), strict=True))
    environment = {**ENVIRONMENT, **ports, "NEO4J_PASSWORD": ""}

    def call(*words: str) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [*command, *words], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=600
        )
        assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
        return done

    try:
        call("up", "--detach")
        address = f"http://127.0.0.1:{ports['APP_PORT']}"
        found = json.loads(answer(f"{address}/datasets.json"))
        assert len(found) == 21
        assert {"project_name": "Card Fraud Watch", "dataset_name": "Chargebacks"} in found
        page = answer(address)
        assert page.count("<tr>") == 22
        assert "MATCH (p:Project)-[:HAS]-&gt;(d:Dataset)" in page

        again = call("run", "--rm", "migrate")
        assert "nothing to migrate, nothing to seed" in again.stdout + again.stderr
        shown = call("run", "--rm", "--no-deps", "password", "--show").stdout
        assert re.fullmatch(r"[0-9a-f]{32}\n", shown)
    finally:
        call("down", "--volumes", "--timeout", "1")
        run("rmi", f"{command[-1]}_app", f"{command[-1]}-app", check=False)


def answer(address: str) -> str:
    """Ask until the application listens: Compose returns when it has started it."""
    deadline = time.monotonic() + 60
    while True:
        try:
            with urlopen(address, timeout=10) as response:
                return response.read().decode()
        except OSError:
            assert time.monotonic() < deadline
            time.sleep(0.3)


def test_the_ports_of_compose_are_this_machines_alone() -> None:
    text = (ROOT / "docker-compose.yml").read_text()
    published = [line.strip() for line in text.splitlines() if line.strip().startswith('- "')]
    assert published
    assert all(line.startswith('- "127.0.0.1:') for line in published)
