from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

import pytest

PROBE = """
import sys
from graphmigrate.cli.app import run
code = run(sys.argv[1:])
found = sorted({name.partition('.')[0] for name in sys.modules} & {'neo4j', 'jinja2', 'rich', 'yaml', 'docker', 'difflib'})
print(code, *found, file=sys.stderr)
"""


def clean_environment() -> dict[str, str]:
    return {
        key: value for key, value in os.environ.items() if not key.startswith(("NEO4J_", "GRAPHMIGRATE_"))
    }


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["--help"], 0),
        (["migrate", "--help"], 0),
        (["seed", "--help"], 0),
        (["--version"], 0),
        (["new", "something"], 0),
        (["init", "other"], 0),
        (["validate", "--offline"], 0),
    ],
)
def test_nothing_heavy_is_imported(arguments: list[str], code: int, tmp_path: Path) -> None:
    (tmp_path / "migrations").mkdir()
    (tmp_path / "migrations" / "V1__x.cypher").write_text("CREATE INDEX x FOR (n:X) ON (n.x);")
    process = subprocess.run(
        [sys.executable, "-c", PROBE, *arguments],
        cwd=tmp_path,
        env=clean_environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    heavy = process.stderr.splitlines()[-1].split()
    assert heavy[0] == str(code)
    assert not {"neo4j", "jinja2", "rich", "docker"} & set(heavy)


def test_importing_the_package_is_light() -> None:
    code = "import sys, graphmigrate, graphmigrate.cli, graphmigrate.settings; assert not {'neo4j', 'click'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_quick_end_does_what_was_registered_for_the_exit(tmp_path: Path) -> None:
    code = """
import atexit, sys, tempfile
from graphmigrate.cli import leave
folder = tempfile.TemporaryDirectory(dir=sys.argv[1])
atexit.register(print, "at exit")
print("still in the buffer", end=" ")
leave(3)
"""
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (3, "still in the buffer at exit\n", "")
    assert not list(tmp_path.iterdir())


def test_help_takes_at_most_twice_the_import_of_click() -> None:
    commands = {
        "click": [sys.executable, "-c", "import click"],
        "help": [sys.executable, "-m", "graphmigrate", "--help"],
    }
    times: dict[str, list[float]] = {name: [] for name in commands}
    for _ in range(15):
        for name, command in commands.items():
            started = time.perf_counter()
            subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
            times[name].append(time.perf_counter() - started)
    ratio = statistics.median(times["help"]) / statistics.median(times["click"])
    assert ratio <= 2, f"--help takes {ratio:.2f} times as long as importing click"
