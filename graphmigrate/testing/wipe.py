"""What is done to a test database as a whole: claim it, empty it, see whether anything was committed to it."""

from __future__ import annotations

import getpass
import socket
import uuid
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

import neo4j

from graphmigrate.cypher.identifiers import quote
from graphmigrate.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

MARKER: Final = "__GraphMigrateTest"
_EMPTY: Final = f"MATCH (n) WHERE NOT n:{MARKER} CALL (n) {{ DETACH DELETE n }} IN TRANSACTIONS OF 10000 ROWS"
_CONSTRAINTS: Final = "SHOW CONSTRAINTS YIELD name"
_INDEXES: Final = "SHOW INDEXES YIELD name, type WHERE type <> 'LOOKUP' RETURN name"
_TRANSACTIONS: Final = "SHOW TRANSACTIONS YIELD transactionId AS id, database, activeLockCount AS locks"
_CLAIM: Final = f"CREATE (:{MARKER} {{session: $session, host: $host, user: $user, since: datetime()}})"
_CLAIMS: Final = f"MATCH (n:{MARKER}) RETURN n.session AS session, n.host AS host, n.user AS user, toString(n.since) AS since"


class NotOurs(UsageError):
    """The database is not one that tests may use."""

    code = "GM740"


def bookmark(driver: neo4j.Driver) -> frozenset[str]:
    """Name the last transaction that was committed to the home database."""
    with driver.session(default_access_mode=neo4j.WRITE_ACCESS) as session:
        session.run("RETURN 1").consume()
        return session.last_bookmarks().raw_values


def bookmark_without_locks(driver: neo4j.Driver) -> frozenset[str]:
    """Name the last committed transaction, like ``bookmark``, and end those that hold locks: a later test might wait for ever."""
    with driver.session(default_access_mode=neo4j.WRITE_ACCESS) as session:
        end_other_transactions(session, locks=1)
        return session.last_bookmarks().raw_values


def end_other_transactions(session: neo4j.Session, *, locks: int = 0) -> None:
    """End what sessions that a test left open still hold: a dropped index would wait for them for ever.

    ``locks``: only transactions that hold so many, which spares this one, and a second question where there are none.
    """
    shown = session.run(_TRANSACTIONS)
    found = shown.values()
    home = shown.consume().database
    ids = [id_ for id_, database, held in found if database == home and held >= locks]
    if ids:
        session.run("TERMINATE TRANSACTIONS $ids", ids=ids).consume()


def wipe(driver: neo4j.Driver, *, others: bool = False) -> None:
    """Delete all data, constraints and indexes, but for the claim on the database; ``others``: end transactions before."""
    with driver.session() as session:
        if others:
            end_other_transactions(session)
        session.run(_EMPTY).consume()
        for kind, query in (("CONSTRAINT", _CONSTRAINTS), ("INDEX", _INDEXES)):
            for name in [record["name"] for record in session.run(query)]:
                session.run(f"DROP {kind} {quote(name)}").consume()


@contextmanager
def claimed(driver: neo4j.Driver, uri: str, *, wipe_claimed: bool = False) -> Iterator[None]:
    """Keep an empty database for these tests; it is empty again afterwards.

    A node in it says whose it is. ``wipe_claimed`` empties one that tests which were killed left claimed. Raises NotOurs
    (GM740, GM741) where the database holds anything; nothing was changed then.
    """
    own = uuid.uuid4().hex
    with driver.session() as session:
        claims = [record.data() for record in session.run(_CLAIMS)]
        if claims and wipe_claimed:
            wipe(driver)
            session.run(f"MATCH (n:{MARKER}) DELETE n").consume()
        elif claims:
            raise _claimed_by(claims[0], uri)
        _refuse_used(session, uri)
        session.run(_CLAIM, session=own, host=socket.gethostname(), user=_user()).consume()
        others = [each for record in session.run(_CLAIMS) if (each := record.data())["session"] != own]
        if others:  # two sessions of tests began at the same moment
            session.run(f"MATCH (n:{MARKER} {{session: $own}}) DELETE n", own=own).consume()
            raise _claimed_by(others[0], uri)
    try:
        yield
    finally:
        wipe(driver, others=True)
        driver.execute_query(f"MATCH (n:{MARKER}) DELETE n")


def _claimed_by(claim: dict[str, str], uri: str) -> NotOurs:
    return NotOurs(
        f"Tests of {claim['user']} on {claim['host']} use the database at {uri} since {claim['since']}, or were killed.",
        hint="Wait for them. If they are gone, empty it: pytest --graphmigrate-wipe (it deletes everything in there).",
        code="GM741",
    )


def _refuse_used(session: neo4j.Session, uri: str) -> None:
    nodes = session.run("MATCH (n) RETURN count(n) AS count").single(strict=True)["count"]
    names = [record["name"] for query in (_CONSTRAINTS, _INDEXES) for record in session.run(query)]
    if not nodes and not names:
        return
    found = [f"{nodes:,} node(s)"] if nodes else []
    found += (
        [f"the constraint or index {names[0]!r}" + (f" and {len(names) - 1} more" if names[1:] else "")]
        if names
        else []
    )
    raise NotOurs(
        f"The database at {uri} holds {' and '.join(found)} that these tests did not make; nothing was touched.",
        hint="Tests delete what is in their database: give them an empty one (GRAPHMIGRATE_TEST_URI), or none, "
        "and one is started for them.",
    )


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"  # a container's numeric user without a name
