"""What SHOW DATABASES says of a database, and what speaks against a server.

Replica, composite and sharded databases are Enterprise Edition's: their rows are as the Operations Manual shows them.
"""

from __future__ import annotations

import pytest

from graphmigrate.database.target import DatabaseFacts, facts_of, target_problems
from graphmigrate.errors import Severity


def row(name="movies", kind="standard", role="primary", **more):
    return {"name": name, "type": kind, "role": role, **more}


@pytest.mark.parametrize(
    ("rows", "facts"),
    [
        ([row()], DatabaseFacts()),
        ([row(defaultLanguage="CYPHER 25")], DatabaseFacts(language="25")),
        ([row(kind="composite", role=None)], DatabaseFacts("composite")),
        ([row(role="replica")], DatabaseFacts(is_replica=True)),
        ([row(role="primary"), row(role="secondary")], DatabaseFacts()),
        (
            [row(), row("movies-g000", "graph shard"), row("movies-p000", "property shard")],
            DatabaseFacts(is_sharded=True),
        ),
        ([row(), row("movies-old")], DatabaseFacts()),
        ([row("movies-g000", "graph shard")], DatabaseFacts()),
    ],
)
def test_facts(rows, facts):
    assert facts_of(rows, "movies") == facts


@pytest.mark.parametrize(
    ("facts", "told", "severity"),
    [
        (
            DatabaseFacts(is_replica=True),
            "The database movies is a replica, which is read-only.",
            Severity.ERROR,
        ),
        (
            DatabaseFacts("composite"),
            "The database movies is a composite database, which stores no data of its own.",
            Severity.ERROR,
        ),
        (
            DatabaseFacts("property shard"),
            "The database movies is a property shard: it cannot be migrated by itself.",
            Severity.ERROR,
        ),
        (
            DatabaseFacts(is_sharded=True),
            "The database movies is sharded: it has no Cypher 5, and MERGE is very slow there.",
            Severity.WARNING,
        ),
    ],
)
def test_what_cannot_be_migrated_is_refused_and_what_is_slow_is_named(facts, told, severity):
    (found,) = target_problems("movies", "2026.05.0", facts)
    assert (found.message, found.severity) == (told, severity)


def test_a_release_that_must_not_be_used():
    (found,) = target_problems("neo4j", "2026.08.0")
    assert found.message == "Neo4j 2026.08.0 must not be used; 2026.08.1 repairs it."
    assert list(target_problems("neo4j", "2026.08.1")) == []
