"""Placeholders, against a real server."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import neo4j
import pytest

from graphmigrate.errors import HistoryMismatch, MigrationFailed, PreflightError
from tests.projects import Project, rows

TEXT = """// for ${tenant}
CREATE CONSTRAINT ${tenant}_id IF NOT EXISTS FOR (n:`${label}`) REQUIRE n.id IS UNIQUE;
CREATE (:`${label}` {id: ${nm:size}, name: '${tenant}'});
"""
VALUES = {"tenant": "acme", "label": "Müller's own`s", "size": "7"}


def test_values_stand_in_every_kind_of_token(neo4j_target: Any, driver: neo4j.Driver, tmp_path: Path) -> None:
    project = Project(neo4j_target, tmp_path, placeholders=VALUES).write(V1__tenant=TEXT)
    (planned,) = project.call("plan").migrations
    assert planned.statements[0].text.startswith("CREATE CONSTRAINT acme_id IF NOT EXISTS")
    project.migrate()
    assert rows(driver, "MATCH (n {name: 'acme'}) RETURN labels(n), n.id") == [[["Müller's own`s"], 7]]
    other = Project(neo4j_target, tmp_path, placeholders={**VALUES, "tenant": "globex"})
    assert other.call("status").clean  # the checksum is that of the file as it is


def test_a_refused_statement_is_shown_as_it_is_in_the_file(
    neo4j_target: Any, driver: neo4j.Driver, tmp_path: Path
) -> None:
    text = "CREATE (:A {a: '${tenant}', b: nothing(1)});"
    project = Project(neo4j_target, tmp_path, placeholders={"tenant": "a very long name"}).write(V1__a=text)
    with pytest.raises(PreflightError) as caught:
        project.migrate()
    place = caught.value.place
    assert place is not None
    assert (place.column, place.source) == (text.index("nothing") + 1, text)


def test_another_value_is_an_edit_of_what_is_committed(
    neo4j_target: Any, driver: neo4j.Driver, tmp_path: Path
) -> None:
    text = "CREATE (:A {t: '${tenant}'});\nCREATE INDEX i FOR (n:A) ON (n.t);\nRETURN 1 / ${size};"
    wrong, right = {"tenant": "a", "size": "0"}, {"tenant": "a", "size": "1"}
    project = Project(neo4j_target, tmp_path, placeholders=wrong).write(V1__half=text)
    with pytest.raises(MigrationFailed):
        project.migrate()
    with pytest.raises(HistoryMismatch) as caught:
        Project(neo4j_target, tmp_path, placeholders={**right, "tenant": "b"}).migrate()
    assert caught.value.error_code == "GM605"
    Project(neo4j_target, tmp_path, placeholders=right).migrate()
    assert rows(driver, "MATCH (a:A) RETURN a.t") == [["a"]]
