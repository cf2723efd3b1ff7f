"""The commands of README and docs are run as they stand there, in order, each page in a fresh clone's folder.

A block of commands begins with ```console, and each command with "$ ". A command that is meant to fail ends with
"# exit code N", one whose output is told with "# prints TEXT". A file that a page shows under its name (a line
`migrations/V1__a.cypher`: and a fenced block) is written where it stands, in pages that have commands. Pages that
start no server of their own share one, emptied before each.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import neo4j
import pytest

from tests.acceptance.commands import offline_environment
from tests.conftest import Neo4jTarget

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
CLONE = (
    *("migrations", "seeds", "graphmigrate.toml", "Makefile"),
    *("pyproject.toml", "requirements.txt", "requirements-dev.txt"),
)
WITHOUT_MAKE = (
    'make() { command make --dry-run "$@" >/dev/null; }'  # the targets exist; tests do not run the tests
)
BLOCK = re.compile(r"^(?:`([\w./-]+)`:\n\n)?```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def steps(page: Path) -> list[str]:
    """The page as lines of a shell script; none where it has no commands."""
    found: list[str] = []
    commands = 0
    for number, (file, language, text) in enumerate(BLOCK.findall(page.read_text())):
        if language == "console":
            lines = [line[2:] for line in text.splitlines() if line.startswith("$ ")]
            found += [checked(line) for line in lines]
            commands += len(lines)
        elif file:
            end = f"END_OF_FILE_{number}"
            found.append(f"mkdir -p {Path(file).parent}\ncat > {file} <<'{end}'\n{text}{end}")
    return found if commands else []


def checked(command: str) -> str:
    """One command, echoed, with the exit code that it should have."""
    failing = re.search(r"# exit code (\d+)$", command)
    said = f"echo {shlex.quote('$ ' + command)}"
    if failing:
        return f"{said}\nset +e; {command}\n[ $? = {failing[1]} ] || exit 1; set -e"
    if printing := re.search(r"# prints (.+)$", command):
        text = shlex.quote(printing[1])
        return f'{said}\nprinted=$({command}\n)\necho "$printed"\n[[ $printed = *{text}* ]] || exit 1'
    return f"{said}\n{command}"


RUNNING = [page for page in PAGES if steps(page)]
WITH_SERVER = [page for page in RUNNING if "graphmigrate server start" in "\n".join(steps(page))]
SHARING = [page for page in RUNNING if page not in WITH_SERVER]


def name_of(page: Path) -> str:
    return str(page.relative_to(ROOT))


def run_page(page: Path, folder: Path, environment: dict[str, str]) -> None:
    clone = folder / "clone"
    clone.mkdir()
    for name in CLONE:
        source = ROOT / name
        (shutil.copytree if source.is_dir() else shutil.copy)(source, clone / name)
    script = "\n".join(
        [
            "set -e",
            "trap 'graphmigrate server stop >/dev/null 2>&1 || true' EXIT",
            WITHOUT_MAKE,
            *steps(page),
        ]
    )
    process = subprocess.run(
        ["bash", "-c", script],
        cwd=clone,
        env=environment | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        stdin=subprocess.DEVNULL,
        timeout=560,
    )
    assert process.returncode == 0, process.stdout[-4000:]


def test_the_pages_have_commands() -> None:
    assert len(steps(ROOT / "README.md")) > 5
    assert len(RUNNING) > 5


@pytest.mark.timeout(600)
@pytest.mark.parametrize("page", WITH_SERVER, ids=name_of)
def test_pages_that_start_a_server(page: Path, tmp_path: Path) -> None:
    local = {"PROVIDER": "jvm", "PORT": "0"}
    environment = offline_environment() | {
        f"GRAPHMIGRATE_SERVER_{key}": value for key, value in local.items()
    }
    run_page(page, tmp_path, environment)


@pytest.mark.parametrize("page", SHARING, ids=name_of)
def test_pages_that_share_a_server(
    page: Path, tmp_path: Path, driver: neo4j.Driver, neo4j_target: Neo4jTarget
) -> None:
    run_page(page, tmp_path, neo4j_target.env)
