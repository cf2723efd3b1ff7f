"""Loaders as one would write them by hand, to compare with: arguments are the folder, the way and the verb.

*driver*: two sessions in two threads, rows as lists, 5,000 rows a transaction, the driver's Rust extension. *loadcsv*: the
server reads the files itself. *literals*: one statement with its values written out for each node, for a sample.
"""

from __future__ import annotations

import csv
import functools
import http.server
import os
import sys
import threading
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import neo4j

from benchmarks.metadata_graph import PARTS, Part

if TYPE_CHECKING:
    from collections.abc import Iterator

BATCH = 5_000
SESSIONS = 2
SAMPLE = 1_000


def by_driver(driver: neo4j.Driver, folder: Path, part: Part, verb: str) -> None:
    """Load one file over two sessions that take turns at reading it."""
    with (folder / part.file).open(newline="") as stream:
        rows = csv.reader(stream)
        columns = next(rows)
        query = "UNWIND $rows AS row " + part.statement(
            verb, {name: f"row[{at}]" for at, name in enumerate(columns)}
        )
        mutex = threading.Lock()
        errors: list[BaseException] = []

        def load() -> None:
            try:
                with driver.session() as session:
                    while batch := take():
                        session.execute_write(lambda tx, rows: tx.run(query, rows=rows).consume(), batch)
            except BaseException as error:
                errors.append(error)

        def take() -> list[list[str]]:
            with mutex:
                return list(islice(rows, BATCH))

        threads = [threading.Thread(target=load) for _ in range(SESSIONS)]
        for each in threads:
            each.start()
        for each in threads:
            each.join()
        if errors:
            raise errors[0]


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Serves the files without a word."""

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
        """Say nothing."""


def by_load_csv(driver: neo4j.Driver, folder: Path, verb: str) -> None:
    """Let the server read every file over HTTP, which needs no access to its import folder."""
    with http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), functools.partial(Quiet, directory=folder)
    ) as files:
        threading.Thread(target=files.serve_forever, daemon=True).start()
        for part in PARTS:
            url = f"http://127.0.0.1:{files.server_address[1]}/{part.file}"
            body = part.statement(verb, {name: f"row.{name}" for name in part.columns})
            query = f"LOAD CSV WITH HEADERS FROM $url AS row CALL (row) {{ {body} }} IN TRANSACTIONS OF {BATCH} ROWS"
            with driver.session() as session:
                session.run(query, url=url).consume()
        files.shutdown()


def by_literals(driver: neo4j.Driver, folder: Path, verb: str) -> None:
    """Run one statement a node, for the first nodes of the largest file."""
    part = next(each for each in PARTS if each.file == "metrics.csv")
    with driver.session() as session:
        for values in islice(rows_of(folder / part.file), SAMPLE):
            literals = {name: "'" + value.replace("'", "\\'") + "'" for name, value in values.items()}
            session.run(part.statement(verb, literals)).consume()


def rows_of(path: Path) -> Iterator[dict[str, str]]:
    """Yield the rows of a file."""
    with path.open(newline="") as stream:
        yield from csv.DictReader(stream)


def main() -> None:
    """Load it all the way that was asked for."""
    folder, way, verb = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
    auth = (os.environ["NEO4J_USERNAME"], os.environ["NEO4J_PASSWORD"])
    with neo4j.GraphDatabase.driver(
        os.environ["NEO4J_URI"], auth=auth, notifications_min_severity="OFF"
    ) as driver:
        if way == "driver":
            for part in PARTS:
                by_driver(driver, folder, part, verb)
        elif way == "loadcsv":
            by_load_csv(driver, folder, verb)
        else:
            by_literals(driver, folder, verb)


if __name__ == "__main__":
    main()
