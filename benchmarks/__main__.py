"""Run the benchmarks named on the command line, or all, against a real server that is started and stopped here."""

from __future__ import annotations

import argparse
import importlib
import pkgutil
import platform
import tempfile
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import benchmarks
from benchmarks.measure import Bench, Figure, show
from graphmigrate import __version__
from tests.servers import running_server

if TYPE_CHECKING:
    from types import ModuleType


def found() -> dict[str, ModuleType]:
    """Return every module of this package that has figures."""
    names = [each.name for each in pkgutil.iter_modules(benchmarks.__path__)]
    names = [name for name in names if not name.startswith(("_", "baseline_"))]
    modules = {name: importlib.import_module(f"benchmarks.{name}") for name in names}
    return {name: module for name, module in modules.items() if hasattr(module, "figures")}


def main() -> None:
    """Measure and print."""
    modules = found()
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"which: {', '.join(modules)}")
    parser.add_argument(
        "--rounds", type=int, help="how often to repeat, in place of each benchmark's own number"
    )
    parser.add_argument("--neo4j-version", default="5.26")
    options = parser.parse_args()
    if unknown := set(options.names) - modules.keys():
        parser.error(f"no benchmark is called {', '.join(sorted(unknown))}; there are: {', '.join(modules)}")
    usual = [name for name, module in modules.items() if not getattr(module, "ON_REQUEST", False)]
    figures: list[Figure] = []
    with (
        tempfile.TemporaryDirectory(prefix="graphmigrate-bench-") as name,
        running_server(options.neo4j_version) as there,
    ):
        for chosen in options.names or usual:
            folder = Path(name) / chosen
            folder.mkdir()
            bench = Bench(
                there.bolt_uri, there.username or "neo4j", there.password or "", folder, options.rounds
            )
            print(f"{chosen} …", flush=True)
            try:
                figures.extend(modules[chosen].figures(bench))  # what it gave before it failed counts
            except Exception as error:  # the others are measured all the same
                print(f"{chosen}: {error}")
    versions = f"graphmigrate {__version__}, Neo4j {there.version}, Python {platform.python_version()}"
    show(figures, f"{date.today()}: {versions}")


if __name__ == "__main__":
    main()
