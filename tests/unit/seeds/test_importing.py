"""``graphmigrate import``: what it writes can be loaded, and what is wrong with a file is told before anything is written."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from graphmigrate.errors import GraphMigrateError
from graphmigrate.seeds import prepare
from graphmigrate.seeds.importing import Plan, plan
from graphmigrate.seeds.program import Rows


def planned(folder: Path, content: str, name: str = "people.csv", **more: Any) -> Plan:
    (folder / name).write_text(content)
    given: dict[str, Any] = {"label": "Person", "key": "id", "types": True, "existing": ()}
    migration = folder / "migrations" / "V1__x.cypher"
    return plan(folder / name, seeds=folder / "seeds", migration=migration, **{**given, **more})


def test_types_are_those_that_every_value_has(tmp_path: Path) -> None:
    header = "id,whole,number,flag,day,moment,zip,mixed,empty,one"
    rows = [
        "a,1,1.5,true,2024-01-01,2024-01-01T10:00:00Z,0123,1,,1",
        "b,-7,2,False,2024-02-29,2024-01-01 11:00,45,x,,0",
        "c,,,,,,,,,",
    ]
    made = planned(tmp_path, "\n".join([header, *rows]))
    made.write()
    [part] = prepare(tmp_path / "seeds").seeds[0].program.parts
    assert isinstance(part, Rows)
    [first, _, third] = part.source.values()
    kinds = {name: type(value).__name__ for name, value in first.items() if value is not None}
    assert kinds == {
        "id": "str", "whole": "int", "number": "float", "flag": "bool", "day": "date", "moment": "datetime",
        "zip": "str", "mixed": "str", "one": "int",
    }  # fmt: skip
    assert set(third.values()) == {"c", None}
    assert (made.seed, made.rows) == ("people", 3)


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_found(tmp_path: Path, delimiter: str) -> None:
    planned(tmp_path, delimiter.join(["id", "the name"]) + "\n" + delimiter.join(["1", "Ann"]) + "\n").write()
    [part] = prepare(tmp_path / "seeds").seeds[0].program.parts
    assert isinstance(part, Rows)
    assert list(part.source.values()) == [{"id": 1, "the name": "Ann"}]


@pytest.mark.parametrize(
    ("content", "more", "words", "hint"),
    [
        ("id,name\n1,Ann\n", {"key": "ids"}, "no column 'ids'", "Did you mean 'id'"),
        ("id,name\n1,Ann\n,Bob\n", {}, "Row 2 has no 'id'", "choose another column"),
        (
            "id,name\n1,Ann\n2,Bob\n1,Cy\n",
            {},
            "Rows 1 and 3 have the same 'id', '1'",
            "choose another column",
        ),
        ("id,name\n1\n", {}, "This row has 1 field", "missing field"),
        ("id,{{x}}\n1,2\n", {}, "cannot be imported as a name", "Rename it"),
        ("id\n1\n", {"label": "A`"}, "cannot be imported as a name", "Rename it"),
    ],
)
def test_what_is_wrong_is_told_before_anything_is_written(
    tmp_path: Path, content: str, more: dict[str, Any], words: str, hint: str
) -> None:
    with pytest.raises(GraphMigrateError, match=words.replace("{", r"\{")) as raised:
        planned(tmp_path, content, **more)
    assert hint in str(raised.value.hint)
    assert [path.name for path in tmp_path.iterdir()] == ["people.csv"]


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    (tmp_path / "seeds").mkdir()
    (tmp_path / "seeds" / "people.cypher.j2").write_text("RETURN 1;")
    with pytest.raises(GraphMigrateError, match="is there already"):
        planned(tmp_path, "id\n1\n").write()
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["people.csv", "people.cypher.j2", "seeds"]


def test_a_constraint_that_a_migration_has_is_not_made_again(tmp_path: Path) -> None:
    text = "CREATE CONSTRAINT p FOR (p:Person)\n REQUIRE p.id IS UNIQUE;"
    assert len(planned(tmp_path, "id\n1\n", existing=[text]).texts) == 1
    assert len(planned(tmp_path, "id\n1\n", existing=[text], label="Persons").texts) == 2


def test_a_file_in_the_seeds_folder_stays_where_it_is(tmp_path: Path) -> None:
    (tmp_path / "seeds" / "raw").mkdir(parents=True)
    made = planned(tmp_path, "id\n1\n", "seeds/raw/my people.2024.csv")
    assert made.copies is None
    made.write()
    assert "csv('raw/my people.2024.csv'" in (tmp_path / "seeds" / "my_people.cypher.j2").read_text()
    assert [seed.name for seed in prepare(tmp_path / "seeds").seeds] == ["my_people"]
