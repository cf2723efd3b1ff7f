"""What results say of themselves."""

from __future__ import annotations

from graphmigrate.errors import Problem, Severity
from graphmigrate.results import AppliedMigration, MigrateResult, Status, Target


def test_a_warning_leaves_nothing_to_do() -> None:
    target = Target("bolt://x", "neo4j", "community", "5.26.25")
    stray = Problem("GM113", "A file that is not a migration.", severity=Severity.WARNING)
    assert Status(target, (), (stray,)).clean
    assert not Status(target, (), (Problem("GM602", "It was edited."),)).clean


def test_a_result_as_text() -> None:
    target = Target("bolt://host", "movies", "community", "5.26")
    applied = (AppliedMigration("1", "people", 0.5), AppliedMigration("2", "index", 0.5))
    assert (
        str(MigrateResult(target, applied, (), "2", 1.0))
        == "Applied V1, V2; the schema of movies is at version 2."
    )
    assert str(MigrateResult(target, (), (), None, 1.0)) == "Nothing to do; the schema of movies is empty."
