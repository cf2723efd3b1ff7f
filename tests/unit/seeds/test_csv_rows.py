"""CSV files of every dialect, and hostile ones: the rows that a person sees, or an error at a place with a hint."""

from __future__ import annotations

import codecs
import gzip
import json
import random
import re
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from graphmigrate.seeds.batches import Limits, batches
from graphmigrate.seeds.csv_rows import CsvSource, Dialect
from graphmigrate.seeds.files import SeedFileError, file_checksum
from graphmigrate.seeds.rows import JsonLinesSource

bounded = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))


def csv_rows(folder: Path, content: str | bytes, **dialect: Any) -> list[Any]:
    (folder / "x.csv").write_bytes(content.encode() if isinstance(content, str) else content)
    return list(CsvSource(folder, "x.csv", Dialect(**dialect)).values())


def write(folder: Path, name: str, content: str | bytes) -> None:
    (folder / name).write_bytes(content.encode() if isinstance(content, str) else content)


@pytest.mark.parametrize(
    ("content", "dialect", "rows"),
    [
        ("a;b\n1;2\n", {"delimiter": ";"}, [{"a": "1", "b": "2"}]),
        ("a\tb\n1\t'x\ty'\n", {"delimiter": "\t", "quote": "'"}, [{"a": "1", "b": "x\ty"}]),
        ('a|b\n"1|2\n', {"delimiter": "|", "quote": None}, [{"a": '"1', "b": "2"}]),
        ("a,b\nx\\,y,2\n", {"escape": "\\"}, [{"a": "x,y", "b": "2"}]),
        ("1,2\n3,4\n", {"header": False}, [{"column1": "1", "column2": "2"}, {"column1": "3", "column2": "4"}]),
        ("1,2\n", {"header": ["a", "b"]}, [{"a": "1", "b": "2"}]),
        ("", {"header": False}, []),
        ("", {"header": ["a"]}, []),
        ("a,b\nNA,\n", {"null": ["NA"]}, [{"a": None, "b": ""}]),
        ("a,b\n,x\n", {"null": []}, [{"a": "", "b": "x"}]),
        ("a\n1,5\n", {"delimiter": ";", "decimal": ",", "types": {"a": "float"}}, [{"a": 1.5}]),
        ("a\n1|2\n", {"separator": "|", "types": {"a": "int[]"}}, [{"a": [1, 2]}]),
        ("näme\nJürgen\n".encode("cp1252"), {"encoding": "cp1252"}, [{"näme": "Jürgen"}]),
        ("näme\nJürgen\n".encode("utf-16"), {"encoding": "utf-16"}, [{"näme": "Jürgen"}]),
        ("a\nx\u2028y\x0bz\x85\n", {}, [{"a": "x\u2028y\x0bz\x85"}]),
    ],
)  # fmt: skip
def test_dialects(tmp_path: Path, content: Any, dialect: dict[str, Any], rows: list[Any]) -> None:
    assert csv_rows(tmp_path, content, **dialect) == rows


@pytest.mark.parametrize(
    "dialect",
    [
        {"delimiter": ";;"}, {"delimiter": ""}, {"delimiter": "\n"}, {"delimiter": None}, {"quote": ","},
        {"escape": '"'}, {"header": "a,b"}, {"header": ["a", "a"]}, {"header": ["a", ""]}, {"header": [1]},
        {"types": ["int"]}, {"types": {"a": 1}}, {"types": {"b": "int"}}, {"types": {"a": "nope"}}, {"null": "NA"},
        {"null": [1]}, {"encoding": "klingon"}, {"encoding": "base64"}, {"encoding": "unicode_escape"},
        {"encoding": 8}, {"separator": ""}, {"decimal": "ab"},
    ],
)  # fmt: skip
def test_wrong_options_are_refused_at_once(tmp_path: Path, dialect: dict[str, Any]) -> None:
    with pytest.raises(SeedFileError) as raised:
        csv_rows(tmp_path, "a\n1\n", **dialect)
    assert raised.value.error_code == "GM591"


def test_the_hint_names_every_option(tmp_path: Path) -> None:
    with pytest.raises(SeedFileError) as raised:
        csv_rows(tmp_path, "a\n1\n", delimiter=";;")
    assert [each for each in Dialect.__dataclass_fields__ if f" {each}=" not in str(raised.value.hint)] == []
    with pytest.raises(SeedFileError, match="must be a map") as raised:
        csv_rows(tmp_path, "a\n1\n", types=["int"])
    assert "datetime" in str(raised.value.hint)


def test_gzip_by_its_ending(tmp_path: Path) -> None:
    rows = [{"a": str(number)} for number in range(5)]
    text = "a\r\n" + "".join(f"{number}\r\n" for number in range(5))
    (tmp_path / "x.csv").write_bytes(text.encode())
    (tmp_path / "x.csv.gz").write_bytes(gzip.compress(text.replace("\r\n", "\n").encode(), mtime=7))
    source = CsvSource(tmp_path, "x.csv.gz")
    assert list(source.values()) == rows
    assert list(source.values(3)) == rows[3:]
    assert file_checksum(tmp_path, "x.csv.gz") == file_checksum(tmp_path, "x.csv")
    (tmp_path / "x.jsonl.gz").write_bytes(gzip.compress(b'{"a": 1}\n{"a": }\n'))
    with pytest.raises(SeedFileError) as raised:
        list(JsonLinesSource(tmp_path, "x.jsonl.gz").values())
    assert str(raised.value.place) == f"{tmp_path / 'x.jsonl.gz'}:2:7"
    whole = (tmp_path / "x.csv.gz").read_bytes()
    for broken in (b"a\n1\n", whole[:-10], whole[:12] + b"\xff" * 8 + whole[20:]):
        (tmp_path / "b.csv.gz").write_bytes(broken)
        with pytest.raises(SeedFileError) as raised:
            list(CsvSource(tmp_path, "b.csv.gz").values())
        assert raised.value.error_code == "GM118"


def test_a_gzip_bomb_is_read_line_by_line_and_a_line_without_end_is_refused(tmp_path: Path) -> None:
    with gzip.open(tmp_path / "x.csv.gz", "wb", compresslevel=1) as stream:
        stream.write(b"a\n")
        for _ in range(20):
            stream.write(b"x" * (1 << 20))
    with pytest.raises(SeedFileError, match="over 16 MiB") as raised:
        list(CsvSource(tmp_path, "x.csv.gz").values())
    assert (raised.value.place.line if raised.value.place else 0) == 2


@pytest.mark.parametrize("quoted", [False, True])
def test_skipping_gives_the_same_rows_as_reading(tmp_path: Path, quoted: bool) -> None:
    shuffled = random.Random(7)
    with (tmp_path / "x.csv").open("w", newline="") as stream:
        stream.write("a,b\r\n")
        for number in range(30_000):
            stream.write("\n" * (shuffled.random() < 0.0005))
            late = number > 20_000 and number % 5 == 0 and quoted
            stream.write(f'{number},"x\ny"\r\n' if late else f"{number},text of some length\r\n")
    source = CsvSource(tmp_path, "x.csv")
    everything = list(source.lists(["a", "b"]))
    assert len(everything) == 30_000
    for skip in (1, 9_999, 15_000, 20_003, 29_999, 30_000, 40_000):
        assert list(source.lists(["a", "b"], skip)) == everything[skip:]


@bounded
@given(
    rows=st.lists(
        st.lists(st.text(alphabet="ab\",;\n\r '\\", max_size=4), min_size=2, max_size=2).filter(any),
        max_size=8,
    ),
    skip=st.integers(0, 9),
)
def test_what_a_csv_writer_writes_is_read_from_any_row(
    tmp_path_factory: Any, rows: list[list[str]], skip: int
) -> None:
    import csv

    folder = tmp_path_factory.mktemp("csv")
    with (folder / "x.csv").open("w", newline="") as stream:
        csv.writer(stream, lineterminator="\n", quoting=csv.QUOTE_ALL).writerows([["a", "b"], *rows])
    source = CsvSource(folder, "x.csv")
    expected = [[value.replace("\r\n", "\n").replace("\r", "\n") or None for value in row] for row in rows]
    assert list(source.lists(["a", "b"], skip)) == expected[skip:]
    assert list(source.lists(["b"], skip)) == [row[1:] for row in expected[skip:]]
    assert list(source.values(skip)) == [dict(zip("ab", row, strict=True)) for row in expected[skip:]]


@pytest.mark.parametrize(
    ("content", "at", "message", "hint"),
    [
        ("id;name\n1;Ann\n", "1:3", "is one column, 'id;name'", "delimiter=';'"),
        ("id\tname\n1\tAnn\n", "1:3", "is one column", r"delimiter='\t'"),
        ("id,name,id\n", "1:9", "Column 3 of the header is named 'id', and so is another", "Name it in the file"),
        ("id,id \n", "1:4", "Column 2 of the header is named 'id'", "Name it in the file"),
        ("id,,name\n", "1:4", "Column 2 of the header has no name", "Name it in the file"),
        ("id,name\n1\n", "2:2", "This row has 1 field, the header has 2", "Write the missing field"),
        ("id,name\n1,a, b\n", "2:5", "This row has 3 fields, the header has 2", "Quote a field"),
        ('id,name\n1,"a\n2,b\n', "2:1", "a quote is not closed", "every quoted field is closed"),
        (codecs.BOM_UTF16_LE + "id,n\n1,a\n".encode("utf-16-le"), "1:1", "UTF-16, not UTF-8", "encoding='utf-16'"),
        ("id,n\n1,a\n".encode("utf-16-le"), "1:1", "looks like UTF-16", "encoding='utf-16-le'"),
        ("id,näme\n".encode("cp1252"), "1:5", "not UTF-8 text", "encoding='cp1252'"),
        ("", "1:1", "empty", "header=False"),
    ],
)  # fmt: skip
def test_a_person_gets_the_hint_that_helps(
    tmp_path: Path, content: str | bytes, at: str, message: str, hint: str
) -> None:
    with pytest.raises(SeedFileError, match=re.escape(message)) as raised:
        csv_rows(tmp_path, content)
    assert hint in str(raised.value.hint)
    assert (raised.value.error_code, str(raised.value.place)) == ("GM118", f"{tmp_path / 'x.csv'}:{at}")


@pytest.mark.parametrize(
    ("content", "dialect"),
    [
        ("id;name\n1;Ann\n", {"delimiter": ";"}),
        ("id\tname\n1\tAnn\n", {"delimiter": "\t"}),
        (codecs.BOM_UTF16_LE + "id,name\n1,Ann\n".encode("utf-16-le"), {"encoding": "utf-16"}),
        ("id,name\n1,Ann\n".encode("utf-16-le"), {"encoding": "utf-16-le"}),
        ("1,Ann\n", {"header": ["id", "name"]}),
        (b"\xef\xbb\xbfid,name\r1,Ann\r", {}),
        (" id , name\n1,Ann\n", {}),
    ],
)
def test_what_the_hints_say_works(tmp_path: Path, content: str | bytes, dialect: dict[str, Any]) -> None:
    assert csv_rows(tmp_path, content, **dialect) == [{"id": "1", "name": "Ann"}]


def test_one_column_whose_name_holds_a_semicolon_can_be_quoted(tmp_path: Path) -> None:
    assert csv_rows(tmp_path, '"a;b"\n1\n') == [{"a;b": "1"}]


@pytest.mark.parametrize("name", ["x.csv", "x.jsonl"])
def test_one_checksum_means_the_same_rows_in_the_same_batches(tmp_path: Path, name: str) -> None:
    rows = [f"{number}" + "\n" * (number % 20) + "\r" * (number % 3) for number in range(5000)]
    lines = ["a", *(f'"{row}"' for row in rows)] if name == "x.csv" else map(json.dumps, rows)
    content = "".join(f"{line}\n" for line in lines).encode()
    assert told(tmp_path, name, content) == told(tmp_path, name, content.replace(b"\n", b"\r\n"))


def told(folder: Path, name: str, content: bytes) -> tuple[Any, ...]:
    """The checksum, the rows, where the batches end, and where some rows stand."""
    write(folder, name, content)
    source = CsvSource(folder, name) if name == "x.csv" else JsonLinesSource(folder, name)
    rows = list(source.values())
    ends = [(batch.end, batch.weight) for batch in batches(0, iter(rows), Limits(1000, 4096))]
    places = [source.place(index) for index in (0, 7, 4999)]
    return file_checksum(folder, name), rows, ends, places


@bounded
@given(content=st.lists(st.sampled_from([b"\r", b"\n", b'"', b"a", b","]), max_size=30).map(b"".join))
def test_line_breaks_that_the_checksum_takes_for_one_are_one_to_the_readers(
    tmp_path_factory: Any, content: bytes
) -> None:
    folder = tmp_path_factory.mktemp("breaks")
    seen = []
    content = re.sub(rb"\r+", b"\r", content)
    for form in (content, content.replace(b"\r\n", b"\n")):
        write(folder, "x.csv", form)
        try:
            seen.append(list(CsvSource(folder, "x.csv", Dialect(header=["a"])).values()))
        except SeedFileError as error:
            seen.append([error.message, error.place])
    assert seen[0] == seen[1]


@pytest.mark.parametrize(
    ("content", "dialect", "at"),
    [
        ('a,b\n5" disk,xx,1\n', {}, "2:12"),
        ('a,b\n1,2\n"x\ny",xx,1\n', {}, "4:7"),
        ('a,b\n"x\n\ny"\n', {}, "4:3"),
        ('a,b\n"x""y,",z,1', {}, "2:11"),
        ("a,b\nx\\\ny\\,,z,1\n", {"escape": "\\"}, "3:7"),
        ('a,b\n\\,"x,y",1\n', {"escape": "\\"}, "2:9"),
        ("a,b\n'x,y\n", {"quote": None, "header": ["a"]}, "1:3"),
        ("a,b,\n", {"header": ["a", "b"]}, "1:5"),
        ('"x\ny",x,x\n', {}, "2:6"),
    ],
)  # fmt: skip
def test_the_place_in_a_record_is_where_the_field_begins(
    tmp_path: Path, content: str, dialect: dict[str, Any], at: str
) -> None:
    with pytest.raises(SeedFileError) as raised:
        csv_rows(tmp_path, content, **dialect)
    assert str(raised.value.place) == f"{tmp_path / 'x.csv'}:{at}"


def test_rows_before_a_bad_byte_are_still_given(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_bytes(b"a\n" + b"1\n" * 1000 + b"x\xff\n")
    given_rows = CsvSource(tmp_path, "x.csv").values()
    assert len(list(islice(given_rows, 1000))) == 1000
    with pytest.raises(SeedFileError) as raised:
        next(given_rows)
    assert str(raised.value.place) == f"{tmp_path / 'x.csv'}:1002:2"
