"""The constraints and indexes of the database, read; and the wait until new indexes are ONLINE."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from graphmigrate.database import queries
from graphmigrate.database.failures import DriverFailure
from graphmigrate.errors import MigrationFailed
from graphmigrate.events import IndexesAwaited, Listener
from graphmigrate.schema.catalogue import Catalogue
from graphmigrate.schema.render import identifier

if TYPE_CHECKING:
    from collections.abc import Iterable

    from graphmigrate.database.connection import Database

_FIRST_WAIT = 2
_POLL = 0.5


def read_catalogue(database: Database) -> Catalogue:
    """Read every constraint and index, the ledger's own among them."""
    constraints = [record.data() for record in database.read(queries.CONSTRAINTS)]
    return Catalogue.from_rows(constraints, [record.data() for record in database.read(queries.INDEXES)])


def drop_indexes(database: Database, names: Iterable[str]) -> None:
    """Drop indexes, each in a transaction of its own."""
    for name in dict.fromkeys(names):
        with database.session(write=True) as session:
            session.run(f"DROP INDEX {identifier(name)} IF EXISTS").consume()


def await_indexes(database: Database, listen: Listener) -> None:
    """Wait until no index populates. Raises MigrationFailed for a FAILED index, or after ``index_timeout`` seconds.

    ``db.awaitIndexes`` answers at once where all are ONLINE (Operations Manual, "Procedures"); only where it does not, the
    percentages are read.
    """
    try:
        database.read(queries.AWAIT_INDEXES, seconds=_FIRST_WAIT)
    except DriverFailure:
        _await_visibly(database, listen)


def _await_visibly(database: Database, listen: Listener) -> None:
    deadline = time.monotonic() + database.settings.index_timeout
    while True:
        catalogue = read_catalogue(database)
        failed = [each for each in catalogue.indexes.values() if each.state == "FAILED"]
        if failed:
            raise MigrationFailed(
                f"The index {failed[0].name} could not be built: {(failed[0].failure or '').strip().splitlines()[-1:]}",
                hint="Mend the data or the index's definition; it was removed again where this run made it.",
                code="GM506",
            )
        waiting = {
            each.name: each.population or 0.0 for each in catalogue.indexes.values() if each.state != "ONLINE"
        }
        if not waiting:
            return
        if time.monotonic() > deadline:
            names = ", ".join(f"{name} ({share:.0f} %)" for name, share in waiting.items())
            raise MigrationFailed(
                f"Not ONLINE after {database.settings.index_timeout:g} s: {names}.",
                hint="They go on populating on the server. Raise index_timeout, or run the same command again later.",
                code="GM507",
            )
        listen(IndexesAwaited(waiting))
        time.sleep(_POLL)
