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

# One query of three labels, and the names of properties are a parameter: the server plans each property that is written out for
# 6 ms. It reads all properties of a node in half the time of each by its name. Times come as numbers: the driver takes a
# quarter of a millisecond to make one of its own, and few of them are looked at.
HISTORY: Final = """
MATCH (n:__GraphMigrateLedger|__GraphMigrateMigration|__GraphMigrateAttempt) WHERE n.key STARTS WITH $ledger + '/'
WITH properties(n) AS m
RETURN collect([name IN $names | m[name]] + [m.installed_on.epochMillis, m.execution_time.microseconds]) AS rows
"""

RUN_RECORD: Final = """
MATCH (r:__GraphMigrate {key: $key})
RETURN r.key AS key, r.id AS run, r.host AS host, r.user AS user, r.since AS since, r.plan AS plan,
       r.catalogue AS catalogue
"""

CONSTRAINTS: Final = (
    "SHOW CONSTRAINTS YIELD name, type, entityType, labelsOrTypes, properties, propertyType, ownedIndex"
)
INDEXES: Final = (
    "SHOW INDEXES YIELD name, type, entityType, labelsOrTypes, properties, owningConstraint, state, "
    "populationPercent, failureMessage"
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
TERMINATE: Final = "TERMINATE TRANSACTIONS $ids YIELD transactionId, message"
CLOSE_CONNECTIONS: Final = "CALL dbms.killConnections($ids) YIELD message RETURN message"
TERMINATED: Final = """
SHOW TRANSACTIONS YIELD database, status
WHERE status STARTS WITH 'Terminated' AND ($database IS NULL OR database = $database)
RETURN count(*) AS number
"""

CLAIM: Final = """
MERGE (l:__GraphMigrate {key: $ledger})
ON CREATE SET l:__GraphMigrateLedger, l.format = $format
SET l.run = $run, l.host = $host, l.since = datetime()
"""

ROW: Final = """
MATCH (m:__GraphMigrate {key: $key})
RETURN m.step AS step, m.batches AS batches, m.checksum AS checksum, m.run AS run, m.intent AS intent
"""
CREATE_ROW: Final = "CREATE (m:__GraphMigrate:__GraphMigrateMigration $row)"
CREATE_ROWS: Final = "UNWIND $rows AS row CREATE (m:__GraphMigrate:__GraphMigrateMigration) SET m = row"


def create_rows(names: Iterable[LiteralString]) -> LiteralString:
    """Write a CREATE of one row for each parameter: the server plans that faster than UNWIND and SET.

    It is planned anew after every change of the schema, so this is most of what a migration's row costs.
    """
    return "CREATE " + ", ".join("(:__GraphMigrate:__GraphMigrateMigration $" + name + ")" for name in names)


ADVANCE: Final = """
MATCH (m:__GraphMigrate {key: $key})
SET m._lock = true
REMOVE m._lock
WITH m WHERE m.step = $step AND m.batches = $batches
SET m += $changes
RETURN m.key AS key
"""
PUT_ROW: Final = """
MATCH (m:__GraphMigrate {key: $key})
SET m += $changes
RETURN m.key AS key
"""

OPEN_RUN: Final = """
MATCH (l:__GraphMigrate {key: $ledger}) WHERE l.run = $run
SET l.record = $key
CREATE (r:__GraphMigrate:__GraphMigrateRun {key: $key, id: $run, host: $host, user: $user, since: datetime(), plan: $plan,
                             catalogue: $catalogue})
RETURN r.key AS key
"""
END_RUN: Final = """
MATCH (l:__GraphMigrate {key: $ledger}) WHERE l.run = $run
SET l.head = $head, l.version = $version
REMOVE l.record
WITH l
OPTIONAL MATCH (r:__GraphMigrate {key: $key})
SET r.ended = datetime(), r.outcome = $outcome
RETURN l.key AS key
"""
TIMES: Final = """
UNWIND $times AS time
MATCH (m:__GraphMigrate {key: time[0]})
SET m.execution_time = time[1]
"""
ATTEMPT: Final = """
MERGE (a:__GraphMigrate {key: $key})
SET a:__GraphMigrateAttempt, a.version = $version, a.outcome = $outcome, a.reason = $reason, a.at = datetime(), a.run = $run
"""
FORGET_ATTEMPTS: Final = "MATCH (a:__GraphMigrate) WHERE a.key IN $keys DETACH DELETE a"


# What `doctor` asks. SHOW CURRENT USER and SHOW DATABASES are answered by the system database.
CURRENT_USER: Final = "SHOW CURRENT USER YIELD user"
# All columns: which there are depends on the server's release.
ONE_DATABASE: Final = "SHOW DATABASES YIELD * WHERE name = $name OR name STARTS WITH $name + '-'"
DATABASES: Final = "SHOW DATABASES YIELD *"
PRIVILEGES: Final = "SHOW USER PRIVILEGES YIELD access, action, graph, segment"
SERVER_SETTINGS: Final = "SHOW SETTINGS YIELD name, value WHERE name IN $names"
SERVER_TIME: Final = "RETURN datetime.realtime() AS now"
ANY_NODE: Final = "OPTIONAL MATCH (n) RETURN n IS NULL AS empty LIMIT 1"
