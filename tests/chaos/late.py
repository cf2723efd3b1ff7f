"""A commit that lands after its runner is dead: the next one starts at once, and must wait for it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from tests.chaos.arena import Arena, Tally
from tests.chaos.runners import until
from tests.conftest import wipe
from tests.projects import rows, write_migrations

CLOSING = "SHOW TRANSACTIONS YIELD metaData, status WHERE metaData.role = 'work' AND status = 'Closing' RETURN status"
MANY = {
    "V1__before": "CREATE CONSTRAINT many_i FOR (n:Many) REQUIRE n.i IS UNIQUE;",
    "V2__many": "UNWIND range(1, {nodes}) AS i CREATE (:Many {{i: i, text: 'some text ' + i}});",
    "V3__after": "CREATE (:Trace {{at: 'V3'}});",
}


def late(arena: Arena, points: Iterable[int], folder: Path, nodes: int) -> Tally:
    """kill -9 while the nodes are committing."""
    tally = Tally(f"kill -9 while {nodes:,} nodes are committing, the next runner at once")
    write_migrations(
        folder, **{name: text.format(nodes=nodes) if "{" in text else text for name, text in MANY.items()}
    )
    for number in points:
        wipe(arena.driver)
        runner = arena.runners.start(folder, arena.uri)
        committing = until(lambda r=runner: r.ended.is_set() or rows(arena.driver, CLOSING), 120, 0.002)
        runner.kill()
        tally.points += 1
        place = f"late commit {number}"
        if not committing or runner.code == 0:
            tally.wrong(f"{place}: it was not caught while committing: {runner.output[-400:]}")
        code, output = arena.runners.finish(folder, arena.uri)
        found = rows(
            arena.driver, "RETURN COUNT { (:Many) }, COUNT { (:Trace) }, COUNT { (:__GraphMigrateMigration) }"
        )
        if code != 0:
            tally.stuck += 1
            tally.wrong(f"{place}: the rerun ended with {code}: {output[-600:]}")
        elif found != [[nodes, 1, 3]]:
            tally.doubles += 1
            tally.wrong(f"{place}: {found}")
        else:
            tally.by_rerun += 1
    wipe(arena.driver)
    return tally
