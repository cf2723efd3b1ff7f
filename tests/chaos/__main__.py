"""`make chaos`: the whole campaign, shared by one process, with a server of its own, for each processor (at most four).

It prints the table, and writes docs/reliability.md once every kind was tried without a finding. Settings, by environment,
each beginning with GRAPHMIGRATE_CHAOS_: POINTS (at most so many points a kind; default: all), SECONDS (at most so long a
kind), NODES (of the long commits), KINDS (names, by commas), VERSION (of Neo4j), WORKERS (how many processes), RESULTS (a
folder where the outcome of each kind is kept: a campaign may be run kind by kind, and goes on after it was stopped), DONE
(how many points of a kind each process tried before: it goes on after these).

Its servers run for hours, so they get the JVM's second compiler, which halves the time of a point.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

import neo4j

import graphmigrate
from tests.chaos.arena import Arena, Tally, arena
from tests.chaos.kinds import KINDS, Sample
from tests.chaos.report import page, table
from tests.chaos.runners import REPOSITORY, runners
from tests.conftest import DEFAULT_VERSION, Neo4jTarget
from tests.servers import running_server

PAGE = REPOSITORY / "docs" / "reliability.md"
MOST_WORKERS = 4
WARM = 12  # runs before the one that is measured
FOR_HOURS = {
    "_JAVA_OPTIONS": "-XX:TieredStopAtLevel=4 -Xmn300m"
}  # the JVM takes this after its own arguments


def setting(name: str, default: str) -> str:
    return os.environ.get(f"GRAPHMIGRATE_CHAOS_{name}") or default


def main() -> int:
    """Share the campaign out, wait, and say what came of it."""
    workers = int(setting("WORKERS", str(min(MOST_WORKERS, os.cpu_count() or 1))))
    with ExitStack() as stack:
        results = Path(
            setting("RESULTS", "")
            or stack.enter_context(tempfile.TemporaryDirectory(prefix="graphmigrate-chaos-"))
        )
        results.mkdir(parents=True, exist_ok=True)
        started = [
            subprocess.Popen([sys.executable, "-m", "tests.chaos", str(part), str(workers), str(results)])
            for part in range(workers)
        ]
        endings = [process.wait() for process in started]
        tallies, facts = collected(results)
    print("\n" + table(tallies))
    clean = all(tally.clean for tally in tallies)
    if clean and not any(endings) and len(tallies) == len(KINDS):
        PAGE.write_text(page(tallies, facts))
        print(f"written: {PAGE.relative_to(REPOSITORY)}")
    else:
        print("docs/reliability.md is written after a whole campaign without a finding only.")
    return int(any(endings) or not clean)


def collected(results: Path) -> tuple[list[Tally], str]:
    """Add up what the processes left, in the order of KINDS; and under which circumstances it was found."""
    tallies, facts, seconds = [], "", 0.0
    for kind in KINDS:
        told = [json.loads(path.read_text()) for path in sorted(results.glob(f"{kind}.*.json"))]
        if told:
            first, *others = (Tally(**each["tally"]) for each in told)
            for other in others:
                first = first.plus(other)
            tallies.append(first)
            facts = told[0]["facts"]
            seconds += sum(each["seconds"] / each["parts"] for each in told)
    return tallies, f"{facts} It took {seconds / 60:.0f} minutes."


def work(part: int, parts: int, results: Path) -> int:
    """Try this process's share of each kind, on a server of its own."""
    os.environ.update(FOR_HOURS)
    version = setting("VERSION", DEFAULT_VERSION)
    chosen = setting("KINDS", ",".join(KINDS)).split(",")
    with (
        running_server(version) as server,
        tempfile.TemporaryDirectory(prefix="graphmigrate-chaos-") as folder,
    ):
        target = Neo4jTarget(server.bolt_uri, "neo4j", server.password or "", version)
        with runners(target.env) as warm, arena(target, Path(folder), warm) as ground:
            for _ in range(WARM):
                ground.measure()
            for name in chosen:
                started = time.monotonic()
                tally = try_out(ground, name, part, parts)
                outcome = {
                    "tally": vars(tally),
                    "seconds": time.monotonic() - started,
                    "parts": parts,
                    "facts": facts_of(ground),
                }
                (results / f"{name}.{part}.{setting('DONE', '0')}.json").write_text(json.dumps(outcome))
    return 0


def try_out(ground: Arena, name: str, part: int, parts: int) -> Tally:
    sample = Sample(
        points=int(setting("POINTS", "1000000")),
        seconds=float(setting("SECONDS", "1000000")),
        nodes=int(setting("NODES", "400000")),
        part=part,
        parts=parts,
        done=int(setting("DONE", "0")),
    )
    started = time.monotonic()
    tally = KINDS[name](ground, sample)
    print(
        f"{name} ({part + 1}/{parts}): {tally.points} points in {time.monotonic() - started:.0f} s",
        flush=True,
    )
    for note in tally.notes:
        print(f"  {note}", file=sys.stderr, flush=True)
    return tally


def facts_of(ground: Arena) -> str:
    (version,), *_ = (
        record.values()
        for record in ground.driver.execute_query(
            "CALL dbms.components() YIELD versions RETURN versions[0]"
        ).records
    )
    return (
        f"{datetime.now(UTC):%Y-%m-%d}, graphmigrate {graphmigrate.__version__}, Neo4j {version} Community, "
        f"Python {platform.python_version()}, neo4j driver {neo4j.__version__}, {os.cpu_count()} processors. "
        f"One undisturbed run of the corpus exchanges {len(ground.messages)} Bolt messages."
    )


if __name__ == "__main__":
    if len(sys.argv) > 1:
        sys.exit(work(int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3])))
    sys.exit(main())
