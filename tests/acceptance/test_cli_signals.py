"""Signals end a command in order, with their own exit codes."""

from __future__ import annotations

import json
import signal
import subprocess
from pathlib import Path

import neo4j
import pytest

from tests.acceptance.commands import HELD, Folder, held_node, wait_until_held
from tests.conftest import Neo4jTarget

CONSTRAINT = "CREATE CONSTRAINT thing_id FOR (t:Thing) REQUIRE t.id IS UNIQUE;"


@pytest.fixture
def project(tmp_path: Path, neo4j_target: Neo4jTarget, driver: neo4j.Driver) -> Folder:
    return Folder(tmp_path, neo4j_target.env).write(V1__constraint=CONSTRAINT)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
@pytest.mark.parametrize("output", ["text", "json"])
def test_signals(
    number: signal.Signals, code: int, output: str, project: Folder, driver: neo4j.Driver
) -> None:
    project.write(V2__slow=HELD)
    with held_node(driver):
        process = project.start("migrate", "--output", output)
        wait_until_held(driver, process)
        process.send_signal(number)
        out, err = process.communicate(timeout=20)
    assert process.returncode == code, err
    assert "error[GM701]" in err
    assert "Traceback" not in err
    if output == "json":
        assert json.loads(out)["error"]["code"] == "GM701"
    assert project.run("migrate").returncode == 0
    assert project.run("status", "--exit-code").returncode == 0


def test_a_second_signal_ends_at_once(tmp_path: Path) -> None:
    program = (
        "import sys, time\n"
        "from graphmigrate.cli.signals import raise_on_signals\n"
        "raise_on_signals()\n"
        "try:\n"
        "    print('ready', flush=True)\n"
        "    time.sleep(60)\n"
        "except KeyboardInterrupt:\n"
        "    print('tidying', flush=True)\n"
        "    time.sleep(60)\n"
    )
    from tests.acceptance.commands import COMMAND

    process = subprocess.Popen([COMMAND[0], "-c", program], stdout=subprocess.PIPE, text=True)
    assert process.stdout
    assert process.stdout.readline() == "ready\n"
    process.send_signal(signal.SIGINT)
    assert process.stdout.readline() == "tidying\n"
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=5) == 130
