"""Every query that is sent about facts, lock and history, each under a name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, LiteralString

if TYPE_CHECKING:
    from collections.abc import Iterable

FACTS: Final = """
CALL dbms.components() YIELD name, versions, edition
WITH collect(CASE name WHEN 'Neo4j Kernel' THEN [versions[0], edition] END)[0] AS kernel,
     collect(CASE name WHEN 'Cypher' THEN versions END)[0] AS languages
CALL db.info() YIELD name AS database
RETURN kernel[0] AS version, kernel[1] AS edition, languages, database
"""

# One query, and the names of properties are a parameter: the server plans each property that is written out for 6 ms. It reads
# all properties of a node in half the time of each by its name. Times come as text: the driver takes a quarter of a
# millisecond to make one of its own, and few of them are looked at. What does not tell whose it is comes along.
_AS_ROWS: Final = """
RETURN collect([elementId(n), labels(n), COUNT { (n)--() }, [name IN keys(m) WHERE NOT name IN $names]]
               + [name IN $names | m[name]] + [name IN $times | toStringOrNull(m[name])]) AS rows
"""
HISTORY: Final = f"""
MATCH (n:__GraphMigrate|__GraphMigrateLedger|__GraphMigrateMigration|__GraphMigrateRun|__GraphMigrateSeed|__GraphMigrateAttempt)
WITH n, properties(n) AS m
WHERE coalesce(m.key STARTS WITH $prefix, true) OR NOT coalesce(m.key =~ $form, false)
{_AS_ROWS}"""
UNLABELLED_HISTORY: Final = f"""
MATCH (n) WHERE NOT n:__GraphMigrate AND n.key STARTS WITH $prefix AND n.key =~ $form
WITH n, properties(n) AS m
{_AS_ROWS}"""

RUN_RECORD: Final = """
MATCH (r:__GraphMigrate {key: $key})
RETURN r.key AS key, r.id AS run, r.host AS host, r.user AS user, toStringOrNull(r.since) AS since, r.plan AS plan,
       r.catalogue AS catalogue
"""

NEO4J_MIGRATIONS_LOCK: Final = (
    "MATCH (l:__Neo4jMigrationsLock) RETURN coalesce(l.name, elementId(l)) AS name LIMIT 1"
)
NEO4J_MIGRATIONS: Final = """
MATCH (m:__Neo4jMigration)
OPTIONAL MATCH (before:__Neo4jMigration)-[l:MIGRATED_TO]->(m) WHERE before <> m
WITH m, before, l ORDER BY l.at DESC
WITH m, collect({before: elementId(before), at: toStringOrNull(l.at), took: toStringOrNull(l.in), by: l.by})[0] AS last
RETURN elementId(m) AS id, properties(m) AS node, last.before AS before, last.at AS at, last.took AS took, last.by AS by,
       head(COLLECT { MATCH (m)-[r:REPEATED]->(m) RETURN r.checksum ORDER BY r.at DESC }) AS repeated
ORDER BY at
"""
GOLANG_MIGRATE: Final = """
MATCH (s:SchemaMigration)
RETURN s.version AS version, s.dirty AS dirty, toStringOrNull(s.ts) AS at
ORDER BY coalesce(s.ts, datetime({year: 0})) DESC, s.version DESC LIMIT 1
"""

COUNT_NODES: Final = "MATCH (n) RETURN count(n) AS count"

CONSTRAINTS: Final = (
    "SHOW CONSTRAINTS YIELD name, type, entityType, labelsOrTypes, properties, propertyType, createStatement"
)
INDEXES: Final = (
    "SHOW INDEXES YIELD name, type, entityType, labelsOrTypes, properties, owningConstraint, state, "
    "populationPercent, failureMessage, createStatement"
)
LABELS_IN_USE: Final = "CALL db.labels() YIELD label RETURN label AS name"
TYPES_IN_USE: Final = "CALL db.relationshipTypes() YIELD relationshipType RETURN relationshipType AS name"
NAMES_IN_USE: Final = f"{LABELS_IN_USE} UNION ALL {TYPES_IN_USE}"
COUNT_ON_OWN: Final = """
MATCH (n:__GraphMigrate) UNWIND labels(n) AS label
WITH label WHERE NOT label STARTS WITH '__GraphMigrate'
RETURN 'label ' + label AS name, count(*) AS count
UNION ALL
MATCH (n:__GraphMigrate)-[r]-()
WITH DISTINCT r
RETURN 'type ' + type(r) AS name, count(*) AS count
"""


# Every stored node of ours has this label, and one of its kind. A node of the lock is never stored, and has a label of its own:
# while it is there, uncommitted, a change of the schema on its label waits.
OWN: Final = "__GraphMigrate"
LOCK: Final = "__GraphMigrateLock"
LEDGER_LABELS: Final = {"__graphmigrate_key": OWN, "__graphmigrate_lock_key": LOCK}
LEDGER_CONSTRAINTS: Final[dict[str, LiteralString]] = {
    "__graphmigrate_key": (
        "CREATE CONSTRAINT __graphmigrate_key IF NOT EXISTS FOR (n:__GraphMigrate) REQUIRE n.key IS UNIQUE"
    ),
    "__graphmigrate_lock_key": (
        "CREATE CONSTRAINT __graphmigrate_lock_key IF NOT EXISTS FOR (n:__GraphMigrateLock) REQUIRE n.key IS UNIQUE"
    ),
}

TAKE_LOCK: Final = "CREATE (:__GraphMigrateLock {key: $key})"
# Each row is computed when it is asked for, and reads: so it fails where the transaction was terminated.
PULSE: Final = """
UNWIND range(1, $rows) AS row
OPTIONAL MATCH (l:__GraphMigrateLock {key: $key})
RETURN row, l.key AS key, $beat AS beat, $doing AS doing
"""

TRANSACTIONS: Final = """
SHOW TRANSACTIONS YIELD transactionId, outerTransactionId, database, metaData, status, currentQuery, parameters, connectionId
WHERE database = $database
  AND (metaData.app = 'graphmigrate' AND (metaData.ledger = $ledger OR metaData.role = 'prepare')
       OR outerTransactionId <> '')
RETURN transactionId AS id, outerTransactionId AS outer, metaData AS metadata, status, currentQuery AS query,
       CASE WHEN metaData.role = 'lock' THEN parameters END AS pulse, connectionId AS connection
"""
BLOCKED: Final = """
SHOW TRANSACTIONS YIELD transactionId, database, metaData, status, connectionId
WHERE database = $database AND (metaData.run = $run OR connectionId = '')
RETURN transactionId AS id, metaData.role AS role, status
"""
TERMINATE: Final = "TERMINATE TRANSACTIONS $ids YIELD transactionId, message"
CLOSE_CONNECTIONS: Final = "CALL dbms.killConnections($ids) YIELD message RETURN message"
TERMINATED: Final = """
SHOW TRANSACTIONS YIELD database, status
WHERE status STARTS WITH 'Terminated' AND ($database IS NULL OR database = $database)
RETURN count(*) AS number
"""

CLAIM: Final = """
MERGE (l:__GraphMigrate {key: $ledger})
ON CREATE SET l:__GraphMigrateLedger, l.format = $format, l.runs = 0
SET l.run = $run, l.host = $host, l.since = datetime()
"""

# ---- one commit of one node (commit.py)

COMMITS: Final = """
MATCH (n:__GraphMigrate) WHERE n.key IN $keys
RETURN n.key AS key, n.run AS run, CASE WHEN n.commits IS :: INTEGER THEN n.commits ELSE 0 END AS commits
"""


def create_nodes(kinds: Iterable[LiteralString]) -> LiteralString:
    """Write a CREATE of one node for each parameter, node0 and so on: the server plans that faster than UNWIND and SET.

    It is planned anew after every change of the schema, so this is most of what a migration's node costs.
    """
    nodes = [f"(:__GraphMigrate:__GraphMigrate{kind} $node{number})" for number, kind in enumerate(kinds)]
    return "CREATE " + ", ".join(nodes)


# `SET n.commits = n.commits + 1` takes the write lock before it reads (Operations Manual, "Concurrent data access"), so a commit
# that is just landing is waited for and seen.
ADVANCE: Final = """
MATCH (n:__GraphMigrate {key: $key})
SET n.commits = n.commits + 1
WITH n WHERE n.commits = $number
SET n += $values
RETURN n.key AS key
"""
WITHOUT_OURS: Final = "MATCH (n:__GraphMigrate) DETACH DELETE n"  # in a transaction that is rolled back
CLOSE_STEP: Final = """
MATCH (n:__GraphMigrate {key: $key}) WHERE n.commits = $number AND n.run = $run
SET n += $changes
RETURN n.key AS key
"""

# ---- runs

OPEN_RUN: Final = """
MATCH (l:__GraphMigrate {key: $ledger}) WHERE l.run = $run
SET l.record = $key, l.runs = l.runs + 1
CREATE (r:__GraphMigrate:__GraphMigrateRun {key: $key, id: $run, host: $host, user: $user, since: datetime(), plan: $plan,
                             catalogue: $catalogue})
RETURN r.key AS key
"""
END_RUN: Final = """
MATCH (l:__GraphMigrate {key: $ledger}) WHERE l.run = $run
SET l.outcome = $outcome
REMOVE l.record, l.version
WITH l
OPTIONAL MATCH (m:__GraphMigrate) WHERE m.key IN $planned
WITH l, collect(m.key + ' ' + m.step + ' ' + m.batches + ' ' + coalesce(m.intent, 0) + ' ' + m.commits) AS rows
OPTIONAL MATCH (r:__GraphMigrate {key: $key})
SET r.ended = datetime(), r.outcome = $outcome, r.rows = rows
RETURN l.key AS key
"""
RECORD_CHANGE: Final = """
CREATE (r:__GraphMigrate:__GraphMigrateRun {key: $key, id: $run, host: $host, user: $user, since: datetime(), ended: datetime(),
                                            plan: $plan, catalogue: '[]', outcome: $outcome, forgotten: $forgotten})
WITH r
OPTIONAL MATCH (m:__GraphMigrate) WHERE m.key IN $planned
WITH r, collect(m.key + ' ' + m.step + ' ' + m.batches + ' ' + coalesce(m.intent, 0) + ' ' + m.commits) AS rows
SET r.rows = rows
WITH r
MATCH (l:__GraphMigrate {key: $ledger})
SET l.runs = l.runs + 1
"""

# ---- a ledger that something else has changed (restore.py)

PLANS: Final = "MATCH (r:__GraphMigrateRun) RETURN elementId(r) AS id, r.plan AS plan"
DELETE_BY_ID: Final = "MATCH (n) WHERE elementId(n) IN $ids DETACH DELETE n"
PUT_LABELS: Final = """
MATCH (n) WHERE elementId(n) = $id
REMOVE n:__GraphMigrateLedger:__GraphMigrateMigration:__GraphMigrateRun:__GraphMigrateSeed:__GraphMigrateAttempt
SET n:__GraphMigrate
SET n:$($label)
"""
PUT_LEDGER: Final = """
MERGE (l:__GraphMigrate {key: $ledger})
SET l:__GraphMigrateLedger, l.format = $format, l.run = $run, l.host = $host, l.since = datetime(), l.record = $record,
    l.runs = COUNT { (r:__GraphMigrate&__GraphMigrateRun) WHERE r.key STARTS WITH $runs }
"""
DUPLICATES: Final = """
MATCH (n:__GraphMigrate) WITH n.key AS key, count(*) AS times WHERE key IS NOT NULL AND times > 1
RETURN toStringOrNull(key) AS key, times ORDER BY key LIMIT 20
"""
PUT_ROWS: Final = """
UNWIND $rows AS row
MATCH (m:__GraphMigrate {key: row[0]})
SET m += row[1]
"""
EFFECTS: Final = """
MATCH (m:__GraphMigrate) WHERE m.key IN $keys
RETURN m.key AS key, m.made AS made, m.dropped AS dropped
"""
ATTEMPT: Final = """
MERGE (a:__GraphMigrate {key: $key})
SET a:__GraphMigrateAttempt, a.version = $version, a.outcome = $outcome, a.reason = $reason, a.at = datetime(), a.run = $run
"""
DELETE_NODES: Final = "MATCH (n:__GraphMigrate) WHERE n.key IN $keys DETACH DELETE n"


# What `doctor` asks. SHOW CURRENT USER and SHOW DATABASES are answered by the system database.
CURRENT_USER: Final = "SHOW CURRENT USER YIELD user"
# All columns: which there are depends on the server's release.
ONE_DATABASE: Final = "SHOW DATABASES YIELD * WHERE name = $name OR name STARTS WITH $name + '-'"
DATABASES: Final = "SHOW DATABASES YIELD *"
PRIVILEGES: Final = "SHOW USER PRIVILEGES YIELD access, action, graph, segment"
SERVER_SETTINGS: Final = "SHOW SETTINGS YIELD name, value WHERE name IN $names"
SERVER_TIME: Final = "RETURN datetime.realtime() AS now"
ANY_NODE: Final = "OPTIONAL MATCH (n) RETURN n IS NULL AS empty LIMIT 1"
DELETE_EVERYTHING: Final = "MATCH (n) DETACH DELETE n"
ALL_NODES: Final = "MATCH (n) RETURN elementId(n) AS id, labels(n) AS labels, properties(n) AS values"
ALL_RELATIONSHIPS: Final = """
MATCH (a)-[r]->(b)
RETURN elementId(a) AS start, type(r) AS type, properties(r) AS values, elementId(b) AS end
"""


# ---- clean

COUNT_CLEAN: Final = """
RETURN COUNT { (n:__GraphMigrate) WHERE n.key STARTS WITH $prefix } AS records,
       COUNT { (n) WHERE NOT n:__GraphMigrate } AS nodes, COUNT { ()-->() } AS relationships
"""
DELETE_RELATIONSHIPS: Final = "MATCH ()-[r]->() WITH r LIMIT 20000 DELETE r RETURN count(*) AS deleted"
DELETE_DATA: Final = (
    "MATCH (n) WHERE NOT n:__GraphMigrate WITH n LIMIT 20000 DETACH DELETE n RETURN count(*) AS deleted"
)
# In one transaction: half a ledger would be a damaged one.
DELETE_LEDGER: Final = """
MATCH (n:__GraphMigrate) WHERE n.key STARTS WITH $ledger + '/'
WITH n DETACH DELETE n RETURN count(*) AS deleted
"""
ANY_OURS: Final = "MATCH (n:__GraphMigrate|__GraphMigrateLock) RETURN n LIMIT 1"
