"""What every benchmark shares: whole processes, interleaved, with medians, peak memory and one table.

A benchmark is a module of this package with a function ``figures(bench) -> Iterator[Figure]``; ``python -m benchmarks`` finds
it by that, and runs one with ``ON_REQUEST = True`` only by its name. What is compared runs in turn, and its ratio is told: that
survives a busy machine, and another one.
"""

from __future__ import annotations

import os
import random
import statistics
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import neo4j

PYTHON = sys.executable
REPOSITORY = Path(__file__).parent.parent
_IN_A_MEGABYTE = 1024 * 1024 if sys.platform == "darwin" else 1024


@dataclass(frozen=True)
class Command:
    """A process to time: its words, its folder and its environment."""

    words: tuple[str, ...]
    folder: Path = REPOSITORY
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Sample:
    """One run of one process: wall time from its start to its end, and its peak resident memory."""

    seconds: float
    megabytes: float


@dataclass(frozen=True)
class Figure:
    """One line of the table: ``value`` is a ratio, or a quantity in ``unit``; ``target`` is the most it may be, if any."""

    what: str
    value: float
    target: float | None = None
    unit: str = "x"
    detail: str = ""

    @property
    def verdict(self) -> str:
        """Whether the target holds; nothing is decided by it."""
        if self.target is None:
            return ""
        return "holds" if self.value <= self.target else "does not hold"


@dataclass(frozen=True)
class Bench:
    """What a benchmark is given: a real, empty server, a folder of its own, and how often to repeat."""

    uri: str
    username: str
    password: str
    folder: Path
    rounds: int | None = None

    @property
    def environment(self) -> dict[str, str]:
        """What a process needs to reach the server; an installed program has its bytecode on disk."""
        left_out = ("NEO4J_", "GRAPHMIGRATE_", "PYTHONDONTWRITEBYTECODE")
        inherited = {key: value for key, value in os.environ.items() if not key.startswith(left_out)}
        return inherited | {
            "NEO4J_URI": self.uri,
            "NEO4J_USERNAME": self.username,
            "NEO4J_PASSWORD": self.password,
        }

    def times(self, default: int) -> int:
        """Say how often to repeat, where nobody said it on the command line."""
        return self.rounds or default

    def script(self, path: Path, *arguments: str, folder: Path = REPOSITORY) -> Command:
        """Make a command of a Python file or, with ``-m``/``-c`` first in ``arguments``, of what they say."""
        return Command((PYTHON, *([str(path)] if path else []), *arguments), folder, self.environment)

    def graphmigrate(self, folder: Path, *arguments: str) -> Command:
        """Make a command of ``graphmigrate`` in a project's folder, started as its entry point is."""
        program = str(Path(PYTHON).with_name("graphmigrate"))
        return Command((program, *arguments), folder, self.environment)

    def driver(self) -> neo4j.Driver:
        """Open a driver to prepare and to look; not for what is timed."""
        from neo4j import GraphDatabase

        return GraphDatabase.driver(
            self.uri, auth=(self.username, self.password), notifications_min_severity="OFF"
        )

    def wipe(self) -> None:
        """Empty the database: data, constraints, indexes."""
        with self.driver() as driver, driver.session() as session:
            # Relationships first: those of ten thousand nodes at once may be more than a transaction may hold.
            for pattern in ("()-[x]->()", "(x)"):
                session.run(
                    f"MATCH {pattern} CALL (x) {{ DELETE x }} IN TRANSACTIONS OF 10000 ROWS"
                ).consume()
            for record in list(session.run("SHOW CONSTRAINTS YIELD name")):
                session.run(f"DROP CONSTRAINT `{record['name']}`").consume()
            for record in list(
                session.run("SHOW INDEXES YIELD name, type WHERE type <> 'LOOKUP' RETURN name")
            ):
                session.run(f"DROP INDEX `{record['name']}`").consume()
            session.run("CALL db.awaitIndexes(60)").consume()


class BenchmarkFailed(Exception):
    """A timed process ended badly: its time would say nothing."""


def run(command: Command) -> Sample:
    """Run a process to its end. Raises BenchmarkFailed, with what it printed, where its exit code is not 0."""
    started = time.perf_counter()
    process = subprocess.Popen(
        command.words,
        cwd=command.folder,
        env=dict(command.environment) or None,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout
    printed = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    process.stdout.close()
    if process.returncode:
        raise BenchmarkFailed(f"{' '.join(command.words)} ended with {process.returncode}:\n{printed}")
    return Sample(seconds, usage.ru_maxrss / _IN_A_MEGABYTE)


def interleaved(
    commands: Mapping[str, Command], rounds: int, before: Callable[[], None] | None = None
) -> dict[str, list[Sample]]:
    """Run all commands in turn, ``rounds`` times, in a new order each time, after one round that does not count."""
    samples: dict[str, list[Sample]] = {name: [] for name in commands}
    for number in range(rounds + 1):
        for name in random.sample(list(commands), len(commands)):
            if before:
                before()
            sample = run(commands[name])
            if number:
                samples[name].append(sample)
    return samples


def median(samples: Sequence[Sample]) -> float:
    """Return the median wall time, in seconds."""
    return statistics.median(each.seconds for each in samples)


def peak(samples: Sequence[Sample]) -> float:
    """Return the highest memory of any run, in megabytes."""
    return max(each.megabytes for each in samples)


def ratio(
    what: str, samples: Mapping[str, Sequence[Sample]], of: str, to: str, target: float | None
) -> Figure:
    """Compare two medians of ``samples``."""
    mine, other = median(samples[of]), median(samples[to])
    spread = statistics.quantiles([each.seconds for each in samples[of]], n=4) if len(samples[of]) > 1 else []
    around = f", quartiles {spread[0]:.2f}-{spread[2]:.2f} s" if spread else ""
    detail = f"{mine:.3f} s against {other:.3f} s ({to}); {len(samples[of])} runs each{around}"
    return Figure(what, mine / other, target, detail=detail)


def show(figures: Sequence[Figure], title: str) -> None:
    """Print the table."""
    from rich.console import Console
    from rich.table import Table

    table = Table(title=title, title_justify="left")
    for heading in ("Figure", "Measured", "Target", "", "From"):
        table.add_column(heading, justify="right" if heading in {"Measured", "Target"} else "left")
    for each in figures:
        target = "" if each.target is None else f"<= {each.target:g} {each.unit}"
        table.add_row(each.what, f"{each.value:.2f} {each.unit}", target, each.verdict, each.detail)
    console = Console()
    console.print(table) if console.is_terminal else Console(width=180).print(table)


def write_files(folder: Path, files: Mapping[str, str]) -> Path:
    """Write a project's migrations; gives the project's folder."""
    migrations = folder / "migrations"
    migrations.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (migrations / f"{name}.cypher").write_text(text)
    with suppress(FileExistsError):
        (folder / "graphmigrate.toml").touch(exist_ok=False)
    return folder
