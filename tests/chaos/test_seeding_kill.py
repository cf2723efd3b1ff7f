"""kill -9 of a load at random moments, again and again: resumed, the graph is that of a load nobody disturbed."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import neo4j
import pytest

from tests.conftest import Neo4jTarget, wipe
from tests.projects import rows

KILLS = int(os.environ.get("GRAPHMIGRATE_CHAOS_SEED_KILLS", "3"))
MIGRATION = (
    "CREATE CONSTRAINT p IF NOT EXISTS FOR (n:P) REQUIRE n.id IS UNIQUE;\n"
    "CREATE CONSTRAINT m IF NOT EXISTS FOR (n:M) REQUIRE n.id IS UNIQUE;\n"
)
# Every way to load rows: dealt out in blocks, by key, in order; a MATCH on what is made; statements between.
SEED = """---
reset: MATCH (n:P|Q|M|T|Start|Middle|End) WITH n LIMIT $batch DETACH DELETE n
---
CREATE (:Start);
{% unwind row in csv('p.csv') %}CREATE (:P {id: row.id, name: row.name}){% endunwind %}
CREATE (:Middle);
{% unwind row in csv('p.csv') %}MATCH (p:P {id: row.id}) CREATE (p)-[:HAS]->(:Q {id: row.id}){% endunwind %}
{% unwind row in csv('m.csv') %}
MERGE (m:M {id: row.id}) SET m.times = coalesce(m.times, 0) + 1, m.last = row.n
{% endunwind %}
{% unwind row in csv('m.csv') %}
MATCH (m:M {id: row.id}), (p:P {id: row.n}) MERGE (m)-[r:OF]->(p) SET r.n = row.n
{% endunwind %}
{% unwind i in range(3000) %}
MATCH (p:P {id: toString(i)}) WITH p, i SET p.number = coalesce(p.number, 0) + i CREATE (:T {i: i})
{% endunwind %}
CREATE (:End);
"""
GRAPH = """
MATCH (n) WHERE NOT labels(n)[0] STARTS WITH '__'
RETURN labels(n)[0] AS label, properties(n) AS node,
       COLLECT { MATCH (n)-[r]->(m) RETURN [type(r), properties(r), labels(m)[0], m.id] ORDER BY type(r), m.id } AS out
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("seeding")
    for name in ("migrations", "seeds"):
        (made / name).mkdir()
    (made / "migrations" / "V1__p.cypher").write_text(MIGRATION)
    (made / "seeds" / "a.cypher.j2").write_text(SEED)
    (made / "seeds" / "p.csv").write_text("id,name\n" + "".join(f"{n},name {n}\n" for n in range(8000)))
    (made / "seeds" / "m.csv").write_text("id,n\n" + "".join(f"{n * 7 % 900},{n}\n" for n in range(4000)))
    return made


def start(target: Neo4jTarget, folder: Path, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "graphmigrate", *arguments],
        cwd=folder,
        env=target.env | {"GRAPHMIGRATE_BATCH_ROWS": "150", "PYTHONPATH": str(Path(__file__).parents[2])},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def finish(target: Neo4jTarget, folder: Path, *arguments: str) -> None:
    process = start(target, folder, *arguments)
    output, _ = process.communicate(timeout=200)
    assert process.returncode == 0, output


def graph(driver: neo4j.Driver) -> list[str]:
    return sorted(map(repr, rows(driver, GRAPH)))


def committed(driver: neo4j.Driver) -> int:
    return int(rows(driver, "MATCH (s:__GraphMigrateSeed) RETURN sum(s.commits)")[0][0])


def kill_after(process: subprocess.Popen[str], driver: neo4j.Driver, steps: int) -> bool:
    """Kill a load once so many more batches are committed; whether it was still running then."""
    goal = committed(driver) + steps
    while process.poll() is None and committed(driver) < goal:
        time.sleep(0.002)
    alive = process.poll() is None
    process.kill()
    process.communicate()
    return alive


@pytest.mark.timeout(1800)
def test_killed_loads_end_as_undisturbed_ones(
    neo4j_target: Neo4jTarget, session_driver: neo4j.Driver, folder: Path
) -> None:
    wipe(session_driver)
    finish(neo4j_target, folder, "migrate")
    finish(neo4j_target, folder, "seed")
    undisturbed = graph(session_driver)
    chosen = random.Random(os.environ.get("GRAPHMIGRATE_CHAOS_SEED", "seeds"))
    kills = 0
    wanted: list[str] = ["seed", "--reset"]
    while kills < KILLS:
        killed = kill_after(start(neo4j_target, folder, *wanted), session_driver, chosen.randint(1, 60))
        kills += killed
        wanted = ["seed"] if killed else ["seed", "--reset"]
        if not killed or kills % 3 == 0:
            finish(neo4j_target, folder, "seed")
            assert graph(session_driver) == undisturbed, f"after {kills} kills"
            wanted = ["seed", "--reset"]
    finish(neo4j_target, folder, "seed")
    assert graph(session_driver) == undisturbed
    left: list[Any] = rows(
        session_driver, "MATCH (s:__GraphMigrateSeed) WHERE s.key CONTAINS 'lane' RETURN s.key"
    )
    assert left == []
