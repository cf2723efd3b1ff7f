"""The same 300 migrations with other tools for Neo4j that PyPI has, each in a virtualenv of its own under a temporary folder.

Run it by name (``make bench BENCH=peers``): it downloads. A tool that cannot be had is named and left out. What the tools
promise differs: see the page "Performance".
"""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from benchmarks.applying import statements
from benchmarks.measure import (
    PYTHON,
    REPOSITORY,
    Bench,
    Command,
    Figure,
    interleaved,
    ratio,
    run,
    write_files,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ON_REQUEST = True
COUNT = 300


@dataclass(frozen=True)
class Peer:
    """A tool: what to install, and the words that apply a folder's migrations."""

    name: str
    version: str
    words: tuple[str, ...]

    def install(self, folder: Path) -> Path | None:
        """Install it and give its Python; None, with the reason printed, where that fails."""
        python = folder / self.name / "bin" / "python"
        try:
            for words in (
                (PYTHON, "-m", "venv", str(folder / self.name)),
                (str(python), "-m", "pip", "install", "-q", f"{self.name}=={self.version}"),
            ):
                subprocess.run(words, check=True, capture_output=True, text=True)
        except subprocess.CalledProcessError as error:
            print(f"{self.name} is left out, it cannot be installed: {error.stderr.strip()[-300:]}")
            return None
        return python

    def command(self, python: Path, project: Path, bench: Bench) -> Command:
        """Make the command that applies what is pending."""
        address = urlsplit(bench.uri)
        known = {
            "host": address.hostname,
            "port": address.port,
            "username": bench.username,
            "password": bench.password,
            "path": project / "migrations",
        }
        words = (each.format(**known) for each in self.words)
        return Command((str(python), *words), project, bench.environment)


PEERS = (
    Peer(
        "neo4j-python-migrations",
        "0.1.5",
        (
            *("-m", "neo4j_python_migrations", "--scheme", "bolt", "--host", "{host}", "--port", "{port}"),
            *("--username", "{username}", "--password", "{password}", "--path", "{path}", "migrate"),
        ),
    ),
)


def figures(bench: Bench) -> Iterator[Figure]:
    """Time applying 300 migrations, and finding that nothing is to be done."""
    project = write_files(bench.folder / "project", dict(statements(COUNT, guarded=True)))
    commands = {"graphmigrate": bench.graphmigrate(project, "migrate", "--quiet")}
    for peer in PEERS:
        python = peer.install(bench.folder)
        if python:
            commands[f"{peer.name} {peer.version}"] = peer.command(python, project, bench)
    bare = bench.script(REPOSITORY / "benchmarks" / "baseline_apply.py", str(project / "migrations"))
    samples = interleaved({"the bare driver": bare, **commands}, bench.times(3), before=bench.wipe)
    for name in commands:
        yield ratio(f"{name}: {COUNT} migrations", samples, name, "the bare driver", None)
    query = bench.script(REPOSITORY / "benchmarks" / "baseline_query.py")
    for name, command in commands.items():
        bench.wipe()
        run(command)
        samples = interleaved({name: command, "one query": query}, bench.times(5))
        yield ratio(f"{name}: nothing to do", samples, name, "one query", None)
    bench.wipe()
