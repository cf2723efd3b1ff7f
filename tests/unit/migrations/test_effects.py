"""What migrations made and dropped, followed in memory."""

from __future__ import annotations

from pathlib import Path

from graphmigrate.database.version import Version
from graphmigrate.migrations.effects import Effects, Part, effects_in, effects_of
from graphmigrate.migrations.model import MigrationFile, checksum
from graphmigrate.migrations.reader import read
from graphmigrate.migrations.segments import segments_of
from graphmigrate.schema.catalogue import Catalogue
from graphmigrate.schema.model import CatalogueEntry, ObjectType, SchemaObject

OLD = SchemaObject(ObjectType.RANGE, "node", ("Person",), ("old",), "old")
BEFORE = Catalogue.of([CatalogueEntry(OLD, create="CREATE RANGE INDEX `old` FOR (n:`Person`) ON (n.`old`)")])


def part(key: str, text: str) -> Part:
    content = text.encode()
    file = MigrationFile(Version.parse(key), "", str(Path(key)), key, checksum(content), content)
    migration, problems = read(file)
    assert not problems
    return Part(key, 0, segments_of(migration))


def effects(*texts: str, now: Catalogue = BEFORE) -> dict[str, Effects]:
    return effects_of([part(str(number), text) for number, text in enumerate(texts, 1)], BEFORE, now)


def test_what_changes_nothing_made_nothing() -> None:
    found = effects(
        "CREATE INDEX old IF NOT EXISTS FOR (p:Person) ON (p.old);\nDROP INDEX no IF EXISTS;\nCREATE ();"
    )
    assert found == {"1": Effects()}


def test_the_server_tells_the_name_and_the_definition_of_what_is_there_still() -> None:
    made = SchemaObject(ObjectType.RANGE, "node", ("Person",), ("age",), "index_1")
    now = Catalogue.of([CatalogueEntry(made, create="CREATE …")])
    found = effects("CREATE ();\nCREATE INDEX FOR (p:Person) ON (p.age);", now=now)["1"]
    assert [(each.statement, each.object, each.create) for each in found.made] == [(2, made, "CREATE …")]
    assert effects_in(found.values["made"], found.values["dropped"]) == found


def test_what_was_there_before_is_made_again_as_the_server_wrote_it() -> None:
    found = effects("DROP INDEX old;\nCREATE INDEX old FOR (p:Person) ON (p.new);")["1"]
    assert found.dropped == ("CREATE RANGE INDEX `old` FOR (n:`Person`) ON (n.`old`)",)
    assert [each.object.properties for each in found.made] == [("new",)]


def test_what_one_run_makes_and_drops_is_known_by_its_statement() -> None:
    first, second = effects("CREATE TEXT INDEX t FOR (p:Person) ON (p.a);", "DROP INDEX t;").values()
    assert first.made[0].create == ""  # another may have this name now
    assert second.dropped == ("CREATE TEXT INDEX t FOR (p:Person) ON (p.a)",)
    assert effects("CREATE INDEX t FOR (p:Person) ON (p.a);\nDROP INDEX t;") == {"1": Effects()}


def test_what_cannot_be_told_any_more_is_left_out() -> None:
    """A name that the server chose is dropped in the run that made it; from there on nothing is sure."""
    found = effects("CREATE INDEX FOR (p:Person) ON (p.age);", "DROP INDEX index_1;", "CREATE ();")
    assert list(found) == ["1"]
    assert effects_in(["[1]"], []) is None
    assert effects_in(None, None) is None
