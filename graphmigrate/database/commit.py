"""One way to commit exactly once: a fence, the work, and after any error a look at what is there before anything is judged.

A node of ours counts its commits (``commits``). A step is one of them: number 1 makes the node by a plain CREATE, which its
unique key allows once; number n moves it on from n - 1. The fence is written first, in the transaction of the work, so both take
effect or neither does, and nobody commits one step twice::

    step = Step(key, number=row.commits + 1, values={"step": 2}, name="V7")
    changes = commit(database, [step], lambda tx: tx.run(statement).consume())

Where another run has committed the step, LockLost tells it.
"""

from __future__ import annotations

from contextlib import nullcontext
from itertools import count
from typing import TYPE_CHECKING, Any, TypeVar

from graphmigrate.database import queries
from graphmigrate.database.backoff import Backoff, retries
from graphmigrate.database.connection import WORK
from graphmigrate.database.failures import DriverFailure, worth_retrying
from graphmigrate.database.transactions import await_no_work
from graphmigrate.errors import HistoryMismatch, LockLost
from graphmigrate.value import Value

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from contextlib import AbstractContextManager

    import neo4j

    from graphmigrate.database.connection import Database

_T = TypeVar("_T")
_READ_SECONDS = 60.0
_NODES_AT_ONCE = 25


class Step(Value):
    """One commit of one node: its ``number``, counted from 1, and the properties that the node has after it.

    ``kind`` is the second label of a node that is made, ``name`` what messages call the thing.
    """

    key: str
    number: int
    values: Mapping[str, Any]
    name: str
    kind: str = "Migration"


class StepTaken(Exception):
    """A node is not where a step begins: this run or another one committed the step, or something else changed the node."""


def commit(
    database: Database,
    steps: Sequence[Step],
    work: Callable[[neo4j.Transaction], Any] = lambda _: None,
    *,
    backoff: Backoff | None = None,
    timeout: float | None = None,
    turn: Callable[[int], AbstractContextManager[Any]] = lambda _: nullcontext(),
) -> Any:
    """Do ``work`` in one transaction with its steps, so that it takes effect exactly once; return what it returns.

    ``work`` is called again for each attempt; ``turn`` is entered for each with its number, from 0 on. Raises the driver's error
    where the server refused fence or work (nothing is committed then), LockLost where another run has taken the step, and
    HistoryMismatch (GM612) where something else has changed the node.
    """
    mark = steps[0].key if steps else ""
    numbers = count()
    done: list[Any] = []

    def attempt() -> Any:
        with turn(next(numbers)), database.transaction(WORK, timeout=timeout, step=mark) as tx:
            write_steps(tx, steps, database.run)
            done[:] = [work(tx)]
        return done[0]

    def is_committed() -> bool:
        return _are_committed(database, steps)

    try:
        return until_known(database, attempt, is_committed, backoff=backoff, mark=mark) or done[0]
    except StepTaken as error:
        raise HistoryMismatch(
            f"The node {error} of graphmigrate's history is not where this run left it: something else changed or deleted it.",
            hint="graphmigrate repair shows what was changed and how to restore it.",
            code="GM612",
        ) from error


def until_known(
    database: Database,
    attempt: Callable[[], _T],
    is_done: Callable[[], bool] = lambda: False,
    *,
    backoff: Backoff | None = None,
    mark: str | None = None,
) -> _T | None:
    """Return what ``attempt`` returns, or None where an attempt that failed took effect all the same (``is_done``).

    After any error, whatever its code, the lock is confirmed; then this run's transactions (those with ``mark``, where one is
    given) have ended, and ``is_done`` reads what is there. Then an error that may pass is followed by another attempt.
    """
    backoff = backoff or retries()
    while True:
        try:
            return attempt()
        except (*DriverFailure, StepTaken) as error:
            if database.confirm is not None:
                database.confirm()
            if read_after_pending(database, is_done, mark):
                return None
            if isinstance(error, StepTaken) or not worth_retrying(error) or not backoff.pause():
                raise


def read_after_pending(database: Database, read: Callable[[], _T], mark: str | None = None) -> _T:
    """Return what ``read`` returns once this run's transactions can take no effect any more."""
    backoff = Backoff(first=0.1, longest=0.4, seconds=_READ_SECONDS)

    def mine(metadata: Mapping[str, Any]) -> bool:
        return metadata.get("run") == database.run and mark in {None, metadata.get("step")}

    while True:
        try:
            await_no_work(database, mine)
            return read()
        except DriverFailure as error:
            if not worth_retrying(error) or not backoff.pause():
                raise


def write_steps(tx: neo4j.Transaction, steps: Sequence[Step], run: str) -> None:
    """Write the fence of these steps. Raises StepTaken where a node is not where its step begins."""
    made = [step for step in steps if step.number == 1]
    for first in range(0, len(made), _NODES_AT_ONCE):
        some = made[first : first + _NODES_AT_ONCE]
        nodes = {f"node{number}": _properties(step, run) for number, step in enumerate(some)}
        tx.run(queries.create_nodes([step.kind for step in some]), nodes).consume()
    for step in steps:
        if step.number > 1:
            values = {"run": run, **step.values}
            if not list(tx.run(queries.ADVANCE, key=step.key, number=step.number, values=values)):
                raise StepTaken(step.key)


def _properties(step: Step, run: str) -> dict[str, Any]:
    return {"key": step.key, "commits": step.number, "run": run, **step.values}


def _are_committed(database: Database, steps: Sequence[Step]) -> bool:
    """Whether this run has committed the steps: all or none are. Raises LockLost where another run has."""
    numbers = {step.key: step for step in steps}
    found = database.read(queries.COMMITS, keys=list(numbers))
    there = [record for record in found if record["commits"] >= numbers[record["key"]].number]
    for record in there:
        if record["run"] != database.run:
            raise LockLost(
                f"Another run took over {numbers[record['key']].name}; this one committed nothing more.",
                hint="Run the same command again: it continues or finds nothing to do.",
            )
    return bool(steps) and len(there) == len(steps)
