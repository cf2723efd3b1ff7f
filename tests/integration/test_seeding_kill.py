"""kill -9 in the middle of a CREATE-style load: run again, and every row is there once. tests/chaos kills the command."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from pathlib import Path

import neo4j

from tests.conftest import Neo4jTarget

LOADER = """
import sys
from pathlib import Path
import neo4j
from graphmigrate import seeds
from graphmigrate.seeds.loader import run as load
from graphmigrate.settings import Settings
from graphmigrate.database.connection import Database

uri, user, password, run, folder = sys.argv[1:]
driver = neo4j.GraphDatabase.driver(uri, auth=(user, password) if password else None)
database = Database(driver, Settings(batch_rows=100), run=run, host="h", user="u")
database.name = "neo4j"
prepared = seeds.prepare(Path(folder))
decided = seeds.decide(database, prepared)
print("started", flush=True)
load(database, decided)
"""

SEED = """
CREATE (:Start);
{% unwind row in csv('p.csv') %}CREATE (:P {id: row.id, name: row.name}){% endunwind %}
{% unwind i in range(5000) %}MATCH (p:P {id: toString(i)}) CREATE (p)-[:HAS]->(:Q {id: i}){% endunwind %}
CREATE (:End);
"""


def start(target: Neo4jTarget, run: str, folder: Path) -> subprocess.Popen[str]:
    arguments = [target.uri, target.username, target.password, run, str(folder)]
    return subprocess.Popen([sys.executable, "-c", LOADER, *arguments], stdout=subprocess.PIPE, text=True)


def test_a_killed_load_is_completed_exactly_once(
    driver: neo4j.Driver, neo4j_target: Neo4jTarget, tmp_path: Path
) -> None:
    driver.execute_query("CREATE CONSTRAINT s FOR (n:__GraphMigrate) REQUIRE n.key IS UNIQUE")
    driver.execute_query("CREATE INDEX p FOR (n:P) ON (n.id)")
    (tmp_path / "a.cypher.j2").write_text(SEED)
    (tmp_path / "p.csv").write_text("id,name\n" + "".join(f"{n},name {n}\n" for n in range(8000)))
    chosen = random.Random("kills")
    interrupted = 0
    for attempt in range(4):
        process = start(neo4j_target, f"run-{attempt}", tmp_path)
        assert process.stdout is not None
        assert process.stdout.readline() == "started\n"
        time.sleep(chosen.uniform(0.05, 0.4))
        interrupted += process.poll() is None
        process.kill()
        process.wait()
    assert interrupted
    last = start(neo4j_target, "run-last", tmp_path)
    assert last.wait(120) == 0
    records, _, _ = driver.execute_query(
        "RETURN COUNT { (:P) } AS people, COUNT { MATCH (p:P) RETURN DISTINCT p.id } AS ids, COUNT { (:Q) } AS q,"
        " COUNT { ()-[:HAS]->() } AS has, COUNT { (:Start) } AS starts, COUNT { (:End) } AS ends"
    )
    assert records[0].data() == {"people": 8000, "ids": 8000, "q": 5000, "has": 5000, "starts": 1, "ends": 1}
    [row] = driver.execute_query("MATCH (s:__GraphMigrateSeed) RETURN s {.*} AS row").records
    assert (row["row"]["state"], row["row"]["rows"]) == ("loaded", 13000)
