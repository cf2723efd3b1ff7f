from __future__ import annotations

from pathlib import Path

import pytest

from graphmigrate import batches
from graphmigrate.cypher.model import Kind
from graphmigrate.migrations.code import depends_of, read_code
from graphmigrate.migrations.files import collect
from graphmigrate.migrations.model import Migration
from graphmigrate.migrations.segments import segments_of

PLAIN = "def upgrade(tx):\n    pass\n"


def read(folder: Path, text: str | bytes, **others: str) -> tuple[Migration, list[str]]:
    """The migration and its problems, each with line and column."""
    (folder / "V1__x.py").write_bytes(text if isinstance(text, bytes) else text.encode())
    for name, content in others.items():
        (folder / f"{name}.py").write_text(content)
    (file,) = collect(folder).files
    migration, problems = read_code(file)
    return migration, [
        f"{each.place.line}:{each.place.column} {each.code} {each.message}" for each in problems if each.place
    ]


def test_what_is_read_of_a_right_one(tmp_path: Path) -> None:
    migration, problems = read(
        tmp_path,
        "import graphmigrate\n@graphmigrate.batches(rows=500)\ndef upgrade(tx):\n    return 0\n\ndef downgrade(tx):\n    pass\n",
    )
    assert problems == []
    assert migration.code
    assert (migration.code.upgrade.line, migration.code.downgrade and migration.code.downgrade.line) == (3, 6)
    assert migration.code.rows == 500
    (segment,) = segments_of(migration)
    assert (segment.kind, segment.batched, segment.statements[0].place.line) == (Kind.CODE, True, 3)
    assert batches(rows=3)(read) is read


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "1:1 GM121 This migration has no function `upgrade`."),
        ("def upgrade(tx:\n    pass", "1:12 GM124 This Python does not compile: '(' was never closed."),
        (b"# \xff\n", "1:1 GM118 Byte 2 of this file is not UTF-8."),
        (b"a = 1\0\n", "1:1 GM124 This Python does not compile"),
        ("(" * 5000, "GM124 This Python does not compile"),
        ("def upgrade():\n    pass", "1:1 GM124 `upgrade` is not a plain function of one parameter, tx."),
        ("def upgrade(tx, more):\n    pass", "not a plain function"),
        ("async def upgrade(tx):\n    pass", "not a plain function"),
        ("def upgrade(tx):\n    yield 1", "not a plain function"),
        ("upgrade = print", "not a plain function"),
        (PLAIN + "class downgrade:\n    pass", "3:1 GM124 `downgrade` is not a plain function"),
        (PLAIN + PLAIN, "3:1 GM124 There is a second `upgrade`."),
        ("ROWS = 5\n@batches(rows=ROWS)\n" + PLAIN, "2:2 GM124 This decorator is not understood."),
        ("@batches\n" + PLAIN, "This decorator is not understood."),
        ("@batches(rows=0)\n" + PLAIN, "This decorator is not understood."),
        ("@batches(rows=True)\n" + PLAIN, "This decorator is not understood."),
        ("@batches(5)\n" + PLAIN, "This decorator is not understood."),
        ("@other\n" + PLAIN, "This decorator is not understood."),
        (PLAIN + "DEPENDS = [name()]", "3:1 GM124 DEPENDS is not a list of names"),
        (PLAIN + "import neo4j\nd = neo4j.GraphDatabase.driver('x')", "4:5 GM106 This migration opens a connection"),
    ],
)  # fmt: skip
def test_what_is_not_understood_is_an_error_at_its_line(tmp_path: Path, text: str | bytes, told: str) -> None:
    _, problems = read(tmp_path, text)
    assert len(problems) == 1
    assert told in problems[0]


def test_without_a_number_there_are_10000_rows_in_a_batch(tmp_path: Path) -> None:
    migration, problems = read(tmp_path, "@batches()\n" + PLAIN)
    assert problems == []
    assert migration.header.options.batch == 10_000


def test_the_files_it_depends_on_count_to_its_checksum(tmp_path: Path) -> None:
    text = 'DEPENDS = ("other.py",)\n' + PLAIN
    before, problems = read(tmp_path, text, other="a = 1\n")
    assert problems == []
    after, _ = read(tmp_path, text, other="a = 2\n")
    assert before.file.checksum != after.file.checksum
    assert before.statements[0].fingerprint != after.statements[0].fingerprint
    assert depends_of(text.encode()) == ("other.py",)
    assert depends_of(b"DEPENDS = [") == ()


@pytest.mark.parametrize("name", ["gone.py", "../x.py", "/etc/passwd"])
def test_a_file_that_it_cannot_depend_on_is_named(tmp_path: Path, name: str) -> None:
    (tmp_path / "V1__x.py").write_text(f"DEPENDS = [{name!r}]\n{PLAIN}")
    folder = collect(tmp_path)
    assert folder.files == ()
    assert repr(name) in folder.problems[0].message
