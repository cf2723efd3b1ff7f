"""Migrations of every kind. Each data statement leaves a trace that shows how often it took effect."""

from __future__ import annotations

CORPUS = {
    "V1__guarded_constraint": "CREATE CONSTRAINT person_id IF NOT EXISTS FOR (p:Person) REQUIRE p.id IS UNIQUE;",
    "V2__data": "UNWIND range(1, 500) AS i CREATE (:Person {id: i, name: 'n' + i});\nCREATE (:Trace {at: 'V2'});",
    "V3__unguarded_index": "CREATE INDEX person_name FOR (p:Person) ON (p.name);",
    "V4__unnamed_index": "CREATE INDEX IF NOT EXISTS FOR (p:Person) ON (p.age);",
    "V5__mixed": (
        "MATCH (p:Person) SET p.age = p.id % 90, p.visits = coalesce(p.visits, 0) + 1;\n"
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
        "// graphmigrate: batch 200\n"
        "MATCH (p:Person) WHERE p.batched IS NULL WITH p LIMIT $batch "
        "SET p.batched = true CREATE (:BatchTrace {person: p.id});"
    ),
    "V11__autocommit": (
        "// graphmigrate: repeatable\n"
        "MATCH (p:Person) WHERE p.auto IS NULL CALL (p) { SET p.auto = true CREATE (:AutoTrace {person: p.id}) } "
        "IN TRANSACTIONS OF 100 ROWS;"
    ),
    "V12__swap_constraint": (
        "DROP CONSTRAINT person_id;\nCREATE CONSTRAINT person_id FOR (p:Person) REQUIRE (p.id, p.name) IS UNIQUE;"
    ),
    "V13__end": "CREATE (:Trace {at: 'V13'});",
}

DOUBLED = """
MATCH (t) WHERE t:Trace OR t:BatchTrace OR t:AutoTrace
WITH coalesce(t.at, labels(t)[0] + t.person) AS what, count(*) AS times WHERE times > 1
RETURN what, times
"""
