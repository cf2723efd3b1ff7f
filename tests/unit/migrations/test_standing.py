"""How files stand to the history."""

from __future__ import annotations

import pytest

from graphmigrate.database.history import SKIPPED, STARTED, Attempt, History, HistoryRow, history_of
from graphmigrate.database.version import Version
from graphmigrate.migrations.model import Migration
from graphmigrate.migrations.plan import build
from graphmigrate.migrations.segments import segments_of
from graphmigrate.migrations.standing import compare, judged_anew
from graphmigrate.results import State
from tests.unit.migrations.values import migration_of, server_of

CALL = "UNWIND [1] AS i CALL (i) { CREATE (:A) } IN TRANSACTIONS"


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
