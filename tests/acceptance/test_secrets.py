"""Passwords are planted wherever one can stand, and then looked for in everything that comes out."""

from __future__ import annotations

import json
import os
import pty
import re
import select
import subprocess
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import neo4j
import pytest

from tests.acceptance.commands import COMMAND, HELD, Folder, held_node, wait_until_held
from tests.conftest import Neo4jTarget
from tests.projects import dump

PLANTED = 'pl4nted-"sec\\ret"/one+%é'
SHAPES = {PLANTED, PLANTED.replace('"', '\\"'), json.dumps(PLANTED)[1:-1], quote(PLANTED), quote(PLANTED, "")}
MARK = "pl4nted"  # the beginning of every secret in here, whatever shape it has taken
EVERY = (
    "status",
    "plan",
    "validate",
    "migrate",
    "seed",
    "seed list",
    "summary",
    "doctor",
    "wait --timeout 0",
)


@pytest.fixture
def project(tmp_path: Path, neo4j_target: Neo4jTarget, driver: neo4j.Driver) -> Folder:
    seeds = tmp_path / "seeds"
    seeds.mkdir()
    (seeds / "x.cypher.j2").write_text("---\nvars: {api_token: none}\n---\nMERGE (:Thing {id: 1});\n")
    folder = Folder(tmp_path, neo4j_target.env)
    return folder.write(V1__x="CREATE INDEX thing FOR (t:Thing) ON (t.id);")


@pytest.fixture
def user(neo4j_target: Neo4jTarget, driver: neo4j.Driver) -> Iterator[str]:
    """A user whose password is the planted one, and is right."""
    if not neo4j_target.password:
        pytest.skip("the given server asks for no password")
    create = "CREATE USER planted IF NOT EXISTS SET PASSWORD $password CHANGE NOT REQUIRED"
    driver.execute_query(create, password=PLANTED, database_="system")
    yield "planted"
    driver.execute_query("DROP USER planted", database_="system")


def assert_clean(process: subprocess.CompletedProcess[str]) -> None:
    assert MARK not in process.stdout + process.stderr, process.args


def place_secret(project: Folder, way: str) -> dict[str, str]:
    """Return the password in one of the ways there are; the environment to use with it."""
    secret = project.path / "secret"
    secret.write_text(PLANTED + "\n")
    secret.chmod(0o600)
    if way == "file":
        (project.path / "graphmigrate.toml").write_text('password_file = "secret"\n')
    elif way == "dotenv":
        (project.path / ".env").write_text(f"NEO4J_PASSWORD='{PLANTED}'\n".replace("\\", "\\\\"))
    else:
        return {way: f"planted/{PLANTED}" if way == "NEO4J_AUTH" else PLANTED}
    return {}


@pytest.mark.parametrize("way", ["file", "dotenv", "NEO4J_PASSWORD", "GRAPHMIGRATE_PASSWORD", "NEO4J_AUTH"])
def test_the_right_password(project: Folder, user: str, driver: neo4j.Driver, way: str) -> None:
    environment = {"NEO4J_PASSWORD": "", "NEO4J_USERNAME": user, **place_secret(project, way)}
    process = project.run("migrate", "--debug", **environment)
    assert process.returncode == 0, process.stderr
    assert_clean(process)
    assert MARK not in str(dump(driver, volatile=True))


@pytest.mark.parametrize(
    ("command", "mode"),
    [*((each, ["--debug", "--output", "json"]) for each in EVERY), ("status", []), ("migrate", [])],
)
def test_a_wrong_password(project: Folder, command: str, mode: list[str]) -> None:
    process = project.run(*command.split(), *mode, NEO4J_USERNAME="nobody", NEO4J_PASSWORD=PLANTED)
    assert process.returncode == 3, process.stderr
    assert_clean(process)


@pytest.mark.parametrize(
    ("scheme", "place"),
    [
        *(("bolt", each) for each in ("flag", "file", "dotenv")),
        *((each, "environment") for each in ("bolt", "neo4j+s", "http", "bolt+x", "")),
    ],
)
def test_a_password_in_the_uri_is_refused(project: Folder, scheme: str, place: str) -> None:
    uri = f"{scheme}://neo4j:pl4nted-secret@127.0.0.1:7687" if scheme else "neo4j:pl4nted-secret@127.0.0.1"
    arguments = ["--uri", uri] if place == "flag" else []
    environment = {"NEO4J_URI": uri if place == "environment" else ""}
    if place == "file":
        (project.path / "graphmigrate.toml").write_text(f'uri = "{uri}"\n')
    if place == "dotenv":
        (project.path / ".env").write_text(f"NEO4J_URI={uri}\n")
    process = project.run("status", *arguments, "--debug", **environment)
    assert process.returncode == 2, process.stderr
    assert "GM155" in process.stderr
    assert_clean(process)


def test_a_password_in_the_wrong_place(project: Folder) -> None:
    for name, content in {
        "graphmigrate.toml": 'password = "pl4nted-secret"\n',
        ".env": "NEO4J_AUTH=pl4nted-secret\npl4nted-line\n",
    }.items():
        (project.path / name).write_text(content)
        process = project.run("status", "--debug")
        assert_clean(process)
        (project.path / name).unlink()
    for arguments in (["--password", "pl4nted-secret"], ["--password=pl4nted-secret"]):
        process = project.run("status", "--debug", *arguments)
        assert process.returncode == 2
        assert_clean(process)
    assert_clean(project.run("status", "--debug", NEO4J_AUTH="pl4nted-secret", NEO4J_PASSWORD=""))
    assert_clean(project.run("status", "--debug", GRAPHMIGRATE_BATCH_ROWS="pl4nted-secret"))


def test_a_variable_of_a_seed(project: Folder) -> None:
    project.run("migrate")
    (project.path / "seeds" / "x.cypher.j2").write_text(
        "---\nvars: {api_token: none}\n---\nMERGE (t:Thing {id: 1 / {{ 0 if api_token }}, token: {{ api_token }}});\n"
    )
    process = project.run("seed", "--debug", "--set", f"api_token={PLANTED}")
    assert process.returncode != 0
    assert_clean(process)


def test_a_literal_password_in_a_migration(project: Folder, driver: neo4j.Driver) -> None:
    project.write(
        V2__user="CREATE USER passer IF NOT EXISTS SET PASSWORD 'pl4nted-secret' CHANGE NOT REQUIRED;",
        V3__wrong="CREATE USER other SET PASSWORD 'pl4nted-secret' NONSENSE;",
        V4__lines="CREATE USER other\n  SET PASSWORD 'pl4nted-secret' NONSENSE;",
    )
    json_too = ["--output", "json"]
    for arguments in (
        *(["plan"], ["plan", *json_too], ["validate"], ["validate", *json_too]),
        *(["migrate", "--debug"], ["migrate", "--debug", *json_too], ["migrate", "--log-format", "json"]),
    ):
        process = project.run(*arguments)
        assert "V3__wrong" in process.stdout + process.stderr
        assert_clean(process)
    assert MARK not in str(dump(driver, volatile=True))


def test_what_others_can_see_while_it_runs(project: Folder, user: str, driver: neo4j.Driver) -> None:
    """The transactions' metadata and queries, the process's arguments, and the ledger."""
    project.write(V2__held=HELD)
    environment = {**project.env, "NEO4J_USERNAME": user, "NEO4J_PASSWORD": PLANTED}
    with held_node(driver):
        process = Folder(project.path, environment).start("migrate", "--debug")
        wait_until_held(driver, process)
        seen = driver.execute_query("SHOW TRANSACTIONS YIELD *").records
        arguments = Path(f"/proc/{process.pid}/cmdline").read_bytes() if os.path.isdir("/proc/self") else b""
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    assert any(each["metaData"].get("app") == "graphmigrate" for each in seen)
    assert MARK not in str(seen) + out + err + arguments.decode()
    assert MARK not in str(dump(driver, volatile=True))


def test_asked_for_on_a_terminal(project: Folder, user: str) -> None:
    """--password asks without showing what is typed, and the progress of a terminal shows nothing of it either."""
    main, side = pty.openpty()
    process = subprocess.Popen(
        [*COMMAND, "migrate", "--password", "--debug"],
        cwd=project.path,
        env={**project.env, "NEO4J_USERNAME": user, "NEO4J_PASSWORD": ""},
        stdin=side,
        stdout=side,
        stderr=side,
        start_new_session=True,
    )
    os.close(side)
    shown = b""
    while process.poll() is None or select.select([main], [], [], 0)[0]:
        if select.select([main], [], [], 0.1)[0]:
            try:
                shown += os.read(main, 65536)
            except OSError:
                break
        if b"password: " in shown and b"typed" not in shown:
            os.write(main, f"{PLANTED}\n".encode())
            shown += b"[typed]"
    os.close(main)
    text = shown.decode(errors="replace")
    assert process.wait(timeout=60) == 0, text
    assert "Applied" in text
    assert not any(shape in text for shape in SHAPES)
    assert MARK not in text


def test_files_of_the_local_server_are_private(tmp_path: Path) -> None:
    from graphmigrate.server.state import Folder as ServerFolder
    from graphmigrate.server.state import State, write_private

    folder = ServerFolder(tmp_path)
    folder.make()
    os.umask(os.umask(0))
    home = folder.home(ephemeral=False)
    home.make()
    password = home.make_password()
    folder.write(State("jvm", "5.26.25", 1, 2, auth=True, ephemeral=False))
    write_private(home.path / "jvm.args", password)
    assert home.path.stat().st_mode & 0o777 == 0o700
    holding = [each for each in tmp_path.rglob("*") if each.is_file() and password in each.read_text()]
    assert holding
    assert {each.stat().st_mode & 0o777 for each in [*holding, folder.state_file]} == {0o600}
    assert password not in folder.state_file.read_text()
    assert not re.search(password, repr(folder.describe(State("jvm", "5.26.25", 1, 2, True, False))))
