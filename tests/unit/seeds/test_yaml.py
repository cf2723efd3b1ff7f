"""YAML 1.2: texts stay texts, and no document does more than hold values."""

from __future__ import annotations

import datetime
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from graphmigrate.seeds import prepare
from graphmigrate.seeds.files import SeedFileError
from graphmigrate.seeds.rows import read_yaml
from graphmigrate.seeds.yaml import BadYaml, load


def write(folder: Path, name: str, content: str | bytes) -> None:
    (folder / name).write_bytes(content.encode() if isinstance(content, str) else content)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("NO", "NO"), ("yes", "yes"), ("on", "on"), ("true", True), ("False", False), ("~", None), ("", None), ("null", None),
        ("1_000", "1_000"), ("12:30:45", "12:30:45"), ("0x1f", 31), ("0o17", 15), ("-7", -7), ("0", 0), ("1.5", 1.5),
        ("1e3", 1000.0), (".5", 0.5), ("'0123'", "0123"), ('"true"', "true"), ("!!str 7", "7"), ("0.5", 0.5),
        ("2024-02-29", datetime.date(2024, 2, 29)),
        ("2024-02-29T10:00:00Z", datetime.datetime(2024, 2, 29, 10, tzinfo=datetime.UTC)),
        ("{a: [1, {b: c}]}", {"a": [1, {"b": "c"}]}), ("a: |\n  x\n  y\n", {"a": "x\ny\n"}),
        ("- &one {a: 1, b: 1}\n- {<<: [*one, {b: 2, c: 2}], a: 3}\n", [{"a": 1, "b": 1}, {"a": 3, "b": 1, "c": 2}]),
    ],
)  # fmt: skip
def test_values_are_those_of_yaml_1_2(text: str, value: Any) -> None:
    found = load(text)
    assert found == value
    assert type(found) is type(value)


def test_infinity_and_no_number() -> None:
    assert load("[.inf, -.INF]") == [float("inf"), float("-inf")]
    assert str(load(".nan")) == "nan"


@pytest.mark.parametrize("text", ["0123", "-01", "00.5", "007"])
def test_a_number_with_leading_zeros_shows_the_quotes(text: str) -> None:
    with pytest.raises(BadYaml, match="no leading zeros") as raised:
        load(f"a: 1\nb: {text}\n")
    assert (raised.value.line, raised.value.column) == (2, 4)
    assert f"'{text}'" in str(raised.value.hint)
    assert load(f"b: '{text}'") == {"b": text}


@pytest.mark.parametrize(
    ("text", "place", "key"),
    [
        ("- {id: a}\n- {id: b, 2024: 5}\n", (2, 11), "2024"),
        ("- id: a\n  true: 5\n", (2, 3), "true"),
        ("- id: {a: [{1.5: x}]}\n", (1, 13), "1.5"),
        ("- &one {~: x}\n- {<<: *one}\n", (1, 9), "~"),
        ("? [a]\n: b\n", (1, 3), "a list or map"),
    ],
)
def test_a_key_is_a_text(text: str, place: tuple[int, int], key: str) -> None:
    with pytest.raises(BadYaml, match=re.escape(f"must be a text, not {key}")) as raised:
        load(text)
    assert (raised.value.line, raised.value.column) == place
    assert load('{"2024": 5, =: 1, !!str 7: x, on: 2}') == {"2024": 5, "=": 1, "7": "x", "on": 2}


def test_it_is_imported_only_where_yaml_is_read() -> None:
    code = "import sys, graphmigrate.cli, graphmigrate.seeds; sys.exit('ruamel.yaml' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


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
