from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphmigrate.database.version import Version
from graphmigrate.errors import Severity
from graphmigrate.migrations.model import FileKind
from graphmigrate.migrations.names import MigrationName, Refused, may_hold_statements, read_name

LETTERS = st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="/")


@given(
    st.text(LETTERS, min_size=1).filter(lambda text: text.replace("_", "").strip()), st.integers(0, 10**14)
)
def test_any_description_makes_a_migration(description: str, number: int) -> None:
    found = read_name(f"V{number}__{description}.cypher")
    assert isinstance(found, MigrationName)
    assert found.version == Version.parse(str(number))
    assert found.description.strip() != ""
    assert "_" not in found.description


@given(st.text(LETTERS | st.sampled_from("vV1_.- "), min_size=1))
def test_no_file_that_ends_like_cypher_is_passed_over(name: str) -> None:
    for suffix in (".cypher", ".cql", ".CYPHER", ".cypher.txt", ".cyp"):
        found = read_name(name + suffix)
        if found is None:
            assert name[0] in ".~#"
        elif isinstance(found, Refused):
            assert found.severity is Severity.ERROR


@pytest.mark.parametrize(
    ("name", "version", "description"),
    [
        ("V1__init.cypher", "1", "init"),
        ("V001__Größe_ändern-und.mehr.cypher", "1", "Größe ändern-und.mehr"),
        ("V1.2_3__two words.cypher", "1.2.3", "two words"),
        ("V1__a__b.cypher", "1", "a b"),
        ("V1___x.cypher", "1", "x"),
        ("V20260131120000__x.cypher", "20260131120000", "x"),
        ("V1__Gro\u0308\u00dfe.cypher", "1", "Größe"),
        ("V1__映画.cypher", "1", "映画"),
        ("V1__x.cql.cypher", "1", "x.cql"),
    ],
)
def test_migrations(name: str, version: str, description: str) -> None:
    assert read_name(name) == MigrationName(Version.parse(version), description)


@pytest.mark.parametrize(
    ("name", "right", "why"),
    [
        ("000001_create_users.up.cypher", "V000001__create_users.cypher", "must begin with V"),
        ("v1__x.cypher", "V1__x.cypher", "capital"),
        ("V1_x.cypher", "V1__x.cypher", "two underscores"),
        ("V1_2_x.cypher", "V1_2__x.cypher", "two underscores"),
        ("V1-init.cypher", "V1__init.cypher", "two underscores"),
        ("V1 init.cypher", "V1__init.cypher", "two underscores"),
        ("V1init.cypher", "V1__init.cypher", "two underscores"),
        ("V1__x.cql", "V1__x.cypher", ".cypher"),
        ("V1__x.cyp", "V1__x.cypher", ".cypher"),
        ("V1__x.CYPHER", "V1__x.cypher", ".cypher"),
        ("V1__x.cypher.txt", "V1__x.cypher", ".cypher"),
        ("V1__x.cypher.bak", "V1__x.cypher", ".cypher"),
        ("V1__x.txt", "V1__x.cypher", ".cypher"),
        ("V1__x.bak", "V1__x.cypher", ".cypher"),
        ("V1__x.cyphr", "V1__x.cypher", ".cypher"),
        ("V1__x.cypher.orig", "V1__x.cypher", ".cypher"),
        ("V1__x", "V1__x.cypher", ".cypher"),
        ("v1_x.cql", "V1__x.cypher", "capital; two underscores must stand between"),
        ("1__init.cypher", "V1__init.cypher", "begin with V"),
        ("20260131_create_a.cypher", "V20260131__create_a.cypher", "begin with V"),
        ("migration_3_add.cypher", "V3__add.cypher", "begin with V"),
        ("V__x.cypher", "V<version>__x.cypher", "no version"),
        ("init.cypher", "V<version>__init.cypher", "no version"),
        ("license_types.cypher", "V<version>__license_types.cypher", "no version"),
        ("V1a__x.cypher", "V1__a_x.cypher", "numbers only"),
        ("V1.2-beta__x.cypher", "V1.2__beta_x.cypher", "numbers only"),
        ("V1__.cypher", "V1__description.cypher", "no description"),
        ("V1.cypher", "V1__description.cypher", "no description"),
        ("V1__ _.cypher", "V1__description.cypher", "no description"),
    ],
)
def test_what_looks_meant_gets_the_right_name(name: str, right: str, why: str) -> None:
    found = read_name(name)
    assert isinstance(found, Refused)
    assert (found.code, found.severity) == ("GM113", Severity.ERROR)
    assert f"Rename it to {right}," in found.hint
    assert why in found.message


@given(
    st.from_regex(r"[vV]?[ _-]?[0-9]{1,3}([._][0-9]{1,3})?[a-z_ .-]{1,10}\.(cypher|cql|CYP)", fullmatch=True)
)
def test_a_suggested_name_is_a_right_one(name: str) -> None:
    found = read_name(name)
    if isinstance(found, Refused):
        suggested = re.search(r"Rename it to (.*), or move", found.hint)
        assert suggested
        assert isinstance(read_name(suggested.group(1)), MigrationName)


@pytest.mark.parametrize(
    ("name", "kind", "version", "description"),
    [
        ("R__views.cypher", FileKind.REPEATABLE, "R__views", "views"),
        ("R__all  my_views.cypher", FileKind.REPEATABLE, "R__all_my_views", "all my views"),
        ("R1.0__views.cypher", FileKind.REPEATABLE, "1", "views"),
        ("U1.2__x.cypher", FileKind.UNDO, "1.2", "x"),
        ("V1__x.py", FileKind.VERSIONED, "1", "x"),
        ("beforeFirstUse.cypher", FileKind.CALLBACK, "beforeFirstUse.cypher", ""),
        ("afterMigrate__x y.cypher", FileKind.CALLBACK, "afterMigrate__x y.cypher", "x y"),
    ],
)
def test_every_kind_of_file_is_told_by_its_name(
    name: str, kind: FileKind, version: str, description: str
) -> None:
    found = read_name(name)
    assert isinstance(found, MigrationName)
    assert (found.kind, found.version.canonical, found.description) == (kind, version, description)


@pytest.mark.parametrize(
    ("name", "what", "severity"),
    [
        ("000001_create_users.down.cypher", "undoes a migration", Severity.ERROR),
        ("V1__create_users.down.cypher", "undoes a migration", Severity.ERROR),
        ("beforeClean.cypher", "beforeClean are not run", Severity.WARNING),
        ("afterEach__x.cypher", "no phase afterEach", Severity.ERROR),
        ("R__x.py", "Only V<version>__", Severity.ERROR),
        ("U1__x.py", "undone by its downgrade", Severity.ERROR),
        ("V1_x.py", "only Python", Severity.ERROR),
        ("V1__x.java", "only Python", Severity.ERROR),
        ("helper.py", "not a migration", Severity.WARNING),
    ],
)
def test_what_other_tools_read_and_this_one_does_not_is_said(
    name: str, what: str, severity: Severity
) -> None:
    found = read_name(name)
    assert isinstance(found, Refused)
    assert (found.code, found.severity) == ("GM113", severity)
    assert what in found.message


@pytest.mark.parametrize("suffix", ["xml", "yaml", "yml", "json", "sql", "groovy", "scala", "graphql"])
def test_nobody_is_told_to_call_another_language_cypher(suffix: str) -> None:
    found = read_name(f"V5__c.{suffix}")
    assert isinstance(found, Refused)
    assert (found.code, found.severity) == ("GM113", Severity.ERROR)
    assert "not Cypher" in found.message
    assert found.hint.startswith("Move it out of the folder")
    assert "Rename" not in found.hint
    assert ("constraints and indexes" in found.hint) is (suffix == "xml")


@pytest.mark.parametrize("name", ["V3__x.down.cypher", "3_x.down.cql"])
def test_nobody_is_told_to_run_an_undo_file_forward(name: str) -> None:
    found = read_name(name)
    assert isinstance(found, Refused)
    assert "name it U<version>__" in found.hint


@pytest.mark.parametrize(
    "name",
    [
        *(
            "notes.txt",
            "data.csv",
            "Report__x.txt",
            "view.txt",
            "vacation.jpg",
            "x.cypherx",
            "license_types.csv",
        ),
        *("changelog.xml", "changelog.yaml", "db.changelog.json", "changelog.json", "__pycache__"),
    ],
)
def test_a_stray_file_is_a_warning(name: str) -> None:
    found = read_name(name)
    assert isinstance(found, Refused)
    assert (found.code, found.severity) == ("GM113", Severity.WARNING)


@pytest.mark.parametrize(
    "name",
    [
        ".gitkeep",
        ".V1__x.cypher.swp",
        "README",
        "readme.txt",
        "README.md",
        "LICENSE",
        "CHANGELOG.rst",
        "V1__x.cypher~",
        "#V1__x.cypher#",
        "license-mit.txt",
        "NOTICE",
        "contributing.html",
        "Makefile",
        ".DS_Store",
        "NOTES.md",
        "Thumbs.db",
    ],
)
def test_some_files_are_left_alone(name: str) -> None:
    assert read_name(name) is None


@pytest.mark.parametrize(
    ("name", "may"),
    [
        *(
            (f"V1__a{suffix}", True)
            for suffix in (".cypher", ".cql", ".CYP", ".cyphr", "", ".", ".txt", ".bak", ".XML")
        ),
        *((name, True) for name in ("init.cypher", "V1.2__a", "v1_2__a.TXT", "V1__a.cypher.orig")),
        *((f"V1__a{suffix}", False) for suffix in (".csv", ".json", ".png", ".csv.gz", ".sql", ".md")),
        ("V1__a.py", True),
        *((name, False) for name in ("init", "notes.txt", "v1_0", "changelog.xml", ".V1__a.cypher.swp")),
    ],
)
def test_what_may_hold_statements_is_no_data(name: str, may: bool) -> None:
    assert may_hold_statements(name) is may


def test_a_name_that_is_not_utf8_is_an_error() -> None:
    found = read_name("V1__Gr\udcf6\udcdfe.cypher")
    assert isinstance(found, Refused)
    assert found.code == "GM113"
