"""One target: the driver, the database's name, and the bookmarks that chain all work of a run."""

from __future__ import annotations

from contextlib import contextmanager, suppress
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import neo4j

from graphmigrate.database.failures import connection_failure, query_failure
from graphmigrate.settings import check_ca_file, check_uri

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from graphmigrate.settings import Settings

WORK = "work"
LOCK = "lock"
LOOK = "look"
PREPARE = "prepare"
READER = "reader"
_FAILURES = (neo4j.exceptions.DriverError, neo4j.exceptions.Neo4jError)


class _Interruptible:
    """Lets a Ctrl-C through that the driver would hide.

    Where it comes while the driver reads, the driver's tidying up fails on that connection with an error of its own, which
    would pass for the statement's. The server rolls back all the same, since nobody commits.
    """

    def __init__(self) -> None:
        self._interruption: KeyboardInterrupt | None = None

    def __enter__(self) -> _Interruptible:
        return self

    @contextmanager
    def inside(self) -> Iterator[None]:
        """Remember an interruption of what happens within the driver's own blocks."""
        try:
            yield
        except KeyboardInterrupt as interruption:
            self._interruption = interruption
            raise

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        interruption = self._interruption or _interruption_behind(error)
        if interruption is not None and error is not interruption:
            raise interruption from None


def _interruption_behind(error: BaseException | None) -> BaseException | None:
    """Return the interruption that left the driver's buffers or sockets so that its tidying up fails with one of these."""
    if not isinstance(error, (BufferError, OSError)):
        return None
    while error is not None and not isinstance(error, KeyboardInterrupt):
        error = error.__context__
    return error


class Database:
    """A driver bound to one database, for one run.

    Every transaction carries metadata ``{app, ledger, run, host, user, role, since}``, so that ``SHOW TRANSACTIONS`` tells
    a person, and a later run, whose it is. Transactions have no time limit unless one is given: the server's default would
    end a long migration (Operations Manual, "Transaction management"). Bookmarks of one run chain through all its sessions.
    ``deciding`` is set for a run that holds the lock or asks for it: it then reads where it writes, because what another run
    committed may not have reached a follower yet, and each server lists its own transactions only.
    ``languages`` are the versions of Cypher that the server has, ``language`` is the default of this database.
    ``confirm`` raises LockLost where the run's lock is not its own any more; it is None while no lock is held.
    """

    def __init__(
        self,
        driver: neo4j.Driver,
        settings: Settings,
        *,
        run: str,
        host: str,
        user: str,
        owns_driver: bool = False,
    ) -> None:
        self.driver = driver
        self.settings = settings
        self.run = run
        self.host = host
        self.user = user
        self._owns_driver = owns_driver
        self._spoilt: list[neo4j.Driver] = []
        self.deciding = False
        self.confirm: Callable[[], None] | None = None
        self._name: str | None = None
        self.languages = frozenset({"5"})
        self.language = "5"
        self._bookmarks = neo4j.GraphDatabase.bookmark_manager()

    @property
    def name(self) -> str:
        """Return what the server calls the database; ``Workspace.target`` asks it and sets this."""
        if self._name is None:
            raise RuntimeError("Nobody has asked the server what it calls this database.")
        return self._name

    @name.setter
    def name(self, told: str) -> None:
        self._name = told

    def close(self) -> None:
        """Close the driver, where this object made it."""
        if self._owns_driver:
            for driver in (self.driver, *self._spoilt):
                with suppress(
                    Exception
                ):  # an interruption may have left a connection that cannot say goodbye
                    driver.close()

    def renew(self) -> None:
        """Work on with new connections, after an interruption that may have spoilt any of the old ones."""
        if self._owns_driver:
            self._spoilt.append(self.driver)
            self.driver = make_driver(self.settings)

    def metadata(self, role: str, **more: Any) -> dict[str, Any]:
        """Return the metadata that a transaction of this run carries."""
        return {
            "app": "graphmigrate",
            "ledger": self.settings.ledger,
            "run": self.run,
            "host": self.host,
            "user": self.user,
            "role": role,
            **more,
        }

    @contextmanager
    def session(self, *, write: bool, fetch_size: int = 1000) -> Iterator[neo4j.Session]:
        """Open a session on the target database; ``write=False`` routes to readers and refuses writes."""
        made = self.driver.session(
            database=self.settings.database,
            default_access_mode=neo4j.WRITE_ACCESS if write else neo4j.READ_ACCESS,
            bookmark_manager=self._bookmarks,
            fetch_size=fetch_size,
            notifications_min_severity=neo4j.NotificationMinimumSeverity.OFF,
        )
        try:
            with _Interruptible() as block, made as session, block.inside():
                yield session
        except ValueError as error:
            if not str(error).startswith("Cannot resolve address"):
                raise
            # the driver before 6.0; what later ones raise is understood everywhere
            raise neo4j.exceptions.ServiceUnavailable(f"Failed to DNS resolve: {error}") from error

    @contextmanager
    def transaction(
        self, role: str = WORK, *, timeout: float | None = None, **metadata: Any
    ) -> Iterator[neo4j.Transaction]:
        """Open a write transaction that commits where the block ends well and rolls back where it does not.

        The server lists it before the lock is confirmed. So a run that takes the lock at any later moment finds it and ends it
        (``lock.take_over``): there is no gap, however long this process is stopped in between.
        """
        with (
            self.session(write=True) as session,
            _Interruptible() as block,
            session.begin_transaction(
                metadata=self.metadata(role, **metadata), timeout=timeout or 0
            ) as transaction,
            block.inside(),
        ):
            if self.confirm is not None:
                self.confirm()
            yield transaction
            transaction.commit()

    @contextmanager
    def deciding_as(self, run: str) -> Iterator[None]:
        """Be a run of this id, which asks for the lock: one object may do so several times, and each is told apart."""
        self.run, self.deciding = run, True
        try:
            yield
        finally:
            self.deciding = False

    @property
    def role_of_reading(self) -> str:
        """Return the role of a reading transaction: the next holder of the lock ends it (``lock.take_over``)."""
        return READER if self.confirm is None else LOOK

    @contextmanager
    def asking(
        self, query: str, *, time_limit: float | None = None, **parameters: Any
    ) -> Iterator[neo4j.Result]:
        """Send a reading query; the server works on it while the block does, until it takes the records.

        ``time_limit`` in seconds, 0 for none; the server's own where it is None.
        """
        metadata = self.metadata(self.role_of_reading)
        with self.session(write=self.deciding) as session:
            yield session.run(neo4j.Query(query, metadata=metadata, timeout=time_limit), parameters)

    def query(self, cypher: str) -> tuple[list[str], list[list[Any]]]:
        """Return the columns and rows of a person's reading query; raises UsageError (GM173) where the server refuses it."""
        try:
            with self.session(write=False) as session:
                result = session.run(cypher)
                return list(result.keys()), [list(record.values()) for record in result]
        except _FAILURES as error:
            raise query_failure(error, self.settings) from error

    def read(self, query: str, *, time_limit: float | None = None, **parameters: Any) -> list[neo4j.Record]:
        """Run one reading query to its end; ``time_limit`` as for ``asking``."""
        with self.asking(query, time_limit=time_limit, **parameters) as result:
            return list(result)


def open_database(
    settings: Settings, driver: neo4j.Driver | None, *, run: str, host: str, user: str
) -> Database:
    """Bind a given driver, or make one; nothing is sent yet.

    Raises UsageError for a URI or a file of certificates that is wrong, ConnectionFailed where the driver refuses the URI.
    """
    if driver is not None:
        return Database(driver, settings, run=run, host=host, user=user)
    check_uri(settings.uri)
    check_ca_file(settings)
    try:
        made = make_driver(settings)
    except (ValueError, *_FAILURES) as error:
        raise connection_failure(error, settings) from error
    return Database(made, settings, run=run, host=host, user=user, owns_driver=True)


def make_driver(settings: Settings) -> neo4j.Driver:
    """Make the driver that the settings ask for; raises what the driver raises."""
    auth = (settings.username or "neo4j", str(settings.password)) if settings.password else None
    options: dict[str, Any] = {
        "auth": auth,
        "connection_timeout": settings.connection_timeout,
        "max_transaction_retry_time": 0,
        "user_agent": f"graphmigrate/{version('graphmigrate')}",
        **_trust(settings),
        **settings.driver_options,
    }
    return neo4j.GraphDatabase.driver(_bare_uri(settings), **options)


def _bare_uri(settings: Settings) -> str:
    """Return the URI as the driver wants it: certificates of one's own are refused beside a scheme that asks for TLS."""
    scheme, separator, rest = settings.uri.partition("://")
    return f"{scheme.removesuffix('+s')}{separator}{rest}" if settings.ca_file else settings.uri


def _trust(settings: Settings) -> dict[str, Any]:
    if settings.ca_file is None:
        return {}
    return {"encrypted": True, "trusted_certificates": neo4j.TrustCustomCAs(str(settings.ca_file))}
