from __future__ import annotations

from datetime import date
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as installed

import pytest

from graphmigrate.cli.render.style import Style
from graphmigrate.cli.render.text import checks as lines
from graphmigrate.doctor import server
from graphmigrate.doctor.server import NEEDED, OTHERS, judge_rights, listening, missing_rights, trouble_with
from graphmigrate.results import Check, Checkup, Health


@pytest.mark.parametrize(
    ("version", "today", "fine"),
    [
        ("5.26.25", date(2026, 11, 25), True),
        ("5.26.25", date(2028, 7, 1), False),
        ("5.25.1", date(2026, 1, 1), False),
        ("4.4.48", date(2026, 1, 1), False),
        ("4.4.48", date(2025, 1, 1), True),
        ("3.5.0", date(2025, 1, 1), False),
        ("2026.05.0", date(2026, 6, 1), True),
        ("2026.05.0", date(2026, 8, 31), True),
        ("2026.05.0", date(2026, 9, 1), False),
        ("2025.01.0", date(2026, 1, 1), False),
        ("2027.02.1.LTS", date(2029, 12, 1), True),
        ("2027.02.1.LTS", date(2030, 4, 1), False),
        ("something else", date(2026, 1, 1), True),
    ],
)
def test_releases(version: str, today: date, fine: bool) -> None:
    assert (trouble_with(version, today) is None) is fine


def granted(*actions: str, access: str = "GRANTED", graph: str = "*") -> list[dict[str, str]]:
    return [{"access": access, "action": each, "graph": graph, "segment": "database"} for each in actions]


def test_rights_of_the_built_in_roles() -> None:
    reader = granted("access", "match")
    publisher = [*reader, *granted("write", "token")]
    architect = [*publisher, *granted("index", "constraint")]
    admin = [*architect, *granted("transaction_management")]
    assert missing_rights(reader, "neo4j") == [name for name in NEEDED if name != "reading"]
    assert "writing" not in missing_rights(publisher, "neo4j")
    assert missing_rights(architect, "neo4j") == [OTHERS]
    assert missing_rights(admin, "neo4j") == []


def test_who_migrates_alone_needs_no_other_users_transactions() -> None:
    editor = granted("match", "write")
    architect = [*editor, *granted("token", "index", "constraint")]
    alone = judge_rights(architect, "neo4j")
    assert alone.health is Health.OK
    assert f"not {OTHERS}" in alone.message
    admin = judge_rights([*architect, *granted("transaction_management")], "neo4j")
    assert admin.health is Health.OK
    assert "not" not in admin.message
    lacking = judge_rights(editor, "neo4j")
    assert lacking.health is Health.FINDING
    assert "constraints and indexes" in lacking.message
    assert OTHERS not in lacking.message


def test_a_deny_takes_a_right_away_and_other_graphs_do_not_count() -> None:
    everything = granted("match", "write", "token", "index", "constraint", "transaction_management")
    assert missing_rights(everything, "neo4j") == []
    assert missing_rights([*everything, *granted("write", access="DENIED")], "neo4j") == ["writing"]
    assert missing_rights(granted("match", graph="other"), "neo4j") == list(NEEDED)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"server.bolt.listen_address": "0.0.0.0:7687"}, "Bolt on 0.0.0.0:7687"),
        ({"server.bolt.listen_address": ":7687"}, "Bolt on :7687"),
        ({"server.bolt.listen_address": "[::]:7687", "server.bolt.tls_level": "OPTIONAL"}, "Bolt on [::]"),
        (
            {
                "server.bolt.listen_address": "0.0.0.0:7687",
                "server.bolt.tls_level": "REQUIRED",
                "server.http.enabled": "true",
                "server.http.listen_address": "0.0.0.0:7474",
            },
            "HTTP on 0.0.0.0:7474",
        ),
    ],
)
def test_listening_to_other_machines_without_encryption(settings: dict[str, str], said: str) -> None:
    found = listening(settings, own_server=False)
    assert found.health is Health.FINDING
    assert said in found.message
    assert found.hint
    assert listening(settings, own_server=True).health is Health.OK


@pytest.mark.parametrize(
    "settings",
    [
        {"server.bolt.listen_address": "127.0.0.1:7687"},
        {"server.bolt.listen_address": "[::1]:7687"},
        {"server.bolt.listen_address": "localhost:7687"},
        {"server.bolt.listen_address": "0.0.0.0:7687", "server.bolt.tls_level": "REQUIRED"},
    ],
)
def test_listening_as_one_should(settings: dict[str, str]) -> None:
    assert listening(settings, own_server=False).health is Health.OK


def test_a_listening_address_that_may_not_be_seen_is_not_judged() -> None:
    assert listening({}, own_server=False).health is Health.SKIPPED


def test_without_the_rust_extension(monkeypatch: pytest.MonkeyPatch) -> None:
    assert server.driver().health is Health.OK

    def none_of_it(name: str) -> str:
        if name == "neo4j-rust-ext":
            raise PackageNotFoundError(name)
        return installed(name)

    monkeypatch.setattr(server, "version", none_of_it)
    found = server.driver()
    assert found.health is Health.FINDING
    assert installed("neo4j") in str(found.hint)


def test_nothing_the_server_says_steers_the_terminal() -> None:
    hostile = "\x1b]0;x\x07\n\u202e"
    checkup = Checkup("bolt://x", (Check("TLS", Health.FINDING, hostile, hostile, "GM315"),))
    assert all(line.isprintable() for line in lines(checkup, Style()))
