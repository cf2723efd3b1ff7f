"""Labels and types that nothing has yet: an index on them is built of nothing, and so cannot fail."""

from __future__ import annotations

from typing import TYPE_CHECKING

from graphmigrate.cypher.model import Kind
from graphmigrate.database.catalogue import names_in_use
from graphmigrate.database.failures import DriverFailure
from graphmigrate.schema.reader import mentioned

if TYPE_CHECKING:
    from graphmigrate.database.connection import Database
    from graphmigrate.migrations.segments import Segment
    from graphmigrate.schema.model import SchemaObject


class UnusedNames:
    """Reads once which names are in use, when it is first asked, and follows what the run itself writes."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._used: set[str] | None = None
        self._unknown = False

    def cover(self, target: SchemaObject) -> bool:
        """Whether no node has a label, or no relationship the type, that the index is on."""
        if self._used is None:
            self._used = self._read()
        return bool(target.labels) and not self._unknown and self._used.isdisjoint(target.labels)

    def _read(self) -> set[str]:
        try:
            return names_in_use(self._database)
        except DriverFailure:  # no right to ask, say: every index is then waited for
            self._unknown = True
            return set()

    def write(self, segment: Segment) -> None:
        """Follow a segment that is about to run and is no schema segment."""
        if self._used is None or self._unknown:
            return  # what it writes will be read, or is not told any more
        for statement in segment.statements:
            names = mentioned(statement.text) if segment.kind is Kind.DATA else None
            if names is None:
                self._unknown = True
                return
            self._used |= names
