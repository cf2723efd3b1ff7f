"""Data files of every dialect and kind, and hostile ones: never more than an error at a place, never Cypher."""

from __future__ import annotations

import gzip
import json
import random
import re
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from graphmigrate.seeds import prepare
from graphmigrate.seeds.batches import Limits, batches
from graphmigrate.seeds.csv_rows import CsvSource, Dialect
from graphmigrate.seeds.data import file_checksum
from graphmigrate.seeds.errors import SeedFileError
from graphmigrate.seeds.json_rows import JsonLinesSource, read_json, read_yaml
from graphmigrate.seeds.program import Rows
from graphmigrate.seeds.rows import as_source

bounded = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))


def csv_rows(folder: Path, content: str | bytes, **dialect: Any) -> list[Any]:
    (folder / "x.csv").write_bytes(content.encode() if isinstance(content, str) else content)
    return list(CsvSource(folder, "x.csv", Dialect(**dialect)).values())


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
        assert raised.value.error_code == "GM591"


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
    expected = [[value.replace("\r\n", "\n") or None for value in row] for row in rows]
    assert list(source.lists(["a", "b"], skip)) == expected[skip:]
    assert list(source.lists(["b"], skip)) == [row[1:] for row in expected[skip:]]
    assert list(source.values(skip)) == [dict(zip("ab", row, strict=True)) for row in expected[skip:]]


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


def write(folder: Path, name: str, content: str | bytes) -> None:
    (folder / name).write_bytes(content.encode() if isinstance(content, str) else content)


def test_json_and_yaml_are_values_and_rows(tmp_path: Path) -> None:
    write(tmp_path, "x.json", '\ufeff[{"a": 1,\n "at": "2024-01-01"},\n {"b": [null]}]')
    write(tmp_path, "x.yaml", "- &one {a: 1}\n- *one\n- {<<: *one, b: 2024-01-01}\n")
    rows = read_json(tmp_path, "x.json", {"at": "date"})
    source = as_source(rows)
    assert (source.label, source.columns, source.size) == ("x.json", ("a", "at", "b"), 2)
    assert next(source.lists(["at"]))[0].isoformat() == "2024-01-01"
    assert [str(source.place(index)) for index in range(2)] == [
        f"{tmp_path / 'x.json'}:{at}" for at in ("1:2", "3:2")
    ]
    source = as_source(read_yaml(tmp_path, "x.yaml"))
    assert list(source.lists(["a"])) == [[1], [1], [1]]
    assert [place.line if (place := source.place(index)) else 0 for index in range(4)] == [
        1,
        1,
        3,
        0,
    ]  # an alias stands where its anchor does
    write(tmp_path, "y.json", '{"people": [{"a": 1}], "n": 3}')
    assert read_json(tmp_path, "y.json") == {"people": [{"a": 1}], "n": 3}
    with pytest.raises(SeedFileError, match="no list of rows"):
        read_json(tmp_path, "y.json", {"a": "int"})


BAD_FILES: list[tuple[str, str | bytes, int, str]] = [
    ("x.json", '[1,\n 2,\n}', 3, "not valid JSON"),
    ("x.json", '{"a": 1}\n{"a": 2}\n', 2, "not valid JSON: Extra data"),
    ("x.json", "[NaN]", 1, "NaN"),
    ("x.json", "[" * 100_000, 1, "nested too deeply"),
    ("x.json", b'["\xff"]', 1, "not UTF-8"),
    ("x.json", "", 1, "not valid JSON"),
    ("x.yaml", "a: 1\nb: [\n", 3, "not valid YAML"),
    ("x.yaml", "- !!python/object/apply:os.system ['true']", 1, "constructor for the tag"),
    ("x.yaml", "- !mine x", 1, "constructor for the tag"),
    ("x.yaml", "- a\n---\n- b\n", 2, "single document"),
    ("x.yaml", "[" * 100_000, 1, "levels deep"),
    ("x.yaml", "- " * 1000 + "x", 1, "levels deep"),
    ("x.yaml", "a: 1\na: 2\n", 2, "twice"),
    ("x.yaml", "a: &a [*a]", 1, "inside what it stands for"),
    ("x.yaml", "a: &a\n  b: *a\n", 1, "inside what it stands for"),
    ("x.yaml", "a: [x\x00]", 1, "not valid YAML"),
    ("x.yaml", "a: 2024-13-45", 1, "not valid YAML"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "content", "line", "words"), BAD_FILES)
def test_a_bad_file_is_refused_at_its_line(
    tmp_path: Path, name: str, content: Any, line: int, words: str
) -> None:
    write(tmp_path, name, content)
    with pytest.raises(SeedFileError, match=words) as raised:
        (read_json if name.endswith("json") else read_yaml)(tmp_path, name)
    place = raised.value.place
    assert place is not None
    assert (raised.value.error_code, place.file, place.line) == ("GM591", str(tmp_path / name), line)


ODD_KEYS = [
    ("- {id: a}\n- {id: b, 2024: 5}\n", "2:11", "2024"),
    ("- id: a\n  on: 5\n", "2:3", "on"),
    ("- id: {a: [{1.5: x}]}\n", "1:13", "1.5"),
    ("- &one {~: x}\n- {<<: *one}\n", "1:9", "~"),
]


@pytest.mark.parametrize(("content", "at", "key"), ODD_KEYS)
def test_a_key_of_a_row_is_a_text(tmp_path: Path, content: str, at: str, key: str) -> None:
    write(tmp_path, "x.yaml", content)
    rows = read_yaml(tmp_path, "x.yaml")  # what a template does with it otherwise is its own affair
    with pytest.raises(SeedFileError, match=f"must be a text, not {re.escape(key)}") as raised:
        as_source(rows)
    assert (raised.value.error_code, str(raised.value.place)) == ("GM553", f"{tmp_path / 'x.yaml'}:{at}")
    quoted = '- {id: a, "2024": 5, =: 1, !!str 7: x, <<: {y: 1}}\n'
    write(tmp_path, "x.yaml", quoted)
    source = as_source(read_yaml(tmp_path, "x.yaml"))
    assert source.columns == ("y", "id", "2024", "=", "7")
    assert list(source.lists(["2024", "7"])) == [[5, "x"]]


def test_a_billion_laughs_are_not_unfolded(tmp_path: Path) -> None:
    lines = ["a0: &a0 [lol]"] + [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12)]
    write(tmp_path, "x.yaml", "\n".join(lines))
    with pytest.raises(SeedFileError, match="unfold"):
        read_yaml(tmp_path, "x.yaml")
    merged = ["a0: &a0 {x: 1}"] + [
        f"a{n}: &a{n} {{<<: [{', '.join([f'*a{n - 1}'] * 9)}]}}" for n in range(1, 12)
    ]
    write(tmp_path, "x.yaml", "\n".join(merged))
    with pytest.raises(SeedFileError, match="unfold"):
        read_yaml(tmp_path, "x.yaml")


def test_laughs_in_front_matter_are_refused_too(tmp_path: Path) -> None:
    lines = ["  a0: &a0 [lol]"] + [f"  a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12)]
    for front in ("vars:\n" + "\n".join(lines), "vars: {a: " + "[" * 50_000, "vars: {a: &a [*a]}"):
        write(tmp_path, "a.cypher.j2", f"---\n{front}\n---\nRETURN 1;\n")
        with pytest.raises(SeedFileError) as raised:
            prepare(tmp_path)
        assert raised.value.error_code == "GM561"
    write(tmp_path, "a.cypher.j2", "---\nvars: {a: [1]}\n---\nRETURN {{ a }};\n")
    for written in ("[" * 50_000, "&a [*a]", "!!python/name:os.system x"):
        with pytest.raises(SeedFileError) as raised:
            prepare(tmp_path, variables={"a": written})
        assert raised.value.error_code == "GM567"


@pytest.mark.parametrize("name", ["x.json", "x.yaml"])
def test_above_64_mebibytes_jsonl_is_asked_for(tmp_path: Path, name: str) -> None:
    spaces = b" " * (65 << 20)
    write(tmp_path, name, spaces)
    write(tmp_path, f"{name}.gz", gzip.compress(spaces, 1))
    for file in (name, f"{name}.gz"):
        with pytest.raises(SeedFileError, match="over 64 MiB") as raised:
            (read_json if "json" in name else read_yaml)(tmp_path, file)
        assert raised.value.error_code == "GM591"
        assert "jsonl(" in (raised.value.hint or "")


EVIL = [
    "'}) DETACH DELETE n //",
    "`",
    "\\u0027",
    "$p1",
    "{{ 1 }}",
    "{% raw %}",
    "*/",
    "\x00",
    "\ufeff",
    "null",
    "=cmd",
]


@bounded
@given(value=st.lists(st.one_of(st.sampled_from(EVIL), st.text(max_size=3)), max_size=5).map("".join))
def test_hostile_data_never_becomes_cypher(tmp_path_factory: Any, value: str) -> None:
    folder = tmp_path_factory.mktemp("seeds")
    quoted = value.replace('"', '""')
    rows = [{"id": value}]
    usable = not any("\ud800" <= each <= "\udfff" for each in value)
    if not usable:
        return
    write(folder, "x.csv", f'id\n"{quoted}"\n')
    write(folder, "x.jsonl", json.dumps(rows[0]) + "\n")
    write(folder, "x.json", json.dumps(rows))
    write(folder, "x.yaml", yaml.safe_dump(rows))  # escaped: YAML reads a raw U+0085 as the end of a line
    texts = set()
    for call in ("csv('x.csv')", "jsonl('x.jsonl')", "json('x.json')", "yaml('x.yaml')"):
        write(
            folder, "a.cypher.j2", f"{{% unwind row in {call} %}}CREATE (:A {{id: row.id}}){{% endunwind %}}"
        )
        [part] = prepare(folder).seeds[0].program.parts
        assert isinstance(part, Rows)
        texts.add(part.query.text)
        assert part.query.parameters == {}
        assert list(part.source.lists(["id"])) == [[value or (None if "csv" in call else "")]]
    [text] = texts
    assert text == "UNWIND $rows AS row CREATE (:A {id: row[0]})"
    write(folder, "b.cypher.j2", "{% for r in json('x.json') %}RETURN {{ r.id }};{% endfor %}")
    [query] = prepare(folder, names=["b"]).seeds[0].program.queries
    assert (query.text, query.parameters) == ("RETURN $p1", {"p1": value})


@bounded
@given(
    content=st.binary(max_size=200),
    name=st.sampled_from(["x.csv", "x.jsonl", "x.json", "x.yaml", "x.csv.gz"]),
)
def test_any_bytes_are_rows_or_an_error_with_a_place(
    tmp_path_factory: Any, content: bytes, name: str
) -> None:
    folder = tmp_path_factory.mktemp("any")
    write(folder, name, content)
    function = name.split(".")[1]
    write(
        folder,
        "a.cypher.j2",
        f"{{% unwind row in {function}('{name}') %}}CREATE (n:A) SET n = row{{% endunwind %}}",
    )
    try:
        [part] = prepare(folder).seeds[0].program.parts
        assert isinstance(part, Rows)
        list(part.source.values())
    except SeedFileError as error:
        assert error.place is not None  # noqa: PT017
