"""Texts and JSON values as Neo4j's types."""

from __future__ import annotations

import datetime
import math
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from neo4j.spatial import CartesianPoint, WGS84Point
from neo4j.time import DateTime, Duration, Time
from neo4j.vector import Vector

from graphmigrate.seeds.conversions import Unfit, converter
from graphmigrate.seeds.csv_rows import CsvSource, Dialect
from graphmigrate.seeds.errors import SeedFileError
from graphmigrate.seeds.json_rows import JsonLinesSource
from graphmigrate.seeds.values import parameter

UTC = datetime.UTC
CET = datetime.timezone(datetime.timedelta(hours=1))

READ: list[tuple[str, Any, Any]] = [
    ("int", " -7 ", -7),
    ("INTEGER", "9223372036854775807", 2**63 - 1),
    ("int", 3.0, 3),
    ("float", "1e3", 1000.0),
    ("float", 2, 2.0),
    ("float", "-Infinity", -math.inf),
    ("bool", "Yes", True),
    ("boolean", "0", False),
    ("bool", False, False),
    ("string", " x ", " x "),
    ("string", 3, "3"),
    ("string", {"a": [1, None]}, '{"a": [1, null]}'),
    ("date", "2024-02-29", datetime.date(2024, 2, 29)),
    ("date", datetime.date(2024, 2, 29), datetime.date(2024, 2, 29)),
    ("time", "10:11:12+01:00", datetime.time(10, 11, 12, tzinfo=CET)),
    ("time", "10:11", datetime.time(10, 11, tzinfo=UTC)),
    ("localtime", "10:11:12.5", datetime.time(10, 11, 12, 500_000)),
    ("localtime", "10:11:12.123456789", Time(10, 11, 12, 123456789)),
    ("datetime", "2024-01-01T10:00:00Z", datetime.datetime(2024, 1, 1, 10, tzinfo=UTC)),
    ("datetime", "2024-01-01 10:00", datetime.datetime(2024, 1, 1, 10, tzinfo=UTC)),
    ("datetime", "2024-01-01", datetime.datetime(2024, 1, 1, tzinfo=UTC)),
    ("zoned datetime", "2024-07-01T10:00:00[Europe/Paris]", datetime.datetime(2024, 7, 1, 10, tzinfo=ZoneInfo("Europe/Paris"))),
    ("datetime", "2024-07-01T10:00:00+02:00[Europe/Paris]", datetime.datetime(2024, 7, 1, 10, tzinfo=ZoneInfo("Europe/Paris"))),
    ("datetime", "2024-01-01T10:00:00.123456789Z", DateTime(2024, 1, 1, 10, 0, 0, 123456789, UTC)),
    ("localdatetime", "2024-01-01T10:00:00", datetime.datetime(2024, 1, 1, 10)),
    ("duration", "P1Y2M3DT4H5M6.5S", Duration(years=1, months=2, days=3, hours=4, minutes=5, seconds=6.5)),
    ("duration", "p2w", Duration(weeks=2)),
    ("duration", "-PT1,5S", Duration(seconds=-1.5)),
    ("duration", "P1Y-2M", Duration(years=1, months=-2)),
    ("duration", "P1.5D", Duration(days=1, hours=12)),
    ("duration", "P0.5W", Duration(days=3, hours=12)),
    ("duration", "-P1.5DT1H", Duration(days=-1, hours=-13)),
    ("duration", "P-1.25D", Duration(days=-1, hours=-6)),
    ("duration", "PT1.001S", Duration(seconds=1, nanoseconds=1_000_000)),
    ("duration", "PT4.35H", Duration(seconds=15_660)),
    ("duration", "PT123456789.123456789S", Duration(seconds=123_456_789, nanoseconds=123_456_789)),
    ("duration", "PT-0.0000000019S", Duration(nanoseconds=-1)),
    ("duration", "PT9007199254740993S", Duration(seconds=9_007_199_254_740_993)),
    ("point", "5.1 52.1", WGS84Point((5.1, 52.1))),
    ("point", "5.1,52.1", WGS84Point((5.1, 52.1))),
    ("point", "POINT Z (5.1 52.1 3)", WGS84Point((5.1, 52.1, 3))),
    ("point", "SRID=7203;POINT(1 2)", CartesianPoint((1, 2))),
    ("point:cartesian", "1 2 3", CartesianPoint((1, 2, 3))),
    ("point", {"longitude": 5.1, "latitude": 52.1}, WGS84Point((5.1, 52.1))),
    ("point", {"x": 1, "y": 2}, CartesianPoint((1, 2))),
    ("point", [5.1, 52.1], WGS84Point((5.1, 52.1))),
    ("int[]", "1; 2;3", [1, 2, 3]),
    ("int[]", "[1, 2]", [1, 2]),
    ("string[]", "a;b c;", ["a", "b c", ""]),
    ("date[]", ["2024-01-01"], [datetime.date(2024, 1, 1)]),
    ("point[]", "1 2;3 4", [WGS84Point((1, 2)), WGS84Point((3, 4))]),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "written", "value"), READ)
def test_each_type_is_read(kind: str, written: Any, value: Any) -> None:
    read = converter(kind)(written)
    assert read == value
    assert type(read) is type(value)
    if hasattr(value, "srid"):
        assert read.srid == value.srid


def test_a_duration_has_whole_parts_only() -> None:
    read = converter("duration")("P0.5W1.1DT0.7H0,1M1.1S")
    assert (read.months, read.days, read.seconds, read.nanoseconds) == (0, 4, 54_367, 100_000_000)
    assert {type(each) for each in read} == {int}


def test_with_another_decimal_sign_a_point_is_no_guess() -> None:
    read = converter("float[]", "|", ",")
    assert read("1,5|-2e3|7") == [1.5, -2000.0, 7.0]
    for written in ("1.234", "1.234,5"):
        with pytest.raises(Unfit, match=r"the decimal sign is ',', and there is a '\.'"):
            read(written)


def test_a_region_is_kept_beside_an_offset_that_the_driver_can_ask_for() -> None:
    for written in ("2024-07-01T10:00:00[Europe/Paris]", "2024-07-01T08:00:00.123456789Z[Europe/Paris]"):
        read = converter("datetime")(written)
        assert read.tzinfo.key == "Europe/Paris"
        assert read.tzinfo.utcoffset(DateTime(2000, 1, 1)) == datetime.timedelta(hours=2)
    sent = parameter(datetime.datetime(2024, 7, 1, 10, tzinfo=ZoneInfo("Europe/Paris")))
    assert not isinstance(sent.tzinfo, ZoneInfo)
    assert (sent.tzinfo.key, sent.utcoffset()) == ("Europe/Paris", datetime.timedelta(hours=2))


def test_a_vector_has_the_type_of_its_numbers() -> None:
    assert str(converter("vector")("[0.5, -1]")) == str(Vector([0.5, -1.0], "f32"))
    assert str(converter("vector:i8")("1;2")) == str(Vector([1, 2], "i8"))


@pytest.mark.parametrize(
    ("kind", "written"),
    [
        ("int", "1.5"), ("int", "1_000"), ("int", "9223372036854775808"), ("int", True), ("int", "0x1"), ("int", 1.5),
        ("float", "1,5"), ("float", "1_0"), ("float", True), ("bool", "maybe"), ("bool", 2), ("date", "2024-02-30"),
        ("date", "29.02.2024"), ("date", 3), ("time", "25:00"), ("localtime", "10:00Z"), ("datetime", "yesterday"),
        ("datetime", "2024-01-01T00:00[Mars/Base]"), ("localdatetime", "2024-01-01T00:00Z"), ("duration", "P"),
        ("duration", "PT"), ("duration", "P1.5Y"), ("duration", "3 days"), ("duration", ""), ("point", "1"),
        ("point", "1 2 3 4"), ("point", "POINT(1 2"), ("point", {"x": 1}), ("point", {"x": 1, "latitude": 2}),
        ("point", "SRID=1;POINT(1 2)"), ("point:cartesian-3d", "1 2"), ("int[]", "1;x"), ("int[]", 3),
        ("int[]", [1, None]), ("int[]", "[1"), ("string[]", {}), ("float[]", "[" * 5000), ("vector", "a;b"),
    ],
)  # fmt: skip
def test_what_is_not_of_a_type_is_refused(kind: str, written: Any) -> None:
    with pytest.raises((ValueError, TypeError, RecursionError, OverflowError)):
        converter(kind)(written)


@given(
    st.one_of(
        st.text(max_size=20),
        st.none(),
        st.integers(),
        st.floats(),
        st.booleans(),
        st.lists(st.integers(), max_size=3),
    )
)
def test_no_value_breaks_a_converter(written: Any) -> None:
    for kind in (
        "int",
        "float",
        "bool",
        "date",
        "time",
        "datetime",
        "localdatetime",
        "duration",
        "point",
        "int[]",
    ):
        try:
            converter(kind)(written)
        except (ValueError, TypeError, OverflowError, RecursionError) as error:
            assert not isinstance(error, Unfit) or str(error)  # noqa: PT017


@pytest.mark.parametrize(
    "kind", ["integr", "list", "[]", "int:8", "point:mars", "vector:f16", "", "datetime[] x"]
)
def test_an_unknown_type_is_refused(kind: str) -> None:
    with pytest.raises(SeedFileError) as raised:
        converter(kind)
    assert raised.value.error_code == "GM591"


def test_typed_columns_of_csv_and_jsonl(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("id,size,at\na,1,2024-01-01\nb,,\nc,NA,2024-01-03\n")
    source = CsvSource(tmp_path, "x.csv", Dialect(types={"size": "int", "at": "date"}, null=["", "NA"]))
    assert list(source.values()) == [
        {"id": "a", "size": 1, "at": datetime.date(2024, 1, 1)},
        {"id": "b", "size": None, "at": None},
        {"id": "c", "size": None, "at": datetime.date(2024, 1, 3)},
    ]
    assert list(source.lists(["at", "id"], 2)) == [[datetime.date(2024, 1, 3), "c"]]
    (tmp_path / "x.jsonl").write_text(
        '{"id": "a", "at": "2024-01-01"}\n{"id": "b", "at": null}\n{"at": ""}\n'
    )
    rows = JsonLinesSource(tmp_path, "x.jsonl", {"at": "date"})
    assert list(rows.lists(["at", "id"])) == [[datetime.date(2024, 1, 1), "a"], [None, "b"], [None, None]]


@pytest.mark.parametrize(
    ("name", "content", "line", "column", "words"),
    [
        ("x.csv", "id,size\na,1\n\n\"b\nc\",x\n", 5, 4, "'size' is int, and 'x' cannot be read as that"),
        ("x.csv", "id,more,size\n5\" disk,xx,a\n", 2, 12, "'a'"),
        ("x.csv", 'id,more,size\na,b,1\n"x\ny",xx,a\n', 4, 7, "'a'"),
        ("x.csv", 'id,more,size\n"x ""a"",",,a\n', 2, 13, "'a'"),
        ("x.csv", 'id,size\r\n"x\r\n",a\r\n', 3, 3, "'a'"),
        ("x.csv", "size,id\n1,a\n2.5,b\n", 3, 1, "'2.5'"),
        ("x.csv", "size\n99999999999999999999\n", 2, 1, "too large"),
        ("x.jsonl", '{"size": 1}\n\n{"id": 1, "size": "x"}\n', 3, 11, "'x' cannot be read"),
    ],
)  # fmt: skip
def test_a_value_of_the_wrong_type_has_line_and_column(
    tmp_path: Path, name: str, content: str, line: int, column: int, words: str
) -> None:
    (tmp_path / name).write_bytes(content.encode())
    types = {"size": "int"}
    source = (
        CsvSource(tmp_path, name, Dialect(types=types))
        if name == "x.csv"
        else JsonLinesSource(tmp_path, name, types)
    )
    with pytest.raises(SeedFileError, match=words) as raised:
        list(source.lists(["size"]))
    place = raised.value.place
    assert place is not None
    assert (raised.value.error_code, place.file, place.line) == ("GM118", str(tmp_path / name), line)
    assert place.column == column
    assert place.source == content.split("\n")[line - 1].rstrip("\r")
