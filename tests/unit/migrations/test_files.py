from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from graphmigrate.errors import ProjectError, Severity
from graphmigrate.migrations.files import collect
from graphmigrate.migrations.model import checksum


def write(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).write_text("RETURN 1;\n")


def found(folder: Path) -> list[tuple[str, str, Severity]]:
    return [
        (problem.code, Path(problem.place.file).name if problem.place else "", problem.severity)
        for problem in collect(folder).problems
    ]


def test_files_are_in_order_of_version_and_hashed(tmp_path: Path) -> None:
    write(tmp_path, "V10__c.cypher", "V2__b.cypher", "V1.5__a.cypher", "README.md", ".gitkeep")
    folder = collect(tmp_path)
    assert [file.name for file in folder.files] == ["V1.5__a.cypher", "V2__b.cypher", "V10__c.cypher"]
    assert folder.problems == ()
    assert folder.files[0].content == b"RETURN 1;\n"
    assert folder.files[0].checksum == checksum(b"RETURN 1;\n")
    assert folder.files[0].path == tmp_path / "V1.5__a.cypher"


def test_every_problem_is_reported_at_once(tmp_path: Path) -> None:
    write(
        tmp_path, "V1__a.cypher", "V1.0__b.cypher", "v2__c.cypher", "R__d.cypher", "notes.txt", "V3__e.cypher"
    )
    (tmp_path / "V4__f.cypher").mkdir()
    (tmp_path / "V5__g.cypher").symlink_to("nowhere.cypher")
    (tmp_path / "old").mkdir()
    write(tmp_path / "old", "V6__h.cypher")
    (tmp_path / "pictures").mkdir()
    os.mkfifo(tmp_path / "V7__i.cypher")
    assert found(tmp_path) == [
        ("GM113", "V4__f.cypher", Severity.ERROR),
        ("GM118", "V5__g.cypher", Severity.ERROR),
        ("GM118", "V7__i.cypher", Severity.ERROR),
        ("GM113", "notes.txt", Severity.WARNING),
        ("GM113", "v2__c.cypher", Severity.ERROR),
        ("GM112", "V1__a.cypher", Severity.ERROR),
    ]


@pytest.mark.parametrize("folder", ["changelog", "license-data", "readme", "old.md", "sub~", "V1__base"])
def test_folders_inside_are_read(tmp_path: Path, folder: str) -> None:
    (tmp_path / folder / "deep").mkdir(parents=True)
    write(tmp_path / folder / "deep", "README.md", "V2__b.cypher", "notes.txt", "helper.py")
    write(tmp_path, "V3__c.cypher", "V1__a.cypher")
    assert [file.version.text for file in collect(tmp_path).files] == ["1", "2", "3"]
    assert found(tmp_path) == []


@pytest.mark.parametrize(
    "name", ["v1_a.cql", "init.cyp", "V1__a.CYPHER.txt", "V1__a", "V1__a.xml", "V1_a.py.bak"]
)
def test_what_looks_like_a_migration_is_told_in_folders_inside(tmp_path: Path, name: str) -> None:
    (tmp_path / "old" / "deep").mkdir(parents=True)
    write(tmp_path / "old" / "deep", name)
    expected = [] if name.endswith(".py.bak") else [("GM113", name, Severity.ERROR)]
    assert found(tmp_path) == expected


def test_hidden_and_squashed_folders_are_not_read(tmp_path: Path) -> None:
    for folder in (".old", "__pycache__", "squashed", "deep/squashed"):
        (tmp_path / folder).mkdir(parents=True)
        write(tmp_path / folder, f"V{len(folder)}__a.cypher", "wrong.cypher")
    assert [file.name for file in collect(tmp_path).files] == ["V13__a.cypher"]
    assert found(tmp_path) == [("GM113", "wrong.cypher", Severity.ERROR)]


def test_a_cycle_of_links_ends_with_an_error(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    write(tmp_path / "a", "V1__a.cypher")
    (tmp_path / "a" / "up").symlink_to(tmp_path)
    (tmp_path / "a" / "itself").symlink_to(tmp_path / "a")
    assert found(tmp_path) == [("GM118", "itself", Severity.ERROR), ("GM118", "up", Severity.ERROR)]
    assert len(collect(tmp_path).files) == 1


def test_one_version_in_two_folders_names_both_paths(tmp_path: Path) -> None:
    for folder in ("a", "b/c"):
        (tmp_path / folder).mkdir(parents=True)
        write(tmp_path / folder, "V1__x.cypher")
    (problem,) = collect(tmp_path).problems
    assert problem.code == "GM112"
    assert "'a/V1__x.cypher' and 'b/c/V1__x.cypher'" in problem.message


def test_an_undo_file_needs_its_migration(tmp_path: Path) -> None:
    write(tmp_path, "V1__a.cypher", "U1.0__anything.cypher", "U2__b.cypher")
    folder = collect(tmp_path)
    assert [(file.name, file.kind) for file in folder.undos] == [
        ("U1.0__anything.cypher", "undo"),
        ("U2__b.cypher", "undo"),
    ]
    assert [problem.message for problem in folder.problems] == [
        "There is no migration V2 for this file to undo."
    ]


@pytest.mark.parametrize(
    ("folder", "name"),
    [
        (".git", "V1__a.cypher"),
        ("__pycache__", "V1__a.cypher"),
        ("changelog", "CHANGELOG.md"),
        ("pictures", "v1_0.png"),
        ("scripts", "load.py"),
        ("scripts", "V1_load.java"),
        ("data", "V1__people.csv"),
        ("data", "V1__people.json"),
        ("pictures", "V1__schema.png"),
    ],
)
def test_other_folders_are_left_alone(tmp_path: Path, folder: str, name: str) -> None:
    (tmp_path / folder).mkdir()
    write(tmp_path / folder, name)
    assert found(tmp_path) == []


def test_a_link_inside_a_folder_that_leads_nowhere_is_not_passed_over(tmp_path: Path) -> None:
    (tmp_path / "old").mkdir()
    (tmp_path / "old" / "V1__a.cypher").symlink_to("gone.cypher")
    assert found(tmp_path) == [("GM118", "V1__a.cypher", Severity.ERROR)]


def test_two_files_of_one_version_are_both_named(tmp_path: Path) -> None:
    write(tmp_path, "V001__a.cypher", "V1__b.cypher", "V1.0__c.cypher")
    messages = [problem.message for problem in collect(tmp_path).problems]
    assert messages == [
        "'V001__a.cypher' and 'V1.0__c.cypher' have the same version, 1.",
        "'V1.0__c.cypher' and 'V1__b.cypher' have the same version, 1.",
    ]


def test_a_link_to_a_file_is_a_file(tmp_path: Path) -> None:
    folder = tmp_path / "migrations"
    folder.mkdir()
    write(tmp_path, "shared.cypher")
    (folder / "V1__a.cypher").symlink_to(tmp_path / "shared.cypher")
    assert [file.content for file in collect(folder).files] == [b"RETURN 1;\n"]


def test_links_that_lead_nowhere_say_so(tmp_path: Path) -> None:
    (tmp_path / "V1__a.cypher").symlink_to("gone.cypher")
    (tmp_path / "V2__b.cypher").symlink_to("V2__b.cypher")
    first, second = collect(tmp_path).problems
    assert "a link to 'gone.cypher', which is not there" in first.message
    assert "symbolic links" in second.message


@pytest.mark.skipif(not Path("/proc/self/mem").exists(), reason="needs a file that root cannot read either")
def test_a_file_that_fails_while_it_is_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "V1__a.cypher").symlink_to("/proc/self/mem")
    (problem,) = collect(tmp_path).problems
    assert problem.code == "GM118"
    assert "input/output error" in problem.message


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads every file")
def test_a_file_that_may_not_be_read_is_named(tmp_path: Path) -> None:
    write(tmp_path, "V1__a.cypher")
    (tmp_path / "V1__a.cypher").chmod(0)
    (problem,) = collect(tmp_path).problems
    assert problem.code == "GM118"
    assert "permission denied" in problem.message


def test_places_show_the_path_as_it_was_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "migrations").mkdir()
    write(tmp_path / "migrations", "v1__a.cypher")
    monkeypatch.chdir(tmp_path)
    (problem,) = collect(Path("migrations")).problems
    assert problem.place is not None
    assert problem.place.file == "migrations/v1__a.cypher"


def test_a_name_in_another_encoding_can_be_printed(tmp_path: Path) -> None:
    (tmp_path / "V1__Gr\udcf6.cypher").write_text("RETURN 1;")
    (problem,) = collect(tmp_path).problems
    assert str(problem).encode("utf-8").startswith(str(tmp_path).encode())


@pytest.mark.parametrize("name", ["file", "file/inside"])
def test_a_file_is_no_folder(tmp_path: Path, name: str) -> None:
    write(tmp_path, "file")
    with pytest.raises(ProjectError) as caught:
        collect(tmp_path / name)
    assert (caught.value.error_code, caught.value.exit_code) == ("GM110", 2)
    assert "--migrations" in (caught.value.hint or "")


def test_ten_thousand_files_are_quick(tmp_path: Path) -> None:
    for number in range(10_000):
        (tmp_path / f"V{number}__x.cypher").write_bytes(b"RETURN 1;\n")
    begin = time.perf_counter()
    assert len(collect(tmp_path).files) == 10_000
    assert time.perf_counter() - begin < 30  # a fifth of a second on an idle machine


def test_a_checksum_does_not_depend_on_line_ends_or_byte_order_mark() -> None:
    plain = checksum(b"RETURN 1;\nRETURN 2;\n")
    assert plain == checksum(b"\xef\xbb\xbfRETURN 1;\r\nRETURN 2;\r\n")
    assert plain != checksum(b"RETURN 1;\n\nRETURN 2;\n")
    assert checksum(b"") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
