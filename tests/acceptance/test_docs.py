"""The commands of README and docs are run as they stand there, in order, each page in a fresh clone's folder."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.acceptance.commands import offline_environment

ROOT = Path(__file__).parents[2]
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").glob("*.md")])
WITHOUT_MAKE = (
    'make() { command make --dry-run "$@" >/dev/null; }'  # the targets exist; tests do not run the tests
)


def commands(page: Path) -> list[str]:
    blocks = re.findall(r"^```console\n(.*?)^```", page.read_text(), re.MULTILINE | re.DOTALL)
    return [line[2:] for block in blocks for line in block.splitlines() if line.startswith("$ ")]


def test_the_readme_has_commands() -> None:
    assert len(commands(ROOT / "README.md")) > 5


@pytest.mark.timeout(180)
@pytest.mark.parametrize("page", [page for page in PAGES if commands(page)], ids=lambda page: page.name)
def test_commands_of_a_page(page: Path, tmp_path: Path) -> None:
    for name in (
        "migrations",
        "seeds",
        "graphmigrate.toml",
        "Makefile",
        "pyproject.toml",
        "requirements-dev.txt",
    ):
        source = ROOT / name
        (shutil.copytree if source.is_dir() else shutil.copy)(source, tmp_path / name)
    environment = offline_environment() | {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "GRAPHMIGRATE_SERVER_PROVIDER": "jvm",
        "GRAPHMIGRATE_SERVER_PORT": "0",
        "GRAPHMIGRATE_SERVER_TRAINING": "off",
    }
    script = "\n".join(
        [
            "set -e",
            "trap 'graphmigrate server stop >/dev/null 2>&1 || true' EXIT",
            WITHOUT_MAKE,
            *(f"echo {index}; {command}" for index, command in enumerate(commands(page), 1)),
        ]
    )
    process = subprocess.run(
        ["bash", "-c", script],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        timeout=170,
    )
    assert process.returncode == 0, f"{process.stdout[-1500:]}\n{process.stderr[-3000:]}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#\s]+)", page.read_text()):
        assert target.startswith("http") or (page.parent / target).exists(), target
