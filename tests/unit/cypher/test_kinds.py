"""Each case was compared with what EXPLAIN says on Neo4j 5.26, and 2026.05 for Cypher 25."""

from __future__ import annotations

import pytest

from graphmigrate.cypher.kinds import execution_prefix, kind_of, text_arguments, touches_no_node
from graphmigrate.cypher.model import Kind
from graphmigrate.cypher.reader import significant

CASES = {
    Kind.SCHEMA: [
        "CREATE INDEX FOR (n:A) ON (n.b)",
        "CREATE INDEX x IF NOT EXISTS FOR (n:A) ON (n.b)",
        "create /* c */ range // d\n index x FOR (n:A) ON (n.b)",
        "CREATE TEXT INDEX x FOR (n:A) ON (n.b)",
        "CREATE POINT INDEX x FOR (n:A) ON (n.b)",
        "CREATE FULLTEXT INDEX x FOR (n:A|B) ON EACH [n.x]",
        "CREATE VECTOR INDEX x FOR (n:A) ON n.e",
        "CREATE LOOKUP INDEX x FOR (n) ON EACH labels(n)",
        "CREATE CONSTRAINT x FOR (n:A) REQUIRE n.b IS UNIQUE",
        "CREATE CONSTRAINT ON (n:A) ASSERT n.b IS UNIQUE",
        "CREATE OR REPLACE INDEX x FOR (n:A) ON (n.b)",
        "CREATE INDEX `=` FOR (n:A) ON (n.b)",
        "CREATE\u00a0INDEX x FOR (n:A) ON (n.b)",
        r"CREATE \u0049NDEX x FOR (n:A) ON (n.b)",
        "DROP INDEX x IF EXISTS",
        "DROP CONSTRAINT x",
        "CYPHER 5 runtime=slotted planner = cost CREATE INDEX x FOR (n:A) ON (n.b)",
        "CYPHER 25 ALTER CURRENT GRAPH TYPE SET {(:Person => {name :: STRING})}",
        "USE neo4j CREATE INDEX x FOR (n:A) ON (n.b)",
        "USE graph.byName('a') DROP INDEX x",
        "USE GRAPH neo4j CREATE INDEX x FOR (n:A) ON (n.b)",
        "USE GRAPH `neo4j` CREATE INDEX x FOR (n:A) ON (n.b)",
        "USE graph graph.byName('a') CREATE INDEX x FOR (n:A) ON (n.b)",
        "USE (neo4j) CREATE INDEX x FOR (n:A) ON (n.b)",
        "USE GRAPH ((a.b)) DROP INDEX x",
        "USE graph CREATE INDEX x FOR (n:A) ON (n.b)",
        "USE `graph` DROP INDEX x",
        "EXPLAIN CREATE INDEX x FOR (n:A) ON (n.b)",
    ],
    Kind.SYSTEM: [
        "CREATE DATABASE x",
        "CREATE OR REPLACE DATABASE x",
        "CREATE COMPOSITE DATABASE x",
        "DROP COMPOSITE DATABASE x",
        "CREATE USER x IF NOT EXISTS SET PASSWORD 'abcdefgh'",
        "CREATE ROLE x",
        "CREATE IMMUTABLE ROLE x",
        "CREATE ALIAS x FOR DATABASE y",
        "CREATE AUTH RULE x SET CONDITION true",
        "DROP SERVER 'x'",
        "USE GRAPH system DROP SERVER 'x'",
        "USE graph GRANT ROLE a TO b",
        "DROP USER x",
        "ALTER CURRENT USER SET PASSWORD FROM 'a' TO 'b'",
        "ALTER DATABASE x SET ACCESS READ ONLY",
        "RENAME USER a TO b",
        "GRANT ROLE a TO b",
        "deny READ {*} ON GRAPH * TO x",
        "REVOKE ROLE a FROM b",
        "START DATABASE x",
        "STOP DATABASE x",
        "ENABLE SERVER 'x'",
        "DEALLOCATE DATABASES FROM SERVER 'x'",
        "REALLOCATE DATABASES",
        "DRYRUN REALLOCATE DATABASES",
        "SHOW USERS",
        "SHOW CURRENT USER",
        "SHOW USER x PRIVILEGES",
        "SHOW ALL ROLES WITH USERS",
        "SHOW HOME DATABASE",
        "SHOW ALIASES FOR DATABASE",
        "SHOW SUPPORTED PRIVILEGES",
        "SHOW SERVERS",
    ],
    Kind.AUTOCOMMIT: [
        "MATCH (n) CALL (n) { SET n.x = 1 } IN TRANSACTIONS OF 10 ROWS",
        "MATCH (n) CALL (*) { SET n.x = '}' } in 3 concurrent transactions",
        "MATCH (n) CALL { WITH n SET n.x = 1 } IN 1 + 2 CONCURRENT TRANSACTIONS",
        "MATCH (n) OPTIONAL CALL (n) { SET n.x = 1 } IN /* c */ TRANSACTIONS RETURN n",
        "CALL { CREATE (:T {a: {b: [1]}.b}) } IN TRANSACTIONS RETURN 1",
        "UNWIND [1] AS x CALL (x) { CALL (x) { CREATE (:T) } IN TRANSACTIONS }",
        "CALL { FINISH } IN TRANSACTIONS",
        "CALL { MATCH (), (b) DELETE b } IN TRANSACTIONS",
        "CALL () { CREATE (), (:T) } IN TRANSACTIONS",
        "CALL { RETURN [] AS x, 1 AS y } IN TRANSACTIONS RETURN x",
        r"CALL { CREATE (:T) } \u0049N TRANSACTIONS",
        "USING PERIODIC COMMIT 100 LOAD CSV FROM 'file:///a.csv' AS l CREATE (:T)",
        "CALL apoc.periodic.iterate('a', 'b', {})",
        "CALL apoc.schema.assert({}, {})",
        "CALL `apoc` . periodic /* c */ . `commit`('x')",
        "MATCH (n) CALL apoc.nodes.delete(n, 10) YIELD value RETURN value",
        "CALL gds.pageRank.write('g', {})",
        "CALL apoc.cypher.runMany('CREATE (:A); CREATE (:B);', {})",
        "CALL apoc.cypher.runSchema('CREATE INDEX i FOR (n:A) ON (n.a)', {})",
        "CALL apoc.cypher.runSchemaFile('a.cypher')",
        "CALL n10s.rdf.import.fetch('https://example.org/a.ttl', 'Turtle')",
        "CALL n10s.rdf.delete.inline('<a:b> <a:c> <a:d> .', 'Turtle')",
        "CALL n10s.onto.import.fetch('https://example.org/a.owl', 'RDF/XML')",
        "CALL n10s.skos.import.inline('', 'Turtle')",
        "CALL n10s.experimental.quadrdf.import.fetch('https://example.org/a.trig', 'TriG')",
        "CALL db.index.vector.createNodeIndex('v', 'Doc', 'embedding', 3, 'cosine')",
    ],
    Kind.DATA: [
        "CREATE (index)",
        "CREATE (i:INDEX)",
        "CREATE index = (n)",
        "CREATE database=(n)",
        "CREATE user = (n)",
        "CREATE unique = (n)",
        "CREATE or = (a)",
        "CREATE (n) SET n:CONSTRAINT",
        "MATCH (n) RETURN 'CREATE INDEX'",
        "SHOW INDEXES YIELD name RETURN name",
        "SHOW ALL CONSTRAINTS",
        "SHOW PROCEDURES EXECUTABLE BY CURRENT USER",
        "SHOW USER DEFINED FUNCTIONS EXECUTABLE BY USER x",
        "SHOW BUILT IN FUNCTIONS",
        "SHOW TRANSACTIONS",
        "SHOW SETTINGS",
        "TERMINATE TRANSACTIONS 'x-1'",
        "USE neo4j RETURN 1",
        "PROFILE MATCH (n) RETURN n",
        "MATCH (n) CALL (n) { SET n.x = 1 } RETURN n",
        "CALL { MATCH (n) RETURN n } RETURN n.name IN ['TRANSACTIONS']",
        "CALL { MATCH (n) RETURN n } RETURN 'CALL {} IN TRANSACTIONS'",
        "MATCH (n) // CALL { SET n.x = 1 } IN TRANSACTIONS\nRETURN n",
        "WITH [{a: 1}] AS transactions RETURN {a: 1} IN transactions",
        "MATCH (call) WITH call, [1] AS transactions RETURN call {.a} IN transactions",
        "MATCH (call) WITH call, [1] AS transactions RETURN call {a: 1} IN transactions",
        "MATCH (n) WHERE EXISTS { MATCH (n) } IN TRANSACTIONS RETURN n",
        "CALL apoc.help('apoc.periodic.iterate')",
        "CALL apoc.periodics('x')",
        "CALL gds.pageRank.stream('g')",
        "CALL apoc.cypher.run('RETURN 1 AS x', {})",
        "CALL apoc.cypher.runManyReadOnly('RETURN 1 AS x', {})",
        "CALL db.index.vector.queryNodes('v', 3, [1.0, 2.0, 3.0])",
        "CALL db.labels()",
        "CALL n10s.graphconfig.init()",
        "CALL n10s.rdf.preview.fetch('https://example.org/a.ttl', 'Turtle')",
        "USE graph MATCH (n) RETURN n",
        "USE GRAPH neo4j CREATE (n:INDEX)",
        "LOAD CSV FROM 'file:///a.csv' AS l CREATE (:T)",
        "FINISH",
        "CALL",
        "CALL {",
        "CREATE",
        "USE",
        "",
    ],
}  # fmt: skip


@pytest.mark.parametrize(("text", "kind"), [(text, kind) for kind, texts in CASES.items() for text in texts])
def test_kind(text: str, kind: Kind) -> None:
    assert kind_of(text) is kind


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("EXPLAIN RETURN 1", "EXPLAIN"),
        ("CYPHER 5 runtime=slotted profile RETURN 1", "profile"),
        ("RETURN 1 AS explain", None),
        ("CYPHER 5 RETURN 1 AS explain", None),
        ("", None),
    ],
)
def test_an_execution_prefix_is_found(text: str, word: str | None) -> None:
    token = execution_prefix(text)
    assert (token.text if token else None) == word
    assert token is None or text[token.start : token.end] == word


@pytest.mark.parametrize(
    "text",
    ["USE a " * 50_000, "CALL {" * 50_000, "CALL (" * 50_000, "CALL x." * 50_000, "CALL {x} " * 50_000],
)
@pytest.mark.timeout(20)
def test_the_time_grows_with_the_length_only(text: str) -> None:
    assert kind_of(text) is Kind.DATA


@pytest.mark.parametrize(
    ("name", "arguments", "texts"),
    [
        ("apoc.periodic.iterate", "'a', 'b', {}", ["'a'", "'b'"]),
        ("apoc.periodic.iterate", "$a, 'b' + 'c', {}", [None, None]),
        ("apoc.periodic.submit", "'name', 'a'", ["'a'"]),
        ("apoc.periodic.commit", "", [None]),
        ("apoc.do.when", "true, 'a', 'b'", ["'a'", "'b'"]),
        ("apoc.do.case", "[true, 'a', false, 'b'], 'c'", ["'a'", "'b'", "'c'"]),
        ("apoc.do.case", "$cases, 'c'", [None, "'c'"]),
        ("apoc.periodic.list", "", None),
        ("my.iterate", "'a', 'b'", None),
    ],
)
def test_the_texts_that_a_procedure_runs(name, arguments, texts):
    found = text_arguments(name, significant(arguments))
    assert (found if found is None else [each and each.text for each in found]) == texts


@pytest.mark.parametrize(
    ("name", "arguments", "expected"),
    [
        ("db.labels", "", True),
        ("apoc.load.json", "'x'", True),
        ("gds.pagerank.stream", "'g'", True),
        ("gds.pagerank.write", "'g'", False),
        ("apoc.refactor.rename.label", "'a', 'b'", True),
        ("apoc.refactor.rename.label", "$a, 'b'", False),
        ("apoc.merge.node", "['A'], {id: 1}", True),
        ("apoc.merge.node.eager", "['A', \"B\"], {id: 1}, {}, {}", True),
        ("apoc.merge.node", "[], {id: 1}", False),
        ("apoc.merge.node", "[''], {id: 1}", False),
        ("apoc.merge.node", "['A', ''], {id: 1}", False),
        ("apoc.merge.node", "['A'] + $labels, {id: 1}", False),
        ("apoc.merge.node", "['A', row.label], {id: 1}", False),
        ("apoc.merge.node", "['A'][1..], {id: 1}", False),
        ("apoc.merge.node", "['A'][1..][0..1], {id: 1}", False),
        ("apoc.merge.node", "$labels, {id: 1}", False),
        ("apoc.merge.node", "", False),
        ("apoc.nodes.delete", "[]", False),
        ("db.labels.of.mine", "", False),
    ],
)
def test_procedures_that_touch_no_node(name, arguments, expected):
    assert touches_no_node(name, significant(arguments)) is expected
