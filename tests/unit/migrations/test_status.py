from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime

from graphmigrate.database.history import HistoryRow
from graphmigrate.database.version import Version
from graphmigrate.migrations.model import MigrationFile
from graphmigrate.migrations.standing import Entry
from graphmigrate.migrations.status import status_row
from graphmigrate.results import State, StatusRow

VERSION = Version.parse("1.2")
FILE = MigrationFile(VERSION, "of the file", "m/V1_2__x.cypher", "V1_2__x.cypher", "0" * 64, b"")
MOMENT = datetime(2026, 1, 31, tzinfo=UTC)
ROW = HistoryRow(
    "l/migration/1.2@1", VERSION, "of the row", "cypher", "0" * 64, "applied", 1, 1, MOMENT, "ann"
)


def test_a_row_has_what_files_and_history_know() -> None:
    assert status_row(Entry(VERSION, State.PENDING, FILE)) == StatusRow(
        "1.2", "of the file", State.PENDING, "V1_2__x.cypher"
    )
    gone = status_row(Entry(VERSION, State.MISSING, row=ROW, detail="d"))
    assert (gone.description, gone.file, gone.detail) == ("of the row", None, "d")
    assert (gone.installed_on, gone.installed_by, gone.type) == (MOMENT, "ann", "cypher")


def test_it_imports_no_reader_of_statements_and_nothing_that_only_a_run_needs() -> None:
    code = "import sys, graphmigrate.migrator, graphmigrate.migrations.status; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    only_for_runs = (
        "cypher.clauses",
        "cypher.kinds",
        "migrations.reader",
        "migrations.plan",
        "migrations.findings",
    )
    assert not {f"graphmigrate.{each}" for each in only_for_runs} & {*done.stdout.split()}
