from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from graphmigrate.cli.entrypoint import which_seeds
from tests.acceptance.commands import offline_environment

NOWHERE = {"NEO4J_URI": "bolt://127.0.0.1:1"}  # asking it would end with 3


def run(*words: str, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "graphmigrate", "entrypoint", *words],
        env=offline_environment() | NOWHERE | env,
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.mark.parametrize(
    ("chosen", "seeds"),
    [
        (None, (False, None)),
        ("", (False, None)),
        (" No ", (False, None)),
        ("0", (False, None)),
        ("true", (True, None)),
        ("ON", (True, None)),
        ("demo", (True, "demo")),
    ],
)
def test_which_seeds(chosen: str | None, seeds: tuple[bool, str | None]) -> None:
    assert which_seeds(chosen) == seeds


@pytest.mark.parametrize("dashes", [("--",), ()])
def test_a_command_that_is_not_there_is_told_before_anything_else(dashes: tuple[str, ...]) -> None:
    process = run(*dashes, "no-such-command", "--flag")
    assert process.returncode == 127
    assert process.stderr.startswith("error[GM720]: There is no command 'no-such-command'.")


def test_a_file_that_is_not_executable(tmp_path: Path) -> None:
    script = tmp_path / "start"
    script.write_text("#!/bin/sh\n")
    process = run("--", str(script))
    assert process.returncode == 126
    assert "GM720" in process.stderr
    assert f"chmod +x {script}" in process.stderr
    assert run("--", str(tmp_path)).returncode == 126


WITHOUT_DATABASE = """
import sys
from graphmigrate.cli.app import run
from graphmigrate.migrator import Migrator
from graphmigrate.results import MigrateResult, Target

target = Target("bolt://h", "neo4j", "community", "5.26.25")
Migrator.wait = lambda *_: target
Migrator.migrate = lambda *_, **__: MigrateResult(target, (), (), None, 0.0)
sys.exit(run(sys.argv[1:]))
"""


def test_a_script_without_its_first_line_is_told_beside_the_result(tmp_path: Path) -> None:
    script = tmp_path / "start"
    script.write_text("echo started\n")
    script.chmod(0o755)
    process = subprocess.run(
        [sys.executable, "-c", WITHOUT_DATABASE, "entrypoint", "--output", "json", "--", str(script)],
        env=offline_environment() | NOWHERE,
        capture_output=True,
        text=True,
    )
    assert process.returncode == 126
    assert json.loads(process.stdout)["command"] == [str(script)]
    assert "error[GM720]" in process.stderr


def test_a_profile_that_is_not_there_is_told_before_waiting(tmp_path: Path) -> None:
    (tmp_path / "one.cypher.j2").write_text("---\nprofiles: [demo]\n---\nMERGE (:Thing {id: 1});")
    process = run("--seeds", str(tmp_path), GRAPHMIGRATE_SEED="dmo")
    assert process.returncode == 2
    assert "'demo'" in process.stderr
    assert "Waiting" not in process.stderr


def test_the_deadline_holds() -> None:
    process = run("--", sys.executable, GRAPHMIGRATE_TIMEOUT="0.5")
    assert process.returncode == 3
    assert "GM301" in process.stderr
    assert "GRAPHMIGRATE_TIMEOUT is not known" not in process.stderr


def test_a_time_that_is_none() -> None:
    assert run("--timeout", "soon").returncode == 2
    assert os.environ.get("GRAPHMIGRATE_TIMEOUT") is None
