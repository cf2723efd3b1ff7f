"""300 one-statement migrations, a third of each kind, against the bare driver running the same statements."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.measure import REPOSITORY, Bench, Figure, interleaved, ratio, write_files

if TYPE_CHECKING:
    from collections.abc import Iterator

COUNT = 300
TARGET = 1.35


def statements(count: int, *, guarded: bool) -> Iterator[tuple[str, str]]:
    """Constraint, index, data, and so on; every one of a shape of its own, as migrations are."""
    guard = " IF NOT EXISTS" if guarded else ""
    for number in range(1, count + 1):
        kind = ("constraint", "index", "data")[number % 3]
        text = {
            "constraint": f"CREATE CONSTRAINT c{number}{guard} FOR (n:L{number}) REQUIRE n.id IS UNIQUE;",
            "index": f"CREATE INDEX i{number}{guard} FOR (n:L{number}) ON (n.name);",
            "data": f"CREATE (:L{number - 1} {{id: {number}, name: 'n{number}', at: datetime()}});",
        }[kind]
        yield f"V{number}__{kind}", text


def figures(bench: Bench) -> Iterator[Figure]:
    """Time both forms of DDL."""
    for name, guarded in (("guarded", True), ("unguarded", False)):
        folder = write_files(bench.folder / name, dict(statements(COUNT, guarded=guarded)))
        commands = {
            "graphmigrate": bench.graphmigrate(folder, "migrate", "--quiet"),
            "the bare driver": bench.script(
                REPOSITORY / "benchmarks" / "baseline_apply.py", str(folder / "migrations")
            ),
        }
        samples = interleaved(commands, bench.times(5), before=bench.wipe)
        what = f"migrate, {COUNT} migrations, {name} DDL"
        yield ratio(what, samples, "graphmigrate", "the bare driver", TARGET)
    bench.wipe()
