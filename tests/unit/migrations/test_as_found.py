"""The text that is written for a schema, where no server can show it: objects of Enterprise Edition."""

from __future__ import annotations

from graphmigrate.database.version import Version
from graphmigrate.migrations.as_found import _texts
from graphmigrate.schema.catalogue import Catalogue
from graphmigrate.schema.model import CatalogueEntry, ObjectType, SchemaObject


def entry(kind: ObjectType, name: str, label: str, property_type: str | None = None) -> CatalogueEntry:
    return CatalogueEntry(SchemaObject(kind, "node", (label,), ("p",), name, property_type))


def test_what_needs_enterprise_stands_in_a_file_of_its_own_and_ours_in_none() -> None:
    found = [
        entry(ObjectType.UNIQUENESS, "u", "A"),
        entry(ObjectType.PROPERTY_TYPE, "t", "A", "STRING"),
        entry(ObjectType.KEY, "k", "A"),
        entry(ObjectType.UNIQUENESS, "ours", "__GraphMigrate"),
        entry(ObjectType.OTHER_CONSTRAINT, "new", "A"),
    ]
    catalogue = Catalogue({each.name: each for each in found}, {})
    texts = _texts(catalogue, Version.parse("41"))
    assert list(texts) == ["V41__as_found.cypher", "V41.1__as_found_enterprise.cypher"]
    assert texts["V41__as_found.cypher"].splitlines()[1:] == [
        "// Not known to graphmigrate, so it is left out: new",
        "CREATE CONSTRAINT u IF NOT EXISTS FOR (n:A) REQUIRE (n.p) IS UNIQUE;",
    ]
    assert (
        texts["V41.1__as_found_enterprise.cypher"].splitlines()[0] == "// assume that edition is enterprise"
    )
    assert texts["V41.1__as_found_enterprise.cypher"].splitlines()[2:] == [
        "CREATE CONSTRAINT k IF NOT EXISTS FOR (n:A) REQUIRE (n.p) IS NODE KEY;",
        "CREATE CONSTRAINT t IF NOT EXISTS FOR (n:A) REQUIRE (n.p) IS :: STRING;",
    ]
