"""An index that the server cannot build fails its migration, and leaves nothing of it behind."""

from __future__ import annotations

import time

import neo4j
import pytest

from graphmigrate.errors import MigrationFailed
from tests.chaos.network import killed_at
from tests.chaos.proxy import proxy
from tests.chaos.runners import runners, until
from tests.projects import Project, count, rows, write_migrations

pytestmark = pytest.mark.depends_on_version

TOO_LONG = "UNWIND range(1, 3) AS i CREATE (:Doc {n: i, body: reduce(s = '', x IN range(1, 9000) | s + toString(x * 7919))});"
INDEX = "CREATE INDEX doc_body FOR (d:Doc) ON (d.body);"
MENDED = "MATCH (d:Doc) SET d.body = 'short'"


def schema(driver: neo4j.Driver) -> list[list[str]]:
    return rows(
        driver,
        "SHOW INDEXES YIELD name, state, type WHERE type <> 'LOOKUP' AND NOT name STARTS WITH '__graphmigrate' "
        "RETURN name, state ORDER BY name",
    )


def states(project: Project) -> list[str]:
    return [row.state for row in project.call("status").rows]


def test_the_migration_fails_and_its_file_may_be_mended(project: Project, driver: neo4j.Driver) -> None:
    project.write(V1__docs=TOO_LONG, V2__index=f"\n  {INDEX}", V3__after="CREATE (:After);")
    with pytest.raises(MigrationFailed) as caught:
        project.migrate()
    error = caught.value
    assert error.error_code == "GM506"
    assert "doc_body could not be built: Property value is too large to index" in error.message
    assert "\tat " not in error.message
    assert error.place
    assert (error.place.line, error.place.column) == (2, 3)
    assert states(project) == ["applied", "pending", "pending"]
    assert schema(driver) == []
    assert count(driver, "After") == 0
    project.write(V2__index="CREATE INDEX doc_n FOR (d:Doc) ON (d.n);")
    assert [each.version for each in project.migrate().applied] == ["2", "3"]
    assert schema(driver) == [["doc_n", "ONLINE"]]


def test_the_data_may_be_mended_instead(project: Project, driver: neo4j.Driver) -> None:
    project.write(V1__docs=TOO_LONG, V2__index=INDEX)
    with pytest.raises(MigrationFailed):
        project.migrate()
    driver.execute_query(MENDED)
    assert [each.version for each in project.migrate().applied] == ["2"]
    assert schema(driver) == [["doc_body", "ONLINE"]]


def test_what_the_segment_made_beside_it_goes_and_what_was_there_stays(
    project: Project, driver: neo4j.Driver
) -> None:
    driver.execute_query("CREATE INDEX there FOR (d:Doc) ON (d.n)")
    project.write(
        V1__docs=TOO_LONG,
        V2__several=(
            "CREATE INDEX there IF NOT EXISTS FOR (d:Doc) ON (d.n);\n"
            f"CREATE CONSTRAINT doc_n_key FOR (d:Doc) REQUIRE (d.n, d.m) IS UNIQUE;\n{INDEX}"
        ),
    )
    with pytest.raises(MigrationFailed):
        project.migrate()
    assert schema(driver) == [["there", "ONLINE"]]
    driver.execute_query(MENDED)
    project.migrate()
    assert schema(driver) == [["doc_body", "ONLINE"], ["doc_n_key", "ONLINE"], ["there", "ONLINE"]]


def test_written_by_the_migration_before_it(project: Project, driver: neo4j.Driver) -> None:
    """The label was unused when the run began, and is not when the index is made."""
    project.write(V1__first="CREATE INDEX other FOR (o:Other) ON (o.n);", V2__docs=TOO_LONG, V3__index=INDEX)
    project.write(V4__after="CREATE (:After);")
    with pytest.raises(MigrationFailed):
        project.migrate()
    assert states(project) == ["applied", "applied", "pending", "pending"]
    assert schema(driver) == [["other", "ONLINE"]]


def test_an_index_of_somebody_else_that_failed_is_not_in_the_way(
    project: Project, driver: neo4j.Driver
) -> None:
    driver.execute_query(TOO_LONG.rstrip(";"))
    driver.execute_query("CREATE INDEX theirs FOR (d:Doc) ON (d.body)")
    until(lambda: ["theirs", "FAILED"] in schema(driver), 30)
    project.write(
        V1__index="CREATE INDEX ours FOR (d:Doc) ON (d.n);", V2__data="MATCH (d:Doc) SET d.seen = true;"
    )
    assert len(project.migrate().applied) == 2
    assert schema(driver) == [["ours", "ONLINE"], ["theirs", "FAILED"]]


def test_a_runner_killed_before_it_knew(project: Project, driver: neo4j.Driver) -> None:
    """Whenever it dies, the next run does not take the FAILED index for a migration that is done."""
    driver.execute_query(TOO_LONG.rstrip(";"))
    write_migrations(project.folder, V1__index=INDEX, V2__after="CREATE (:After);")
    with runners(project.target.env) as warm:
        with proxy(project.target.uri) as counting:
            code, _ = warm.finish(project.folder, counting.uri)
            assert code == 5
            last = len(counting.log)
        for k in range(last - 40, last, 5):
            killed_at(k, warm, project.folder, project.target.uri)
            time.sleep(0.05)
            code, output = warm.finish(project.folder, project.target.uri)
            assert (code, "GM506" in output) == (5, True), f"killed at {k} of {last}: {output}"
            assert schema(driver) == []
            assert count(driver, "After") == 0
        driver.execute_query(MENDED)
        code, output = warm.finish(project.folder, project.target.uri)
        assert code == 0, output
    assert schema(driver) == [["doc_body", "ONLINE"]]
    assert count(driver, "After") == 1
