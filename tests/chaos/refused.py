"""The ledger's write refused by the server, and statements that would delete the ledger."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from tests.chaos.arena import Arena, Tally
from tests.conftest import wipe
from tests.projects import dump, rows, write_migrations

IN_THE_WAY = (
    ("__GraphMigrateMigration", "state"),
    ("__GraphMigrateMigration", "steps"),
    ("__GraphMigrateMigration", "installed_by"),
    ("__GraphMigrateRun", "user"),
    ("__GraphMigrateMigration", "step"),
    ("__GraphMigrateMigration", "run"),
)
ERASING = (
    "MATCH (n) DETACH DELETE n;",
    "CREATE (:Trace {at: 'V2'});\nMATCH (n) DETACH DELETE n;",
    "CALL () { MATCH (n) DETACH DELETE n };",
    "MATCH (n) DETACH \\u0044ELETE n;",
    "// graphmigrate: batch 2\nMATCH (n) WITH n LIMIT $batch DETACH DELETE n;",
    "MATCH (n) CALL (n) { DETACH DELETE n } IN TRANSACTIONS OF 10 ROWS;",
    "// graphmigrate: repeatable\nMATCH (n) CALL (n) { DETACH DELETE n } IN TRANSACTIONS OF 10 ROWS;",
)


def refused(arena: Arena, points: Iterable[int]) -> Tally:
    """A uniqueness constraint on a property of the ledger's nodes; it is dropped before the rerun."""
    tally = Tally("the ledger's write refused: a constraint on a property of its nodes")
    for number in points:
        label, key = IN_THE_WAY[(number - 1) % len(IN_THE_WAY)]
        half = label.endswith("Run")  # the second run is the one that is refused
        arena.reset(half=half)
        arena.driver.execute_query(f"CREATE CONSTRAINT in_the_way FOR (n:{label}) REQUIRE n.{key} IS UNIQUE")
        code, output = arena.runners.finish(arena.project, arena.uri)
        if code == 0 or "__GraphMigrate" not in output:
            tally.wrong(
                f"{label}.{key}: it did not tell that the ledger's write is refused ({code}): {output[-400:]}"
            )
        arena.driver.execute_query("DROP CONSTRAINT in_the_way")
        arena.judge(tally, f"unique {label}.{key}", code, output)
    return tally


def erasing(arena: Arena, points: Iterable[int], folder: Path) -> Tally:
    """The user's own statement deletes everything: refused, or the user's nodes go and the ledger stays."""
    tally = Tally("the user's own statement deletes everything")
    for number in points:
        statement = ERASING[(number - 1) % len(ERASING)]
        wipe(arena.driver)
        write_migrations(folder, V1__a="CREATE (:Trace {at: 'V1'});", V2__b="CREATE (:Trace {at: 'V2'});")
        (folder / "migrations" / "V2__b.cypher").write_text(statement)
        tally.points += 1
        code, output = arena.runners.finish(folder, arena.uri)
        traces = rows(arena.driver, "MATCH (t:Trace) RETURN t.at ORDER BY t.at")
        history = rows(arena.driver, "MATCH (m:__GraphMigrateMigration) RETURN m.key, m.state")
        early = code == 2 and traces == [] == history  # refused before anything ran
        done = (
            code == 0
            and traces == []
            and sorted(history)
            == [
                ["default/migration/1@1", "applied"],
                ["default/migration/2@1", "applied"],
            ]
        )
        if not (early or done) or "__GraphMigrate" not in output:
            tally.wrong(f"{statement}: {code}, {traces}, {history}: {output[-500:]}")
        if done:
            tally.by_rerun += 1
            continue
        write_migrations(folder, V2__b="CREATE (:Trace {at: 'V2'});")
        code, output = arena.runners.finish(folder, arena.uri)
        if code != 0 or rows(arena.driver, "MATCH (t:Trace) RETURN t.at ORDER BY t.at") != [["V1"], ["V2"]]:
            tally.stuck += 1
            tally.wrong(f"{statement}, then fixed: {code}: {output[-500:]} {dump(arena.driver)['nodes']}")
        else:
            tally.by_rerun += 1
    return tally
