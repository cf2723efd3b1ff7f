"""`make chaos`: the whole campaign against a server of its own; prints the table and writes docs/reliability.md.

Settings, by environment: GRAPHMIGRATE_CHAOS_POINTS (at most so many points a kind; default: all), GRAPHMIGRATE_CHAOS_SECONDS
(at most so long a kind), GRAPHMIGRATE_CHAOS_NODES (of the long commits), GRAPHMIGRATE_CHAOS_KINDS (names, by commas),
GRAPHMIGRATE_CHAOS_VERSION (of Neo4j).
"""

from __future__ import annotations

import os
import platform
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

import neo4j

import graphmigrate
from tests.chaos.arena import Arena, Tally, arena
from tests.chaos.kinds import KINDS, Sample
from tests.chaos.runners import REPOSITORY, runners
from tests.conftest import DEFAULT_VERSION, Neo4jTarget
from tests.servers import running_server

PAGE = REPOSITORY / "docs" / "reliability.md"
COLUMNS = (
    "fault",
    "points tried",
    "recovered by itself",
    "recovered by rerun",
    "double effects",
    "stuck",
    "not equal",
)


def main() -> int:
    version = os.environ.get("GRAPHMIGRATE_CHAOS_VERSION", DEFAULT_VERSION)
    names = [name for name in os.environ.get("GRAPHMIGRATE_CHAOS_KINDS", "").split(",") if name] or list(
        KINDS
    )
    started = time.monotonic()
    with (
        running_server(version) as server,
        tempfile.TemporaryDirectory(prefix="graphmigrate-chaos-") as folder,
    ):
        target = Neo4jTarget(server.bolt_uri, "neo4j", server.password or "", version)
        with runners(target.env) as warm, arena(target, Path(folder), warm) as ground:
            print(f"One undisturbed run exchanges {len(ground.messages)} Bolt messages.", flush=True)
            tallies = [run(ground, name) for name in names]
            facts = facts_of(ground, time.monotonic() - started)
    text = page(tallies, facts)
    print("\n" + table(tallies))
    if all(tally.clean for tally in tallies) and names == list(KINDS):
        PAGE.write_text(text)
        print(f"written: {PAGE.relative_to(REPOSITORY)}")
        return 0
    print("docs/reliability.md is written after a whole campaign without a finding only.")
    return int(not all(tally.clean for tally in tallies))


def run(ground: Arena, name: str) -> Tally:
    environ = os.environ.get
    sample = Sample(
        points=int(environ("GRAPHMIGRATE_CHAOS_POINTS", "1000000")),
        seconds=float(environ("GRAPHMIGRATE_CHAOS_SECONDS", "1000000")),
        nodes=int(environ("GRAPHMIGRATE_CHAOS_NODES", "400000")),
    )
    started = time.monotonic()
    tally = KINDS[name](ground, sample)
    print(f"{name}: {tally.points} points in {time.monotonic() - started:.0f} s", flush=True)
    for note in tally.notes:
        print(f"  {note}", file=sys.stderr, flush=True)
    return tally


def facts_of(ground: Arena, seconds: float) -> str:
    (version,), *_ = (
        record.values()
        for record in ground.driver.execute_query(
            "CALL dbms.components() YIELD versions RETURN versions[0]"
        ).records
    )
    return (
        f"{datetime.now(UTC):%Y-%m-%d}, graphmigrate {graphmigrate.__version__}, Neo4j {version} Community, "
        f"Python {platform.python_version()}, neo4j driver {neo4j.__version__}, {os.cpu_count()} processors, "
        f"{seconds / 60:.0f} minutes. One undisturbed run of the corpus exchanges {len(ground.messages)} Bolt messages."
    )


def table(tallies: list[Tally]) -> str:
    lines = [f"| {' | '.join(COLUMNS)} |", f"| --- |{' ---: |' * (len(COLUMNS) - 1)}"]
    for each in tallies:
        numbers = (each.points, each.by_itself, each.by_rerun, each.doubles, each.stuck, each.unequal)
        lines.append(f"| {each.fault} | {' | '.join(f'{number:,}' for number in numbers)} |")
    return "\n".join(lines) + "\n"


def page(tallies: list[Tally], facts: str) -> str:
    return f"""# Reliability: the fault campaign

Written by `make chaos`, from a run of {facts}

{table(tallies)}
What is done to it: the corpus in `tests/chaos/corpus.py` has migrations of every kind (guarded, unguarded and unnamed
DDL, drop and recreate under one name, data, mixed files, batches, statement mode, autocommit marked repeatable) over a few
thousand nodes; each data statement leaves a trace that shows how often it took effect. A proxy that reads Bolt's framing
does the harm at the k-th message in either direction. Where there are more messages than points, the points are spread
evenly over all of them.

*Recovered by itself*: the disturbed command, or the other runner of a race, reached the undisturbed end without another
command. *Recovered by rerun*: the same command, run once more, did. *Double effects*: a statement took effect twice.
*Stuck*: the rerun did not succeed. *Not equal*: graph, catalogue or ledger differ in the end from the undisturbed run's,
aside from run ids, hosts, times and durations.
"""


if __name__ == "__main__":
    sys.exit(main())
