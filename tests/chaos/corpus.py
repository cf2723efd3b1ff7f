"""Migrations of every kind. Each data statement leaves a trace that shows how often it took effect."""

from __future__ import annotations

PEOPLE = 800

# What stood in the database before the first migration, made by hand.
BEFORE = (
    "CREATE INDEX legacy FOR (p:Person) ON (p.legacy)",
    "CREATE CONSTRAINT legacy_code FOR (c:Legacy) REQUIRE c.code IS UNIQUE",
    "UNWIND range(1, 20) AS code CREATE (:Legacy {code: code, seen: 0})",
)


def undisturbed(*, nodes: int, visits: int, seen: int, codes: int) -> str:
    """Fail where something before it took effect twice or not at all: then everything is deleted, and nobody could tell."""
    return f"""
MATCH (n) WHERE NOT n:__GraphMigrate AND NOT n:Called
WITH count(n) AS nodes, sum(n.visits) AS visits, sum(n.seen) AS seen, count(n.code) AS codes
RETURN 1 / CASE WHEN [nodes, visits, seen, codes, COUNT {{ ()-[k:KNOWS]->() WHERE k.times = 1 }}] =
  [{nodes}, {visits}, {seen}, {codes}, 40] THEN 1 ELSE 0 END;
""".strip()


CORPUS = {
    "V1__guarded_constraint": (
        "CREATE CONSTRAINT person_id IF NOT EXISTS FOR (p:Person) REQUIRE p.id IS UNIQUE;"
    ),
    "V2__create_data": (
        f"UNWIND range(1, {PEOPLE}) AS i CREATE (:Person {{id: i, name: 'n' + i, visits: 0}});\n"
        "CREATE (:Trace {at: 'V2'});"
    ),
    "V3__unguarded_index": "CREATE INDEX person_name FOR (p:Person) ON (p.name);",
    "V4__unnamed_index": (
        "CREATE INDEX IF NOT EXISTS FOR (p:Person) ON (p.age);\nCREATE INDEX FOR (p:Person) ON (p.town);"
    ),
    "V5__mixed": (
        "MATCH (p:Person) SET p.age = p.id % 90, p.visits = p.visits + 1;\n"
        "CREATE INDEX person_visits FOR (p:Person) ON (p.visits);\n"
        "CREATE (:Trace {at: 'V5'});\n"
        "CREATE TEXT INDEX person_text IF NOT EXISTS FOR (p:Person) ON (p.name);"
    ),
    "V6__drop_and_recreate": (
        "DROP INDEX person_name;\nCREATE INDEX person_name FOR (p:Person) ON (p.name, p.age);"
    ),
    "V7__drop_in_one_file": "DROP INDEX person_visits IF EXISTS;\nCREATE (:Trace {at: 'V7'});",
    "V8__recreate_in_another": "CREATE INDEX person_visits FOR (p:Person) ON (p.visits);",
    "V9__statements": (
        "// graphmigrate: transaction statement\n"
        "CREATE (:Trace {at: 'V9a'});\nCREATE (:Trace {at: 'V9b'});\nCREATE (:Trace {at: 'V9c'});"
    ),
    "V10__batches": (
        "// graphmigrate: batch 350\n"
        "MATCH (p:Person) WHERE p.batched IS NULL WITH p LIMIT $batch "
        "SET p.batched = true CREATE (:BatchTrace {person: p.id});"
    ),
    "V11__autocommit": (
        "// graphmigrate: repeatable\n"
        "MATCH (p:Person) WHERE p.auto IS NULL CALL (p) { SET p.auto = true CREATE (:AutoTrace {person: p.id}) } "
        "IN TRANSACTIONS OF 350 ROWS;"
    ),
    "V12__swap_constraint": (
        "DROP CONSTRAINT person_id;\nCREATE CONSTRAINT person_id FOR (p:Person) REQUIRE (p.id, p.name) IS UNIQUE;"
    ),
    "V13__guarded_as_before": (
        "CREATE INDEX legacy IF NOT EXISTS FOR (p:Person) ON (p.legacy);\n"
        "MATCH (c:Legacy) SET c.seen = c.seen + 1;"
    ),
    "V14__rename": "DROP INDEX legacy;\nCREATE INDEX renamed FOR (p:Person) ON (p.legacy);",
    "V15__same_again": (
        "DROP INDEX person_name IF EXISTS;\nCREATE INDEX person_name IF NOT EXISTS FOR (p:Person) ON (p.name, p.age);"
    ),
    "V16__several": (
        "CREATE INDEX thing_a FOR (t:Thing) ON (t.a);\nCREATE CONSTRAINT thing_b FOR (t:Thing) REQUIRE t.b IS UNIQUE;\n"
        "CREATE INDEX thing_c IF NOT EXISTS FOR (t:Thing) ON (t.c);"
    ),
    "V17__relationships": (
        "MATCH (a:Person), (b:Person) WHERE a.id <= 40 AND b.id = a.id + 1 CREATE (a)-[:KNOWS {n: a.id}]->(b);\n"
        "MATCH (:Person)-[k:KNOWS]->() SET k.times = coalesce(k.times, 0) + 1;"
    ),
    "V18__made_and_dropped": "CREATE INDEX passing FOR (t:Thing) ON (t.d);\nDROP INDEX passing;",
    "V19__remove": "MATCH (c:Legacy) WHERE c.code > 15 DETACH DELETE c;\nCREATE (:Trace {at: 'V19'});",
    "V20__end": "DROP CONSTRAINT legacy_code;\nCREATE (:Trace {at: 'V20'});",
    # What reaches every node, graphmigrate's own too: they are put back before the commit.
    "V21__every_node": "MATCH (n) SET n:Searchable;\nCREATE (:Trace {at: 'V21'});",
    "V22__every_key": (
        "UNWIND range(1, 5) AS i CREATE (:Keyed {key: 'k' + i});\n"
        "MATCH (n) WHERE n.key IS NOT NULL SET n.code = n.key REMOVE n.key;\nCREATE (:Trace {at: 'V22'});"
    ),
    "V23__all_away": (
        f"{undisturbed(nodes=3 * PEOPLE + 15 + 5 + 10, visits=PEOPLE, seen=15, codes=15 + 5)}\n"
        "MATCH (n) DETACH DELETE n;\nCREATE (:Trace {at: 'V23'});"
    ),
    "V24__more": (
        "UNWIND range(1, 40) AS i CREATE (:Person {id: i, name: 'n' + i, visits: 0});\n"
        "CREATE INDEX trace FOR (t:Trace) ON (t.at);\nCREATE (:Trace {at: 'V24'});"
    ),
    "V25__once_more": "MATCH (p:Person) SET p.visits = p.visits + 1;\nCREATE (:Trace {at: 'V25'});",
}
# What is of another kind than a version in Cypher.
KINDS_OF_FILES = {
    "V26__code.py": (
        'DEPENDS = ["helpers/names.py"]\nfrom helpers.names import NAME\n\n\ndef upgrade(tx):\n'
        '    tx.run("CREATE (:Trace {at: $name})", name=NAME)\n'
        '    people = tx.run("MATCH (p:Person) RETURN p.id AS id")\n'
        '    tx.run("UNWIND $ids AS id CREATE (:AutoTrace {person: -id})", ids=[each["id"] for each in people])\n'
    ),
    "helpers/names.py": 'NAME = "V26"\n',
    "V27__code_in_batches.py": (
        "from graphmigrate import batches\n\n\n@batches(rows=15)\ndef upgrade(tx):\n"
        '    return tx.run("MATCH (p:Person) WHERE p.coded IS NULL WITH p LIMIT $rows SET p.coded = true "\n'
        '                  "CREATE (:BatchTrace {person: -p.id}) RETURN count(p)").value()\n'
    ),
    "R28__repeatable": "CREATE (:Trace {at: 'R28'});\nCREATE INDEX again FOR (t:Trace) ON (t.again);",
    "R__repeatable": "CREATE (:Trace {at: 'R'});\nMATCH (p:Person) WHERE p.id < 5 SET p.again = true;",
    "beforeMigrate": "CREATE INDEX called IF NOT EXISTS FOR (c:Called) ON (c.id);",
    "afterMigrate": "MERGE (c:Called {id: 1}) SET c.people = COUNT { (:Person) };",
}
CORPUS |= KINDS_OF_FILES
PEOPLE_ALONE = {"V1__people": "UNWIND range(1, 40) AS i CREATE (:Person {id: i, visits: 0});"}


def only(*versions: str) -> dict[str, str]:
    return {name: text for name, text in CORPUS.items() if name.split("__")[0] in versions}


# The same in smaller projects: a fault at each message of one costs a fraction of a fault in the whole.
PARTS = {
    "schema": only("V1", "V2", "V3", "V4", "V5", "V6", "V7", "V8"),
    "modes": only("V1", "V2", "V9", "V10", "V11", "V12", "V13"),
    "names": only("V2", "V14", "V15", "V16", "V17", "V18", "V19", "V20"),
    "whole graph": only("V2", "V17", "V21", "V22", "V24", "V25")
    | {
        "V23__all_away": (
            f"{undisturbed(nodes=PEOPLE + 20 + 5 + 3, visits=0, seen=0, codes=20 + 5)}\n"
            "MATCH (n) DETACH DELETE n;\nCREATE (:Trace {at: 'V23'});"
        )
    },
    "kinds of files": PEOPLE_ALONE | KINDS_OF_FILES,
}
# What an undo takes back: a second time would count too far down, or fail.
TAKEN_BACK = {
    "V1__people": f"UNWIND range(1, {PEOPLE}) AS i CREATE (:Person {{id: i, visits: 0}});",
    "U1__people": "MATCH (p:Person) DELETE p;\nCREATE (:Trace {at: 'U1'});",
    "V2__schema": (
        "CREATE CONSTRAINT person_id FOR (p:Person) REQUIRE p.id IS UNIQUE;\n"
        "CREATE INDEX person_visits FOR (p:Person) ON (p.visits);\nDROP INDEX legacy;"
    ),
    "V3__mixed": (
        "CREATE INDEX person_age FOR (p:Person) ON (p.age);\nMATCH (p:Person) SET p.visits = p.visits + 1;\n"
        "CREATE CONSTRAINT thing FOR (t:Thing) REQUIRE t.id IS UNIQUE;"
    ),
    "U3__mixed": "MATCH (p:Person) SET p.visits = p.visits - 1;\nCREATE (:Trace {at: 'U3'});",
    "V4__code.py": (
        "def upgrade(tx):\n    tx.run('MATCH (c:Legacy) SET c.seen = c.seen + 1')\n\n\n"
        "def downgrade(tx):\n    tx.run('MATCH (c:Legacy) SET c.seen = c.seen - 1')\n"
        "    tx.run(\"CREATE (:Trace {at: 'U4'})\")\n"
    ),
    "V5__every_node": "MATCH (n) SET n.marked = true;\nCREATE INDEX marked FOR (p:Person) ON (p.marked);",
    "U5__every_node": "MATCH (n) REMOVE n.marked;\nCREATE (:Trace {at: 'U5'});",
    "V6__swapped": "DROP INDEX person_visits;\nCREATE INDEX person_visits FOR (p:Person) ON (p.visits, p.age);",
}
# What a squash replaces by one file, and what comes after it.
SQUASHED_TO = "7"
SQUASHED = only("V1", "V2", "V3", "V4", "V5", "V6", "V7", "V8", "V13")
HALF = "9"  # where "half migrated" ends

DOUBLED = """
CALL () {
  MATCH (t) WHERE t:Trace OR t:BatchTrace OR t:AutoTrace
  WITH coalesce(t.at, labels(t)[0] + t.person) AS what, count(*) AS times WHERE times > 1 RETURN what, times
  UNION ALL MATCH (p:Person) WHERE p.visits > 1 RETURN 'visits of ' + p.id AS what, p.visits AS times
  UNION ALL MATCH (p:Person) WITH p.id AS id, count(*) AS times WHERE times > 1 RETURN 'person ' + id AS what, times
  UNION ALL MATCH (c:Legacy) WHERE c.seen > 1 RETURN 'legacy ' + c.code AS what, c.seen AS times
  UNION ALL MATCH (:Person)-[k:KNOWS]->() WHERE k.times > 1 RETURN 'knows ' + k.n AS what, k.times AS times
  UNION ALL MATCH (:Person)-[k:KNOWS]->() WITH k.n AS n, count(*) AS times WHERE times > 1
    RETURN 'knows ' + n AS what, times
}
RETURN what, times LIMIT 5
"""
