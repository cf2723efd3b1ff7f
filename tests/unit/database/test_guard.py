"""Which edit of a statement does nothing but leave the bookkeeping nodes out."""

from __future__ import annotations

import pytest

from graphmigrate.cypher.lexer import fingerprint
from graphmigrate.cypher.statements import split
from graphmigrate.database.guard import only_leaves_ours_out


@pytest.mark.parametrize(
    ("before", "now", "only"),
    [
        ("MATCH (n) SET n.x = 1", "MATCH (n)\nWHERE NOT n:__GraphMigrate SET n.x = 1", True),
        (
            "MATCH (n) WHERE n.a OR n.b SET n.x = 1",
            "MATCH (n) WHERE NOT n:__GraphMigrate AND (n.a OR n.b) SET n.x = 1",
            True,
        ),
        (
            "MATCH (n) WHERE (n.a) SET n.x = 1",
            "MATCH (n) WHERE NOT n:__GraphMigrate AND (n.a) SET n.x = 1",
            True,
        ),
        ("MATCH (n) WHERE n.a SET n.x = 1", "MATCH (n) WHERE n.a AND NOT n:__GraphMigrate SET n.x = 1", True),
        (
            "MATCH (a), (b) MERGE (a)-[:S]->(b)",
            "MATCH (a), (b) WHERE NOT a:__GraphMigrate AND NOT b:__GraphMigrate MERGE (a)-[:S]->(b)",
            True,
        ),
        ("MATCH (n) SET n.x = 1", "MATCH (n) WHERE NOT n:__GraphMigrate SET n.x = 2", False),
        ("MATCH (n) SET n.x = 1", "MATCH (n) WHERE NOT n:Other SET n.x = 1", False),
        ("MATCH (n) WHERE n.a SET n.x = 1", "MATCH (n) WHERE NOT n:__GraphMigrate SET n.x = 1", False),
    ],
)
def test_an_edit_that_only_leaves_ours_out(before: str, now: str, only: bool) -> None:
    (statement,) = split(now, "f")
    assert only_leaves_ours_out(statement, fingerprint(before)) is only
