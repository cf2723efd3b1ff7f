"""``--log-format`` and ``--log-level``: what happens as lines for machines, on standard error, without secrets."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.acceptance.commands import offline_environment

SECRET = 'pa"ss\\w0rd'


def run(folder: Path, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
    (folder / "migrations").mkdir(exist_ok=True)
    (folder / "migrations" / "V1__x.cypher").write_text("CREATE (:X)\n;\nCREATE (:Y)\n")
    (folder / "migrations" / "v2_x.cypher").write_text("RETURN 1;\n")
    return subprocess.run(
        [sys.executable, "-m", "graphmigrate", *arguments],
        cwd=folder,
        env=offline_environment() | {"NO_COLOR": "1"} | env,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
    )


def test_every_line_is_an_object(tmp_path: Path) -> None:
    done = run(
        tmp_path, "status", "--log-format", "json", "--uri", "bolt://127.0.0.1:1", NEO4J_PASSWORD=SECRET
    )
    assert done.returncode == 3
    lines = [json.loads(line) for line in done.stderr.splitlines()]
    assert lines[-1]["level"] == "ERROR"
    assert lines[-1]["logger"] == "graphmigrate.cli"
    assert lines[-1]["code"].startswith("GM3")
    assert lines[-1]["hint"]
    assert SECRET not in done.stderr


def test_mistakes_of_the_command_line_too(tmp_path: Path) -> None:
    done = run(tmp_path, "status", "--no-such-option", GRAPHMIGRATE_LOG_FORMAT="json")
    assert done.returncode == 2
    assert json.loads(done.stderr)["code"] == "GM150"
    done = run(tmp_path, "validate", "--offline", GRAPHMIGRATE_LOG_FORMAT="jason")
    assert done.returncode == 2
    assert "GRAPHMIGRATE_LOG_FORMAT" in done.stderr
    assert "'text', 'json'" in done.stderr


def test_findings_are_errors_with_a_place(tmp_path: Path) -> None:
    done = run(tmp_path, "migrate", "--log-format=json", "--uri", "bolt://127.0.0.1:1", "--debug")
    lines = [json.loads(line) for line in done.stderr.splitlines()]
    found = [each for each in lines if each["level"] == "ERROR"]
    assert found
    assert "Traceback" in found[-1]["exception"]


@pytest.mark.parametrize("level", ["debug", "error"])
def test_text_with_a_level(tmp_path: Path, level: str) -> None:
    arguments = ["status", "--log-level", level, "--uri", "bolt://127.0.0.1:1"]
    done = run(tmp_path, *arguments, NEO4J_PASSWORD="top-secret-word")
    lines = done.stderr.splitlines()
    assert " graphmigrate.cli ERROR " in lines[-1]
    assert all(" ERROR " in each for each in lines) or level == "debug"
    assert "top-secret-word" not in done.stderr


def test_lines_are_json_whatever_they_hold(tmp_path: Path) -> None:
    """The password is one that stands in numbers and in keys too, and the stream knows no umlaut."""
    (tmp_path / "migrations").mkdir()
    (tmp_path / "migrations" / "v3_ä.cypher").write_text("RETURN 1;\n")
    done = run(
        tmp_path,
        *("migrate", "--log-format", "json", "--uri", "bolt://127.0.0.1:1", "--debug"),
        NEO4J_PASSWORD="code",
        PYTHONIOENCODING="ascii",
    )
    lines = [json.loads(line) for line in done.stderr.splitlines()]
    assert any("v3_ä.cypher" in each.get("place", "") for each in lines if each.get("code") == "GM113")


@pytest.mark.parametrize(
    ("arguments", "levels"),
    [
        (["--quiet"], {"ERROR"}),
        (["-q", "--log-level", "info"], {"ERROR", "INFO"}),
        ([], {"ERROR", "INFO"}),
    ],
)
def test_quiet_leaves_errors_only(tmp_path: Path, arguments: list[str], levels: set[str]) -> None:
    done = run(
        tmp_path,
        "entrypoint",
        "--timeout",
        "0",
        *arguments,
        "--uri",
        "bolt://127.0.0.1:1",
        "--log-format",
        "json",
    )
    assert done.returncode == 3
    assert {json.loads(line)["level"] for line in done.stderr.splitlines()} == levels


def test_logging_is_not_imported_where_nobody_asks_for_it(tmp_path: Path) -> None:
    code = "import sys; from graphmigrate.cli.app import run; run(['--help']); assert 'logging' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.DEVNULL)
