"""Every TLS scheme against a self-made authority: what works, and which of the things that go wrong is said."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import neo4j
import pytest

from graphmigrate.doctor import examine
from graphmigrate.errors import ConnectionFailed, UsageError
from graphmigrate.migrator import Migrator
from graphmigrate.results import Health
from graphmigrate.settings import Secret, Settings
from tests.acceptance.commands import Folder
from tests.conftest import Neo4jTarget
from tests.projects import Project, settings_for, write_migrations
from tests.tls import TROUBLE, Authority, encrypted, special_server

SAID = {
    "untrusted": "not signed by an authority",
    "expired": "expired",
    "not yet valid": "not valid yet",
    "another host": "another host name",
}


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def server(neo4j_target: Neo4jTarget, authority: Authority) -> Iterator[str]:
    """A real Neo4j whose Bolt port takes TLS only."""
    if neo4j_target.version == "given":
        pytest.skip("a server of one's own is needed to give it certificates")
    weak = {"dbms.security.auth_minimum_password_length": "1"}
    with special_server(neo4j_target.version, weak, authority.certificate()) as address:
        with neo4j.GraphDatabase.driver(f"bolt+ssc://{address}", auth=("neo4j", "neo4j")) as driver:
            query = "ALTER CURRENT USER SET PASSWORD FROM 'neo4j' TO 'encrypted'"
            driver.execute_query(query, database_="system")
        yield address


def migrator(
    folder: Path, uri: str, ca_file: Path | None = None, password: str = "encrypted", **more: Any
) -> Migrator:
    places = {"migrations": folder / "migrations", "seeds": folder / "seeds"}
    return Migrator(Settings(uri, "neo4j", Secret(password), ca_file=ca_file, **places, **more))


@pytest.mark.parametrize("scheme", ["bolt+s", "neo4j+s", "bolt+ssc", "neo4j+ssc"])
def test_a_real_server_with_tls(server: str, authority: Authority, scheme: str, tmp_path: Path) -> None:
    label = scheme.translate({ord("+"): "_"})
    write_migrations(tmp_path, V1__index=f"CREATE INDEX {label} FOR (n:{label}) ON (n.id);")
    ca_file = None if scheme.endswith("ssc") else authority.file
    with migrator(tmp_path, f"{scheme}://{server}", ca_file, ledger=label) as run:
        assert run.wait().uri == f"{scheme}://{server}"
        assert [each.version for each in run.migrate().applied] == ["1"]
        assert run.status().clean
        assert not run.migrate().applied


def test_the_doctor_finds_the_initial_password(server: str, authority: Authority) -> None:
    with neo4j.GraphDatabase.driver(f"bolt+ssc://{server}", auth=("neo4j", "encrypted")) as driver:
        for query in (
            "CREATE USER other SET PASSWORD 'other' CHANGE NOT REQUIRED",
            "ALTER USER neo4j SET PASSWORD 'neo4j' CHANGE NOT REQUIRED",
        ):
            driver.execute_query(query, database_="system")
        other = Settings(f"neo4j+s://{server}", "other", Secret("other"), ca_file=authority.file)
        found = {check.name: check for check in examine(other).checks}
        driver.execute_query(
            "ALTER USER neo4j SET PASSWORD 'encrypted' CHANGE NOT REQUIRED", database_="system"
        )
        assert {check.name: check for check in examine(other).checks}["initial password"].health is Health.OK
    assert found["initial password"].health is Health.FINDING
    assert found["TLS"].health is Health.OK
    assert "good until" in found["TLS"].message
    assert found["routing"].health is Health.OK


@pytest.mark.parametrize("scheme", ["bolt", "neo4j"])
def test_a_plain_scheme_and_a_server_that_wants_tls(server: str, scheme: str, tmp_path: Path) -> None:
    write_migrations(tmp_path)
    with migrator(tmp_path, f"{scheme}://{server}") as run, pytest.raises(ConnectionFailed) as caught:
        run.status()
    assert caught.value.error_code == "GM304"
    assert f"{scheme}+s://{server}" in str(caught.value.hint)


@pytest.mark.parametrize("scheme", ["bolt+s", "neo4j+s"])
def test_the_system_does_not_know_a_private_authority(server: str, scheme: str, tmp_path: Path) -> None:
    write_migrations(tmp_path)
    with migrator(tmp_path, f"{scheme}://{server}") as run, pytest.raises(ConnectionFailed) as caught:
        run.status()
    assert caught.value.error_code == "GM315"
    assert "--ca-file" in str(caught.value.hint)


@pytest.mark.parametrize("scheme", ["bolt+s", "neo4j+s"])
@pytest.mark.parametrize("trouble", TROUBLE)
def test_a_certificate_that_is_wrong(
    neo4j_target: Neo4jTarget, authority: Authority, trouble: str, scheme: str, tmp_path: Path
) -> None:
    write_migrations(tmp_path)
    with (
        encrypted(neo4j_target.uri, authority.certificate(trouble)) as address,
        migrator(tmp_path, f"{scheme}://{address}", authority.file) as run,
        pytest.raises(ConnectionFailed) as caught,
    ):
        run.status()
    assert caught.value.error_code == "GM315"
    assert SAID[trouble] in caught.value.message
    assert caught.value.hint


@pytest.mark.parametrize("trouble", TROUBLE)
def test_ssc_takes_any_certificate(
    neo4j_target: Neo4jTarget, authority: Authority, trouble: str, tmp_path: Path
) -> None:
    write_migrations(tmp_path)
    with (
        encrypted(neo4j_target.uri, authority.certificate(trouble)) as address,
        migrator(tmp_path, f"bolt+ssc://{address}", password=neo4j_target.password) as run,
    ):
        assert run.wait()


@pytest.mark.parametrize("scheme", ["bolt+s", "bolt+ssc", "neo4j+s", "neo4j+ssc"])
def test_a_server_without_tls(neo4j_target: Neo4jTarget, scheme: str, tmp_path: Path) -> None:
    write_migrations(tmp_path)
    uri = f"{scheme}://{neo4j_target.uri.partition('://')[2]}"
    with migrator(tmp_path, uri) as run, pytest.raises(ConnectionFailed) as caught:
        run.status()
    assert caught.value.error_code == "GM304"


@pytest.mark.parametrize("scheme", ["bolt", "neo4j", "bolt+ssc"])
def test_certificates_that_would_not_be_looked_at(authority: Authority, scheme: str, tmp_path: Path) -> None:
    with (
        migrator(tmp_path, f"{scheme}://localhost", authority.file) as run,
        pytest.raises(UsageError) as caught,
    ):
        run.wait()
    assert caught.value.error_code == "GM314"


@pytest.mark.parametrize("place", ["flag", "environment", "file"])
def test_where_the_authority_is_named(
    neo4j_target: Neo4jTarget, authority: Authority, tmp_path: Path, place: str
) -> None:
    write_migrations(tmp_path)
    (tmp_path / "ca.pem").write_bytes(authority.file.read_bytes())
    arguments = ["--ca-file", "ca.pem"] if place == "flag" else []
    named = {"NEO4J_CA_FILE": "ca.pem"} if place == "environment" else {}
    if place == "file":
        (tmp_path / "graphmigrate.toml").write_text('ca_file = "ca.pem"')
    with encrypted(neo4j_target.uri, authority.certificate()) as address:
        folder = Folder(tmp_path, neo4j_target.env | {"NEO4J_URI": f"bolt+s://{address}"} | named)
        process = folder.run("wait", *arguments)
        (tmp_path / "graphmigrate.toml").unlink(missing_ok=True)
        refused = Folder(tmp_path, folder.env | {"NEO4J_CA_FILE": ""}).run("wait", "--timeout", "30")
    assert process.returncode == 0, process.stderr
    assert refused.returncode == 3
    assert "GM315" in refused.stderr


@pytest.mark.parametrize("content", [None, b"", b"-----BEGIN PRIVATE KEY-----"])
def test_a_file_without_certificates(content: bytes | None, tmp_path: Path) -> None:
    file = tmp_path / "ca.pem"
    if content is not None:
        file.write_bytes(content)
    with migrator(tmp_path, "bolt+s://localhost", file) as run, pytest.raises(UsageError) as caught:
        run.wait()
    assert caught.value.error_code == "GM314"
    assert "ca.pem" in caught.value.message


def test_routing_works_without_tls(project: Project) -> None:
    """The other schemes above; this is what a cluster's address looks like on one server."""
    project.write(V1__index="CREATE INDEX routed FOR (n:Routed) ON (n.id);")
    settings = settings_for(project.target, project.folder)
    routed = replace(settings, uri=settings.uri.replace("bolt://", "neo4j://", 1))
    with Migrator(routed) as run:
        assert [each.version for each in run.migrate().applied] == ["1"]
        assert run.status().clean
