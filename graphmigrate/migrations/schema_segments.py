"""Schema segments: the DDL commits, its row follows; the catalogue tells whether a lost answer was a commit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from graphmigrate.cypher.model import Kind
from graphmigrate.database.backoff import retries
from graphmigrate.database.catalogue import (
    IndexFailed,
    await_indexes,
    drop_entries,
    names_in_use,
    read_catalogue,
)
from graphmigrate.database.commit import until_known
from graphmigrate.database.failures import DriverFailure
from graphmigrate.database.violations import violation
from graphmigrate.errors import MigrationFailed
from graphmigrate.migrations.run_state import failed
from graphmigrate.schema.compare import Fate, apply, fate, made_by
from graphmigrate.schema.reader import may_use, mentioned

if TYPE_CHECKING:
    from graphmigrate.cypher.model import Statement
    from graphmigrate.database.connection import Database
    from graphmigrate.errors import GraphMigrateError
    from graphmigrate.migrations.plan import Task
    from graphmigrate.migrations.run_state import RunState
    from graphmigrate.migrations.segments import Segment
    from graphmigrate.schema.catalogue import Catalogue
    from graphmigrate.schema.model import SchemaObject


class SchemaSegments:
    """Runs schema segments and keeps the catalogue as it should be after them."""

    def __init__(self, state: RunState, catalogue: Catalogue) -> None:
        self._state = state
        self._base = catalogue
        self._done: list[Segment] = []
        self._awaited: list[SchemaObject] = []
        self.unused = UnusedNames(state.database)

    def run(self, task: Task, segment: Segment) -> None:
        """Execute one segment in one transaction; its row is staged, or committed at once where it drops something."""
        if not segment.creates_only or self._makes_known_names(segment):
            self.await_indexes()
            self._state.flush()
        at = [segment.statements[0]]

        def change() -> None:
            with self._state.database.transaction() as tx:
                for at[0] in segment.statements:
                    tx.run(at[0].sent, dict(at[0].parameters)).consume()

        backoff = retries(task.migration.header.options.retry)
        try:
            until_known(self._state.database, change, lambda: self._is_done(segment), backoff=backoff)
        except DriverFailure as error:
            raise self._failed(error, segment, at[0]) from error
        self._after(task, segment)

    def await_indexes(self, reader: Segment | None = None) -> None:
        """Wait until the indexes that segments made are ONLINE; before a ``reader``, only where it could use one of them.

        Of indexes that can fail, none is left for here (``_after``). The question is planned anew after every change of the
        schema: asked before each of many data segments, it would cost as much as the data.
        """
        if self._awaited and (reader is None or self._may_use(reader)):
            database, listen = self._state.database, self._state.listen
            until_known(database, lambda: await_indexes(database, listen, self._awaited))
            self._awaited.clear()

    def _after(self, task: Task, segment: Segment) -> None:
        made = [
            action.target for action in segment.actions if action.verb == "create" and action.of == "index"
        ]
        self._awaited.extend(target for target in made if target)
        if not all(target and self.unused.cover(target) for target in made):
            self._await_built(segment)
        self._done.append(segment)
        self._state.stage(self._state.step(task, segment, segment.number))
        if not segment.creates_only:
            self.await_indexes()
            self._state.flush()

    def _await_built(self, segment: Segment) -> None:
        """Wait for the indexes of a segment whose row is not written yet; where one FAILED, leave nothing of the segment.

        What a DROP of the same segment removed cannot be put back: such a segment then counts as done, and the index stays.
        """
        try:
            self.await_indexes()
        except IndexFailed as failure:
            if segment.creates_only:
                before, there = self._expected(), read_catalogue(self._state.database)
                drop_entries(self._state.database, made_by(segment.actions, before, there))
            else:
                failure.hint = (
                    "It stays there, FAILED. Fix the data, then drop and create it by another migration."
                )
            statement = self._origin(segment, failure.target)
            failure.place = statement.place if statement else None
            raise

    def _origin(self, segment: Segment, target: SchemaObject) -> Statement | None:
        pairs = zip(segment.statements, segment.actions, strict=True)
        return next((statement for statement, action in pairs if action.target == target), None)

    def _may_use(self, reader: Segment) -> bool:
        data = reader.kind is Kind.DATA
        return not data or any(may_use(each.text, self._awaited) for each in reader.statements)

    def _makes_known_names(self, segment: Segment) -> bool:
        """Return whether the segment changes nothing: then the catalogue could not tell that it was committed."""
        expected = self._expected()
        return segment.guarded and apply(segment.actions, expected) is expected

    def _expected(self) -> Catalogue:
        for segment in self._done:
            self._base = apply(segment.actions, self._base)
        self._done.clear()
        return self._base

    def _failed(self, error: BaseException, segment: Segment, statement: Statement) -> GraphMigrateError:
        """Tell a failure; where the data do not allow a constraint, with the values that are in its way."""
        action = segment.actions[segment.statements.index(statement)]
        found = violation(self._state.database, action.target, statement.place) if action.target else None
        return MigrationFailed.of(found) if found else failed(error, statement)

    def _is_done(self, segment: Segment) -> bool:
        there = read_catalogue(self._state.database)
        return fate(segment.actions, self._expected(), there) is Fate.COMMITTED


class UnusedNames:
    """Labels and types that nothing has yet: an index on them is built of nothing, and so cannot fail.

    It reads once which names are in use, when it is first asked, and follows what the run itself writes.
    """

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
