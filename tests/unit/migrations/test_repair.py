"""What speaks for and against changing the history by a person's word, without a server."""

from __future__ import annotations

from pathlib import Path

import pytest

from graphmigrate.database.history import COMPLETE, STARTED, History, HistoryRow, history_of
from graphmigrate.database.version import Version
from graphmigrate.errors import HistoryMismatch, ProjectError, Severity, UsageError
from graphmigrate.migrations import repair, standing
from graphmigrate.migrations.files import collect
from graphmigrate.migrations.model import Migration, MigrationFile
from graphmigrate.migrations.reader import read
from graphmigrate.migrations.segments import segments_of
from graphmigrate.migrator import Migrator
from tests.projects import write_migrations

CALL = "UNWIND range(1, 9) AS i CALL (i) { CREATE (:Copy {i: i}) } IN TRANSACTIONS OF 1 ROW;"
INDEX = "CREATE INDEX one FOR (n:One) ON (n.a);"
ANNOUNCED = f"CREATE (:A);\n{CALL}\nCREATE (:B);"


def read_one(file: MigrationFile) -> Migration:
    return read(file, max_statement_bytes=1_000_000)[0]


def row_of(file: MigrationFile, step: int | None = None, intent: int | None = None) -> HistoryRow:
    segments = segments_of(read_one(file))
    state, touched = (COMPLETE, len(segments)) if step is None else (STARTED, intent or step)
    version = file.version
    return HistoryRow(
        f"default/migration/{version.canonical}@1",
        version,
        file.description,
        "cypher",
        file.checksum,
        state,
        len(segments) if step is None else step,
        len(segments),
        intent=intent,
        statements=tuple(each for segment in segments[:touched] for each in segment.fingerprints),
    )


def applied(folder: Path) -> History:
    return history_of([row_of(file) for file in collect(folder).files])


def changes(folder: Path, history: History, word: str) -> list[repair.Change]:
    return repair.changes(collect(folder), history, {word: {Version.parse("7")}}, read_one)


@pytest.fixture
def announced(tmp_path: Path) -> tuple[Path, History]:
    """V7 was interrupted in its second segment, which commits by itself."""
    folder = write_migrations(tmp_path, V7__a=ANNOUNCED)
    (file,) = collect(folder).files
    return folder, history_of([row_of(file, step=1, intent=2)])


@pytest.mark.parametrize(
    "text",
    [
        f"CREATE (:A);\n{INDEX}\n{CALL}\nCREATE (:B);",
        f"CREATE (:A2);\n{CALL}\nCREATE (:B);",
        "CREATE (:A);",
    ],
)
def test_another_statement_than_the_announced_one_does_not_count_as_done(
    announced: tuple[Path, History], text: str
) -> None:
    folder, history = announced
    write_migrations(folder.parent, V7__a=text)
    with pytest.raises(HistoryMismatch) as caught:
        changes(folder, history, "done")
    assert caught.value.error_code == "GM605"
    (shown,) = repair.findings(collect(folder), history, read_one)
    assert shown.finding.startswith("V7 is applied in part: statement")
    assert shown.resolution.startswith("Put statements 1 and 2 of V7__a.cypher back")


def test_the_announced_statement_counts_as_done(announced: tuple[Path, History]) -> None:
    folder, history = announced
    (change,) = changes(folder, history, "done")
    assert (change.values["step"], change.values["intent"], "state" in change.values) == (2, None, False)
    write_migrations(folder.parent, V7__a=f"CREATE (:A);\n{CALL}")
    (change,) = changes(folder, history, "done")
    (file,) = collect(folder).files
    assert (change.values["state"], change.values["steps"], change.values["checksum"]) == (
        COMPLETE,
        2,
        file.checksum,
    )


def test_what_is_not_sure_to_be_done_may_run_again_after_an_edit(announced: tuple[Path, History]) -> None:
    folder, history = announced
    write_migrations(folder.parent, V7__a=f"CREATE (:A);\n{INDEX}\n{CALL}")
    (change,) = changes(folder, history, "rerun")
    (row,) = history.rows.values()
    assert change.values == {"intent": None, "batches": 0, "statements": [row.statements[0]]}


def test_what_a_run_may_be_inside_of_is_not_called_interrupted(announced: tuple[Path, History]) -> None:
    folder, history = announced
    (shown,) = repair.findings(collect(folder), history, read_one)
    assert shown.resolution == "graphmigrate repair --rerun V7 or --done V7"
    files, at_work = collect(folder), history._replace(record="default/run/other")
    assert repair.findings(files, at_work, read_one) == ()
    (warned,) = standing.told_mismatches(files, standing.compare(files.files, at_work), at_work)
    assert (warned.code, warned.severity) == ("GM211", Severity.WARNING)


def test_a_renamed_file_is_not_said_to_be_forgotten(tmp_path: Path) -> None:
    folder = write_migrations(tmp_path, V5__a="CREATE (:A);", V6__b="CREATE (:B);")
    history = applied(folder)
    (folder / "V5__a.cypher").rename(folder / "V7__a.cypher")
    files = collect(folder)
    (problem,) = standing.mismatches(standing.compare(files.files, history), history)
    assert problem.code == "GM603"
    assert "V7__a.cypher has the text that was applied" in problem.message
    assert problem.hint
    assert problem.hint.startswith("Give the file its version V5 back.")
    (shown,) = repair.findings(files, history, read_one)
    assert (shown.version, shown.resolution) == ("5", problem.hint)
    write_migrations(tmp_path, V7__a="CREATE (:Other);")
    (problem,) = standing.mismatches(standing.compare(collect(folder).files, history), history)
    assert problem.message.endswith("its file is missing.")


def test_repair_shows_whatever_stops_migrate(tmp_path: Path) -> None:
    folder = write_migrations(tmp_path, V1__a="CREATE (:A);", V3__c="CREATE (:C);")
    history = applied(folder)
    assert repair.findings(collect(folder), history, read_one) == ()
    write_migrations(tmp_path, V2__b="CREATE (:B);")
    (late,) = repair.findings(collect(folder), history, read_one)
    assert (late.version, late.done) == ("2", False)
    assert "--allow-out-of-order" in late.resolution


def test_a_wrong_folder_comes_before_its_consequences(tmp_path: Path) -> None:
    folder = write_migrations(tmp_path, V1__a="CREATE (:A);", V2__b="CREATE (:B);")
    history = applied(folder)
    (folder / "V2__b.cypher").rename(folder / "V2_b.cypher")
    write_migrations(tmp_path, V1__other="CREATE (:Other);")
    files = collect(folder)
    found = standing.told_mismatches(files, standing.compare(files.files, history), history)
    assert [each.code for each in found] == ["GM602"]
    assert all("repair" not in (each.hint or "") for each in found)
    with Migrator(uri="bolt://127.0.0.1:1", migrations=folder) as migrator, pytest.raises(ProjectError):
        migrator.repair(forget=["2"])


def test_two_words_for_one_version_are_refused(tmp_path: Path) -> None:
    folder = write_migrations(tmp_path)
    with (
        Migrator(uri="bolt://127.0.0.1:1", migrations=folder) as migrator,
        pytest.raises(UsageError, match="is named with --rerun and with --done") as caught,
    ):
        migrator.repair(rerun=["V2"], done=["2.0"])
    assert caught.value.error_code == "GM610"
