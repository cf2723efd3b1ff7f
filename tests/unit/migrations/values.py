"""Values that tests of plans and of states begin with."""

from __future__ import annotations

from graphmigrate.database.version import Version
from graphmigrate.migrations.model import Migration, MigrationFile, checksum
from graphmigrate.migrations.reader import read
from graphmigrate.results import Target


def migration_of(header: str, statement: str = "RETURN 1") -> Migration:
    content = f"{header}\n{statement};".encode()
    name = "V1__x.cypher"
    migration, problems = read(MigrationFile(Version.parse("1"), "x", name, name, checksum(content), content))
    assert problems == ()
    return migration


def server_of(version: str = "5.26.25") -> Target:
    return Target("bolt://localhost", "neo4j", "community", version)
