"""Header lines."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphmigrate.database.version import Version
from graphmigrate.errors import Problem
from graphmigrate.migrations.model import Migration, MigrationFile, Options, checksum
from graphmigrate.migrations.reader import read


def read_bytes(content: bytes, **settings: int) -> tuple[Migration, tuple[Problem, ...]]:
    path = Path("migrations/V1__x.cypher")
    return read(
        MigrationFile(Version.parse("1"), "x", path, path.name, checksum(content), content), **settings
    )


def read_text(text: str) -> tuple[Migration, list[str]]:
    migration, problems = read_bytes(text.encode())
    return migration, [problem.code for problem in problems]


@given(st.text(st.sampled_from("// assert that edition is q'graphmigrate:batch 10,\n;R*/`\"$\\u")))
def test_any_header_can_be_read(text: str) -> None:
    read_bytes(f"// {text}\nRETURN 1;".encode())


@pytest.mark.parametrize(
    ("words", "options"),
    [
        ("batch 500", Options(batch=500)),
        ("batch=500, max-batches: 7", Options(batch=500, max_batches=7)),
        ("BATCH 500, Max_Batches 7", Options(batch=500, max_batches=7)),
        ("timeout 500ms", Options(timeout=0.5)),
        ("timeout 30s", Options(timeout=30)),
        ("timeout 5 m", Options(timeout=300)),
        ("timeout 1h , retry 0", Options(timeout=3600, retry=0)),
        ("transaction segment", Options()),
        ("repeatable", Options(repeatable=True)),
    ],
)
def test_options(words: str, options: Options) -> None:
    migration, codes = read_text(f"//graphmigrate:{words}\nMATCH (n) WITH n LIMIT $batch DELETE n;")
    assert migration.header.options == options
    assert codes == ([] if options.batch else ["GM129"])


@pytest.mark.parametrize(
    "words",
    ["timeout", "timeout 0s", "timeout -1s", "timeout 1d", "retry -1", "batch", "batch 1.5", "batch ten"],
)
def test_options_with_wrong_values(words: str) -> None:
    assert read_text(f"// graphmigrate: {words}\nRETURN 1;")[1] == ["GM124"]


@pytest.mark.parametrize(
    "prose",
    [
        "assert nothing here breaks",
        "assumes that all is well",
        "that edition is enterprise",
        "graphmigrate runs this",
        "We assert that edition is enterprise.",
        "asserted by hand",
        "assume q",
        "ensure that version is right",
    ],
)
def test_prose_is_no_header(prose: str) -> None:
    migration, codes = read_text(f"// {prose}\nRETURN 1; // {prose}\n")
    assert codes == []
    assert migration.header.conditions == ()


@pytest.mark.parametrize("words", ["assume in target q'RETURN false", "ASSUME  IN Target  q' RETURN false"])
def test_the_target_is_the_database_that_is_asked(words: str) -> None:
    migration, codes = read_text(f"// {words}\nRETURN 1;")
    assert codes == []
    assert [(each.mode, each.value) for each in migration.header.conditions] == [("assume", "RETURN false")]


@pytest.mark.parametrize(
    "words",
    [
        "assert in schema q'RETURN true",
        "assume in system q'RETURN true",
        "assume: q'RETURN true",
        "assert that q'RETURN true",
        "asume q'RETURN true",
        "assert that version is ge 5.26 or 2026.05",
        "assert that version is 5.26 2026.05",
        "assert that version is 5.26,",
        "assert that version is " + "1" * 5000,
        "assert that version is ge 5." + "1" * 5000,
    ],
)
def test_a_condition_that_is_not_understood_is_never_passed_over(words: str) -> None:
    migration, codes = read_text(f"// {words}\nRETURN 1;")
    assert codes == ["GM124"]
    assert migration.header.conditions == ()


@pytest.mark.parametrize("words", ["5.26 or 2026.05", "5.26, 2026.05", "5.26,2026.05.", "5.26 , or 2026.05"])
def test_any_of_several_versions_will_do(words: str) -> None:
    migration, codes = read_text(f"// assume that version is {words}\nRETURN 1;")
    assert codes == []
    (condition,) = migration.header.conditions
    assert (condition.operator, condition.value) == ("is", "5.26 or 2026.05")
    assert condition.versions == ("5.26", "2026.05")


@pytest.mark.parametrize("query", ["q'RETURN true'", "q' RETURN 'a' = 'a' ' ;", "q''"])
def test_a_query_has_no_quote_at_its_end(query: str) -> None:
    _, problems = read_bytes(f"// assert {query}\nRETURN 1;".encode())
    assert [problem.code for problem in problems] == ["GM124"]
    assert "reaches to the end of the line" in problems[0].message
    assert "Delete the '" in (problems[0].hint or "")


@pytest.mark.parametrize("query", ["RETURN 'x", "RETURN 'x' = 'y", "RETURN `x'"])
def test_a_string_that_is_not_closed_is_still_one(query: str) -> None:
    assert read_text(f"// assert q' {query}\nRETURN 1;")[1] == ["GM102"]


def test_a_query_is_placed_where_it_stands_so_that_errors_can_point_into_it() -> None:
    migration, codes = read_text("\n// assert q'  RETURN x = 1;\nRETURN 1;")
    assert codes == []
    (condition,) = migration.header.conditions
    assert (condition.value, condition.place.line, condition.place.column) == ("RETURN x = 1", 2, 15)


def test_a_language_that_does_not_exist() -> None:
    _, (problem,) = read_bytes(b"// graphmigrate: cypher 4\nCREATE (:A);")
    assert problem.hint == "Write `cypher 5` or `cypher 25`."
