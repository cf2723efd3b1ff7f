"""Many changes of the schema, directly followed by data, beside a connection that makes the server plan all the time.

Neo4j then gives up planning now and again ("insanely frequent schema changes"), which has no effect and is tried again.
"""

from __future__ import annotations

import threading
from itertools import count

import neo4j
import pytest

from tests.projects import Project, rows

SCHEMA, DATA = 200, 100


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_data_that_directly_follows_many_changes_of_the_schema(
    project: Project, driver: neo4j.Driver
) -> None:
    made = [
        f"CREATE INDEX i{number} FOR (n:L{number}) ON (n.id);"
        if number % 2
        else f"CREATE CONSTRAINT c{number} FOR (n:L{number}) REQUIRE n.id IS UNIQUE;"
        for number in range(SCHEMA)
    ]
    data = [
        f"CREATE (a:L{number} {{id: {number}}}) WITH a MATCH (n:L{number} {{id: {number}}}) SET n.k = 1;"
        for number in range(DATA)
    ]
    files = {f"V{number}__x": text for number, text in enumerate([*made, *data], 1)}
    project.write(**files)
    ended = threading.Event()

    def plan_all_the_time() -> None:
        with driver.session() as session:
            for number in count():
                if ended.is_set():
                    return
                session.run(
                    f"MATCH (n:L{number % SCHEMA} {{id: $id}}) RETURN count(n) AS c{number}", id=1
                ).consume()

    busy = threading.Thread(target=plan_all_the_time)
    busy.start()
    try:
        applied = project.migrate().applied
    finally:
        ended.set()
        busy.join()
    assert len(applied) == SCHEMA + DATA
    assert rows(driver, "MATCH (n) WHERE n.k = 1 RETURN count(n)") == [[DATA]]
