from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphmigrate.cypher.lexer import WHITESPACE
from graphmigrate.cypher.model import Statement
from graphmigrate.cypher.statements import normalise, scan, split
from graphmigrate.errors import ProjectError

TEXT = st.text(st.characters(exclude_categories=["Cs"]) | st.sampled_from("'\"`\\/*;$:u\n"))


def texts(source: str) -> list[str]:
    return [statement.text for statement in split(source, "f.cypher")]


def quoted(text: str, mark: str) -> str:
    """Quote as a writer of Cypher would: every backslash and every mark escaped."""
    escaped = text.replace("\\", "\\\\").replace(mark, "\\" + mark)
    return f"{mark}{escaped}{mark}"


@given(TEXT, st.sampled_from("'\""))
def test_nothing_leaks_out_of_a_string(text: str, mark: str) -> None:
    statement = normalise(f"RETURN {quoted(text, mark)} AS x")
    assert texts(f"{statement};RETURN 2") == [statement, "RETURN 2"]


@given(TEXT.filter(lambda text: "\\u" not in text))
def test_nothing_leaks_out_of_a_name(text: str) -> None:
    statement = normalise(f"RETURN 1 AS `{text.replace('`', '``')}`")
    assert texts(f"{statement};RETURN 2") == [statement, "RETURN 2"]


@given(TEXT.filter(lambda text: "*/" not in text and "\\" not in text and not text.endswith("*")))
def test_nothing_leaks_out_of_a_comment(text: str) -> None:
    assert texts(f"/*{text}*/RETURN 1;RETURN 2") == ["RETURN 1", "RETURN 2"]
    line = text.replace("\n", "").replace("\r", "")
    assert texts(f"RETURN 1; //{line}\nRETURN 2") == ["RETURN 1", "RETURN 2"]


@given(TEXT)
def test_any_text_can_be_scanned(text: str) -> None:
    statements, problems = scan(text, "f.cypher")
    for statement in statements:
        assert statement.source[statement.start :].startswith(statement.text)
        assert statement.text.strip(WHITESPACE) != ""
    assert [problem.place for problem in problems] == sorted(
        (problem.place for problem in problems),
        key=lambda place: (place.line, place.column) if place else (0, 0),
    )


@given(
    st.lists(st.sampled_from(["RETURN 1", "CREATE (:A {x: ';'})", "MATCH (n) // ;\nRETURN n"]), min_size=1)
)
def test_joined_statements_are_split_again(statements: list[str]) -> None:
    for separator in (";", " ; ", ";\r\n", ";/* ; */;", "\n;// ;\n"):
        assert texts(separator.join(statements)) == statements


def test_the_last_statement_is_kept_without_its_semicolon() -> None:
    assert [(each.text, each.terminated) for each in split("RETURN 1;\nRETURN 2 // end", "f")] == [
        ("RETURN 1", True),
        ("RETURN 2", False),
    ]


@pytest.mark.parametrize("source", ["", " \n\t", "// x", "/* ; */", ";;", "\ufeff", "// a\n;/* b */;"])
def test_white_space_and_comments_are_no_statements(source: str) -> None:
    assert texts(source) == []


@pytest.mark.parametrize(
    ("source", "code", "line", "column"),
    [
        ("RETURN 1;\n RETURN 'x; RETURN 2;", "GM102", 2, 9),
        ('RETURN "x\\"', "GM102", 1, 8),
        ("RETURN 1 AS `x``", "GM102", 1, 13),
        ("RETURN 1; /* x", "GM102", 1, 11),
        ("RETURN '\\u12'", "GM102", 1, 9),
        ("RETURN 1;\n  :use neo4j\nRETURN 2;", "GM106", 2, 3),
    ],
)
def test_what_cannot_be_read_has_a_place(source: str, code: str, line: int, column: int) -> None:
    with pytest.raises(ProjectError) as caught:
        split(source, "f.cypher")
    assert caught.value.error_code == code
    assert caught.value.place is not None
    assert (caught.value.place.line, caught.value.place.column) == (line, column)
    assert caught.value.place.source == source.split("\n")[line - 1]


def test_every_problem_is_reported_and_the_rest_is_read() -> None:
    statements, problems = scan(":use x\nRETURN '\\u1';\n:param y => 'z\nRETURN 1;\nRETURN `", "f.cypher")
    assert [problem.code for problem in problems] == ["GM106", "GM102", "GM106", "GM102"]
    assert [statement.text for statement in statements] == ["RETURN '\\u1'", "RETURN 1", "RETURN `"]


def test_a_command_inside_a_string_is_text() -> None:
    assert texts("CREATE (:N {t: '\n:use neo4j\n'});") == ["CREATE (:N {t: '\n:use neo4j\n'})"]


def test_places_count_lines_and_characters_of_the_file() -> None:
    statements = split("\ufeffRETURN 'é😀'; RETURN 1;\r\n\r\n\tRETURN 2", "f.cypher")
    assert [str(each.place) for each in statements] == ["f.cypher:1:1", "f.cypher:1:14", "f.cypher:3:2"]
    assert statements[2].place.source == "\tRETURN 2"


@pytest.mark.parametrize(
    ("line", "column", "expected"),
    [(1, 1, "2:3"), (1, 13, "2:14"), (2, 4, "3:4"), (9, 99, "3:5"), (0, 0, "2:3")],
)
def test_a_place_from_the_server_counts_in_utf16(line: int, column: int, expected: str) -> None:
    statement = split("\n  RETURN '😀',y,\n   z;\n", "f.cypher")[0]  # the server says column 13 for the y
    assert str(statement.place_of(line, column)).removeprefix("f.cypher:") == expected


def test_a_big_file_is_read_in_seconds() -> None:
    line = "CREATE (:Person {name: 'It\\'s; me', age: 12}); // c;\n"
    many = line * (2 * 1024 * 1024 // len(line))
    one = "CREATE (:Blob {text: '" + "x;\\n" * (2 * 1024 * 1024) + "'});"
    begin = time.process_time()  # on a busy machine a clock on the wall tells nothing
    assert len(split(many, "f")) == many.count("\n")
    assert len(split(one, "f")) == 1
    assert time.process_time() - begin < 15  # about one


def test_a_statement_is_a_value() -> None:
    assert split("RETURN 1", "f") == split("RETURN 1", "f")
    assert isinstance(split("RETURN 1", "f")[0], Statement)
