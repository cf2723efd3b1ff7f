"""A migration of which a part is committed always has a way on."""

from __future__ import annotations

import neo4j
import pytest

from graphmigrate.errors import GraphMigrateError, HistoryMismatch, MigrationFailed, PreflightError
from tests.projects import Project, rows

FIRST = "MATCH (c:Customer) SET c.seen = 1, c.times = coalesce(c.times, 0) + 1;"
UNIQUE = "CREATE CONSTRAINT customer_email FOR (c:Customer) REQUIRE c.email IS UNIQUE;"
LAST = "MATCH (c:Customer) SET c.seen = 2;"
FIX = (
    "MATCH (c:Customer) WITH c ORDER BY c.id WITH c.email AS e, collect(c) AS all "
    "FOREACH (c IN all[1..] | SET c.email = e + c.id);"
)
DONE = [["a", 2, 1], ["a2", 2, 1]]


@pytest.fixture
def half(project: Project, driver: neo4j.Driver) -> Project:
    """V5 failed at its second statement of three."""
    driver.execute_query("CREATE (:Customer {id: 1, email: 'a'}), (:Customer {id: 2, email: 'a'})")
    project.write(V5__customers="\n".join([FIRST, UNIQUE, LAST]))
    with pytest.raises(MigrationFailed) as caught:
        project.migrate(check_data="never")
    assert caught.value.error_code == "GM508"
    return project


def customers(driver: neo4j.Driver) -> list[list[object]]:
    return rows(driver, "MATCH (c:Customer) RETURN c.email, c.seen, c.times ORDER BY c.id")


def test_without_the_word_never_it_does_not_begin(project: Project, driver: neo4j.Driver) -> None:
    driver.execute_query("CREATE (:Customer {id: 1, email: 'a'}), (:Customer {id: 2, email: 'a'})")
    project.write(V5__customers="\n".join([FIRST, UNIQUE, LAST]))
    with pytest.raises(PreflightError):
        project.migrate()
    assert customers(driver) == [["a", None, None], ["a", None, None]]


def test_status_tells_what_is_committed_and_what_is_still_to_run(half: Project) -> None:
    (row,) = half.call("status").rows
    assert row.state == "failed"
    assert row.detail.startswith(
        "statement 1 of 3 is committed; 2 and 3 are still to run; last attempt failed: "
    )
    assert not half.call("status").clean
    with pytest.raises(PreflightError) as caught:  # the data are looked at before anything of it goes on
        half.migrate()
    assert caught.value.error_code == "GM508"


def test_by_a_statement_above_the_one_that_failed(half: Project, driver: neo4j.Driver) -> None:
    half.write(V5__customers="\n".join([FIRST, FIX, UNIQUE, LAST]))
    half.migrate()
    assert customers(driver) == DONE
    assert half.call("status").clean


def test_by_a_migration_before_it(half: Project, driver: neo4j.Driver) -> None:
    half.write(V4__fix=FIX)
    with pytest.raises(HistoryMismatch) as caught:
        half.migrate()
    assert caught.value.error_code == "GM604"
    assert caught.value.message == "V4__fix.cypher is new, but V5, a later version, is applied in part."
    assert (caught.value.hint or "").startswith(
        "Run graphmigrate migrate --allow-out-of-order to apply it before V5 goes on"
    )
    result = half.migrate(allow_out_of_order=True)
    assert [each.version for each in result.applied] == ["4", "5"]
    assert customers(driver) == DONE
    order = "MATCH (m:__GraphMigrateMigration) RETURN m.version ORDER BY m.rank DESC"
    assert rows(driver, order) == [["5"], ["4"]]  # the way back


def test_a_migration_before_it_that_fails_keeps_it_waiting(half: Project, driver: neo4j.Driver) -> None:
    half.write(V4__fix=f"{FIX}\nUNWIND [0] AS i CREATE (:A {{x: 1 / i}});")
    with pytest.raises(MigrationFailed) as caught:
        half.migrate(allow_out_of_order=True)
    assert caught.value.place is not None
    assert "V4__fix" in caught.value.place.file
    assert customers(driver) == [["a", 1, 1], ["a", 1, 1]]
    half.write(V4__fix=FIX)
    half.migrate(allow_out_of_order=True)
    assert customers(driver) == DONE


def test_by_hand(half: Project, driver: neo4j.Driver) -> None:
    driver.execute_query(FIX.rstrip(";"))
    half.migrate()
    assert customers(driver) == DONE


def test_what_follows_may_be_changed_and_taken_out(half: Project, driver: neo4j.Driver) -> None:
    half.write(V5__customers=FIRST)
    half.migrate()
    assert customers(driver) == [["a", 1, 1], ["a", 1, 1]]
    assert half.call("status").clean


def refused(project: Project) -> GraphMigrateError:
    with pytest.raises(HistoryMismatch) as caught:
        project.migrate()
    return caught.value


def test_files_of_another_project_are_told_as_that_before_they_can_be_accepted(project: Project) -> None:
    project.write(V1__people="CREATE (:Person);", V2__orders="CREATE (:Order);").migrate()
    for file in (project.folder / "migrations").iterdir():
        file.unlink()
    project.write(V1__films="CREATE (:Film);", V2__actors="CREATE (:Actor);", V3__more="CREATE (:More);")
    error = refused(project)
    assert (error.error_code, error.problems) == ("GM602", ())
    assert error.message.startswith(
        "These files are not those that were applied here: of V1 to V2 in the history"
    )
    hint = error.hint or ""
    assert hint.index("another project's database") < hint.index("repair --accept V1 --accept V2")
    (shown,) = project.call("repair").actions
    assert shown.finding == error.message
    project.call("repair", accept=["V1", "V2"])
    assert [each.version for each in project.migrate().applied] == ["3"]


def test_one_version_that_another_branch_took(project: Project) -> None:
    project.write(V1__people="CREATE (:Person);", V2__orders="CREATE (:Order);").migrate()
    (project.folder / "migrations/V2__orders.cypher").unlink()
    project.write(V2__films="CREATE (:Film);")
    error = refused(project)
    assert "has another name and another text than what was applied as V2 (orders)" in error.message
    (project.folder / "migrations/V2__films.cypher").unlink()
    project.write(V2__orders="CREATE (:Order);", V3__films="CREATE (:Film);")
    assert [each.version for each in project.migrate().applied] == ["3"]
