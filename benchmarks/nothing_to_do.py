"""``migrate`` with nothing to do, and ``status``, against a process that imports the driver, connects and runs one query."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.measure import REPOSITORY, Bench, Figure, interleaved, ratio, run, write_files

if TYPE_CHECKING:
    from collections.abc import Iterator

FEW, MANY = 300, 10_000
TARGET, TARGET_OF_MANY = 1.25, 3.0


def figures(bench: Bench) -> Iterator[Figure]:
    """Time both with 300 and with 10,000 applied migrations."""
    for count, target, rounds in ((FEW, TARGET, 20), (MANY, TARGET * TARGET_OF_MANY, 10)):
        folder = bench.folder / f"applied-{count}"
        write_files(folder, {f"V{n}__node": f"CREATE (:Node {{id: {n}}});" for n in range(1, count + 1)})
        bench.wipe()
        # what is there already makes rows like any other, and ten thousand of them at once
        run(bench.graphmigrate(folder, *(["migrate"] if count == FEW else ["baseline", str(count)])))
        commands = {
            "migrate": bench.graphmigrate(folder, "migrate"),
            "status": bench.graphmigrate(folder, "status"),
            "one query": bench.script(REPOSITORY / "benchmarks" / "baseline_query.py"),
        }
        samples = interleaved(commands, bench.times(rounds))
        for command in ("migrate", "status"):
            yield ratio(f"{command}, {count:,} applied, nothing to do", samples, command, "one query", target)
    bench.wipe()
