"""Run a migration in Python: its function is called in one transaction with its step, or in one for each batch."""

from __future__ import annotations

import sys
import traceback
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from graphmigrate.database import queries
from graphmigrate.database.backoff import retries
from graphmigrate.database.failures import DriverFailure, code_of, message_of
from graphmigrate.database.guard import put_back, read_ours, was_put_back
from graphmigrate.database.history import COMPLETE
from graphmigrate.database.transactions import changes_of
from graphmigrate.errors import MigrationFailed, Place
from graphmigrate.events import BatchDone, Warned
from graphmigrate.migrations.code import depends_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import neo4j

    from graphmigrate.migrations.model import Migration, MigrationFile
    from graphmigrate.migrations.plan import Task
    from graphmigrate.migrations.run_state import RunState
    from graphmigrate.migrations.segments import Segment

_PACKAGE = str(Path(__file__).parents[1])
_IDLE = 3  # batches in a row that claim work and change nothing
_ROLLED_BACK = "This transaction was rolled back; what was committed before is recorded. Fix the file or the data and run again."


class Records(list["neo4j.Record"]):
    """All records of one statement, read; ``summary`` is the driver's, with the counters of what was changed."""

    summary: neo4j.ResultSummary

    def single(self) -> neo4j.Record | None:
        """Return the only record; None where there is none. Raises ValueError where there are several."""
        if len(self) > 1:
            raise ValueError(f"the statement returned {len(self)} records, not one")
        return self[0] if self else None

    def value(self, key: int | str = 0) -> Any:
        """Return one value of the only record; None where there is none."""
        record = self.single()
        return None if record is None else record[key]

    def data(self) -> list[dict[str, Any]]:
        """Return each record as a dictionary."""
        return [record.data() for record in self]


class CodeTransaction:
    """What a migration in Python gets as ``tx``: it runs statements in the transaction of the migration."""

    def __init__(self, transaction: neo4j.Transaction, rows: int | None) -> None:
        self.rows = rows
        self.changes = 0
        self.__transaction = transaction

    def run(self, query: str, parameters: dict[str, Any] | None = None, /, **named: Any) -> Records:
        """Run a statement, read all of its records, and return them."""
        given = {**({"rows": self.rows} if self.rows else {}), **(parameters or {}), **named}
        result = self.__transaction.run(query, given)
        records = Records(result)
        records.summary = result.consume()
        self.changes += sum(changes_of(records.summary).values())
        return records


def run_code(state: RunState, task: Task, segment: Segment) -> None:
    """Call ``upgrade`` in one transaction with its step, or again and again until a batch returns 0; an undo ``downgrade``."""
    migration = task.migration
    with imported(migration) as module:
        work = _Work(state, task, segment, module["downgrade" if task.undoes else "upgrade"])
        if not segment.batched:
            work.commit()
            return
        idle = 0
        while returned := work.commit():
            state.batches += 1
            state.listen(BatchDone(migration.file.version.text, state.batches, work.changes))
            idle = 0 if work.changes else idle + 1
            if idle == _IDLE:
                what = f"returned {returned:,}, but the last {_IDLE} batches changed nothing"
                raise _without_end(task, segment, what)
            if state.batches >= migration.header.options.max_batches:
                raise _without_end(task, segment, "still changes something, but so many batches are no end")


def _without_end(task: Task, segment: Segment, what: str) -> MigrationFailed:
    return MigrationFailed(
        f"upgrade of {task.name} {what}.",
        hint="Let it return how many rows it changed, and leave out those that it changed before. What is committed stays.",
        place=segment.statements[0].place,
        code="GM505",
    )


@contextmanager
def imported(migration: Migration) -> Iterator[dict[str, Any]]:
    """Run the file's own lines and yield what it defines. What is printed goes to standard error.

    The modules beside it that it imports are those in DEPENDS; they are forgotten afterwards: a later run reads them anew.
    """
    file = migration.file
    folder = str(file.path.parent.absolute())
    module = ModuleType("migration")
    module.__file__ = file.location
    before, wrote = set(sys.modules), sys.dont_write_bytecode
    sys.path.insert(0, folder)
    sys.dont_write_bytecode = True
    try:
        with redirect_stdout(sys.stderr), _told(file):
            exec(compile(file.content, file.location, "exec"), module.__dict__)  # noqa: S102 - the user's own migration
            _refuse_unnamed(file, folder, set(sys.modules) - before)
            yield module.__dict__
    finally:
        sys.dont_write_bytecode = wrote
        sys.path.remove(folder)
        for name in set(sys.modules) - before:
            if _lies_in(sys.modules[name], folder):
                del sys.modules[name]


def _refuse_unnamed(file: MigrationFile, folder: str, names: set[str]) -> None:
    named = {str(Path(folder, each).resolve()) for each in depends_of(file.content)}
    for name in sorted(names):
        where = getattr(sys.modules[name], "__file__", None)
        if where and _lies_in(sys.modules[name], folder) and str(Path(where).resolve()) not in named:
            there = Path(where).relative_to(folder).as_posix()
            raise MigrationFailed(
                f"This migration imports {there}, which DEPENDS does not name: a change of it would not be seen.",
                hint=f'Nothing of it was run. Add it at the top level: DEPENDS = ["{there}"]',
                place=Place(file.location, 1),
                code="GM124",
            )


def _lies_in(module: Any, folder: str) -> bool:
    where = getattr(module, "__file__", None) or next(iter(getattr(module, "__path__", ())), None)
    return isinstance(where, str) and Path(where).is_relative_to(folder)


@contextmanager
def _told(file: MigrationFile) -> Iterator[None]:
    """Tell what the user's code raises with its own frames; what the driver raises passes."""
    try:
        yield
    except (*DriverFailure, MigrationFailed):
        raise
    except (Exception, SystemExit) as error:
        raise _failed(error, file) from error


def _failed(error: BaseException, file: MigrationFile) -> MigrationFailed:
    """Tell an error by the frames of the user's own code, the innermost first."""
    frames = own_frames(error)
    text = (
        message_of(error)
        if isinstance(error, DriverFailure)
        else f"{type(error).__name__}: {error}".strip(": ")
    )
    told = f"{text} [{code_of(error)}]" if isinstance(error, DriverFailure) else f"{file.name} raised {text}"
    if isinstance(error, SyntaxError) and error.filename:
        frames.insert(0, Place(error.filename, error.lineno or 1, error.offset or 1))
    called = "".join(f"\nCalled from {place.file}:{place.line}" for place in frames[1:])
    return MigrationFailed(
        told, hint=f"{_ROLLED_BACK}{called}", place=frames[0] if frames else Place(file.location, 1)
    )


def own_frames(error: BaseException) -> list[Place]:
    """Return the places of an error that are neither in this package nor in the driver, the innermost first."""
    frames = traceback.extract_tb(error.__traceback__)
    driver = str(Path(sys.modules["neo4j"].__file__ or "").parent)
    own = [
        each
        for each in frames
        if not each.filename.startswith((_PACKAGE, driver, "<frozen")) and each.lineno is not None
    ]
    return [
        Place(each.filename, each.lineno or 1, (each.colno or 0) + 1, each.line) for each in reversed(own)
    ]


class _Work:
    """One call of a function in a transaction; ``changes`` counts what its statements changed."""

    def __init__(
        self, state: RunState, task: Task, segment: Segment, function: Callable[[CodeTransaction], Any]
    ) -> None:
        self.changes = 0
        self._state = state
        self._task = task
        self._segment = segment
        self._function = function
        self._put_back = 0

    def commit(self) -> int:
        """Commit one call with its step; return the number that a batch returned, else 0."""
        state, task, segment = self._state, self._task, self._segment
        number, rows = segment.number, task.migration.code.rows if task.migration.code else None
        # until the end of the call the node says that its end is unknown: so does a transaction that the code ended itself
        values = {"batches": state.batches + 1} if segment.batched else {"intent": number}
        step = state.step(task, segment, number - 1, **values)
        self._step, self._rows = step.number, rows
        try:
            returned = int(state.commit(step, work=self, backoff=retries()))
        except DriverFailure as error:
            raise _failed(error, task.migration.file) from error
        if self._put_back:
            state.listen(Warned(was_put_back(self._put_back, (), segment.statements[0].place)))
        return returned

    def __call__(self, transaction: neo4j.Transaction) -> int:
        """Call the function, put the bookkeeping nodes back, and read the fence back before the commit."""
        ledger = self._state.database.settings.ledger
        before = read_ours(transaction, ledger)
        tx = CodeTransaction(transaction, self._rows)
        with redirect_stdout(sys.stderr), _told(self._task.migration.file):
            returned = self._checked(self._function(tx))
        self.changes = tx.changes
        if transaction.closed():
            raise self._ended()
        self._put_back = put_back(transaction, before, ledger)
        done: dict[str, Any] = {}
        if not returned:
            complete = {"state": COMPLETE} if self._segment.number >= self._task.steps else {}
            done = {"step": self._segment.number, "batches": 0, "intent": None} | complete
        fence: dict[str, Any] = {"key": self._task.key, "number": self._step, "run": self._state.database.run}
        if not list(transaction.run(queries.CLOSE_STEP, changes=done, **fence)):
            raise self._ended()
        return returned

    def _checked(self, returned: Any) -> int:
        if not self._segment.batched:
            return 0
        if type(returned) is not int or returned < 0:
            raise TypeError(f"a function with @batches returns how many rows it changed, not {returned!r}")
        return returned

    def _ended(self) -> MigrationFailed:
        return MigrationFailed(
            f"{self._task.name} ended its transaction itself, or changed its row in the history.",
            hint="Use tx.run alone. What it did up to there may be committed: look at the data and at graphmigrate status.",
            place=self._segment.statements[0].place,
            code="GM501",
        )
