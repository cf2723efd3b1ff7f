"""What golden files show badly; the rest of reading is in test_project_golden.py."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from graphmigrate.database.version import Version
from graphmigrate.errors import Problem
from graphmigrate.migrations.model import Migration, MigrationFile, checksum
from graphmigrate.migrations.reader import read


def read_bytes(content: bytes, **settings: int) -> tuple[Migration, tuple[Problem, ...]]:
    path = Path("migrations/V1__x.cypher")
    return read(
        MigrationFile(Version.parse("1"), "x", path, path.name, checksum(content), content), **settings
    )


def read_text(text: str) -> tuple[Migration, list[str]]:
    migration, problems = read_bytes(text.encode())
    return migration, [problem.code for problem in problems]


@given(st.binary() | st.text().map(lambda text: text.encode("utf-8", "surrogatepass")))
def test_any_bytes_can_be_read(content: bytes) -> None:
    migration, problems = read_bytes(content)
    assert migration.statements or problems


def test_the_limit_counts_bytes_of_one_statement() -> None:
    content = "RETURN 'ééé';\nRETURN 1;".encode()
    migration, problems = read_bytes(content, max_statement_bytes=15)
    assert [problem.code for problem in problems] == []
    migration, problems = read_bytes(content, max_statement_bytes=14)
    assert [problem.code for problem in problems] == ["GM122"]
    assert "15 bytes; the limit is 14" in problems[0].message
    assert "max_statement_size" in (problems[0].hint or "")
    assert len(migration.statements) == 2


def test_a_statement_over_ten_mebibytes_is_refused_by_default() -> None:
    lead = len("RETURN ''")
    fits = b"RETURN '" + b"x" * (10 * 1024 * 1024 - lead) + b"';"
    assert read_bytes(fits)[1] == ()
    assert [problem.code for problem in read_bytes(fits.replace(b"'x", b"'xx"))[1]] == ["GM122"]


def test_a_file_means_the_same_with_either_line_end() -> None:
    text = "// assert that edition is community\nCREATE (:A {t: 'two\nlines'});\nCREATE (:B);\n"
    unix, _ = read_bytes(text.encode())
    windows, problems = read_bytes(b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode())
    assert problems == ()
    assert windows.statements == unix.statements
    assert windows.header == unix.header
    assert windows.file.checksum == unix.file.checksum


def test_the_language_in_the_header_is_sent_with_each_statement_that_does_not_name_its_own() -> None:
    migration, codes = read_text(
        "// graphmigrate: cypher 25\nCREATE (:A);\n  cypher /* old */ 5 CREATE (:B);"
    )
    assert (migration.header.options.cypher, codes) == ("25", [])
    first, second = migration.statements
    assert first.sent == "CYPHER 25\nCREATE (:A)"
    assert second.sent == second.text
    assert str(first.place_of(2, 8)).endswith(":2:8")
    assert str(second.place_of(1, 1)).endswith(":3:3")


def test_comments_of_other_languages_are_named() -> None:
    assert read_text("-- liquibase formatted cypher\nCREATE (:A);")[1] == ["GM106"]
    assert read_text("CREATE (:A);\n# people\nCREATE (:B);")[1] == ["GM106"]
    assert read_text("MATCH (a) -- (b:B) RETURN a;")[1] == []
