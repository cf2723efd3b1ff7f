"""Which conditions hold, and what becomes of a migration whose conditions do not."""

from __future__ import annotations

import pytest

from graphmigrate.database.history import History, HistoryRow, history_of
from graphmigrate.database.version import Version
from graphmigrate.migrations.plan import Plan, build, other_language
from graphmigrate.migrations.standing import Entry
from graphmigrate.results import State
from tests.unit.migrations.values import migration_of, server_of


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
    assert [each.message for each in plan.problems] == [
        "This migration asserts that version is 4.4; it is 5.26.25.",
    ]
    assert plan.skips == ()


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
