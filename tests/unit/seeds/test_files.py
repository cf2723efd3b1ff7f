"""Rows from lists, ranges and files: lazy, repeatable from any row, and exact about where an error is."""

from __future__ import annotations

import hashlib
import json
import os
import tracemalloc
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graphmigrate.seeds.csv_rows import CsvSource
from graphmigrate.seeds.files import SeedFileError, file_checksum, open_inside
from graphmigrate.seeds.rows import JsonLinesSource, ListSource, Source, as_source


def csv_of(folder: Path, content: str | bytes) -> CsvSource:
    (folder / "x.csv").write_bytes(content.encode() if isinstance(content, str) else content)
    return CsvSource(folder, "x.csv")


def jsonl_of(folder: Path, content: str | bytes) -> JsonLinesSource:
    (folder / "x.jsonl").write_bytes(content.encode() if isinstance(content, str) else content)
    return JsonLinesSource(folder, "x.jsonl")


def test_csv_as_maps_and_as_lists(tmp_path: Path) -> None:
    source = csv_of(
        tmp_path, '\ufeffname,"the age",x\r\n"O\'Hara, ""Ann""",3,\r\n\r\n"two\r\nlines",,"ü"\r\n'
    )
    assert source.columns == ("name", "the age", "x")
    assert list(source.values()) == [
        {"name": 'O\'Hara, "Ann"', "the age": "3", "x": None},
        {"name": "two\nlines", "the age": None, "x": "ü"},
    ]
    assert list(source.lists(["x", "name"], skip=1)) == [["ü", "two\nlines"]]
    assert list(source.lists(["the age"])) == [["3"], [None]]


@pytest.mark.parametrize(
    ("content", "line", "column", "words"),
    [
        ("a,b\n1,2\n1\n", 3, 2, "1 field, the header has 2"),
        ("a,b\n1,2,3\n", 2, 5, "3 fields, the header has 2"),
        ('a,b\n"1,2",3,4\n', 2, 9, "3 fields"),
        ('a,b\n"1\n1",2\n"3\n', 4, 1, "not valid CSV"),
        ('a,b\n"1"x,2\n', 2, 1, "not valid CSV"),
        (b"a,b\n1,2\nx,\xff\n", 3, 3, "byte 0xff"),
        ("a,b\n" + "1,2\n" * 5 + "\n\n1\n", 9, 2, "1 field,"),
    ],
)
def test_a_bad_csv_row_has_line_and_column(
    tmp_path: Path, content: Any, line: int, column: int, words: str
) -> None:
    source = csv_of(tmp_path, content)
    with pytest.raises(SeedFileError, match=words) as raised:
        list(source.values())
    place = raised.value.place
    assert place is not None
    assert (place.file, place.line, place.column) == (str(tmp_path / "x.csv"), line, column)
    assert raised.value.error_code == "GM118"


@pytest.mark.parametrize(
    ("content", "column", "words"),
    [("", 1, "empty"), ("a,,b\n", 3, "has no name"), ("a,b,a\n", 5, "named 'a', and so is another")],
)
def test_a_bad_header_is_found_at_once(tmp_path: Path, content: str, column: int, words: str) -> None:
    with pytest.raises(SeedFileError, match=words) as raised:
        csv_of(tmp_path, content)
    assert raised.value.place is not None
    assert (raised.value.place.line, raised.value.place.column) == (1, column)


def test_jsonl(tmp_path: Path) -> None:
    source = jsonl_of(tmp_path, '\ufeff{"a": 1, "b": [1.5, null]}\r\n\n  \n{"a": {"c": "ü"}}\n7')
    assert list(source.values()) == [{"a": 1, "b": [1.5, None]}, {"a": {"c": "ü"}}, 7]
    assert list(islice(source.lists(["b", "a"]), 2)) == [[[1.5, None], 1], [None, {"c": "ü"}]]
    with pytest.raises(SeedFileError, match=r"Row 3 of x\.jsonl is a int") as raised:
        list(source.lists(["a"]))
    assert raised.value.place is not None
    assert raised.value.place.line == 5


@pytest.mark.parametrize(
    ("content", "line", "column"),
    [
        ('{"a": 1}\n{"a": }\n', 2, 7),
        ('{"a": 1\n', 1, 8),
        ('{"a": NaN}\n', 1, 1),
        ("[" * 100_000 + "\n", 1, 1),
        (b'\n{"a": "\xe4"}', 2, 8),
        ("{} {}\n", 1, 4),
    ],
)
def test_a_bad_json_line_has_line_and_column(tmp_path: Path, content: Any, line: int, column: int) -> None:
    source = jsonl_of(tmp_path, content)
    with pytest.raises(SeedFileError) as raised:
        list(source.values())
    place = raised.value.place
    assert place is not None
    assert (place.line, place.column, raised.value.error_code) == (line, column, "GM118")


def test_place_of_a_row(tmp_path: Path) -> None:
    source = csv_of(tmp_path, 'a\n1\n\n"2\n3"\n4\n')
    assert [place.line if (place := source.place(index)) else None for index in range(4)] == [2, 4, 6, None]


def test_lists_and_ranges() -> None:
    source = as_source([{"a": 1}, {"b": 2}])
    assert isinstance(source, ListSource)
    assert (source.columns, source.size, list(source.lists(["b", "a"], 1))) == (("a", "b"), 2, [[2, None]])
    assert as_source([1, {"a": 1}]).columns is None
    assert list(as_source(iter([1, 2])).values(1)) == [2]
    numbers = as_source(range(2, 10**15, 3))
    assert numbers.size == len(range(2, 10**15, 3))
    assert list(islice(numbers.values(5), 2)) == [17, 20]
    assert list(islice(numbers.values(10**14), 1)) == [2 + 3 * 10**14]
    assert list(as_source(range(5, 0, -2)).values(1)) == [3, 1]
    assert [as_source(each).label for each in (range(7), range(1, 7))] == ["range(7)", "range(1, 7)"]


@pytest.mark.parametrize("name", ["csv", "jsonl"])
def test_large_files_are_never_held(tmp_path: Path, name: str) -> None:
    rows = 60_000
    with (tmp_path / f"x.{name}").open("w") as stream:
        stream.write("id,text\n" if name == "csv" else "\n")
        for number in range(rows):
            text = "x" * 100
            stream.write(
                f"{number},{text}\n" if name == "csv" else json.dumps({"id": number, "text": text}) + "\n"
            )
    tracemalloc.start()
    source: Source = CsvSource(tmp_path, "x.csv") if name == "csv" else JsonLinesSource(tmp_path, "x.jsonl")
    assert sum(1 for _ in source.lists(["id"])) == rows
    assert file_checksum(tmp_path, f"x.{name}")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (tmp_path / f"x.{name}").stat().st_size > 6_000_000
    assert peak < 4_000_000


@settings(max_examples=60, deadline=None)
@given(
    content=st.lists(st.sampled_from([b"\r", b"\n", b"\r\n", b"a", b"\xef\xbb\xbf"]), max_size=12).map(
        b"".join
    ),
    chunk=st.integers(1, 5),
)
def test_the_checksum_of_a_data_file_does_not_depend_on_how_it_is_read(content: bytes, chunk: int) -> None:
    import tempfile
    from unittest.mock import patch

    with tempfile.TemporaryDirectory() as name, patch("graphmigrate.seeds.files._CHUNK", chunk):
        (Path(name) / "x").write_bytes(content)
        whole = content.removeprefix(b"\xef\xbb\xbf").replace(b"\r\n", b"\n")
        assert file_checksum(Path(name), "x") == hashlib.sha256(whole).hexdigest()


OUTSIDE = ["../x", "a/../../x", "/etc/passwd", "", ".", "..", "a\\..\\x", "a\0b", "data/../x", "//x"]


@pytest.mark.parametrize("name", OUTSIDE)
def test_no_path_leads_outside(tmp_path: Path, name: str) -> None:
    (tmp_path / "x").write_text("secret")
    seeds = tmp_path / "seeds"
    (seeds / "data").mkdir(parents=True)
    (seeds / "x").write_text("mine")
    with pytest.raises(SeedFileError) as raised:
        open_inside(seeds, name)
    assert raised.value.error_code == "GM583"


def test_links_are_followed_inside_the_folder_and_only_regular_files_are_read(tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "x").write_text("secret")
    seeds = tmp_path / "seeds"
    (seeds / "..2026_11").mkdir(parents=True)
    (seeds / "..2026_11" / "y").write_text("mine")
    (seeds / "..data").symlink_to("..2026_11")  # as Kubernetes mounts a ConfigMap
    (seeds / "near").symlink_to("..data/y")
    (seeds / "data").mkdir()
    (seeds / "data" / "y").write_text("mine")
    (seeds / "linked").symlink_to(tmp_path / "outside")
    (seeds / "file").symlink_to(tmp_path / "outside" / "x")
    (seeds / "dangling").symlink_to("nothing")
    (seeds / "itself").symlink_to("itself")
    os.mkfifo(seeds / "pipe")
    for name in ("linked/x", "file"):
        with pytest.raises(SeedFileError, match="leads out of the seeds folder"):
            open_inside(seeds, name)
    for name in ("pipe", "data"):
        with pytest.raises(SeedFileError, match="not a regular file"):
            open_inside(seeds, name)
    with pytest.raises(SeedFileError, match="no file") as raised:
        open_inside(seeds, "data/yy")
    assert "Did you mean 'y'" in (raised.value.hint or "")
    with pytest.raises(SeedFileError, match="link to a file that is not there"):
        open_inside(seeds, "dangling")
    with pytest.raises(SeedFileError, match="cannot be read"):
        open_inside(seeds, "itself")
    (tmp_path / "other").symlink_to(seeds)
    for folder, name in ((seeds, "near"), (tmp_path / "other", "near"), (tmp_path / "other", "data/y")):
        with open_inside(folder, name) as stream:
            assert stream.read() == b"mine"


@settings(max_examples=100, deadline=None)
@given(
    parts=st.lists(
        st.sampled_from(["..", ".", "", "data", "linked", "x", "~", "%2e%2e", "\uff0e\uff0e"]), max_size=6
    )
)
def test_no_combination_of_steps_reads_the_secret(parts: list[str]) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        seeds = root / "seeds"
        (seeds / "data").mkdir(parents=True)
        (root / "x").write_text("secret")
        (seeds / "linked").symlink_to(root)
        (seeds / "data" / "x").write_text("mine")
        (seeds / "x").write_text("mine")
        try:
            with open_inside(seeds, "/".join(parts)) as stream:
                assert stream.read() == b"mine"
        except SeedFileError as error:
            assert error.error_code == "GM583"  # noqa: PT017
