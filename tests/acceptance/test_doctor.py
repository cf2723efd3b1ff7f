"""``graphmigrate doctor`` on setups that really fail, one check after the other."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import neo4j
import pytest

from graphmigrate.database import queries
from graphmigrate.database.connection import Database
from graphmigrate.doctor import examine, server
from graphmigrate.results import Check, Health
from graphmigrate.settings import Secret, Settings
from tests.acceptance.commands import HELD, Folder, held_node, wait_until_held
from tests.acceptance.test_cli_failures import http_port
from tests.conftest import Neo4jTarget
from tests.projects import dump, settings_for
from tests.tls import TROUBLE, Authority, encrypted, special_server


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def settings(neo4j_target: Neo4jTarget, tmp_path: Path) -> Settings:
    return settings_for(neo4j_target, tmp_path)


@pytest.fixture
def project(neo4j_target: Neo4jTarget, driver: neo4j.Driver, tmp_path: Path) -> Folder:
    return Folder(tmp_path, neo4j_target.env).write(V1__x="CREATE INDEX thing FOR (t:Thing) ON (t.id);")


def checks(settings: Settings) -> dict[str, Check]:
    return {each.name: each for each in examine(settings).checks}


def stopped_at(settings: Settings, name: str, code: str) -> Check:
    """The check fails with this code, and nothing after it was asked."""
    found = checks(settings)
    names = list(found)
    after = names[names.index(name) + 1 :]
    assert found[name].health is Health.FAILED, found[name]
    assert found[name].code == code
    assert found[name].hint
    assert {found[each].health for each in after} <= {Health.SKIPPED}
    return found[name]


@contextmanager
def free_port() -> Iterator[int]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        yield free.getsockname()[1]


def fixed(project: Folder) -> set[str]:
    """The names of what ``doctor`` would have fixed, the server's age left out: it depends on today's date."""
    process = project.run("doctor", "--output", "json")
    found = {each["name"] for each in json.loads(process.stdout)["checks"] if each["health"] != "ok"}
    assert process.returncode == bool(found), process.stderr
    return found - {"version"}


def test_all_is_well(project: Folder, driver: neo4j.Driver) -> None:
    before = dump(driver, volatile=True)
    assert fixed(project) == set()
    assert "none yet" in project.run("doctor").stdout
    assert dump(driver, volatile=True) == before
    assert project.run("migrate").returncode == 0
    assert fixed(project) == set()
    assert "at version 1" in project.run("doctor").stdout


def test_what_cannot_be_asked_ends_with_3(project: Folder) -> None:
    process = project.run("doctor", "--uri", "bolt://nowhere.invalid")
    assert process.returncode == 3
    assert "[GM301]" in process.stdout
    assert "hint:" in process.stdout
    assert process.stderr == ""


def test_findings_end_with_1(project: Folder, neo4j_target: Neo4jTarget) -> None:
    if not neo4j_target.password:
        pytest.skip("the given server asks for no password")
    secret = project.path / "secret"
    secret.write_text(neo4j_target.password)
    secret.chmod(0o644)
    process = project.run("doctor", "--password-file", "secret", "--quiet", NEO4J_PASSWORD="")
    assert process.returncode == 1, process.stdout
    assert "Everybody on this machine can read" in process.stdout
    assert "chmod 600" in process.stdout
    assert neo4j_target.password not in process.stdout + process.stderr


def test_host_name(settings: Settings) -> None:
    stopped_at(replace(settings, uri="bolt://nowhere.invalid"), "host name", "GM301")


def test_tcp(settings: Settings) -> None:
    with free_port() as port:
        assert (
            "refused" in stopped_at(replace(settings, uri=f"bolt://127.0.0.1:{port}"), "TCP", "GM301").message
        )


@pytest.mark.parametrize("trouble", TROUBLE)
def test_certificates(settings: Settings, authority: Authority, trouble: str) -> None:
    with encrypted(settings.uri, authority.certificate(trouble)) as address:
        trusting = replace(settings, uri=f"bolt+s://{address}", ca_file=authority.file)
        stopped_at(trusting, "TLS", "GM315")


def test_a_certificate_that_expires_soon(settings: Settings, authority: Authority) -> None:
    with encrypted(settings.uri, authority.certificate("expires soon")) as address:
        found = checks(replace(settings, uri=f"bolt+s://{address}", ca_file=authority.file))
    assert found["TLS"].health is Health.FINDING
    assert "days)" in found["TLS"].message
    assert found["ledger"].health is Health.OK


def test_encryption_without_trust_beyond_this_machine(settings: Settings, authority: Authority) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # sends nothing: asks which of our addresses would be used
        except OSError:
            pytest.skip("this machine has no other address than the loopback")
        own = probe.getsockname()[0]
    with encrypted(settings.uri, authority.certificate(), own) as address:
        found = checks(replace(settings, uri=f"bolt+ssc://{address}"))
    assert found["TLS"].health is Health.FINDING
    assert "pose as the server" in found["TLS"].message


def test_a_server_without_tls(settings: Settings) -> None:
    stopped_at(replace(settings, uri=settings.uri.replace("bolt://", "bolt+s://")), "TLS", "GM304")


def test_bolt(settings: Settings, authority: Authority) -> None:
    with http_port() as port:
        stopped_at(replace(settings, uri=f"bolt://127.0.0.1:{port}"), "Bolt", "GM301")
    with encrypted(settings.uri, authority.certificate()) as address:
        stopped_at(replace(settings, uri=f"bolt://{address}"), "Bolt", "GM304")


def test_sign_in(settings: Settings) -> None:
    if settings.password is None:
        pytest.skip("the given server asks for no password")
    stopped_at(replace(settings, username="stranger", password=Secret("guessed")), "sign-in", "GM302")


@pytest.mark.parametrize("scheme", ["bolt", "neo4j"])
def test_database(settings: Settings, scheme: str) -> None:
    elsewhere = replace(settings, database="nowhere", uri=settings.uri.replace("bolt", scheme))
    assert "this user sees: neo4j, system" in stopped_at(elsewhere, "database", "GM309").message


@pytest.fixture(scope="module")
def careless(neo4j_target: Neo4jTarget) -> Iterator[Settings]:
    """A server that asks nobody for a password, and advertises a port where nobody listens."""
    if neo4j_target.version == "given":
        pytest.skip("a server of one's own is needed to be careless with it")
    with free_port() as port:
        mistakes = {"server.bolt.advertised_address": f"127.0.0.1:{port}"}
        with special_server(neo4j_target.version, mistakes, auth=False) as address:
            yield Settings(f"bolt://{address}")


def test_routing(careless: Settings) -> None:
    routed = replace(careless, uri=careless.uri.replace("bolt://", "neo4j://"))
    assert "advertised_address" in str(stopped_at(routed, "routing", "GM306").hint)
    assert checks(careless)["routing"].health is Health.OK


def test_authentication(careless: Settings) -> None:
    found = checks(careless)["initial password"]
    assert found.health is Health.FINDING
    assert "Authentication is off" in found.message


@pytest.fixture
def changed(monkeypatch: pytest.MonkeyPatch, driver: neo4j.Driver) -> Callable[..., None]:
    """Change what SHOW DATABASES answered: Community Edition has no clusters, and stops no database at run time."""

    def change(*changes: dict[str, str]) -> None:
        answer = driver.execute_query(queries.DATABASES, database_="system").records
        rows = [{**row.data(), **each} for row in answer for each in changes]
        read = Database.read

        def changed_read(self: Database, query: str, **parameters: object) -> list[object]:
            if query == queries.DATABASES:
                return [SimpleNamespace(data=lambda row=row: row) for row in rows]
            return read(self, query, **parameters)

        monkeypatch.setattr(Database, "read", changed_read)

    return change


def test_a_cluster_addressed_as_one_server(settings: Settings, changed: Callable[..., None]) -> None:
    changed(*({"address": f"{each}.example:7687"} for each in "abc"))
    found = checks(settings)["routing"]
    assert found.health is Health.FINDING
    assert "neo4j://" in str(found.hint)


def test_a_stopped_database(settings: Settings, changed: Callable[..., None]) -> None:
    changed({"currentStatus": "offline"})
    stopped_at(settings, "database", "GM309")


def test_a_database_that_nobody_may_write_to(settings: Settings, changed: Callable[..., None]) -> None:
    changed({"access": "read-only"})
    found = checks(settings)["rights"]
    assert found.health is Health.FINDING
    assert "read-only" in found.message


def test_version(settings: Settings, driver: neo4j.Driver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "LONG_TERM", {})
    monkeypatch.setattr(server, "OLDEST", (9999, 1))
    found = checks(settings)["version"]
    assert found.health is Health.FINDING
    assert "Upgrade" in str(found.hint)


def test_clock(settings: Settings, driver: neo4j.Driver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "time", SimpleNamespace(time=lambda: time.time() + 90))
    found = checks(settings)["clock"]
    assert found.health is Health.FINDING
    assert "90 s behind" in found.message


def test_what_another_program_did_to_the_ledger(project: Folder, driver: neo4j.Driver) -> None:
    assert project.run("migrate").returncode == 0
    driver.execute_query("DROP CONSTRAINT __graphmigrate_key")
    driver.execute_query("MATCH (n:__GraphMigrate) SET n:App")
    said = project.run("doctor").stdout
    assert "The constraint __graphmigrate_key is missing" in said
    assert "The constraint __graphmigrate_key is missing" in project.run("repair").stdout
    assert "The constraint __graphmigrate_key is missing" in project.run("validate").stdout
    (made,) = re.findall(r"To make it now: graphmigrate (.*)", said)
    assert "it was made again" in project.run(*made.split()).stdout
    assert "Nothing to repair" in project.run("repair").stderr
    said = project.run("doctor").stdout
    assert "the label App" in said
    driver.execute_query(re.findall(r"To take it off: (.*)", said)[0])
    assert "no run is at work" in project.run("doctor").stdout


def test_a_run_at_work_and_one_that_died(project: Folder, driver: neo4j.Driver) -> None:
    project.write(V2__held=HELD)
    with held_node(driver):
        process = project.start("migrate")
        wait_until_held(driver, process)
        at_work = project.run("doctor")
        os.kill(process.pid, signal.SIGKILL)
        process.communicate()
        died = project.run("doctor")
        assert fixed(project) == {"ledger"}
    assert "is at work" in at_work.stdout
    assert "did not end" in died.stdout
    assert project.run("migrate").returncode == 0
    assert fixed(project) == set()
