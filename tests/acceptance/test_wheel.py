"""A stranger's project, outside this checkout, with nothing but the built wheel."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import neo4j
import pytest

from tests.acceptance.commands import offline_environment
from tests.conftest import Neo4jTarget, wipe
from tests.projects import count

ROOT = Path(__file__).parents[2]
NO_NETWORK = ("Could not find a version", "Connection", "connection", "timed out", "Name or service")
TEST = """
def test_a_person_can_be_stored(migrated_graph):
    migrated_graph.execute_query("CREATE (:Person {id: 'p9', name: 'Ada'})")
    assert migrated_graph.execute_query("MATCH (p:Person) RETURN count(p)").records[0][0] == 1
"""


def call(
    words: Sequence[str | Path], folder: Path, env: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        list(map(str, words)),
        cwd=folder,
        env=env if env is None else dict(env),
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        timeout=240,
    )


def built(source: Path, target: Path, *what: str) -> None:
    done = call([sys.executable, "-m", "hatchling", "build", "-d", target, *what], source)
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = Path(tmp_path_factory.mktemp("dist"))
    built(ROOT, folder)
    return folder


@pytest.fixture(scope="module")
def programs(packages: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The ``bin`` folder of a fresh environment with the wheel and pytest."""
    folder = Path(tmp_path_factory.mktemp("venv"))
    assert call([sys.executable, "-m", "venv", "--without-pip", folder], folder).returncode == 0
    (wheel,) = packages.glob("*.whl")
    python = folder / "bin" / "python"
    words = [sys.executable, "-m", "pip", "--python", python, "install", "--quiet"]
    done = call([*words, "--disable-pip-version-check", f"{wheel}[pytest]"], folder)
    if done.returncode and any(each in done.stderr for each in NO_NETWORK):
        pytest.skip(f"what the wheel depends on cannot be brought here: {done.stderr[-300:]}")
    assert done.returncode == 0, done.stderr
    return folder / "bin"


def test_wheel_and_sdist_hold_what_they_should(packages: Path, tmp_path: Path) -> None:
    (wheel,) = packages.glob("*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    assert {"graphmigrate/py.typed", "graphmigrate/server/pom.xml"} <= names
    scaffold = {f"graphmigrate/scaffold/{each.name}" for each in (ROOT / "graphmigrate/scaffold").iterdir()}
    assert {each for each in scaffold if "__pycache__" not in each} <= names
    assert not {each for each in names if each.startswith(("tests/", "docs/")) or ".pyc" in each}
    (sdist,) = packages.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        archive.extractall(tmp_path, filter="data")
    (source,) = tmp_path.iterdir()
    assert (source / "tests" / "conftest.py").is_file()
    built(source, tmp_path / "again", "-t", "wheel")
    (again,) = (tmp_path / "again").glob("*.whl")
    assert set(zipfile.ZipFile(again).namelist()) == names


@pytest.mark.timeout(400)
def test_a_strangers_project(
    programs: Path, tmp_path: Path, driver: neo4j.Driver, neo4j_target: Neo4jTarget
) -> None:
    clean = offline_environment() | {
        "HOME": str(tmp_path),
        "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
    }
    target = {
        "NEO4J_URI": neo4j_target.uri,
        "NEO4J_USERNAME": neo4j_target.username,
        "NEO4J_PASSWORD": neo4j_target.password,
    }

    def succeed(*words: str, **env: str) -> str:
        done = call([programs / words[0], *words[1:]], tmp_path / "shop", {**clean, **target, **env})
        assert done.returncode == 0, f"{words}: {done.stdout}{done.stderr}"
        return done.stdout

    assert call([programs / "graphmigrate", "init", "shop"], tmp_path, clean).returncode == 0
    assert succeed("graphmigrate", "new", "add", "orders").strip() == "migrations/V3__add_orders.cypher"
    (tmp_path / "shop/migrations/V3__add_orders.cypher").write_text(
        "CREATE INDEX order_at FOR (o:Order) ON (o.at);\n"
    )
    succeed("graphmigrate", "migrate")
    succeed("graphmigrate", "seed")
    succeed("graphmigrate", "status", "--exit-code")
    assert count(driver, "Person") > 0
    (tmp_path / "shop" / "test_people.py").write_text(TEST)
    given = {
        "GRAPHMIGRATE_TEST_URI": neo4j_target.uri,
        "GRAPHMIGRATE_TEST_USERNAME": neo4j_target.username,
        "GRAPHMIGRATE_TEST_PASSWORD": neo4j_target.password,
    }
    refused = call([programs / "pytest", "-q"], tmp_path / "shop", {**clean, **given})
    assert "GM740" in refused.stdout
    wipe(driver)
    assert "1 passed" in succeed("pytest", "-q", **given)
    # 1 of the stranger's own, and the ready-made ones
    assert "6 passed, 1 skipped" in succeed(
        "pytest", "-q", "--graphmigrate-tests", **given
    )  # no page is named

    for shell in ("bash", "zsh", "fish"):
        assert "_GRAPHMIGRATE_COMPLETE" in succeed("graphmigrate", _GRAPHMIGRATE_COMPLETE=f"{shell}_source")
    words = {"COMP_WORDS": "graphmigrate mig", "COMP_CWORD": "1", "_GRAPHMIGRATE_COMPLETE": "bash_complete"}
    assert "migrate" in succeed("graphmigrate", **words)
    where = succeed(
        "python", "-c", "import graphmigrate, graphmigrate.server; print(graphmigrate.__file__)"
    ).strip()
    assert Path(where).is_relative_to(programs.parent)
