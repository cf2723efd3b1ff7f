"""Each error of a migration (GM5xx) and of the history (GM6xx): its hint is followed to the letter, then migrate succeeds."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass

import neo4j
import pytest

from graphmigrate.errors import GraphMigrateError
from tests.projects import Project

DUPLICATES = "CREATE (:C {id: 1, email: 'a'}), (:C {id: 2, email: 'a'})"
UNIQUE = "CREATE CONSTRAINT c_email FOR (c:C) REQUIRE c.email IS UNIQUE;"
FIX = "MATCH (c:C) WITH c.email AS e, collect(c) AS all FOREACH (c IN all[1..] | SET c.email = e + c.id);"
EVERYWHERE = "MATCH (n) {}CALL (n) {{ SET n.seen = true }} IN TRANSACTIONS;"
COPY = "UNWIND range(1, 3) AS i CALL (i) {{ CREATE (:Copy {{x: 6 / ({} - i)}}) }} IN TRANSACTIONS OF 1 ROW;"
BATCH = "// graphmigrate: batch 2, max-batches {}\n{}"
TOO_LONG = "CREATE (:Doc {n: 1, body: reduce(s = '', x IN range(1, 9000) | s + toString(x * 7919))})"
ON_OURS = "CREATE CONSTRAINT theirs FOR (n:__GraphMigrateMigration) REQUIRE n.type IS UNIQUE"
TAKEN = "CREATE CONSTRAINT __graphmigrate_key FOR (n:Other) REQUIRE n.a IS UNIQUE"


@dataclass
class Way:
    """A project in trouble: what is run and written before it, the error's code and a part of its hint, and what that says to do.

    ``applied`` are files that a first run applies; ``query`` is sent to the server before the one that fails.
    """

    code: str
    said: str
    files: dict[str, str]
    follow: Callable[[Project, neo4j.Driver], object]
    applied: dict[str, str] | None = None
    gone: tuple[str, ...] = ()
    query: str | None = None
    options: dict[str, object] | None = None
    again: dict[str, object] | None = None


def write(**files: str) -> Callable[[Project, neo4j.Driver], object]:
    """Put files right."""
    return lambda project, _: project.write(**files)


def send(query: str) -> Callable[[Project, neo4j.Driver], object]:
    """Change the database by hand."""
    return lambda _, driver: driver.execute_query(query)


def repair(**words: list[str]) -> Callable[[Project, neo4j.Driver], object]:
    return lambda project, _: project.call("repair", **words)


def allow(word: str) -> Callable[[Project, neo4j.Driver], object]:
    return lambda project, _: project.more.update(allow=(word,))


def baseline(version: str) -> Callable[[Project, neo4j.Driver], object]:
    return lambda project, _: project.call("baseline", version)


def nothing(_: Project, __: neo4j.Driver) -> None:
    """The hint is another option of the same command."""


def rename(old: str, new: str) -> Callable[[Project, neo4j.Driver], object]:
    return lambda project, _: (project.folder / f"migrations/{old}.cypher").rename(
        project.folder / f"migrations/{new}.cypher"
    )


def both(*steps: Callable[[Project, neo4j.Driver], object]) -> Callable[[Project, neo4j.Driver], object]:
    return lambda project, driver: [step(project, driver) for step in steps]


A, B = {"V1__a": "CREATE (:A);"}, {"V2__b": "CREATE (:B);"}
NEVER = {"check_data": "never"}
LATE = {"allow_out_of_order": True}
EDITED = {"V1__a": "CREATE (:Other);"}
SPOILT = "UNWIND [0] AS i CREATE (:X {y: 1 / i});"
BEGUN = {"V1__a": f"CREATE (:A);\n{UNIQUE}\n{SPOILT}"}

WAYS = {
    "a failing statement, the file": Way(
        "GM501", "Fix the file or the data", {"V1__x": SPOILT}, write(V1__x="CREATE (:X);")
    ),
    "a transaction that is too large": Way(
        "GM501", "LIMIT $batch in the statement",
        {"V1__x": "WITH reduce(s = 'x', i IN range(1, 20) | s + s) AS s UNWIND range(1, 4000) AS i "
         "WITH collect(s + i) AS many CREATE (:X {count: size(many)});"},
        write(V1__x=BATCH.format(9, "MATCH (x:X) WHERE x.seen IS NULL WITH x LIMIT $batch SET x.seen = true;")),
    ),
    "an assert on the edition": Way(
        "GM503", "write `assume`", {"V1__x": "// assert that edition is enterprise\nCREATE (:X);"},
        write(V1__x="// assume that edition is enterprise\nCREATE (:X);"),
    ),
    "an assert that is a query": Way(
        "GM503", "Look at the query's answer", {"V1__x": "// assert q' MATCH (a:Ready) RETURN count(a) = 1\nCREATE (:X);"},
        send("CREATE (:Ready)"),
    ),
    "a condition without a boolean": Way(
        "GM504", "// assert q' RETURN true", {"V1__x": "// assert q' RETURN 1\nCREATE (:X);"},
        write(V1__x="// assert q' RETURN true\nCREATE (:X);"),
    ),
    "a condition that fails": Way(
        "GM504", "// assert q' RETURN true", {"V1__x": "// assert q' UNWIND [0] AS i RETURN 1 / i = 1\nCREATE (:X);"},
        write(V1__x="// assert q' RETURN true\nCREATE (:X);"),
    ),
    "batches that never end, the statement": Way(
        "GM505", "repair --rerun V1", {"V1__x": BATCH.format(3, "MATCH (c:C) WITH c LIMIT $batch SET c.n = rand();")},
        both(
            write(V1__x=BATCH.format(3, "MATCH (c:C) WHERE c.done IS NULL WITH c LIMIT $batch SET c.done = true;")),
            repair(rerun=["V1"]),
        ),
        query=DUPLICATES,
    ),
    "batches that are too many": Way(
        "GM505", "// graphmigrate: max-batches N",
        {"V1__x": BATCH.format(1, "MATCH (c:C) WHERE c.done IS NULL WITH c LIMIT $batch SET c.done = true;")},
        write(V1__x=BATCH.format(9, "MATCH (c:C) WHERE c.done IS NULL WITH c LIMIT $batch SET c.done = true;")),
        query=DUPLICATES,
    ),
    "an index that cannot be built, the data": Way(
        "GM506", "Fix the data, or the index's definition", {"V1__x": "CREATE INDEX doc FOR (d:Doc) ON (d.body);"},
        send("MATCH (d:Doc) SET d.body = 'short'"), query=TOO_LONG,
    ),
    "an index that cannot be built, its definition": Way(
        "GM506", "Fix the data, or the index's definition", {"V1__x": "CREATE INDEX doc FOR (d:Doc) ON (d.body);"},
        write(V1__x="CREATE INDEX doc FOR (d:Doc) ON (d.n);"), query=TOO_LONG,
    ),
    "duplicates, before anything runs": Way(
        "GM508", "by a statement above this one", {"V1__x": UNIQUE}, write(V1__x=f"{FIX}\n{UNIQUE}"), query=DUPLICATES
    ),
    "duplicates, a migration before": Way(
        "GM508", "by a migration before this one", {"V2__x": UNIQUE}, write(V1__fix=FIX), query=DUPLICATES
    ),
    "duplicates, half applied, above": Way(
        "GM508", "by a statement above this one", {"V1__x": f"CREATE (:A);\n{UNIQUE}"},
        write(V1__x=f"CREATE (:A);\n{FIX}\n{UNIQUE}"), query=DUPLICATES, options=NEVER,
    ),
    "duplicates, half applied, before": Way(
        "GM508", "migrate --allow-out-of-order", {"V2__x": f"CREATE (:A);\n{UNIQUE}"}, write(V1__fix=FIX),
        query=DUPLICATES, options=NEVER, again=LATE,
    ),
    "a history that cannot be written": Way(
        "GM513", "a constraint on graphmigrate's own nodes", B, send("DROP CONSTRAINT theirs"), applied=A, query=ON_OURS
    ),
    "two faults of the history": Way(
        "GM601", "", EDITED, both(repair(accept=["V1"]), repair(forget=["V2"])), applied=A | B, gone=("V2__b",)
    ),
    "an edited file, accepted": Way("GM602", "repair --accept V1", EDITED, repair(accept=["V1"]), applied=A),
    "an edited file, put back": Way("GM602", "Put the file back", EDITED, write(**A), applied=A),
    "files of another project, accepted": Way(
        "GM602", "repair --accept V1", {"V1__z": "CREATE (:Z);"}, repair(accept=["V1"]), applied=A, gone=("V1__a",)
    ),
    "another branch's version": Way(
        "GM602", "Give this file a version of its own", {"V2__z": "CREATE (:Z);"},
        both(rename("V2__z", "V3__z"), write(**B)), applied=A | B, gone=("V2__b",),
    ),
    "a missing file, forgotten": Way(
        "GM603", "repair --forget V2", {}, repair(forget=["V2"]), applied=A | B, gone=("V2__b",)
    ),
    "a missing file, brought back": Way("GM603", "Bring the file back", {}, write(**B), applied=A | B, gone=("V2__b",)),
    "a renamed file": Way(
        "GM603", "Give the file its version V2 back", {"V7__b": B["V2__b"]}, rename("V7__b", "V2__b"), applied=A | B,
        gone=("V2__b",),
    ),
    "no file at all": Way(
        "GM603", "bring the files back", {}, write(**A), applied=A, gone=("V1__a",),
    ),
    "a late version": Way("GM604", "migrate --allow-out-of-order", A, nothing, applied=B, again=LATE),
    "a late version, renamed": Way("GM604", "give it a version above V2", A, rename("V1__a", "V3__a"), applied=B),
    "an edited part that is committed": Way(
        "GM605", "Put statement 1 of V1__a.cypher back", {"V1__a": f"CREATE (:Z);\n{FIX}"}, write(V1__a=f"CREATE (:A);\n{FIX}"),
        applied={"V1__a": f"CREATE (:A);\n{UNIQUE}"}, query=DUPLICATES, options=NEVER,
    ),
    "a statement that commits by itself, again": Way(
        "GM606", "repair --rerun V1", {}, both(write(V1__a=COPY.format(9)), repair(rerun=["V1"])),
        applied={"V1__a": COPY.format(3)},
    ),
    "a statement that commits by itself, done": Way(
        "GM606", "repair --done V1", {}, repair(done=["V1"]), applied={"V1__a": COPY.format(3)}
    ),
    "a statement that commits by itself, edited": Way(
        "GM605", "repair --rerun V1", {"V1__a": COPY.format(9)}, repair(rerun=["V1"]), applied={"V1__a": COPY.format(3)}
    ),
    "a taken name of ours": Way(
        "GM611", "DROP CONSTRAINT __graphmigrate_key", A, send("DROP CONSTRAINT __graphmigrate_key"), query=TAKEN
    ),
    "every node in autocommit": Way(
        "GM520", "MATCH (n) WHERE NOT n:__GraphMigrate CALL (n)", {"V1__x": EVERYWHERE.format("")},
        write(V1__x=EVERYWHERE.format("WHERE NOT n:__GraphMigrate ")),
    ),
    "every node in autocommit, allowed": Way(
        "GM520", "--allow any-label=V1", {"V1__x": EVERYWHERE.format("")}, allow("any-label=V1")
    ),
    "a constraint of ours dropped": Way(
        "GM520", "Delete it", {"V1__x": "DROP CONSTRAINT __graphmigrate_key;"}, write(V1__x="CREATE (:X);")
    ),
    "the ledger of format 1": Way(
        "GM609", "graphmigrate baseline VERSION", A | B, baseline("2"),
        query="CREATE (:__GraphMigrateLedger {key: 'default', format: 1})",
    ),
    "a node of the history without its state": Way(
        "GM612", "graphmigrate repair", A, repair(restore=["V1"]), applied=A,
        query="MATCH (n:__GraphMigrateMigration) REMOVE n.state",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", WAYS)
def test_the_hint_leads_out(project: Project, driver: neo4j.Driver, name: str) -> None:
    way = WAYS[name]
    options = way.options or {}
    if way.applied:
        if way.query and way.code == "GM605":
            driver.execute_query(way.query)
        project.write(**way.applied)
        in_part = way.code in {"GM605", "GM606"}
        with pytest.raises(GraphMigrateError) if in_part else nullcontext():
            project.migrate(**options)
    for file in way.gone:
        (project.folder / f"migrations/{file}.cypher").unlink()
    project.write(**way.files)
    if way.query and way.code != "GM605":
        driver.execute_query(way.query)
    project.more["allow_empty"] = True
    with pytest.raises(GraphMigrateError) as caught:
        project.migrate(**options)
    error = caught.value
    assert error.error_code == way.code
    hints = [error.hint or "", *(each.hint or "" for each in error.problems)]
    assert all(hints[bool(error.problems) :]), "each finding has a hint"
    assert any(way.said in hint for hint in hints), hints
    way.follow(project, driver)
    project.migrate(**(way.again or {}))
    assert project.call("status").clean
    assert project.migrate().applied == ()


def test_a_word_of_repair_that_does_not_fit(project: Project) -> None:
    project.write(**A).migrate()
    project.write(**EDITED)
    with pytest.raises(GraphMigrateError) as caught:
        project.call("repair", forget=["V1"])
    assert caught.value.error_code == "GM610"
    assert "without versions, lists what can be resolved and how" in (caught.value.hint or "")
    (shown,) = project.call("repair").actions
    assert shown.resolution == "graphmigrate repair --accept V1"
    project.call("repair", accept=["V1"])
    project.migrate()
    assert project.call("status").clean


DYING = """
import os, sys
from graphmigrate import Migrator
from graphmigrate.events import MigrationStarted

def listen(event):
    if isinstance(event, MigrationStarted) and event.version == "2":
        os._exit(9)

uri, username, password, folder = sys.argv[1:]
Migrator(uri, username=username, password=password, migrations=folder, listen=listen).migrate()
"""


@pytest.mark.parametrize(
    ("follow", "said"),
    [
        (write(V1__a="CREATE INDEX a FOR (n:A) ON (n.a);"), "Put the file back"),
        (both(repair(rerun=["V1"]), send("DROP INDEX a")), "repair --rerun V1"),
        (repair(done=["V1"]), "--done V1"),
    ],
    ids=["put back", "rerun", "done"],
)
def test_a_run_died_and_its_file_was_changed(
    project: Project, driver: neo4j.Driver, follow: Callable[[Project, neo4j.Driver], object], said: str
) -> None:
    project.write(V1__a="CREATE INDEX a FOR (n:A) ON (n.a);", V2__b="CREATE (:B);")
    target = project.target
    words = [target.uri, target.username, target.password, str(project.folder / "migrations")]
    assert subprocess.run([sys.executable, "-c", DYING, *words], check=False).returncode == 9
    project.write(V1__a="CREATE INDEX b FOR (n:B) ON (n.b);")
    with pytest.raises(GraphMigrateError) as caught:
        project.migrate()
    assert caught.value.error_code == "GM607"
    assert said in (caught.value.hint or "")
    follow(project, driver)
    project.migrate()
    assert project.call("status").clean
    assert project.migrate().applied == ()
