"""One target: the driver, the database's name, and the bookmarks that chain all work of a run."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import neo4j

from graphmigrate import __version__
from graphmigrate.config import check_ca_file, check_uri

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from graphmigrate.config import Settings

WORK = "work"
LOCK = "lock"
READER = "reader"
_FAILURES = (neo4j.exceptions.DriverError, neo4j.exceptions.Neo4jError)


class Database:
    """A driver bound to one database, for one run.

    Every transaction carries metadata ``{app, ledger, run, host, user, role, since}``, so that ``SHOW TRANSACTIONS`` tells
    a person, and a later run, whose it is. Transactions have no time limit unless one is given: the server's default would
    end a long migration (Operations Manual, "Transaction management"). Bookmarks of one run chain through all its sessions.
    ``deciding`` is set for a run that holds the lock or asks for it: it then reads where it writes, because what another run
    committed may not have reached a follower yet, and each server lists its own transactions only.
    ``confirm`` raises LockLost where the run's lock is not its own any more.
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
        self.deciding = False
        self.confirm: Callable[[], None] | None = None
        self._bookmarks = neo4j.GraphDatabase.bookmark_manager()

    def close(self) -> None:
        """Close the driver, where this object made it."""
        if self._owns_driver:
            self.driver.close()

    def metadata(self, role: str, **more: Any) -> dict[str, Any]:
        """Give the metadata that a transaction of this run carries."""
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
            with made as session:
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

        The server lists it before the lock is confirmed. So whoever takes the lock at any later moment finds it and ends it
        (``lock.take_over``): there is no gap, however long this process is stopped in between.
        """
        with (
            self.session(write=True) as session,
            session.begin_transaction(
                metadata=self.metadata(role, **metadata), timeout=timeout or 0
            ) as transaction,
        ):
            if self.confirm is not None:
                self.confirm()
            yield transaction
            transaction.commit()

    def read(self, query: str, **parameters: Any) -> list[neo4j.Record]:
        """Run one reading query to its end."""
        with self.session(write=self.deciding) as session:
            return list(session.run(neo4j.Query(query, metadata=self.metadata(READER)), parameters))


def open_database(
    settings: Settings, driver: neo4j.Driver | None, *, run: str, host: str, user: str
) -> Database:
    """Bind a given driver, or make one; nothing is sent yet.

    Raises UsageError for a URI or a file of certificates that is wrong, ConnectionFailed where the driver refuses the URI.
    """
    from graphmigrate.database.failures import connection_failure

    if driver is not None:
        return Database(driver, settings, run=run, host=host, user=user)
    check_uri(settings.uri)
    check_ca_file(settings)
    auth = (settings.username or "neo4j", str(settings.password)) if settings.password else None
    try:
        made = neo4j.GraphDatabase.driver(
            _bare_uri(settings),
            auth=auth,
            connection_timeout=settings.connection_timeout,
            max_transaction_retry_time=0,
            user_agent=f"graphmigrate/{__version__}",
            **_trust(settings),
        )
    except (ValueError, *_FAILURES) as error:
        raise connection_failure(error, settings) from error
    return Database(made, settings, run=run, host=host, user=user, owns_driver=True)


def _bare_uri(settings: Settings) -> str:
    """Give the URI as the driver wants it: certificates of one's own are refused beside a scheme that asks for TLS."""
    scheme, separator, rest = settings.uri.partition("://")
    return f"{scheme.removesuffix('+s')}{separator}{rest}" if settings.ca_file else settings.uri


def _trust(settings: Settings) -> dict[str, Any]:
    if settings.ca_file is None:
        return {}
    return {"encrypted": True, "trusted_certificates": neo4j.TrustCustomCAs(str(settings.ca_file))}
