"""Values that the driver takes, and texts and JSON values as Neo4j's types."""

from __future__ import annotations

import datetime
import json
import math
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphmigrate.seeds.csv_rows import CsvSource, Dialect
from graphmigrate.seeds.files import SeedFileError
from graphmigrate.seeds.values import NAMES, Unfit, converter, parameter
from graphmigrate.settings.values import NO, YES, boolean_of

UTC = datetime.UTC

READ: list[tuple[str, Any, Any]] = [
    ("int", " -7 ", -7),
    ("INTEGER", "9223372036854775807", 2**63 - 1),
    ("float", "1e3", 1000.0),
    ("number", "2", 2.0),
    ("float", "-Infinity", -math.inf),
    ("bool", "Yes", True),
    ("boolean", "0", False),
    ("string", " x ", " x "),
    ("date", "2024-02-29", datetime.date(2024, 2, 29)),
    ("datetime", "2024-01-01T10:00:00Z", datetime.datetime(2024, 1, 1, 10, tzinfo=UTC)),
    ("datetime", "2024-01-01 10:00", datetime.datetime(2024, 1, 1, 10, tzinfo=UTC)),
    ("datetime", "2024-01-01", datetime.datetime(2024, 1, 1, tzinfo=UTC)),
    ("datetime", "2024-01-01T10:00:00.123456789Z", datetime.datetime(2024, 1, 1, 10, 0, 0, 123456, UTC)),
    ("int[]", "1; 2;3", [1, 2, 3]),
    ("int[]", "[1, 2]", [1, 2]),
    ("string[]", "a;b c;", ["a", "b c", ""]),
    ("date []", '["2024-01-01"]', [datetime.date(2024, 1, 1)]),
    ("text[]", '["a", 3, {"b": [true]}]', ["a", "3", '{"b": [true]}']),
    ("bool[]", "[true, 0]", [True, False]),
]


@pytest.mark.parametrize(("kind", "written", "value"), READ)
def test_each_type_is_read(kind: str, written: Any, value: Any) -> None:
    read = converter(kind)(written)
    assert read == value
    assert type(read) is type(value)


def test_with_another_decimal_sign_a_point_is_no_guess() -> None:
    read = converter("float[]", "|", ",")
    assert read("1,5|-2e3|7") == [1.5, -2000.0, 7.0]
    for written in ("1.234", "1.234,5"):
        with pytest.raises(Unfit, match=r"the decimal sign is ',', and there is a '\.'"):
            read(written)


@pytest.mark.parametrize(
    ("kind", "written"),
    [
        ("int", "1.5"), ("int", "1_000"), ("int", "9223372036854775808"), ("int", "true"), ("int", "0x1"), ("int", ""),
        ("float", "1,5"),
        ("float", "1_0"), ("bool", "maybe"), ("bool", "2"), ("date", "2024-02-30"), ("date", "29.02.2024"),
        ("datetime", "yesterday"), ("datetime", "2024-01-01T00:00[Mars/Base]"), ("int[]", "1;x"), ("int[]", "[[1]]"),
        ("int[]", "[1, null]"), ("int[]", "[1"), ("int[]", "[true]"), ("float[]", "[" * 5000),
    ],
)  # fmt: skip
def test_what_is_not_of_a_type_is_refused(kind: str, written: Any) -> None:
    with pytest.raises(Unfit, match=r"^(it|a list|the) "):
        converter(kind)(written)


@given(st.text(max_size=20) | st.lists(st.integers() | st.text() | st.none(), max_size=3).map(json.dumps))
def test_no_value_breaks_a_converter(written: str) -> None:
    for kind in (*NAMES, "int[]"):
        try:
            converter(kind)(written)
        except Unfit as error:
            assert str(error)  # noqa: PT017


@pytest.mark.parametrize("kind", ["integr", "list", "[]", "int:8", "", "datetime[] x", "duration", "point"])
def test_an_unknown_type_is_refused_with_the_way_by_cypher(kind: str) -> None:
    with pytest.raises(SeedFileError) as raised:
        converter(kind)
    assert raised.value.error_code == "GM591"
    assert "duration(row.x)" in str(raised.value.hint)


def test_settings_and_columns_have_one_list_of_words_for_booleans() -> None:
    for word in YES | NO:
        assert boolean_of(word.upper()) is converter("bool")(word) is (word in YES)


def test_the_region_of_a_moment_becomes_an_offset_that_the_driver_can_send() -> None:
    sent = parameter(datetime.datetime(2024, 7, 1, 10, tzinfo=ZoneInfo("Europe/Paris")))
    assert not isinstance(sent.tzinfo, ZoneInfo)
    assert sent.isoformat() == "2024-07-01T10:00:00+02:00"


def test_typed_columns(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("id,size,at\na,1,2024-01-01\nb,,\nc,NA,2024-01-03\n")
    source = CsvSource(tmp_path, "x.csv", Dialect(types={"size": "int", "at": "date"}, null=["", "NA"]))
    assert list(source.values()) == [
        {"id": "a", "size": 1, "at": datetime.date(2024, 1, 1)},
        {"id": "b", "size": None, "at": None},
        {"id": "c", "size": None, "at": datetime.date(2024, 1, 3)},
    ]
    assert list(source.lists(["at", "id"], 2)) == [[datetime.date(2024, 1, 3), "c"]]


@pytest.mark.parametrize("used", [["size"], []])
@pytest.mark.parametrize(
    ("name", "content", "line", "column", "words"),
    [
        ("x.csv", "id,size\na,1\n\n\"b\nc\",x\n", 5, 4, "'size' is int, and 'x' cannot be read as that"),
        ("x.csv", "id,more,size\n5\" disk,xx,a\n", 2, 12, "'a'"),
        ("x.csv", 'id,more,size\na,b,1\n"x\ny",xx,a\n', 4, 7, "'a'"),
        ("x.csv", 'id,more,size\n"x ""a"",",,a\n', 2, 13, "'a'"),
        ("x.csv", 'id,size\r\n"x\r\n",a\r\n', 3, 3, "'a'"),
        ("x.csv", 'id,size\r"x\r",a\r', 3, 3, "'a'"),
        ("x.csv", "size,id\n1,a\n2.5,b\n", 3, 1, "'2.5'"),
        ("x.csv", "size\n99999999999999999999\n", 2, 1, "too large"),
    ],
)  # fmt: skip
def test_a_value_of_the_wrong_type_has_line_and_column_whether_or_not_it_is_used(
    tmp_path: Path, name: str, content: str, line: int, column: int, words: str, used: list[str]
) -> None:
    (tmp_path / name).write_bytes(content.encode())
    types = {"size": "int"}
    source = CsvSource(tmp_path, name, Dialect(types=types))
    with pytest.raises(SeedFileError, match=words) as raised:
        list(source.lists(used))
    place = raised.value.place
    assert place is not None
    assert (raised.value.error_code, place.file, place.line) == ("GM118", str(tmp_path / name), line)
    assert place.column == column
    assert place.source == content.replace("\r\n", "\n").replace("\r", "\n").split("\n")[line - 1]
