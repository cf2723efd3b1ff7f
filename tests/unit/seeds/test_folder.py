"""Which seeds there are, what they say about themselves, in which order they load."""

from __future__ import annotations

import datetime
import hashlib
from pathlib import Path
from typing import Any

import pytest

from graphmigrate.errors import GraphMigrateError
from graphmigrate.seeds import catalogue, prepare
from graphmigrate.seeds.errors import SeedFileError
from graphmigrate.seeds.folder import collect
from graphmigrate.seeds.frontmatter import from_json, to_json


def write(folder: Path, **seeds: str) -> Path:
    for name, text in seeds.items():
        statement = "RETURN 1;\n" if not text or text.endswith("---\n") else ""
        (folder / f"{name}.cypher.j2").write_text(text + statement)
    return folder


def names(folder: Path, **choices: Any) -> list[str]:
    return [seed.name for seed in prepare(folder, **choices).seeds]


def refusal(folder: Path, **choices: Any) -> GraphMigrateError:
    with pytest.raises(SeedFileError) as raised:
        prepare(folder, **choices)
    assert raised.value.exit_code == 2
    return raised.value


def test_a_missing_folder_is_an_error(tmp_path: Path) -> None:
    assert refusal(tmp_path / "nowhere").error_code == "GM560"


def test_an_empty_folder_has_no_seeds(tmp_path: Path) -> None:
    assert names(tmp_path) == []


@pytest.mark.parametrize(
    ("name", "better"),
    [
        ("people.cypher", "people.cypher.j2"),
        ("people.cql", "people.cypher.j2"),
        ("people.j2", "people.cypher.j2"),
        ("people.cypher.jinja2", "people.cypher.j2"),
        ("people.CYPHER.J2", "people.cypher.j2"),
        ("people.cypher.j2.bak", "people.cypher.j2"),
        ("my people.cypher.j2", "my_people.cypher.j2"),
        ("a@2.cypher.j2", "a_2.cypher.j2"),
    ],
)
def test_what_looks_like_a_seed_is_named_with_its_right_name(tmp_path: Path, name: str, better: str) -> None:
    (tmp_path / name).write_text("RETURN 1")
    error = refusal(tmp_path)
    assert error.error_code == "GM560"
    assert repr(name) in error.message
    assert f"Rename it to {better}" in (error.hint or "")


def test_other_files_are_left_alone(tmp_path: Path) -> None:
    for name in ("README.md", "people.csv", ".hidden.cypher", "_part.j2", "notes.txt"):
        (tmp_path / name).write_text("{{ broken")
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts" / "x.cypher.j2").write_text("{{ broken")
    write(tmp_path, ümlaut="RETURN 1")
    assert names(tmp_path) == ["ümlaut"]


def test_a_directory_a_link_and_a_binary_file_are_named(tmp_path: Path) -> None:
    (tmp_path / "a.cypher.j2").mkdir()
    outside = tmp_path.parent / f"{tmp_path.name}-outside"
    outside.write_text("RETURN 1")
    (tmp_path / "b.cypher.j2").symlink_to(outside)
    (tmp_path / "c.cypher.j2").write_bytes(b"RETURN 1\nRETURN '\xff'")
    (tmp_path / "d.cypher.j2").write_bytes(b"RETURN 1\0")
    found = collect(tmp_path).problems
    assert [Path(problem.place.file).name if problem.place else "" for problem in found] == [
        f"{each}.cypher.j2" for each in "abcd"
    ]
    assert ["folder" in found[0].message, "link" in found[1].message] == [True, True]
    assert found[2].place is not None
    assert found[2].place.line == 2
    assert len(refusal(tmp_path).problems) == 4


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


def test_every_problem_is_told_at_once(tmp_path: Path) -> None:
    write(tmp_path, a="---\nx: 1\ny: 2\n---\n", b="---\nz: 1\n---\n")
    assert len(refusal(tmp_path).problems) == 3


def test_dependencies_come_first_and_once(tmp_path: Path) -> None:
    write(
        tmp_path,
        a="---\ndepends: [c, b]\n---\n",
        b="---\ndepends: d\n---\n",
        c="---\ndepends: d\n---\n",
        d="",
        e="",
    )
    assert names(tmp_path) == ["d", "e", "b", "c", "a"]
    assert names(tmp_path, names=["c"]) == ["d", "c"]


def test_a_cycle_is_shown(tmp_path: Path) -> None:
    write(tmp_path, a="---\ndepends: b\n---\n", b="---\ndepends: c\n---\n", c="---\ndepends: b\n---\n", d="")
    error = refusal(tmp_path)
    assert error.error_code == "GM563"
    assert "c -> b -> c" in error.message
    assert error.place is not None
    assert (error.place.file, error.place.line) == (str(tmp_path / "b.cypher.j2"), 2)
    assert names(tmp_path, names=["d"]) == ["d"]


def test_profiles(tmp_path: Path) -> None:
    write(tmp_path, a="", b="---\nprofiles: [dev, ci]\ndepends: a\n---\n", c="---\nprofiles: load\n---\n")
    assert names(tmp_path) == ["a"]
    assert names(tmp_path, profile="dev") == ["a", "b"]
    assert names(tmp_path, profile="load") == ["c"]
    assert names(tmp_path, names=["c"]) == ["c"]
    assert names(tmp_path, names=["b"], profile="ci") == ["a", "b"]
    assert [each.reason for each in prepare(tmp_path).left_out] == [
        "it belongs to the profiles dev, ci",
        "it belongs to the profile load",
    ]
    error = refusal(tmp_path, profile="deff")
    assert (error.error_code, "Known profiles: ci, dev, load" in (error.hint or "")) == ("GM567", True)
    assert refusal(tmp_path, names=["c"], profile="dev").error_code == "GM567"
    error = refusal(tmp_path, names=["bb"])
    assert (error.error_code, "Known seeds: a, b, c" in (error.hint or "")) == ("GM563", True)


def test_a_folder_of_profiles_only_wants_one(tmp_path: Path) -> None:
    write(tmp_path, a="---\nprofiles: dev\n---\n")
    error = refusal(tmp_path)
    assert (error.error_code, "--profile dev" in (error.hint or "")) == ("GM567", True)


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


def checksum(folder: Path, name: str = "a") -> str:
    [seed] = prepare(folder, names=[name]).seeds
    return seed.checksum


def test_the_checksum_is_that_of_the_file(tmp_path: Path) -> None:
    write(tmp_path, a="RETURN 1;\n// x\n")
    expected = hashlib.sha256(b"RETURN 1;\n// x\n").hexdigest()
    assert checksum(tmp_path) == expected
    (tmp_path / "a.cypher.j2").write_bytes(b"\xef\xbb\xbfRETURN 1;\r\n// x\r\n")
    assert checksum(tmp_path) == expected


def test_the_checksum_covers_included_templates_and_data(tmp_path: Path) -> None:
    write(
        tmp_path,
        a="{% include '_p.j2' %};{% unwind r in csv('d.csv') %}RETURN r.a{% endunwind %}",
        _p="RETURN 1",
    )
    (tmp_path / "_p.j2").write_text("RETURN 1")
    (tmp_path / "d.csv").write_text("a\n1\n")
    seen = {checksum(tmp_path)}
    (tmp_path / "d.csv").write_bytes(b"\xef\xbb\xbfa\r\n1\r\n")
    assert checksum(tmp_path) in seen
    (tmp_path / "d.csv").write_text("a\n2\n")
    seen.add(checksum(tmp_path))
    (tmp_path / "_p.j2").write_text("RETURN 2")
    seen.add(checksum(tmp_path))
    assert len(seen) == 3
