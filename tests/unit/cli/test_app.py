from __future__ import annotations

import os
import resource
import subprocess
import sys
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


@pytest.mark.parametrize(
    "line",
    ["mi", "status --ex", "explain GM60", "seed x", "migrate --to V"],
)
def test_completion_imports_nothing_that_only_running_needs(line: str, tmp_path: Path) -> None:
    """Times differ between machines, modules do not: a completion has at most 1.5 x those of click and its completion."""
    counted = "import sys; sys.stderr.write(str(len(sys.modules)))"
    click = "import click, click.shell_completion, importlib.metadata;" + counted
    ours = f"from graphmigrate.cli.app import run\nrun([])\nnames = set(sys.modules)\n{counted}"
    environment = clean_environment() | {
        "_GRAPHMIGRATE_COMPLETE": "bash_complete",
        "COMP_WORDS": f"graphmigrate {line}",
        "COMP_CWORD": str(len(line.split())),
    }
    found = {}
    for name, code in {"click": click, "ours": f"import sys\n{ours}"}.items():
        done = subprocess.run(
            [sys.executable, "-c", code],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        )
        found[name] = int(done.stderr)
    assert found["ours"] <= 1.5 * found["click"], found


@pytest.mark.parametrize(
    "line", ["mi", "migrate --t", "status --ex", "undo --s", "seed --pro", "explain GM60"]
)
def test_completion_of_commands_and_options_reads_no_project(line: str, tmp_path: Path) -> None:
    """A name that stands in the code is completed without the modules that read settings and files: they doubled the time."""
    environment = clean_environment() | {
        "_GRAPHMIGRATE_COMPLETE": "bash_complete",
        "COMP_WORDS": f"graphmigrate {line}",
        "COMP_CWORD": str(len(line.split())),
    }
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            "import sys\nfrom graphmigrate.cli.app import run\nrun([])\nsys.stderr.write(' '.join(sys.modules))",
        ],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.startswith("plain,")
    needless = (
        "graphmigrate.settings",
        "graphmigrate.database",
        "graphmigrate.migrations",
        "graphmigrate.cypher",
    )
    assert not [name for name in done.stderr.split() if name.startswith(needless)]


def test_importing_the_package_is_light() -> None:
    code = "import sys, graphmigrate, graphmigrate.cli, graphmigrate.settings; assert not {'neo4j', 'click'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_help_takes_at_most_one_and_a_half_times_the_import_of_click() -> None:
    """Compare the least processor time of many: a busy machine makes single ones longer, and so the limit is a little higher."""
    commands = {
        "click": [sys.executable, "-c", "import click"],
        "help": [sys.executable, "-m", "graphmigrate", "--help"],
    }
    times: dict[str, list[float]] = {name: [] for name in commands}
    for _ in range(15):
        for name, command in commands.items():
            before = resource.getrusage(resource.RUSAGE_CHILDREN)
            subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            times[name].append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    ratio = min(times["help"]) / min(times["click"])
    assert ratio <= 1.6, f"--help takes {ratio:.2f} times as long as importing click"
