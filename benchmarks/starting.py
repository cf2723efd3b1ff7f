"""``--help`` against the least that a click program costs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.measure import PYTHON, Bench, Command, Figure, interleaved, ratio

if TYPE_CHECKING:
    from collections.abc import Iterator

TARGET = 2.0


def figures(bench: Bench) -> Iterator[Figure]:
    """Time both."""
    commands = {
        "--help": bench.graphmigrate(bench.folder, "--help"),
        "import click": Command((PYTHON, "-c", "import click"), bench.folder, bench.environment),
    }
    yield ratio("--help", interleaved(commands, bench.times(20)), "--help", "import click", TARGET)
