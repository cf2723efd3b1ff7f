"""The lock: an uncommitted CREATE that the server releases by itself when its holder dies.

A second runner's CREATE of the same key waits on the server until the first transaction ends. Nothing is ever left behind.
"""

from __future__ import annotations

import queue
import threading
import time
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import neo4j

from graphmigrate.database import queries
from graphmigrate.database.backoff import Backoff
from graphmigrate.database.connection import LOCK, LOOK, WORK
from graphmigrate.database.failures import DriverFailure, connection_failure
from graphmigrate.database.first_use import prepare_ledger
from graphmigrate.database.ledger import ledger_key
from graphmigrate.database.restore import FORMAT
from graphmigrate.database.transactions import await_no_work, terminate, transactions, waiting_for_lock
from graphmigrate.errors import GraphMigrateError, LockLost, LockTimeout, MigrationFailed
from graphmigrate.events import Holder, Listener, LockAwaited

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from graphmigrate.database.connection import Database

_POLL = 0.25
_LAST_ANSWER = 5.0
_TELL_EVERY = 5.0
_SURELY = 2.0
_ROWS = 10**15  # more than any run asks for
_PAIR = 2


class Lock:
    """Held from ``acquire`` to ``release``; ``confirm`` raises LockLost where it is no longer ours.

    A thread opens the pulse anew every ``heartbeat`` seconds, with ``beat`` one higher among its parameters: it proves to the
    holder that its connection lives, and to a waiter that the holder does, without a write that a user's statement could
    block. (``tx.setMetaData`` would fail while the database has any terminated transaction: Neo4j 5.26 and 2026.05.)
    """

    def __init__(self, database: Database, listen: Listener) -> None:
        self._database = database
        self._listen = listen
        self._since = datetime.now(UTC).isoformat(timespec="seconds")
        self._mutex = threading.Lock()
        self._ended = threading.Event()
        self._questions: queue.SimpleQueue[threading.Event] = queue.SimpleQueue()
        self._key = f"{database.settings.ledger}/lock"
        self._beats = 0
        self._failure: BaseException | None = None
        self._waited_for_us = False  # a statement of this run
        self._session: neo4j.Session | None = None
        self._transaction: neo4j.Transaction | None = None
        self._pulse: neo4j.Result | None = None
        self._doing = "starting"

    def acquire(self, timeout: float) -> None:
        """Wait for the lock, for at most ``timeout`` seconds, counted here. Raises LockTimeout."""
        pauses = Backoff(first=_POLL, longest=_POLL)
        while not self._try(pauses, timeout):
            pauses.pause()
        threading.Thread(target=self._serve, daemon=True, name="graphmigrate-heartbeat").start()
        threading.Thread(target=self._watch_own, daemon=True, name="graphmigrate-own").start()
        self._database.confirm = self.confirm

    def doing(self, what: str) -> None:
        """Say what the holder is at, for those who wait; sent with the next beat."""
        self._doing = what

    def confirm(self) -> None:
        """Raise LockLost unless the lock is ours at this moment; asks the server, without planning a query anew.

        Raises MigrationFailed (GM520), once, where a statement of this run had to be ended: it waited for this lock.
        The lock's own thread asks, so that a signal to the main thread never breaks the connection that holds the lock.
        """
        answered = threading.Event()
        self._questions.put(answered)
        while not answered.wait(_POLL) and not self._ended.is_set():
            pass
        if self._failure is not None or self._ended.is_set():
            raise _lost(self._failure) from self._failure
        if self._waited_for_us:
            self._waited_for_us = False
            raise _waited()

    def release(self) -> None:
        """Let the next one in."""
        self._ended.set()
        self._database.confirm = None
        with self._mutex:
            for resource in (self._transaction, self._session):
                if resource is not None:
                    with suppress(*DriverFailure):  # a dead connection holds no lock
                        resource.close()
            self._transaction = self._session = self._pulse = None

    def _try(self, pauses: Backoff, timeout: float) -> bool:
        """Ask once, in a thread, so that waiting can be watched, told and ended."""
        done = threading.Event()
        outcome: list[BaseException | None] = []

        def create() -> None:
            try:
                self._open()
                outcome.append(None)
            except BaseException as error:  # handed to the waiting thread
                outcome.append(error)
            done.set()

        threading.Thread(target=create, daemon=True, name="graphmigrate-lock").start()
        try:
            self._watch(done, pauses, timeout)
        except BaseException:
            self._ended.set()
            self._terminate(
                lambda metadata: metadata.get("run") == self._database.run and metadata.get("role") == LOCK
            )
            done.wait(_LAST_ANSWER)  # its thread still reads that connection
            raise
        error = outcome[0]
        if pauses.waited > timeout and error is not None:
            raise _timed_out(None, timeout) from error
        if error is None:
            return True
        self._close_quietly()
        if not isinstance(error, DriverFailure):
            raise error
        code = getattr(error, "code", "") or ""
        waiting = any(
            word in code for word in ("Lock", "Deadlock", "Terminated", "ConstraintValidationFailed")
        )
        if not waiting:
            raise connection_failure(error, self._database.settings) from error
        return False

    def _open(self) -> None:
        database = self._database
        # the pulse is asked for in pairs, one round trip each: the second row is computed after the asking
        session = database.driver.session(
            database=database.settings.database, default_access_mode=neo4j.WRITE_ACCESS, fetch_size=_PAIR
        )
        self._session = session
        metadata = database.metadata(LOCK, since=self._since)
        self._transaction = session.begin_transaction(metadata=metadata, timeout=0)
        self._transaction.run(queries.TAKE_LOCK, key=self._key).consume()
        self._open_pulse(self._transaction)

    def _open_pulse(self, transaction: neo4j.Transaction) -> None:
        """Open a result whose rows are asked for one by one; its parameters are what waiters see."""
        if self._pulse is not None:
            self._pulse.consume()  # first: of several open results the server lists the parameters of any
        self._pulse = transaction.run(
            queries.PULSE, key=self._key, rows=_ROWS, beat=self._beats, doing=self._doing
        )
        _next_pair(self._pulse)

    def _close_quietly(self) -> None:
        with suppress(*DriverFailure):  # it failed already
            if self._session is not None:
                self._session.close()
        self._session = self._transaction = self._pulse = None

    def _watch(self, done: threading.Event, pauses: Backoff, timeout: float) -> None:
        told = 0.0
        seen: tuple[Any, Any] | None = None
        seen_at = time.monotonic()
        while not done.wait(_POLL):
            waited = pauses.waited
            holder = self._holder()
            beat = (holder.get("run"), holder.get("beat")) if holder else None
            if beat != seen:
                seen, seen_at = beat, time.monotonic()
            someone = holder is not None or waited >= _SURELY  # a busy server answers late, too
            if someone and (waited - told >= _TELL_EVERY or told == 0.0):
                told = max(waited, 0.001)
                self._listen(LockAwaited(_as_holder(holder) if holder else None, waited))
            if holder and time.monotonic() - seen_at > self._database.settings.stale_after:
                self._terminate(lambda metadata, run=holder["run"]: metadata.get("run") == run)
                seen_at = time.monotonic()
            if waited > timeout and not done.is_set():
                raise _timed_out(holder, timeout)

    def _holder(self) -> dict[str, Any] | None:
        try:
            rows = transactions(self._database)
        except (*DriverFailure, GraphMigrateError):
            return None  # without the right to look, waiting is all there is
        return next((each for each in _holding(rows) if each.get("run") != self._database.run), None)

    def _terminate(self, chosen: Any) -> None:
        with suppress(*DriverFailure):  # the server ends it with the connection
            terminate(self._database, chosen)

    def _watch_own(self) -> None:
        """End a statement of this run that waits for the lock's own transaction: it would wait for ever.

        Such statements are refused before anything runs; this is for one that no reading of its text can find.
        """
        while not self._ended.wait(self._database.settings.heartbeat):
            with suppress(Exception):  # looked at again at the next beat
                waiting = waiting_for_lock(self._database)
                if waiting:
                    self._waited_for_us = True
                    self._database.read(queries.TERMINATE, ids=waiting)

    def _serve(self) -> None:
        """Answer the questions of ``confirm``, and beat when it is time."""
        due = time.monotonic() + self._database.settings.heartbeat
        while not self._ended.is_set():
            try:
                question = self._questions.get(timeout=max(0.0, due - time.monotonic()))
            except queue.Empty:
                due = time.monotonic() + self._database.settings.heartbeat
                self._ask(self._beat)
            else:
                self._ask(self._pull)
                question.set()

    def _ask(self, ask: Callable[[neo4j.Transaction], None]) -> None:
        with self._mutex:
            if self._transaction is None or self._failure is not None:
                return
            try:
                ask(self._transaction)
            except Exception as error:  # whatever it is, the lock cannot be trusted any more
                self._failure = error

    def _pull(self, _transaction: neo4j.Transaction) -> None:
        if self._pulse is not None:
            _next_pair(self._pulse)

    def _beat(self, transaction: neo4j.Transaction) -> None:
        self._beats += 1
        self._open_pulse(transaction)


def _next_pair(pulse: neo4j.Result) -> None:
    """Ask for two rows; the server may have computed the first before it was asked."""
    for _ in range(_PAIR):
        next(pulse)


def _holding(rows: Iterable[neo4j.Record]) -> list[dict[str, Any]]:
    """Return the metadata of lock transactions that do not wait for it any more."""
    return [
        row["metadata"] | (row["pulse"] or {})
        for row in rows
        if row["metadata"].get("role") == LOCK and not str(row["query"] or "").startswith("CREATE")
    ]


def current_holder(database: Database) -> Holder | None:
    """Say who holds the lock now; None where nobody does."""
    found = _holding(transactions(database))
    return _as_holder(found[0]) if found else None


def _lost(error: BaseException | None) -> LockLost:
    if "Terminated" in (getattr(error, "code", None) or ""):
        what = "This run's lock was ended on the server: another run found it silent, or a person ended its transaction"
    else:
        what = "The connection that holds this run's lock was lost"
    return LockLost(
        f"{what}. The run stopped; its transaction at hand is rolled back.",
        hint="Run the same command again: it sees what was committed, and continues there.",
    )


def _waited() -> MigrationFailed:
    return MigrationFailed(
        "A statement waited for the lock that this run itself holds, and was ended: it changes a constraint of graphmigrate's "
        "own nodes, or an index of every label.",
        hint="Take it out of the file and run again; graphmigrate repair says more where it was announced. What must be "
        "dropped all the same is dropped by hand, while no graphmigrate runs.",
        code="GM520",
    )


def _as_holder(metadata: dict[str, Any]) -> Holder:
    since = metadata.get("since")
    return Holder(
        run=str(metadata.get("run")),
        host=str(metadata.get("host")),
        user=str(metadata.get("user")),
        since=datetime.fromisoformat(since) if since else None,
        doing=metadata.get("doing"),
    )


def _timed_out(holder: dict[str, Any] | None, timeout: float) -> LockTimeout:
    who = (
        f" (held by {holder.get('user')}@{holder.get('host')} since {holder.get('since')})" if holder else ""
    )
    return LockTimeout(
        f"Another run held the lock for longer than {timeout:g} s{who}.",
        hint="Run the same command again later, or wait longer with --lock-timeout. Nothing needs to be unlocked by hand.",
    )


def take_over(database: Database) -> None:
    """Own the ledger: end what other runs left open, wait until its fate is decided, then name this run in it.

    A transaction that is just committing cannot be terminated and is listed until its effects are visible. In this order,
    because one that writes the ledger's node keeps it locked; none can begin any more (``Database.transaction``).
    """
    settings = database.settings
    await_no_work(database, lambda metadata: metadata.get("run") != database.run, roles=(WORK, LOOK))
    with database.transaction() as tx:
        tx.run(
            queries.CLAIM,
            ledger=ledger_key(settings.ledger),
            format=FORMAT,
            run=database.run,
            host=database.host,
        ).consume()


@contextmanager
def held(database: Database, listen: Listener, timeout: float, *, repairing: bool = False) -> Iterator[Lock]:
    """Hold the lock and own the ledger; ``timeout`` in seconds. ``repairing``: also where the ledger's nodes are damaged."""
    try:
        prepare_ledger(database, repairing=repairing)
    except DriverFailure as error:
        raise connection_failure(error, database.settings) from error
    lock = Lock(database, listen)
    lock.acquire(timeout)
    try:
        take_over(database)
        yield lock
        lock.confirm()  # a server that closed a connection answers SUCCESS to its COMMIT, and committed nothing
    except Exception:
        lock.confirm()  # who lost it was ended by another run, or judges what that run has done since
        raise
    finally:
        lock.release()
