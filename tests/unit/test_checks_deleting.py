"""Statements that commit by themselves and delete everything are refused before anything runs."""

from __future__ import annotations

import pytest

from graphmigrate.checks import _deletes_everything
from graphmigrate.cypher.statements import scan

INNER = "CALL (n) { DETACH DELETE n } IN TRANSACTIONS"


@pytest.mark.parametrize(
    ("text", "everything"),
    [
        (f"MATCH (n) {INNER}", True),
        (f"match ( ) {INNER}", True),
        (f"MATCH (n) {INNER}".replace("DELETE", "\\u0044ELETE"), True),
        (f"MATCH (n:Temporary) {INNER}", False),
        (f"MATCH (n) WHERE n.old {INNER}", False),
        (f"MATCH (n)-[:OF]->(:Old) {INNER}", False),
        (f"MATCH (n) WITH n WHERE NOT n:__GraphMigrateRun {INNER}", False),
        ("MATCH (n) CALL (n) { SET n.x = 1 } IN TRANSACTIONS", False),
    ],
)
def test_deletes_everything(text: str, everything: bool) -> None:
    (statement,), _ = scan(text, "V1__x.cypher")
    assert _deletes_everything(statement) is everything
