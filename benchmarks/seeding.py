"""Seeds against hand-written loaders, on the same files, in turn; and the client's memory, however many rows pass."""

from __future__ import annotations

import statistics
import time
from typing import TYPE_CHECKING

from benchmarks.baseline_seeding import SAMPLE
from benchmarks.measure import (
    PYTHON,
    REPOSITORY,
    Bench,
    BenchmarkFailed,
    Command,
    Figure,
    Sample,
    interleaved,
    median,
    run,
    write_files,
)
from benchmarks.metadata_graph import CONSTRAINTS, NODES, RELATIONSHIPS, seed_text, write_data

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# Of the rows a second that the others have: at least so much, so the time is at most one divided by it.
OF_DRIVER, OF_LOAD_CSV, OF_LITERALS = 0.95, 1.2, 40.0
TARGET_MEGABYTES = 150.0
MANY_ROWS = 6_000_000
SCALE = 1000
TARGET_MILLISECONDS = 50.0


def figures(bench: Bench) -> Iterator[Figure]:
    """Compare whole processes; each starts on an empty database that was migrated to its constraints."""
    data = bench.folder / "data"
    write_data(data)
    for verb in ("MERGE", "CREATE"):
        yield from _compare(bench, data, verb)
    yield from _memory(bench)
    yield from _queries(bench)
    bench.wipe()


def project(bench: Bench, verb: str, data: Path) -> Path:
    """Make a project with one seed, and a migration for the constraints that every loader finds."""
    constraints = "".join(f"{statement};\n" for statement in CONSTRAINTS)
    folder = write_files(bench.folder / verb.lower(), {"V1__constraints": constraints})
    seeds = folder / "seeds"
    seeds.mkdir(exist_ok=True)
    (seeds / "graph.cypher.j2").write_text(seed_text(verb, "data/"))
    target = seeds / "data"
    target.mkdir(exist_ok=True)
    for file in data.iterdir():
        if not (target / file.name).exists():
            (target / file.name).hardlink_to(file)
    return folder


def baseline(bench: Bench, data: Path, way: str, verb: str) -> Command:
    """Make the command of a hand-written loader."""
    words = (PYTHON, "-m", "benchmarks.baseline_seeding", str(data), way, verb)
    return Command(words, environment=bench.environment)


def prepare(bench: Bench, folder: Path) -> None:
    """Empty the database, and migrate it."""
    bench.wipe()
    run(bench.graphmigrate(folder, "--quiet", "migrate"))


def _compare(bench: Bench, data: Path, verb: str) -> Iterator[Figure]:
    folder = project(bench, verb, data)
    commands = {
        "graphmigrate": bench.graphmigrate(folder, "--quiet", "seed"),
        "driver": baseline(bench, data, "driver", verb),
        "loadcsv": baseline(bench, data, "loadcsv", verb),
        "literals": baseline(bench, data, "literals", verb),
    }
    samples = interleaved(commands, bench.times(3), lambda: prepare(bench, folder))
    _check(bench, folder, commands["graphmigrate"])
    rows = NODES + RELATIONSHIPS
    rates = {name: rows / median(each) for name, each in samples.items()}
    rates["literals"] = SAMPLE / median(samples["literals"])
    for other, least in (("driver", OF_DRIVER), ("loadcsv", OF_LOAD_CSV), ("literals", OF_LITERALS)):
        yield Figure(
            f"{verb}: time for a row, of that of {other}",
            rates[other] / rates["graphmigrate"],
            1 / least,
            detail=f"{rates['graphmigrate'] / rates[other]:.2f} times its rows a second "
            f"({rates['graphmigrate']:,.0f} against {rates[other]:,.0f}); wanted {least:g}{_around(samples, other)}",
        )
    peak = max(each.megabytes for each in samples["graphmigrate"])
    yield Figure(f"{verb}: peak memory, {rows:,} rows", peak, TARGET_MEGABYTES, "MB")


def _around(samples: dict[str, list[Sample]], other: str) -> str:
    """Return the median of the rounds' own ratios, which a drift of the machine's speed disturbs less."""
    if other == "literals":
        return ""
    pairs = zip(samples["graphmigrate"], samples[other], strict=True)
    return (
        f"; round by round {statistics.median(theirs.seconds / ours.seconds for ours, theirs in pairs):.2f}"
    )


def _check(bench: Bench, folder: Path, command: Command) -> None:
    """See once that the whole graph is there."""
    prepare(bench, folder)
    run(command)
    with bench.driver() as driver:
        query = (
            "MATCH (n:Project|Dataset|Model|Experiment|Metric) WITH count(n) AS nodes"
            " RETURN nodes, COUNT { ()-[:HAS|RUN|TRAINED_ON]->() } AS relationships"
        )
        found = driver.execute_query(query).records[0].data()
    if found != {"nodes": NODES, "relationships": RELATIONSHIPS}:
        raise BenchmarkFailed(f"not the whole graph: {found}")


def _memory(bench: Bench) -> Iterator[Figure]:
    """Load ten times as many rows, over nodes that are there: what counts is that they pass through the client."""
    data = bench.folder / "many"
    write_data(data, MANY_ROWS // (NODES + RELATIONSHIPS))
    folder = project(bench, "MERGE", bench.folder / "data")
    prepare(bench, folder)
    run(bench.graphmigrate(folder, "--quiet", "seed"))
    for file in data.iterdir():
        target = folder / "seeds" / "data" / file.name
        target.unlink()
        target.hardlink_to(file)
    sample = run(bench.graphmigrate(folder, "--quiet", "seed"))
    detail = f"{sample.seconds:.0f} s"
    yield Figure(f"peak memory, {MANY_ROWS:,} rows", sample.megabytes, TARGET_MEGABYTES, "MB", detail)


def _queries(bench: Bench) -> Iterator[Figure]:
    """Ask the queries of docs/queries.md that an index answers, on the shipped graph a thousand times as large."""
    from tests.integration.test_queries import QUERIES

    bench.wipe()
    run(bench.graphmigrate(REPOSITORY, "--quiet", "migrate"))
    loaded = run(bench.graphmigrate(REPOSITORY, "--quiet", "seed", "--set", f"scale={SCALE}"))
    yield Figure(f"the sample graph with scale={SCALE}", loaded.seconds, unit="s")
    with bench.driver() as driver, driver.session() as session:
        session.run("CALL db.prepareForReplanning()").consume()
        for query in QUERIES:
            if query.index == "none":
                continue
            times = []
            for _ in range(25):
                begun = time.perf_counter()
                session.run(query.text).consume()
                times.append(1000 * (time.perf_counter() - begun))
            yield Figure(query.title, statistics.median(times[5:]), TARGET_MILLISECONDS, "ms", query.index)
