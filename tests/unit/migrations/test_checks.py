"""What is said of statements before they run."""

from __future__ import annotations

from pathlib import Path

import pytest

from graphmigrate.database.version import Version
from graphmigrate.errors import Severity
from graphmigrate.migrations.checks import check_catalogue, check_statements
from graphmigrate.migrations.model import MigrationFile, checksum
from graphmigrate.migrations.plan import Task
from graphmigrate.migrations.reader import read
from graphmigrate.migrations.segments import segments_of
from graphmigrate.results import Target
from graphmigrate.schema.catalogue import Catalogue
from graphmigrate.schema.compare import apply
from graphmigrate.schema.reader import read_ddl

SERVER = Target("bolt://localhost", "neo4j", "enterprise", "5.26.25")


def tasks(text):
    content = text.encode()
    path = Path("V1__x.cypher")
    file = MigrationFile(Version.parse("1"), "x", path, path.name, checksum(content), content)
    migration, _ = read(file)
    return [Task(migration, segments_of(migration), "key")]


def codes(text):
    return [each.code for each in check_statements(tasks(text), SERVER)]


@pytest.mark.parametrize(
    "command",
    [
        "GRANT ROLE reader TO jo",
        "/* why */ GRANT ROLE reader TO jo",
        "CYPHER 5 GRANT ROLE reader TO jo",
        "CREATE /* a */ OR REPLACE USER jo SET PASSWORD 'secret-one'",
        "create user jo if not exists set password 'secret-one'",
        "SHOW USERS",
    ],
)
def test_administration_that_may_run_twice_is_taken(command):
    assert "GM207" not in codes(command + ";")


@pytest.mark.parametrize(
    "command",
    [
        "CREATE USER jo SET PASSWORD 'it EXISTS already'",
        "CREATE USER jo /* IF NOT EXISTS */ SET PASSWORD 'secret-one'",
        "CREATE ROLE `a EXISTS b`",
    ],
)
def test_a_guard_in_a_string_a_comment_or_a_name_is_none(command):
    assert "GM207" in codes(command + ";")


@pytest.mark.parametrize(
    "command",
    [
        "DEALLOCATE DATABASES FROM SERVER 'x'",
        "DROP SERVER 'x'",
        "RENAME SERVER 'x' TO 'y'",
        "ALTER CURRENT USER SET PASSWORD FROM 'a' TO 'b'",
    ],
)
def test_a_command_that_cannot_be_guarded_can_be_declared_repeatable(command):
    found = check_statements(tasks(f"{command};"), SERVER)
    assert [each.code for each in found] == ["GM207", "GM221"]
    assert "// graphmigrate: repeatable" in found[0].hint
    assert "IF EXISTS" not in found[0].hint
    assert codes(f"// graphmigrate: repeatable\n{command};") == []


def test_what_is_declared_repeatable_needs_no_guard():
    assert codes("// graphmigrate: repeatable\nCREATE ROLE reader;") == []


@pytest.mark.parametrize(
    "then",
    [
        *("CONTINUE", "BREAK", "/* or */ continue REPORT STATUS AS s RETURN s"),
        *("RETRY FOR 3 SECS THEN CONTINUE", "RETRY THEN BREAK"),
    ],
)
def test_failures_that_the_server_does_not_tell_are_warned_of(then):
    text = f"UNWIND [1, 0] AS i CALL (i) {{ CREATE (:X {{i: 1 / i}}) }} IN TRANSACTIONS ON ERROR {then};"
    assert codes(text) == ["GM130", "GM221"]


@pytest.mark.parametrize(
    "retry", ["RETRY", "RETRY FOR 3 SECS", "RETRY FOR 2.5 SECONDS REPORT STATUS AS then RETURN then"]
)
def test_a_retry_that_does_not_say_then_leaves_out_what_fails_again(retry):
    text = f"UNWIND [1, 0] AS i CALL (i) {{ CREATE (:X {{i: 1 / i}}) }} IN TRANSACTIONS ON ERROR {retry};"
    (found, _) = check_statements(tasks(text), SERVER)
    assert (found.code, found.hint) == ("GM130", "Write ON ERROR RETRY THEN FAIL.")


@pytest.mark.parametrize("then", ["FAIL", "RETRY FOR 3 SECS THEN FAIL"])
def test_failures_that_end_the_statement_are_not(then):
    text = (
        f"UNWIND [1] AS i CALL (i) {{ CREATE (:Continue:BREAK {{i: i}}) }} IN TRANSACTIONS ON ERROR {then};"
    )
    assert codes(text) == ["GM221"]


@pytest.mark.parametrize(
    "arguments", ["{}, {}", "{a: ['id']}, {}, true", "{}, {}, $drop", "{a: [false]}, {b: [1, false]}"]
)
def test_a_procedure_that_would_drop_the_constraints_of_the_history(arguments):
    assert codes(f"CALL apoc.schema.assert({arguments}) YIELD label RETURN label;") == ["GM520", "GM221"]


@pytest.mark.parametrize(
    "text",
    [
        "CALL `apoc.schema.assert`({}, {})",
        "CALL apoc.schema.assert",
        "CALL apoc.schema.assert({},{},false) YIELD label CALL apoc.schema.assert({}, {}) YIELD key RETURN key",
    ],
)
def test_however_it_is_called(text):
    assert codes(f"{text};") == ["GM520", "GM221"]


@pytest.mark.parametrize(
    "call",
    [
        "apoc.schema.assert({}, {}, false)",
        "`apoc`.schema . assert({a: [(1)]}, {}, FALSE)",
        "`apoc.schema.assert`({}, {}, false)",
    ],
)
def test_and_that_is_told_to_drop_nothing(call):
    assert codes(f"MATCH (assert:X) CALL {call} YIELD label RETURN label;") == ["GM221"]


def test_ddl_that_cannot_be_read_is_not_said_to_commit_inside():
    (found,) = check_statements(tasks("CREATE CONSTRAINT c FOR (n:A) REQUIRE n.x IS UNIQ;"), SERVER)
    assert found.message.startswith("This form of DDL is not known")


def test_no_statement_takes_the_metadata_of_its_transaction():
    assert codes("MATCH (n:A) CALL tx . `setMetaData`({a: 1}) SET n.x = 1;") == ["GM520"]
    assert codes("CREATE (:A {text: 'CALL tx.setMetaData()'});") == []


@pytest.mark.parametrize("end", ["", " ON ERROR FAIL"])
def test_a_failure_that_the_server_tells_needs_no_warning(end):
    text = "UNWIND ['ON ERROR CONTINUE'] AS i CALL (i) { CREATE (:X) } IN TRANSACTIONS" + end
    assert codes(text + ";") == ["GM221"]


def test_a_lookup_index_that_the_database_came_with_stops_nobody():
    there = apply([read_ddl("CREATE LOOKUP INDEX index_343aff4e FOR (n) ON EACH labels(n)")], Catalogue())
    planned = tasks("CREATE LOOKUP INDEX mine IF NOT EXISTS FOR (n) ON EACH labels(n);")
    assert [(each.code, each.severity) for each in check_catalogue(planned, there)] == [
        ("GM206", Severity.WARNING)
    ]
    planned = tasks("CREATE LOOKUP INDEX mine FOR (n) ON EACH labels(n);")
    assert [each.severity for each in check_catalogue(planned, there)] == [Severity.ERROR]


DIMENSIONS = (
    "CREATE VECTOR INDEX v IF NOT EXISTS FOR (n:A) ON (n.e) OPTIONS {indexConfig: {`vector.dimensions`: 3}}"
)


def test_options_that_change_nothing_are_warned_of():
    planned = tasks(DIMENSIONS + ";")
    there = apply([read_ddl(DIMENSIONS)], Catalogue())
    assert [(each.code, each.severity) for each in check_catalogue(planned, there)] == [
        ("GM206", Severity.WARNING)
    ]
    assert check_catalogue(planned, Catalogue()) == []


def test_an_index_without_options_that_is_there_needs_no_word():
    plain = "CREATE INDEX i IF NOT EXISTS FOR (n:A) ON (n.options)"
    assert check_catalogue(tasks(plain + ";"), apply([read_ddl(plain)], Catalogue())) == []


def test_ddl_that_no_server_runs_is_refused_before_anything_runs():
    assert codes("CREATE INDEX x FOR (n:A) ON (n.p, n.p);") == ["GM201"]


EVERY_NODE = "MATCH (n) WHERE NOT n:User CALL (n) { DETACH DELETE n } IN TRANSACTIONS"


def test_a_statement_that_commits_by_itself_and_may_reach_any_label_is_refused_with_the_clause_and_its_place():
    (found, _) = check_statements(tasks(f"// first\n{EVERY_NODE};"), SERVER)
    assert (found.code, found.severity) == ("GM520", Severity.ERROR)
    assert found.place is not None
    assert (found.place.line, found.place.column) == (2, 7)
    wanted = (
        "MATCH (n) WHERE NOT n:__GraphMigrate AND (NOT n:User) CALL (n) { DETACH DELETE n } IN TRANSACTIONS"
    )
    assert found.hint is not None
    assert wanted in found.hint
    assert "--allow any-label=V1" in found.hint
    assert codes(f"{wanted};") == ["GM221"]


def test_a_batch_that_may_is_refused_and_runs_where_it_is_allowed():
    text = "// graphmigrate: batch 10\nMATCH (n) WHERE n.x IS NULL WITH n LIMIT $batch SET n.x = 1;"
    (found,) = check_statements(tasks(text), SERVER)
    assert (found.code, found.severity) == ("GM520", Severity.ERROR)
    (warned,) = check_statements(tasks(text), SERVER, ["any-label=V1"])
    assert (warned.code, warned.severity) == ("GM520", Severity.WARNING)
    assert "graphmigrate repair" in (warned.hint or "")


def test_a_data_statement_that_may_is_not_refused():
    assert codes("MATCH (n) DETACH DELETE n;") == []


@pytest.mark.parametrize(
    "text",
    [
        "DROP CONSTRAINT __graphmigrate_key",
        "DROP CONSTRAINT `__graphmigrate_key` IF EXISTS",
        "DROP CONSTRAINT \\u005f_graphmigrate_key",
        "CYPHER 25 DROP CONSTRAINT __graphmigrate_lock_key",
        "CYPHER 5 runtime=slotted DROP CONSTRAINT __graphmigrate_key",
        "DROP INDEX __graphmigrate_key",
        "ALTER CURRENT GRAPH TYPE SET { (:User => {id :: STRING}) }",
        "CYPHER 25 ALTER CURRENT GRAPH TYPE SET { }",
        "ALTER CURRENT GRAPH TYPE DROP { CONSTRAINT __graphmigrate_key }",
        "CALL apoc.cypher.runSchema('DROP CONSTRAINT __graphmigrate_key', {})",
        "CALL apoc.cypher.runSchema('DROP CONSTRAINT `__graphmigr\\\\u0061te_key`', {})",
        "CALL apoc.cypher.runSchema(\"CALL apoc.cypher.runSchema('DROP CONSTRAINT __graphmigrate_key', {})\", {})",
        "CALL apoc.schema.assert({}, {})",
    ],
)
def test_what_would_remove_our_constraints_is_refused(text):
    assert "GM520" in codes(f"{text};")


@pytest.mark.parametrize(
    "text", ["DROP CONSTRAINT mine", "ALTER CURRENT GRAPH TYPE ADD { (:User => {id :: STRING}) }"]
)
def test_other_constraints_may_be_dropped(text):
    assert "GM520" not in codes(f"{text};")
