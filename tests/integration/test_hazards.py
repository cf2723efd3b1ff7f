"""What a planned statement could cost is said by the plan, and only there."""

from __future__ import annotations

from pathlib import Path

import neo4j
import pytest

from graphmigrate.cli.render import ci, markdown, text
from graphmigrate.cli.render.style import Style
from graphmigrate.migrations import reporting
from tests.conftest import Neo4jTarget
from tests.projects import Project


@pytest.fixture
def planned(
    neo4j_target: Neo4jTarget, driver: neo4j.Driver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Project:
    monkeypatch.setattr(reporting, "_MANY", 100)  # a tenth of a million takes a second to make
    driver.execute_query("UNWIND range(1, 120) AS n CREATE (:Many {n: n}) CREATE (:Few {n: n % 3})")
    driver.execute_query("MATCH (f:Few) WHERE f.n > 0 DELETE f")
    return Project(neo4j_target, tmp_path).write(
        V1__a="CREATE INDEX many FOR (m:Many) ON (m.n); CREATE INDEX few FOR (f:Few) ON (f.n);",
        V2__b="MATCH (m:Many) WHERE m.delete = 1 SET m.x = 'DELETE';\nMATCH (m:Many {n: 1}) DETACH DELETE m;",
        V3__c="MATCH (m:Many) CALL (m) { DELETE m } IN TRANSACTIONS OF 50 ROWS;",
    )


def test_the_plan_says_what_a_statement_could_cost(planned: Project) -> None:
    result = planned.call("plan")
    assert [[each.hazard for each in one.statements] for one in result.migrations] == [
        ["builds an index over 120 nodes", None],
        [None, "deletes data"],
        ["commits by itself, deletes data"],
    ]
    assert "(deletes data)" in "\n".join(text.plan(result, Style(False, None)))
    shown = "\n".join(markdown.plan(result))
    assert "- ⚠️ **V1** builds an index over 120 nodes (" in shown
    [first, *_] = ci.hazards(result)
    assert first.startswith("::notice title=plan,file=")
    assert first.endswith("V1: builds an index over 120 nodes.")


def test_what_is_committed_is_told_in_statements(planned: Project) -> None:
    planned.write(V4__d="CREATE (:One);\nCREATE INDEX one FOR (o:One) ON (o.n);\nMATCH (:One) RETURN 1 / 0;")
    with pytest.raises(Exception, match="/ by zero"):
        planned.migrate()
    left = planned.call("plan").migrations[0]
    assert (left.committed, len(left.statements)) == (2, 1)
    assert "V4 d  V4__d.cypher, statements 1 to 2 are committed" in "\n".join(
        text.plan(planned.call("plan"), Style(False, None))
    )
