"""Batches that a procedure reports as failed, in rows of the shape that apoc.periodic.iterate and commit return."""

from __future__ import annotations

import pytest

from graphmigrate.errors import MigrationFailed
from graphmigrate.results import State
from tests.projects import Project

WORK = "UNWIND range(1, 4) AS i CALL (i) { CREATE (:Person {id: i}) } IN TRANSACTIONS OF 2 ROWS\nWITH count(*) AS total\n"
ITERATE = (
    "RETURN total, {} AS failedBatches, {} AS failedOperations, {} AS errorMessages, false AS wasTerminated"
)


def test_failed_batches_fail_the_migration(project: Project) -> None:
    project.write(
        V1__iterate=f"{WORK}{ITERATE.format(2, 4, '{`/ by zero`: 2}')};", V2__next="CREATE (:Next);"
    )
    with pytest.raises(MigrationFailed) as caught:
        project.migrate()
    assert caught.value.message == (
        "The procedure ended, but tells of failures: failedBatches 2, failedOperations 4. / by zero (2)"
    )
    assert (caught.value.place.line, caught.value.hint.split(": ")[1]) == (
        1,
        "graphmigrate repair --rerun V1 or --done V1.",
    )
    assert [row.state for row in project.call("status").rows] == [State.FAILED, State.PENDING]
    project.call("repair", done=["1"])
    assert [each.version for each in project.migrate().applied] == ["2"]


@pytest.mark.parametrize(
    "rows",
    [
        ITERATE.format(0, 0, "{}"),
        "RETURN total, 0 AS failedCommits, {} AS commitErrors",
        "RETURN 1 AS failed",
    ],
)
def test_rows_without_failures_do_not(project: Project, rows: str) -> None:
    project.write(V1__iterate=f"{WORK}{rows};")
    assert [each.version for each in project.migrate().applied] == ["1"]


def test_a_procedure_that_was_terminated(project: Project) -> None:
    project.write(V1__commit=f"{WORK}RETURN total AS updates, 0 AS failedCommits, true AS wasTerminated;")
    with pytest.raises(MigrationFailed, match="wasTerminated"):
        project.migrate()
