"""The hook beside Neo4j's own process in the init folder's image: which process it ends, and when."""

from __future__ import annotations

import importlib.util
import os
import shutil
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest

SCRIPT = Path(__file__).parents[3] / "docker" / "neo4j-init" / "beside.py"
NOT_THE_SERVER = (
    ("java", "-cp", "/lib/*", "org.neo4j.server.startup.Neo4jCommand", "console", "--dry-run"),
    ("java", "-cp", "/lib/*", "org.neo4j.cli.AdminTool", "dbms", "set-initial-password", "secret"),
    ("java", "-Dorg.neo4j.server=x", "-jar", "org.neo4j.server.CommunityEntryPoint.jar"),
    ("gosu", "neo4j:neo4j", "java", "org.neo4j.server.CommunityEntryPoint"),
)


@pytest.fixture
def beside(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    spec = importlib.util.spec_from_file_location("beside", SCRIPT)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module, "PROC", tmp_path)
    for number, words in enumerate(NOT_THE_SERVER, 10):
        process(tmp_path, number, *words)
    (tmp_path / "99").mkdir()  # it ended while we looked
    return module


def process(folder: Path, number: int, *words: str) -> None:
    (folder / str(number)).mkdir()
    (folder / str(number) / "comm").write_text(f"{Path(words[0]).name}\n")
    (folder / str(number) / "cmdline").write_bytes(b"".join(word.encode() + b"\0" for word in words))


@pytest.mark.parametrize(
    "main_class",
    [
        "org.neo4j.server.CommunityEntryPoint",
        "org.neo4j.server.Neo4jCommunity",
        "com.neo4j.server.enterprise.EnterpriseEntryPoint",
        "com.neo4j.server.enterprise.Neo4jEnterprise",
    ],
)
def test_the_server_is_not_confused_with_the_tools_that_run_before_it(
    beside: Any, tmp_path: Path, main_class: str
) -> None:
    assert beside.find_server() is None
    process(tmp_path, 42, "/opt/java/bin/java", "-cp", "/lib/*", main_class, "--home-dir=/var/lib/neo4j")
    assert beside.find_server() == 42


def test_a_folder_that_fails_at_once_waits_for_the_server_that_it_ends(
    beside: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    ended: list[tuple[int, ...]] = []
    looks: list[str] = []

    def sleep(_: float) -> None:
        looks.append(capsys.readouterr().err)
        if len(looks) == 3:
            process(tmp_path, 42, "java", "org.neo4j.server.CommunityEntryPoint")

    monkeypatch.setattr(beside.time, "sleep", sleep)

    def kill(*words: int) -> None:
        ended.append(words)
        if len(ended) == 2:  # the first came before Java listened to signals
            shutil.rmtree(tmp_path / "42")

    monkeypatch.setattr(beside.os, "kill", kill)
    beside.end_server(os.getppid(), 2)
    assert ended == [(42, signal.SIGTERM)] * 2
    told = looks.pop(3)
    assert looks == [""] * 4
    assert "Neo4j is stopped, because its init folder failed: see the error above." in told
    assert told.endswith("graphmigrate: exit code 2\n")


def test_nothing_is_ended_and_nothing_said_where_the_image_itself_gave_up(
    beside: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    beside.end_server(os.getpid(), 2)  # not our parent, as one that is gone
    assert capsys.readouterr().err == ""


def test_a_server_that_ended_meanwhile_is_no_error(beside: Any, tmp_path: Path) -> None:
    ended = subprocess.Popen(["true"])
    ended.wait()
    process(tmp_path, ended.pid, "java", "org.neo4j.server.CommunityEntryPoint")
    beside.end_server(os.getppid(), 2)
