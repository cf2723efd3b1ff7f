"""What a seed says about itself, and the variables that it declares."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any

import pytest

from graphmigrate.seeds import catalogue, prepare
from graphmigrate.seeds.frontmatter import from_json, to_json
from tests.unit.seeds.test_folder import refusal, write

FRONT = """---
description: People of the house
depends: [b]
profiles: demo
vars:
  size: 10
  when: 2026-01-31
---
RETURN {{ size }}, {{ when }};
"""


def test_front_matter_is_read_and_not_rendered(tmp_path: Path) -> None:
    write(tmp_path, a="\ufeff" + FRONT.replace("\n", "\r\n").replace("People", "People {{"), b="RETURN 1")
    info = catalogue(tmp_path)[0]
    assert (info.name, info.description, info.depends, info.profiles, info.state) == (
        "a",
        "People {{ of the house",
        ("b",),
        ("demo",),
        None,
    )
    assert info.variables == {"size": 10, "when": datetime.date(2026, 1, 31)}


@pytest.mark.parametrize(
    ("front", "code", "line", "words"),
    [
        ("dependz: b", "GM561", 2, "Did you mean 'depends'"),
        ("description: x\nvar: {}", "GM561", 3, "Did you mean 'vars'"),
        ("description: [1]", "GM561", 2, "must be a text"),
        ("depends: {a: 1}", "GM561", 2, "list of names"),
        ("profiles: [1]", "GM561", 2, "list of names"),
        ("vars: [1]", "GM561", 2, "map"),
        ("vars: {1a: 2}", "GM561", 2, "name of a variable"),
        ("vars: {range: 2}", "GM561", 2, "name of a variable"),
        ("vars:\n  a: 1\n  a: 2", "GM561", 4, "twice"),
        ("vars: {}\nvars: {}", "GM561", 3, "twice"),
        ("vars: {a: !!python/name:os.system }", "GM561", 2, "YAML"),
        ("vars: {a: [}", "GM561", 2, "YAML"),
        ("just text", "GM561", 2, "key: value"),
        ("depends: [nope]", "GM563", 2, "not a seed here"),
    ],
)
def test_bad_front_matter_names_its_line(
    tmp_path: Path, front: str, code: str, line: int, words: str
) -> None:
    write(tmp_path, a=f"---\n{front}\n---\nRETURN 1;\n")
    error = refusal(tmp_path)
    assert error.error_code == code
    assert words in f"{error.message} {error.hint}"
    assert error.place is not None
    assert error.place.line == line


def test_front_matter_without_an_end(tmp_path: Path) -> None:
    write(tmp_path, a="---\nvars: {}\nRETURN 1;\n")
    assert refusal(tmp_path).error_code == "GM561"


DEFAULTS = """---
vars:
  whole: 1
  part: 1.5
  flag: false
  word: x
  list: [1]
  map: {a: 1}
  day: 2026-01-31
  moment: 2026-01-31T10:00:00+00:00
  any: null
---
RETURN {{ [whole, part, flag, word, list, map, day, moment, any] }}
"""


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("whole", "-7", -7),
        ("part", "2", 2.0),
        ("flag", "yes", True),
        ("flag", "off", False),
        ("word", "12", "12"),
        ("word", "", ""),
        ("list", "[a, 2]", ["a", 2]),
        ("map", "{b: c}", {"b": "c"}),
        ("day", "2024-02-29", datetime.date(2024, 2, 29)),
        ("moment", "2024-02-29T01:02:03+01:00", datetime.datetime.fromisoformat("2024-02-29T01:02:03+01:00")),
        ("any", "12", 12),
        ("any", "x", "x"),
        ("whole", 9, 9),
    ],
)
def test_variables_are_read_by_the_type_of_their_default(
    tmp_path: Path, name: str, text: Any, value: Any
) -> None:
    write(tmp_path, a=DEFAULTS)
    [seed] = prepare(tmp_path, variables={name: text}).seeds
    order = ["whole", "part", "flag", "word", "list", "map", "day", "moment", "any"]
    [query] = seed.program.queries
    assert query.parameters["p1"][order.index(name)] == value
    assert type(query.parameters["p1"][order.index(name)]) is type(value)
    assert from_json(seed.variables)[name] == value


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("whole", "1.5"),
        ("part", "x"),
        ("flag", "2"),
        ("list", "1"),
        ("map", "[1]"),
        ("day", "31.1.26"),
        ("list", "["),
    ],
)
def test_a_value_of_another_type_is_refused(tmp_path: Path, name: str, text: str) -> None:
    write(tmp_path, a=DEFAULTS)
    error = refusal(tmp_path, variables={name: text})
    assert error.error_code == "GM567"
    assert repr(name) in error.message


def test_an_unknown_variable_names_the_seeds_and_theirs(tmp_path: Path) -> None:
    write(tmp_path, a="---\nvars: {scale: 1}\n---\n", b="---\nvars: {scale: 2, other: 1}\n---\n")
    error = refusal(tmp_path, variables={"scal": "3"})
    assert error.error_code == "GM567"
    assert error.hint == "Did you mean 'scale'? Known variables: other (b), scale (a, b)."
    assert refusal(tmp_path, names=["a"], variables={"other": "3"}).error_code == "GM567"


def test_variables_as_json_tell_types_apart() -> None:
    values = {"b": [1, 1.0, "1", None, True], "a": {"d": datetime.date(2026, 1, 1)}}
    assert from_json(to_json(values)) == values
    assert to_json({"a": 1, "b": 2}) == to_json({"b": 2, "a": 1})
    assert to_json({"a": datetime.date(2026, 1, 1)}) != to_json({"a": "2026-01-01"})
    assert to_json({"a": 1}) != to_json({"a": 1.0})
