"""Which conditions hold, and what becomes of a migration whose conditions do not."""

from __future__ import annotations

from pathlib import Path

import pytest

from graphmigrate.database.history import SKIPPED, STARTED, Attempt, History, HistoryRow, history_of
from graphmigrate.database.version import Version
from graphmigrate.migrations.model import Migration, MigrationFile, checksum
from graphmigrate.migrations.plan import Plan, build, other_language
from graphmigrate.migrations.reader import read
from graphmigrate.migrations.segments import segments_of
from graphmigrate.migrations.standing import Entry, compare, judged_anew
from graphmigrate.results import State, Target

COMMUNITY = "community"
CALL = "UNWIND [1] AS i CALL (i) { CREATE (:A) } IN TRANSACTIONS"


def migration_of(header: str, statement: str = "RETURN 1") -> Migration:
    content = f"{header}\n{statement};".encode()
    name = "V1__x.cypher"
    migration, problems = read(
        MigrationFile(Version.parse("1"), "x", str(Path(name)), name, checksum(content), content)
    )
    assert problems == ()
    return migration


def server_of(version: str = "5.26.25") -> Target:
    return Target("bolt://localhost", "neo4j", COMMUNITY, version)


def planned(header: str, server: str = "5.26.25") -> Plan:
    migration = migration_of(header)
    entry = Entry(migration.file.version, State.PENDING, migration.file)
    return build([(entry, migration)], History(), server_of(server), "main", allow_out_of_order=False)


def holds(condition: str, server: str) -> bool:
    return bool(planned(f"// assume that version {condition}", server).tasks)


@pytest.mark.parametrize(
    ("condition", "server", "expected"),
    [
        ("is ge 5.27.0", "5.27-aura", True),
        ("is lt 5.27.0", "5.27-aura", False),
        ("is 5.27.0", "5.27-aura", True),
        ("is 5.27.1", "5.27-aura", False),
        ("is ge 5.27.1", "5.27-aura", False),
        ("is lt 5.27", "5.27.3", False),
        ("is ge 5.27", "5.27.0", True),
        ("is lt 2026.05.1", "2026.05.0", True),
        ("is ge 5.9", "5.26.25", True),
        ("is 5.2", "5.26.25", False),
        ("is 4.4 or 5.26", "5.26.25", True),
        ("is 4.4, 5.25", "5.26.25", False),
    ],
)
def test_versions_are_compared_part_by_part(condition: str, server: str, expected: bool) -> None:
    assert holds(condition, server) is expected


def test_the_reason_of_a_skip_is_what_it_assumes() -> None:
    plan = planned("// assume that version is 4.4 or 2026.05\n// assert that edition is enterprise")
    assert [each.reason for each in plan.skips] == [
        "assumes that version is 4.4 or 2026.05; it is 5.26.25",
    ]
    assert plan.problems == ()
    assert plan.tasks == ()


@pytest.mark.parametrize("held", ["", "// assume that edition is community\n"])
def test_of_an_assert_and_an_assume_the_first_decides(held: str) -> None:
    plan = planned(f"{held}// assert that version is 4.4\n// assume that edition is enterprise")
    assert [each.message for each in plan.errors] == [
        "This migration asserts that version is 4.4; it is 5.26.25.",
    ]
    assert plan.skips == ()


OF_EDITION = "assumes that edition is enterprise; it is community"
OF_QUERY = "assumes what does not hold here: RETURN false"
ASKED_AGAIN = f"{OF_QUERY} (looked at again by the next run)"


@pytest.mark.parametrize(
    ("reason", "header", "state", "detail"),
    [
        (OF_EDITION, "// assume that edition is enterprise", State.SKIPPED, OF_EDITION),
        (
            OF_EDITION,
            "// assume that edition is community",
            State.PENDING,
            f"last attempt skipped: {OF_EDITION}",
        ),
        (OF_EDITION, "", State.PENDING, f"last attempt skipped: {OF_EDITION}"),
        (
            OF_EDITION,
            "// assert that edition is enterprise",
            State.PENDING,
            f"last attempt skipped: {OF_EDITION}",
        ),
        (OF_QUERY, "// assume q' RETURN false", State.SKIPPED, ASKED_AGAIN),
        (OF_QUERY, "// assume q' RETURN true", State.PENDING, f"last attempt skipped: {OF_QUERY}"),
        (
            OF_QUERY,
            "// assume q' RETURN false\n// assume that edition is enterprise",
            State.SKIPPED,
            OF_EDITION,
        ),
    ],
)
def test_what_was_skipped_is_judged_by_its_conditions_of_now(
    reason: str, header: str, state: State, detail: str
) -> None:
    migration = migration_of(header)
    history = History(attempts={"1": Attempt(SKIPPED, reason)})
    [entry] = compare([migration.file], history)
    judged = judged_anew(entry, migration.header, history, server_of())
    assert (judged.state, judged.detail) == (state, detail)


def row_of(version: str, migration: Migration) -> HistoryRow:
    """The row of a run that announced the first segment."""
    statements = segments_of(migration)[0].fingerprints
    name = Version.parse(version)
    key = f"main/migration/{version}@1"
    return HistoryRow(
        key, name, "x", "cypher", migration.file.checksum, STARTED, 0, 1, intent=1, statements=statements
    )


def test_a_late_one_stays_skipped() -> None:
    migration = migration_of("")
    skipped = {"1": Attempt(SKIPPED, OF_EDITION)}
    history = history_of([row_of("2", migration)], attempts=skipped)
    entry = compare([migration.file], history)[0]
    assert judged_anew(entry, migration.header, history, server_of()) == entry
    assert entry.state is State.SKIPPED


@pytest.mark.parametrize(("record", "codes"), [(None, ["GM606"]), ("main/run/other", [])])
def test_a_statement_is_not_called_interrupted_while_a_run_may_be_inside(
    record: str | None, codes: list[str]
) -> None:
    migration = migration_of("", CALL)
    history = history_of([row_of("1", migration)], record=record)
    [entry] = compare([migration.file], history)
    found = build([(entry, migration)], history, server_of(), "main", allow_out_of_order=False)
    assert [each.code for each in found.problems] == codes
    assert len(found.tasks) == 1


@pytest.mark.parametrize(
    ("earlier", "header", "default", "told"),
    [
        (
            ["5", "5"],
            "",
            "25",
            "This file would run under Cypher 25, the database's default; earlier ones ran under Cypher 5.",
        ),
        (["5"], "// graphmigrate: cypher 5", "25", None),
        (["5", "25"], "", "25", None),
        (["5"], "", "5", None),
        ([], "", "25", None),
        ([None], "", "25", None),
    ],
)
def test_a_file_that_names_no_language_is_warned_of_where_it_would_be_a_new_one(
    earlier, header, default, told
):
    rows = [
        HistoryRow(
            f"main/migration/{number}@1",
            Version.parse(str(number)),
            "",
            "cypher",
            "c",
            "applied",
            1,
            1,
            language=each,
        )
        for number, each in enumerate(earlier, 2)
    ]
    found = other_language(planned(header), history_of(rows), default)
    assert [each.message for each in found] == ([told] if told else [])
