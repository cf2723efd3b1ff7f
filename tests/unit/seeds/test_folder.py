"""Which seeds there are, what they say about themselves, in which order they load."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest

from graphmigrate.errors import GraphMigrateError
from graphmigrate.seeds import prepare
from graphmigrate.seeds.files import SeedFileError


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
    found = refusal(tmp_path).problems
    assert [Path(problem.place.file).name if problem.place else "" for problem in found] == [
        f"{each}.cypher.j2" for each in "abcd"
    ]
    assert ["folder" in found[0].message, "link" in found[1].message] == [True, True]
    assert found[2].place is not None
    assert found[2].place.line == 2
    assert len(found) == 4


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


def test_a_seed_that_cannot_be_read_is_not_also_told_as_missing(tmp_path: Path) -> None:
    write(tmp_path, a="---\ndepends: b\n---\nRETURN 1;", b="---\nnope: 1\n---\nRETURN 1;")
    error = refusal(tmp_path)
    assert (error.error_code, error.place.file if error.place else "") == (
        "GM561",
        str(tmp_path / "b.cypher.j2"),
    )
