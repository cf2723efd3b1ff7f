"""Running the real command in a process of its own, as a person or a pipeline does."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import neo4j

from tests.chaos.runners import STUCK, Runners, runners

COMMAND = [sys.executable, "-m", "graphmigrate"]
HELD = "MATCH (held:Held) SET held.touched = true;"


READ_AT_START = ("PYTHON", "LANG", "LC_", "TZ")  # variables that Python itself reads, once
PATIENCE = 120.0

warm = ExitStack()  # closed at the end of the session


@cache
def _runners() -> Runners:
    return warm.enter_context(runners({}))


def can_be_forked(env: Mapping[str, str]) -> bool:
    """Whether a fork of a warm process says what a new process says: no variable differs that Python read at its start."""
    names = {name for name in (*env, *os.environ) if name.startswith(READ_AT_START)}
    return hasattr(os, "pipe2") and all(env.get(name) == os.environ.get(name) for name in names)


@dataclass
class Folder:
    """A project's folder with the environment that its commands get."""

    path: Path
    env: Mapping[str, str]

    def write(self, **files: str) -> Folder:
        (self.path / "migrations").mkdir(exist_ok=True)
        for name, text in files.items():
            (self.path / "migrations" / f"{name}.cypher").write_text(text)
        return self

    def run(self, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
        """Run the command to its end, forked from a process that has imported everything: a tenth of a new one's time."""
        wanted = {**self.env, **env}
        if not can_be_forked(wanted):
            return self.run_anew(*arguments, **env)
        runner = _runners().order(self.path, arguments, wanted, apart=True)
        code = runner.wait(PATIENCE)
        out, err = (file.read_text(encoding="utf-8") for file in (runner.output_file, runner.errors_file))
        assert code != STUCK, f"{arguments} did not end: {out}{err}"
        return subprocess.CompletedProcess([*COMMAND, *arguments], code, out, err)

    def run_anew(self, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
        """Run the command in a new process, where starting one is what is tested."""
        return subprocess.run(
            [*COMMAND, *arguments],
            cwd=self.path,
            env={**self.env, **env},
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            stdin=subprocess.DEVNULL,
        )

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [*COMMAND, *arguments],
            cwd=self.path,
            env=self.env,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            stdin=subprocess.DEVNULL,
        )


def offline_environment() -> dict[str, str]:
    ours = ("NEO4J_", "GRAPHMIGRATE_", "PYTEST_XDIST")
    return {key: value for key, value in os.environ.items() if not key.startswith(ours)}


@contextmanager
def held_node(driver: neo4j.Driver) -> Iterator[None]:
    """Keep a write lock on a node, so that a migration with the statement HELD waits as long as the block lasts."""
    driver.execute_query("MERGE (:Held)")
    with driver.session() as session, session.begin_transaction() as transaction:
        transaction.run("MATCH (held:Held) SET held.by = 'test'").consume()
        yield
        transaction.rollback()


def wait_until_held(driver: neo4j.Driver, process: subprocess.Popen[str]) -> None:
    """Return once a migration waits for the node."""
    query = "SHOW TRANSACTIONS YIELD currentQuery WHERE currentQuery STARTS WITH 'MATCH (held:Held)' RETURN count(*)"
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        assert process.poll() is None, process.stderr.read() if process.stderr else ""
        if driver.execute_query(query).records[0][0]:
            return
        time.sleep(0.05)
    raise AssertionError("the migration did not begin")


def assert_short(process: subprocess.CompletedProcess[str]) -> None:
    """One line that says what happened, at most one that says what to do, and no stack trace."""
    lines = process.stderr.strip().splitlines()
    assert lines
    assert lines[0].startswith("error[GM")
    assert len(lines) <= 2
    assert all(line.startswith("  hint: ") for line in lines[1:])
    assert "Traceback" not in process.stderr
    assert process.stdout == ""
