"""Which Java is found, how Neo4j's jars are downloaded, and what is said where that fails."""

from __future__ import annotations

import multiprocessing
from pathlib import Path

import pytest

from graphmigrate.errors import UsageError
from graphmigrate.server import ServerOptions, java, start
from graphmigrate.server.java import Java
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


OLD = resolve("5.26")


MAVEN = """#!/bin/sh
echo run >> "$COUNT"
for word in "$@"; do case "$word" in -DoutputDirectory=*) lib="${word#*=}";; -Dneo4j.version=*) v="${word#*=}";; esac; done
/bin/mkdir -p "$lib"; echo jar > "$lib/b.jar"; /bin/sleep 0.3; echo jar > "$lib/neo4j-$v.jar"
"""


FAILING = """#!/bin/sh
for word in "$@"; do case "$word" in -DoutputDirectory=*) lib="${word#*=}";; esac; done
/bin/mkdir -p "$lib"; echo half > "$lib/half.jar"
echo "[ERROR] Could not transfer artifact org.neo4j:neo4j: Unknown host"; echo "[ERROR] [Help 1] http"; exit 1
"""


def test_missing_maven_is_one_line(bare):
    with pytest.raises(UsageError) as caught:
        java.class_path(OLD, Java(bare, 17, ""), print)
    assert caught.value.error_code == "GM183"
    assert "maven" in (caught.value.hint or "")


def test_a_failed_fetch_leaves_nothing_and_says_why(bare):
    program(bare / "bin" / "mvn", FAILING)
    with pytest.raises(UsageError, match="Could not transfer artifact") as caught:
        java.class_path(OLD, Java(bare, 17, ""), print)
    assert caught.value.error_code == "GM183"
    assert "Help" not in caught.value.message
    assert [each.name for each in java.cache_folder(OLD).iterdir()] == ["fetch.lock"]


def test_processes_that_fetch_at_once_fetch_once(bare):
    program(bare / "bin" / "mvn", MAVEN)
    with multiprocessing.get_context("fork").Pool(4) as pool:
        found = pool.starmap(java.class_path, [(OLD, Java(bare, 17, ""), print)] * 4)
    expected = [java.cache_folder(OLD) / "lib" / name for name in ("b.jar", "neo4j-5.26.25.jar")]
    assert found == [expected] * 4
    assert (bare / "count").read_text() == "run\n"


def test_a_maven_that_is_no_program_is_not_the_cache_s_fault(bare):
    program(bare / "bin" / "mvn", "not a program")
    with pytest.raises(UsageError, match="Exec format error") as caught:
        java.class_path(OLD, Java(bare, 17, ""), print)
    assert caught.value.error_code == "GM183"


def test_a_cache_that_cannot_be_written_is_named(bare):
    program(bare / "bin" / "mvn", MAVEN)
    (bare / "cache").write_text("a file")
    with pytest.raises(UsageError, match=f"The cache {java.cache_folder(OLD)} cannot be written") as caught:
        java.class_path(OLD, Java(bare, 17, ""), print)
    assert caught.value.error_code == "GM167"
    assert "XDG_CACHE_HOME" in (caught.value.hint or "")
    assert not (bare / "count").exists()


@pytest.fixture
def complete_cache(bare):
    a_java(bare / "jvm" / "java-17", "17.0.15")
    (java.cache_folder(OLD) / "lib").mkdir(parents=True)
    (java.cache_folder(OLD) / "lib" / "a.jar").touch()
    return java.cache_folder(OLD)


def test_a_start_only_reads_a_complete_cache(complete_cache):
    machine = java.choose(OLD)
    assert java.class_path(OLD, machine, print) == [complete_cache / "lib" / "a.jar"]
    assert [each.name for each in complete_cache.iterdir()] == ["lib"]


def test_the_shipped_pom_names_no_registry():
    text = (Path(java.__file__).parent / "pom.xml").read_text()
    assert "<repository>" not in text
    assert "${neo4j.version}" in text
