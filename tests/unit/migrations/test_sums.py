"""graphmigrate.sum: what it says of a folder, and what git makes of two branches."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from graphmigrate.migrations import sums
from graphmigrate.migrations.files import collect


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("V1__a", "V2__b", "sub/V10__c", "R__views"):
        path = tmp_path / f"{name}.cypher"
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"RETURN '{name}';\n")
    sums.write(collect(tmp_path))
    return tmp_path


def found(folder: Path) -> list[tuple[str, str, int]]:
    problems = [each for each in collect(folder).problems if each.code == "GM114"]
    assert all(each.hint for each in problems)
    places = [each.place for each in problems]
    assert all(places)
    return [
        (Path(place.file).name, problem.message, place.line)
        for problem, place in zip(problems, places, strict=True)
        if place
    ]


def test_it_lists_every_file_in_order_and_fits(folder: Path) -> None:
    lines = (folder / sums.NAME).read_text().splitlines()
    assert [line.split()[1] for line in lines] == [
        "R__views.cypher",
        "V1__a.cypher",
        "V2__b.cypher",
        "sub/V10__c.cypher",
    ]
    assert found(folder) == []
    (folder / "V1__a.cypher").write_bytes(b"RETURN 'V1__a';\r\n")  # another line end is the same text
    (folder / sums.NAME).write_bytes((folder / sums.NAME).read_bytes().replace(b"\n", b"\r\n"))
    assert found(folder) == []


def test_an_edited_a_missing_and_an_unlisted_file_are_named(folder: Path) -> None:
    (folder / "V1__a.cypher").write_text("RETURN 2;\n")
    (folder / "V2__b.cypher").unlink()
    (folder / "V3__d.cypher").write_text("RETURN 1;\n")
    assert [(name, line) for name, _, line in found(folder)] == [
        ("V1__a.cypher", 1),
        (sums.NAME, 3),
        ("V3__d.cypher", 1),
    ]
    sums.write(collect(folder))
    assert found(folder) == []


def test_lines_that_were_moved_doubled_or_left_by_a_merge(folder: Path) -> None:
    first, second, *rest = (folder / sums.NAME).read_text().splitlines(keepends=True)
    (folder / sums.NAME).write_text("".join([second, first, *rest]))
    assert len(found(folder)) >= 2
    (folder / sums.NAME).write_text("".join([first, second, *rest, rest[-1], "<<<<<<< HEAD\n"]))
    assert [line for _, _, line in found(folder)] == [5, 6]


def test_two_branches_that_add_a_migration_conflict_in_git(folder: Path) -> None:
    def git(*arguments: str) -> subprocess.CompletedProcess[str]:
        who = ("-c", "user.name=a", "-c", "user.email=a@example.com", "-c", "init.defaultBranch=main")
        return subprocess.run(["git", *who, *arguments], cwd=folder, capture_output=True, text=True)

    def add(branch: str, name: str) -> None:
        git("checkout", "-q", "-b", branch, "main")
        (folder / f"{name}.cypher").write_text("RETURN 1;\n")
        sums.write(collect(folder))
        git("add", "-A")
        assert git("commit", "-q", "-m", name).returncode == 0

    if git("init", "-q").returncode != 0:
        pytest.skip("git is missing")
    git("add", "-A")
    assert git("commit", "-q", "-m", "first").returncode == 0
    add("one", "V11__one")
    add("two", "V12__two")
    merge = git("merge", "one")
    assert merge.returncode == 1
    assert f"Merge conflict in {sums.NAME}" in merge.stdout
    assert found(folder)
    sums.write(collect(folder))
    assert found(folder) == []
