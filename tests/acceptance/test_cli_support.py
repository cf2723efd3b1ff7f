"""Completion as it happens: an interactive shell, the script it was given, and the Tab key."""

from __future__ import annotations

import os
import pty
import select
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from graphmigrate.cli.support import SHELLS
from tests.acceptance.commands import COMMAND, offline_environment

BIN = Path(sys.executable).parent


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "migrations").mkdir()
    (tmp_path / "seeds").mkdir()
    for name in ("V1__a", "V2__b", "V10__c"):
        (tmp_path / "migrations" / f"{name}.cypher").write_text("RETURN 1;")
    (tmp_path / "seeds" / "people.cypher.j2").write_text("RETURN 1;")
    return tmp_path


class Shell:
    """An interactive bash on a terminal, with completion set up as the help of ``completion`` says."""

    def __init__(self, folder: Path) -> None:
        environment = offline_environment() | {
            "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}",
            "TERM": "dumb",
            "PS1": "ready$ ",
            "INPUTRC": os.devnull,
        }
        self.main, side = pty.openpty()
        self.process = subprocess.Popen(
            ["bash", "--norc", "--noprofile", "-i"],
            cwd=folder,
            env=environment,
            stdin=side,
            stdout=side,
            stderr=side,
            start_new_session=True,
        )
        os.close(side)
        self.type('eval "$(graphmigrate completion bash)" && echo set-$((40+2))\n', until="set-42")

    def type(self, keys: str, until: str) -> str:
        os.write(self.main, keys.encode())
        said = b""
        deadline = time.monotonic() + 90
        while until.encode() not in said:
            assert time.monotonic() < deadline, f"{until!r} did not come after {keys!r}: {said!r}"
            if select.select([self.main], [], [], 1)[0]:
                said += os.read(self.main, 4096)
        return said.decode()

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self.main)


def test_bash_completes_on_tab(project: Path) -> None:
    shell = Shell(project)
    try:
        for typed, completed in (
            ("graphmigrate mig\t", "graphmigrate migrate "),
            ("graphmigrate migrate --allow-o\t", "--allow-out-of-order "),
            ("graphmigrate migrate --to V2\t", "--to V2 "),
            ("graphmigrate seed peo\t", "seed people "),
            ("graphmigrate status --output js\t", "--output json "),
            ("graphmigrate explain GM60\t\t", "GM609"),
            ("graphmigrate server sto\t", "server stop "),
        ):
            shell.type(typed, until=completed)
            shell.type("\x15\n", until="ready$ ")  # Ctrl-U: drop the line
    finally:
        shell.close()


def completions(project: Path, line: str) -> list[str]:
    """Ask as bash's script does."""
    words = line.split(" ")
    environment = {
        **offline_environment(),
        "_GRAPHMIGRATE_COMPLETE": "bash_complete",
        "COMP_WORDS": line,
        "COMP_CWORD": str(len(words) - 1),
    }
    done = subprocess.run(COMMAND, cwd=project, env=environment, capture_output=True, text=True, check=True)
    return [each.partition(",")[2] for each in done.stdout.splitlines() if each]


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        ("graphmigrate migrate --to ", ["V1", "V2", "V10"]),
        ("graphmigrate repair --accept V1", ["V1", "V10"]),
        ("graphmigrate baseline 1", ["1", "10"]),
        ("graphmigrate seed ", ["check", "list", "load", "show", "people"]),
        ("graphmigrate explain gm61", ["GM610", "GM611", "GM612"]),
        ("graphmigrate completion ", list(SHELLS)),
        ("graphmigrate server st", ["start", "status", "stop"]),
        ("graphmigrate val", ["validate"]),
    ],
)
def test_words_come_from_the_project(project: Path, line: str, wanted: list[str]) -> None:
    assert completions(project, line) == wanted


def test_a_broken_configuration_completes_nothing(project: Path) -> None:
    (project / "graphmigrate.toml").write_text("seeds = [")
    assert completions(project, "graphmigrate seed peo") == ["people"]  # the default folder
    shutil.rmtree(project / "seeds")
    assert completions(project, "graphmigrate seed peo") == []


@pytest.mark.parametrize("shell", SHELLS)
def test_the_script_is_valid(project: Path, shell: str) -> None:
    script = subprocess.run(
        [*COMMAND, "completion", shell], capture_output=True, text=True, check=True
    ).stdout
    assert "_GRAPHMIGRATE_COMPLETE" in script
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")
    (project / "script").write_text(script)
    subprocess.run([shell, "-n", "script"], cwd=project, check=True)
