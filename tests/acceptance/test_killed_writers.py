"""Commands that write files, killed at one of their writes: nothing half appears, and the same command goes on."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

# Ends itself as kill -9 does before the event of that number: a file opened for writing, a folder made, a name changed.
PROGRAM = """
import os, signal, sys
left = int(sys.argv.pop(1))
def hook(event, args):
    global left
    writes = event == "open" and isinstance(args[2], int) and args[2] & (os.O_WRONLY | os.O_RDWR)
    if event in {"os.rename", "os.mkdir"} or writes:
        left -= 1
        if not left:
            os.kill(os.getpid(), signal.SIGKILL)
sys.dont_write_bytecode = True
sys.addaudithook(hook)
from graphmigrate.cli import main
main()
"""
COMMANDS = {
    "init": ["init"],
    "import": ["import", "people.csv", "--label", "Person", "--key", "id"],
    "squash": ["squash", "--to", "V2", "--keep-order"],
}


def run(folder: Path, command: str, at: int = 0) -> int:
    words = [sys.executable, "-c", PROGRAM, str(at), *COMMANDS[command]]
    kept = {name: value for name, value in os.environ.items() if not name.startswith("NEO4J_")}
    return subprocess.run(words, cwd=folder, env=kept, capture_output=True, check=False).returncode


def prepared(folder: Path, command: str) -> Path:
    folder.mkdir()
    if command != "init":
        (folder / "migrations").mkdir()
        (folder / "people.csv").write_text("id,name\n1,Ann\n")
        for number in (1, 2):
            (folder / "migrations" / f"V{number}__a.cypher").write_text(f"CREATE (:A {{id: {number}}});\n")
    return folder


def files(folder: Path) -> dict[str, bytes]:
    return {str(each.relative_to(folder)): each.read_bytes() for each in folder.rglob("*") if each.is_file()}


@pytest.mark.parametrize("command", COMMANDS)
def test_the_same_command_goes_on(tmp_path: Path, command: str) -> None:
    whole = prepared(tmp_path / "whole", command)
    assert run(whole, command) == 0
    kills = 0
    for at in range(1, 20, 2):
        folder = prepared(tmp_path / str(at), command)
        code = run(folder, command, at)
        if code == 0:
            break
        assert code == -signal.SIGKILL
        kills += 1
        assert run(folder, command) == 0
        assert files(folder) == files(whole)
    assert kills >= 3
