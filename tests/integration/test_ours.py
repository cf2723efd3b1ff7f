"""Statements that reach every node: their effect on the user's nodes is there once, the bookkeeping nodes are as before."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import neo4j
import pytest

from graphmigrate.errors import GraphMigrateError, MigrationFailed, PreflightError, SeedFailed
from graphmigrate.events import Warned
from graphmigrate.results import State
from tests.projects import Project, rows

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.depends_on_version

FIRST = "CREATE (:P {id: 1, version: '1', key: 'a'})-[:R]->(:P {id: 2, version: '1', key: 'b'});"
SAME = "MATCH (a), (b) WHERE a.version = b.version AND elementId(a) < elementId(b) MERGE (a)-[:SAME]->(b);"
# In an order in which each has an effect on the user's nodes: statement, query, its answer afterwards.
STATEMENTS = [
    (
        "MATCH (n) WHERE n.key IS NOT NULL SET n.code = n.key REMOVE n.key;",
        "MATCH (p:P) WHERE p.key IS NULL WITH p.code AS code ORDER BY code RETURN collect(code)",
        ["a", "b"],
    ),
    (SAME, "MATCH (:P)-[s:SAME]->(:P) RETURN count(s)", 1),
    ("MATCH (n) REMOVE n.version;", "MATCH (p:P) WHERE p.version IS NULL RETURN count(p)", 2),
    (
        "MATCH (n) WHERE n.code IS NOT NULL OR n.state IS NOT NULL SET n.status = n.state REMOVE n.state;",
        "MATCH (p:P) RETURN count(p)",
        2,
    ),
    ("MATCH (n) SET n:Searchable;", "MATCH (n:Searchable) RETURN count(n)", 2),
    ("MATCH (n) MERGE (n)-[:SEEN]->(h:Hub {id: 1});", "MATCH (h:Hub)<-[s:SEEN]-(:P) RETURN count(s)", 2),
    ("MATCH (n) SET n = {};", "MATCH (p:P) WHERE properties(p) = {} RETURN count(p)", 2),
    ("MATCH (n) REMOVE n:$(labels(n));", "MATCH (n) WHERE labels(n) = [] RETURN count(n) >= 2", True),
    (
        "MATCH (n) DETACH DELETE n;\nCREATE (:P {id: 3});",
        "MATCH (n) WHERE NOT n:__GraphMigrate RETURN collect(n.id)",
        [3],
    ),
]


def ours(driver: neo4j.Driver, but: str = "") -> dict[str, str]:
    """Return every bookkeeping node but the owner's and those of one version, as a text."""
    found = rows(
        driver,
        "MATCH (n:__GraphMigrate) WHERE NOT n:__GraphMigrateLedger "
        "RETURN n.key, labels(n), COUNT { (n)--() }, [k IN keys(n) | [k, valueType(n[k]), n[k]]]",
    )
    return {
        str(key): repr((sorted(labels), degree, sorted(map(repr, values))))
        for key, labels, degree, values in found
        if not but or f"/{but}" not in str(key)
    }


class Watching:
    """Asks for the status over and over; ``seen`` are the states of the first version."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self.seen: set[str] = set()
        self._failed: list[Exception] = []
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch)

    def _watch(self) -> None:
        while not self._done.is_set() and not self._failed:
            try:
                entries = self.project.call("status").rows
            except Exception as error:
                self._failed.append(error)
                continue
            self.seen |= {each.state for each in entries if each.version == "1"}
            time.sleep(0.02)

    def __enter__(self) -> Watching:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()
        assert not self._failed


def test_as_migrations(project: Project, driver: neo4j.Driver) -> None:
    project.write(V1__first=FIRST)
    project.migrate()
    beside = Project(project.target, project.folder, **project.more)
    with Watching(beside) as watching:
        for number, (text, query, answer) in enumerate(STATEMENTS, 2):
            before = ours(driver)
            project.events.clear()
            project.write(**{f"V{number}__x": text})
            assert [each.version for each in project.migrate().applied] == [str(number)]
            assert rows(driver, query) == [[answer]], text
            now = ours(driver)
            assert {key: value for key, value in now.items() if key in before} == before, text
            assert len(now) > len(before)
            told = [each.problem for each in project.events if isinstance(each, Warned)]
            assert [each.code for each in told] == ["GM520"]
            assert "WHERE NOT n:__GraphMigrate" in (told[0].hint or "") or text == SAME
            assert project.migrate().applied == ()
    assert watching.seen == {State.APPLIED}
    states = [each.state for each in project.call("status").rows]
    assert states == [State.APPLIED] * (len(STATEMENTS) + 1)


def test_as_seeds(project: Project, driver: neo4j.Driver, tmp_path: Path) -> None:
    project.write(V1__first=FIRST)
    project.migrate()
    seeds = tmp_path / "seeds"
    seeds.mkdir()
    for number, (text, query, answer) in enumerate(STATEMENTS, 2):
        before = ours(driver)
        (seeds / f"s{number:02}.cypher.j2").write_text(text)
        project.events.clear()
        assert [each.name for each in project.call("seed").loaded] == [f"s{number:02}"]
        assert rows(driver, query) == [[answer]], text
        now = ours(driver)
        assert {key: value for key, value in now.items() if key in before} == before, text
        assert [each.problem.code for each in project.events if isinstance(each, Warned)] == ["GM520"]
        assert project.call("seed").loaded == ()
        assert project.migrate().applied == ()


def test_with_a_thousand_migrations_in_the_ledger(project: Project, driver: neo4j.Driver) -> None:
    """docs/performance.md says what this costs."""
    project.write(**{f"V{number}__x": f"CREATE (:X {{id: {number}}});" for number in range(1, 1001)})
    project.call("baseline", "1000")
    driver.execute_query(FIRST.rstrip(";"))
    before = ours(driver)
    assert len(before) >= 1000
    project.write(**{f"V{number}__x": text for number, (text, _, _) in enumerate(STATEMENTS, 1001)})
    began = time.monotonic()
    assert len(project.migrate().applied) == len(STATEMENTS)
    print(f"{len(STATEMENTS)} statements over every node: {time.monotonic() - began:.1f} s")
    assert before.items() <= ours(driver).items()
    assert project.migrate().applied == ()


def test_a_relationship_to_the_node_of_an_attempt_does_no_harm(
    project: Project, driver: neo4j.Driver
) -> None:
    project.write(V1__first=FIRST, V2__bad="CREATE (:P {id: 1 / 0});")
    with pytest.raises(MigrationFailed):
        project.migrate()
    project.write(V2__bad="MATCH (a:P), (b) WHERE b.outcome IS NOT NULL MERGE (a)-[:SEEN]->(b);")
    project.migrate()
    assert rows(driver, "MATCH (:__GraphMigrate)-[r]-() RETURN count(r)") == [[0]]
    project.write(V3__more="CREATE (:Q);")
    assert [each.version for each in project.migrate().applied] == ["3"]


def test_a_value_that_our_constraint_refuses_is_told_with_the_clause(
    project: Project, driver: neo4j.Driver
) -> None:
    project.write(V1__first=FIRST, V2__key="MATCH (n) SET n.key = 'same';")
    with pytest.raises(MigrationFailed) as raised:
        project.migrate()
    assert "graphmigrate's own nodes" in (raised.value.hint or "")
    assert "MATCH (n) WHERE NOT n:__GraphMigrate SET n.key = 'same'" in (raised.value.hint or "")
    project.write(V2__key="MATCH (n) WHERE NOT n:__GraphMigrate SET n.key = 'same';")
    assert [each.version for each in project.migrate().applied] == ["2"]
    assert rows(driver, "MATCH (p:P {key: 'same'}) RETURN count(p)") == [[2]]


EVERY = "MATCH (n) WHERE NOT n:User CALL (n) { DETACH DELETE n } IN TRANSACTIONS"


def test_a_statement_that_commits_by_itself_is_refused_and_the_hint_leads_on(
    project: Project, driver: neo4j.Driver
) -> None:
    project.write(V1__first=FIRST)
    project.migrate()
    before = ours(driver)
    project.write(V2__all=f"{EVERY};")
    with pytest.raises(PreflightError) as raised:
        project.migrate()
    assert raised.value.error_code == "GM520"
    assert rows(driver, "MATCH (p:P) RETURN count(p)") == [[2]]
    wanted = (raised.value.hint or "").splitlines()[0].partition(": ")[2]
    project.write(V2__all=f"{wanted};")
    assert [each.version for each in project.migrate().applied] == ["2"]
    assert rows(driver, "MATCH (p:P) RETURN count(p)") == [[0]]
    assert before.items() <= ours(driver).items()


def test_an_old_file_runs_as_it_is_where_that_is_allowed(project: Project, driver: neo4j.Driver) -> None:
    project.write(V1__first=FIRST)
    project.migrate()
    before = ours(driver)
    project.write(V2__all=f"{EVERY};")
    project.more["allow"] = ("any-label=V2",)
    assert any("graphmigrate repair" in (each.hint or "") for each in project.call("plan").problems)
    assert [each.version for each in project.migrate().applied] == ["2"]
    assert rows(driver, "MATCH (p:P) RETURN count(p)") == [[0]]
    assert before.items() <= ours(driver).items()
    assert project.migrate().applied == ()


def test_batches(project: Project, driver: neo4j.Driver) -> None:
    batched = "// graphmigrate: batch 1\nMATCH (n) WHERE n.seen IS NULL WITH n LIMIT $batch SET n.seen = 1;"
    project.write(V1__first=FIRST, V2__seen=batched)
    with pytest.raises(PreflightError):
        project.migrate()
    clause = batched.replace("WHERE", "WHERE NOT n:__GraphMigrate AND")
    project.write(V2__seen=clause)
    assert [each.version for each in project.migrate().applied] == ["1", "2"]
    assert rows(driver, "MATCH (p:P {seen: 1}) RETURN count(p)") == [[2]]


def test_row_blocks_of_seeds(project: Project, driver: neo4j.Driver, tmp_path: Path) -> None:
    seeds = tmp_path / "seeds"
    seeds.mkdir()
    text = "{% unwind row in range(1, 3) %}MATCH (n) SET n.seen = row{% endunwind %}"
    (seeds / "s.cypher.j2").write_text(text)
    project.write(V1__first=FIRST)
    project.migrate()
    before = ours(driver)
    with pytest.raises(GraphMigrateError) as raised:
        project.call("seed")
    assert raised.value.error_code == "GM520"
    assert "--allow any-label=s" in (raised.value.hint or "")
    assert before == ours(driver)
    project.more["allow"] = ("any-label=s",)
    assert [each.name for each in project.call("seed").loaded] == ["s"]
    assert before.items() <= ours(driver).items()
    assert rows(driver, "MATCH (p:P) WHERE p.seen IS NOT NULL RETURN count(p)") == [[2]]


def test_a_seed_whose_value_our_constraint_refuses(project: Project, tmp_path: Path) -> None:
    (tmp_path / "seeds").mkdir()
    (tmp_path / "seeds" / "s.cypher.j2").write_text("MATCH (n) SET n.key = 'same';")
    project.write(V1__first=FIRST)
    project.migrate()
    with pytest.raises(SeedFailed) as raised:
        project.call("seed")
    assert "MATCH (n) WHERE NOT n:__GraphMigrate SET n.key" in (raised.value.hint or "")


TIED = "MATCH (n) WHERE NOT n:Hub MERGE (h:Hub {id: 1}) MERGE (n)-[:SEEN]->(h) SET n:Tenant"


@pytest.fixture
def tied(project: Project, driver: neo4j.Driver) -> dict[str, str]:
    """Another program gave every node a label and a relationship, ours too; returns the bookkeeping nodes."""
    project.write(V1__first=FIRST)
    project.migrate()
    rows(driver, TIED)
    return ours(driver)


@pytest.mark.parametrize(
    "text",
    [
        "MATCH (n)-->(:Hub) SET n = {gone: 1};",
        "MATCH (n:Tenant) SET n = {gone: 1};",
        "CYPHER 5 MATCH (n:Tenant) CALL { WITH n SET n = {gone: 1} } IN TRANSACTIONS;",
    ],
)
def test_what_another_program_put_on_ours_leads_no_statement_to_them(
    project: Project, driver: neo4j.Driver, tied: dict[str, str], text: str
) -> None:
    project.write(V2__reset=text)
    project.migrate()
    assert tied.items() <= ours(driver).items()
    assert rows(driver, "MATCH (p:P {gone: 1}) RETURN count(p)") == [[2]]
    assert project.migrate().applied == ()


def test_a_batch_that_would_meet_them_again_is_rolled_back(
    project: Project, driver: neo4j.Driver, tied: dict[str, str]
) -> None:
    batched = (
        "// graphmigrate: batch 1\nMATCH (n:Tenant) WHERE n.seen IS NULL WITH n LIMIT $batch SET n.seen = 1;"
    )
    project.write(V2__seen=batched)
    with pytest.raises(MigrationFailed, match="another program") as raised:
        project.migrate()
    assert "WHERE NOT n:__GraphMigrate" in (raised.value.hint or "")
    assert tied.items() <= ours(driver).items()
    project.write(V2__seen=batched.replace("WHERE", "WHERE NOT n:__GraphMigrate AND"))
    project.migrate()
    assert rows(driver, "MATCH (p:P {seen: 1}) RETURN count(p)") == [[2]]
    assert tied.items() <= ours(driver).items()


def test_a_seed_over_nodes_that_another_program_labelled(
    project: Project, driver: neo4j.Driver, tied: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "seeds").mkdir()
    block = "{% unwind row in range(1, 3) %}MATCH (n:Tenant) SET n = {row: row}{% endunwind %}"
    (tmp_path / "seeds" / "s.cypher.j2").write_text(f"MATCH (n:Tenant) SET n = {{gone: 1}};\n{block}")
    project.call("seed")
    assert tied.items() <= ours(driver).items()
    assert rows(driver, "MATCH (p:P {row: 2}) RETURN count(p)") == [[2]]
