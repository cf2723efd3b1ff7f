"""Files of JSON and YAML, and hostile ones: never more than an error at a place, never Cypher."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from graphmigrate.seeds import prepare
from graphmigrate.seeds.files import SeedFileError
from graphmigrate.seeds.program import Rows
from graphmigrate.seeds.rows import JsonLinesSource, as_source, read_json, read_yaml

bounded = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))


def write(folder: Path, name: str, content: str | bytes) -> None:
    (folder / name).write_bytes(content.encode() if isinstance(content, str) else content)


def test_json_and_yaml_are_values_and_rows(tmp_path: Path) -> None:
    write(tmp_path, "x.json", '\ufeff[{"a": 1,\n "at": "2024-01-01"},\n {"b": [null]}]')
    write(tmp_path, "x.yaml", "- &one {a: 1}\n- *one\n- {<<: *one, b: 2024-01-01}\n")
    rows = read_json(tmp_path, "x.json")
    source = as_source(rows)
    assert (source.label, source.columns, source.size) == ("x.json", ("a", "at", "b"), 2)
    assert next(source.lists(["at"])) == ["2024-01-01"]
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


@pytest.mark.parametrize(
    ("content", "at"),
    [
        ('[{"id": 1},\n {"id": 2}]\n', "1:12"),
        ('[{"id": 1}, {"id": 2}]\n', "1:1"),
        ("[\n{}\n]\n", "1:2"),
    ],
)
def test_an_array_in_json_lines_gets_the_hint(tmp_path: Path, content: str, at: str) -> None:
    write(tmp_path, "x.jsonl", content)
    with pytest.raises(SeedFileError) as raised:
        list(JsonLinesSource(tmp_path, "x.jsonl").lists(["id"]))
    assert str(raised.value.place) == f"{tmp_path / 'x.jsonl'}:{at}"
    assert "read it with json('x.jsonl')" in str(raised.value.hint)
    assert isinstance(read_json(tmp_path, "x.jsonl"), list)


BAD_FILES: list[tuple[str, str | bytes, int, str]] = [
    ("x.json", '[1,\n 2,\n}', 3, "not valid JSON"),
    ("x.json", '{"a": 1}\n{"a": 2}\n', 2, "not valid JSON: Extra data"),
    ("x.json", "[NaN]", 1, "NaN"),
    ("x.json", "[" * 100_000, 1, "nested too deeply"),
    ("x.json", b'["\xff"]', 1, "not UTF-8"),
    ("x.json", "", 1, "not valid JSON"),
    ("x.yaml", "a: 1\nb: [\n", 3, "not valid YAML"),
    ("x.yaml", "- !!python/object/apply:os.system ['true']", 1, "tag .!!python.* is not known"),
    ("x.yaml", "- !mine x", 1, "tag .!mine. is not known"),
    ("x.yaml", "- a\n---\n- b\n", 2, "single document"),
    ("x.yaml", "[" * 100_000, 1, "nested too deeply"),
    ("x.yaml", "- " * 1000 + "x", 1, "nested too deeply"),
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
    assert (raised.value.error_code, place.file, place.line) == ("GM118", str(tmp_path / name), line)


@pytest.mark.parametrize(("name", "most"), [("x.json", 64), ("x.yaml", 1)])
def test_above_the_limit_jsonl_is_asked_for(tmp_path: Path, name: str, most: int) -> None:
    spaces = b" " * ((most << 20) + 1)
    write(tmp_path, name, spaces)
    write(tmp_path, f"{name}.gz", gzip.compress(spaces, 1))
    for file in (name, f"{name}.gz"):
        with pytest.raises(SeedFileError, match=f"over {most} MiB") as raised:
            (read_json if "json" in name else read_yaml)(tmp_path, file)
        assert raised.value.error_code == "GM118"
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
    escaped = "".join(f"\\U{ord(character):08x}" for character in value)
    write(folder, "x.yaml", f'- {{id: "{escaped}"}}')
    texts = set()
    for call in ("csv('x.csv')", "jsonl('x.jsonl')", "json('x.json')", "yaml('x.yaml')"):
        write(
            folder, "a.cypher.j2", f"{{% unwind row in {call} %}}CREATE (:A {{id: row.id}}){{% endunwind %}}"
        )
        [part] = prepare(folder).seeds[0].program.parts
        assert isinstance(part, Rows)
        texts.add(part.query.text)
        assert part.query.parameters == {}
        read = (value.replace("\r\n", "\n").replace("\r", "\n") or None) if "csv" in call else value
        assert list(part.source.lists(["id"])) == [[read]]
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
