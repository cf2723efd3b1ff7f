"""Which Java is found, and what is said where there is none."""

from __future__ import annotations

from pathlib import Path

import pytest

from graphmigrate.errors import UsageError
from graphmigrate.server import ServerOptions, java, start
from graphmigrate.server.model import resolve
from tests.unit.server.conftest import program


def a_java(home: Path, version: str) -> Path:
    program(home / "bin" / "java")
    (home / "release").write_text(
        f'IMPLEMENTOR="X"\nJAVA_VERSION="{version}"\nJAVA_VERSION_DATE="2025-04-15"\n'
    )
    return home


def test_the_lowest_java_that_suffices_is_chosen(bare):
    for version in ("1.8.0_402", "11.0.2", "17.0.15", "21", "25.0.3"):
        a_java(bare / "jvm" / f"java-{version}", version)
    assert [java.choose(each).major for each in (resolve("5.26"), resolve("2026.05"))] == [17, 21]


def test_java_is_found_by_java_home_and_through_links_on_the_path(bare, monkeypatch):
    monkeypatch.setenv("JAVA_HOME", str(a_java(bare / "given", "21.0.1")))
    real = a_java(bare / "opt" / "real", "17.0.1")
    (bare / "bin").mkdir()
    (bare / "bin" / "java").symlink_to(real / "bin" / "java")
    (bare / "jvm").mkdir()
    (bare / "jvm" / "alias").symlink_to(real)
    assert [(each.home, each.major) for each in java.installed()] == [(bare / "given", 21), (real, 17)]


def test_missing_java_is_one_line_with_what_was_found(bare):
    a_java(bare / "jvm" / "java-17", "17.0.15")
    with pytest.raises(UsageError) as caught:
        java.choose(resolve("2026.05"))
    assert caught.value.error_code == "GM183"
    assert caught.value.message.count("\n") == 0
    assert "Java 21 or newer" in caught.value.message
    assert str(bare / "jvm" / "java-17") in caught.value.message
    assert "Install it: " in (caught.value.hint or "")


def test_start_without_docker_says_so_and_names_the_missing_java(bare):
    said: list[str] = []
    with pytest.raises(UsageError) as caught:
        start(bare / "project", ServerOptions(port=0), said.append)
    assert said == ["Using a local JVM: Docker is not installed."]
    assert caught.value.error_code == "GM183"
    assert not (bare / "project" / ".graphmigrate" / "server.json").exists()
