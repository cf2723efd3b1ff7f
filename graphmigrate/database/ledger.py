"""The ledger: the history as values, and every row that a run writes."""

from __future__ import annotations

import re
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from graphmigrate.database import queries
from graphmigrate.database.failures import DriverFailure, connection_failure
from graphmigrate.database.first_use import constraints_to_make
from graphmigrate.database.history import COMPLETE, STARTED, Attempt, History, HistoryRow, history_of
from graphmigrate.database.records import DAMAGE_HINT, first_word, moment, texts
from graphmigrate.database.restore import FORMAT, Damage, Way, ways
from graphmigrate.database.shape import NAMES, TIMES, Node, foreign
from graphmigrate.database.version import Version
from graphmigrate.errors import HistoryMismatch, Problem, Severity
from graphmigrate.schema.model import identifier

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    import neo4j

    from graphmigrate.database.connection import Database

_LOOKED_THROUGH = 2_000_000
_FORM = r"[^/]+/(ledger|migration|migration-undo|run|seed|seed-lane|attempt)(/.*)?"
_FIXED = 4  # what HISTORY tells of a node before its properties


@contextmanager
def asked_history(database: Database) -> Iterator[Callable[[], History]]:
    """Ask for the whole history in one round trip; what is yielded returns it, while the server collects it the block may work.

    Raises ConnectionFailed and NotAllowed, and HistoryMismatch for another format (GM609) or a node that was changed (GM612).
    """
    try:
        with _asked_nodes(database) as answer:
            yield lambda: history_in(*_same_twice(database, answer()))
    except DriverFailure as error:
        raise connection_failure(error, database.settings) from error


def read_nodes(database: Database) -> list[Node]:
    """Read every node of this ledger, and each of ours that does not tell whose it is, as they are."""
    return _same_twice(database, _read_once(database))[0]


def _read_once(database: Database) -> list[Node]:
    with _asked_nodes(database) as answer:
        return answer()


@contextmanager
def _asked_nodes(database: Database) -> Iterator[Callable[[], list[Node]]]:
    names = [name for name in NAMES if name not in TIMES]
    asked: dict[str, Any] = {
        "prefix": f"{database.settings.ledger}/",
        "form": _FORM,
        "names": names,
        "times": list(TIMES),
    }

    def nodes_in(result: neo4j.Result) -> list[Node]:
        return [_node(row, [*names, *TIMES]) for row in next(result)["rows"]]

    with database.asking(queries.HISTORY, **asked) as result:
        yield lambda: _with_unlabelled(nodes_in(result), database, nodes_in, **asked)


def _same_twice(database: Database, nodes: list[Node]) -> tuple[list[Node], list[Way]]:
    """Return nodes of one moment, and what is wrong with them.

    A query may see one node before a commit of another run, and the next one after it: then the next query sees other nodes.
    """
    while found := ways(Damage(nodes, None, database.settings.ledger)):
        before, nodes = nodes, _read_once(database)
        if {node.id: node for node in nodes} == {node.id: node for node in before}:
            break
    return nodes, found


def _with_unlabelled(
    nodes: list[Node], database: Database, nodes_in: Callable[[neo4j.Result], list[Node]], **asked: Any
) -> list[Node]:
    """Add our nodes that lost every label, where no other is left but the owner that a run makes: migrate would begin anew.

    Every node is looked at for that, so a graph of many millions of nodes is left alone.
    """
    if any(node.kind != "Ledger" for node in nodes) or constraints_to_make(database):
        return nodes
    if database.read(queries.COUNT_NODES)[0]["count"] > _LOOKED_THROUGH:
        return nodes
    with database.asking(queries.UNLABELLED_HISTORY, **asked) as result:
        return nodes + nodes_in(result)


def _node(row: list[Any], names: Iterable[str]) -> Node:
    id_, labels, relationships, others = row[:_FIXED]
    known = zip(names, row[_FIXED:], strict=True)
    values = {name: value for name, value in known if value is not None}
    return Node.of(id_, labels, relationships, set(others) - values.keys(), values)


def history_in(nodes: Sequence[Node], found: Iterable[Way]) -> History:
    """Return what sound nodes say. Raises HistoryMismatch (GM609, GM612) where one is of another format, or was changed."""
    refuse_other_format(nodes)
    wrong = [Problem("GM612", f"{each.name}: {each.finding}.", DAMAGE_HINT) for each in found]
    if len(wrong) == 1:
        raise HistoryMismatch.of(wrong[0])
    if wrong:
        raise HistoryMismatch(
            f"{len(wrong)} nodes of graphmigrate's history were changed by something else; nothing was run.",
            hint=DAMAGE_HINT,
            code="GM612",
            problems=wrong,
        )
    return _history(nodes)


def refuse_other_format(nodes: Iterable[Node]) -> None:
    """Raise HistoryMismatch (GM609) where another format than this one's wrote the ledger."""
    for node in nodes:
        form = node.values.get("format")
        if form == FORMAT or node.kind != "Ledger" or not isinstance(form, int):
            continue
        if form > FORMAT:
            raise HistoryMismatch(
                f"This database's history was written by a newer graphmigrate (format {form}).",
                hint="Update graphmigrate: pip install --upgrade graphmigrate",
                code="GM609",
            )
        if form == 1:
            raise HistoryMismatch(
                "This database's history was written by a graphmigrate that was never released (format 1).",
                hint="graphmigrate baseline VERSION replaces it: it marks the versions up to there as applied, runs nothing, "
                "and removes the old nodes.",
                code="GM609",
            )


def _history(nodes: Sequence[Node]) -> History:
    of_kind: dict[str | None, list[Mapping[str, Any]]] = {}
    for node in nodes:
        of_kind.setdefault(node.kind, []).append(node.values)
    owner = next(iter(of_kind.get("Ledger", ())), None)
    attempts = of_kind.get("Attempt", ())
    runs = [node for node in nodes if node.kind == "Run"]
    gone = {first_word(text) for node in runs for text in texts(node, "forgotten")}
    return history_of(
        map(_history_row, of_kind.get("Migration", ())),
        used=gone,
        attempts={
            each["version"]: Attempt(each["outcome"], each["reason"], each["run"]) for each in attempts
        },
        initialised=owner is not None,
        record=owner.get("record") if owner else None,
        unended=owner is not None and owner.get("outcome") in {"recovered", "failed", "interrupted"},
        warnings=tuple(_about_foreign(nodes)),
    )


def _about_foreign(nodes: Iterable[Node]) -> Iterator[Problem]:
    """Yield what is not ours on our nodes, once for all of them, with the statements that take it off."""
    found = {node.name: told for node in nodes for told in [foreign(node)] if any(told)}
    if not found:
        return
    labels = sorted(frozenset().union(*(each.labels for each in found.values())))
    properties = sorted(frozenset().union(*(each.properties for each in found.values())))
    ties = sum(each.relationships for each in found.values())
    told = [f"the label {each}" for each in labels] + [f"the property {each}" for each in properties]
    told += [f"{ties} relationship{'s' * (ties > 1)}"] if ties else []
    removed = [f"n:{identifier(each)}" for each in labels] + [f"n.{identifier(each)}" for each in properties]
    remedies = [f"MATCH (n:{queries.OWN}) REMOVE {', '.join(removed)}"] if removed else []
    remedies += [f"MATCH (:{queries.OWN})-[r]-() DELETE r"] if ties else []
    first = next(iter(found))
    have = (
        f"graphmigrate's {first} has what is not its own"
        if len(found) == 1
        else f"{len(found):,} of graphmigrate's own nodes have what is not their own ({first} is one)"
    )
    yield Problem(
        "GM612",
        f"{have}: {', '.join(told)}.",
        f"Leave these nodes out of statements over every node: MATCH (n) WHERE NOT n:{queries.OWN} …\n"
        f"To take it off: {'; '.join(remedies)}",
        severity=Severity.WARNING,
    )


def _history_row(values: Mapping[str, Any]) -> HistoryRow:
    return HistoryRow(
        values["key"],
        Version.parse(values["version"]),
        values["description"],
        values["type"],
        values.get("checksum"),
        values["state"],
        values["step"],
        values["steps"],
        moment(values["installed_on"]),
        values["installed_by"],
        read_duration(values.get("execution_time")),
        values["run"],
        values.get("intent"),
        values["batches"],
        tuple(values["statements"]),
        values["rank"],
        values["commits"],
        values.get("source"),
        values.get("language"),
    )


_UNITS = {"D": "days", "H": "hours", "M": "minutes", "S": "seconds"}


def read_duration(text: str | None) -> timedelta | None:
    """Read a duration as the server writes it."""
    if text is None:
        return None
    parts = re.findall(r"(-?[\d.]+)([DHMS])", text)
    return timedelta(**{_UNITS[unit]: float(number) for number, unit in parts})


def new_row(
    version: Version,
    *,
    description: str,
    source: str | None,
    user: str,
    rank: int,
    type_: str = "cypher",
    language: str | None = None,
) -> dict[str, Any]:
    """Return the properties that a row keeps from its first step on."""
    return {
        "version": version.text,
        "description": description,
        "type": type_,
        "source": source,
        "installed_by": user,
        "language": language,
        "rank": rank,
    }


def progress(
    checksum: str | None, step: int, steps: int, statements: Sequence[str], run: str
) -> dict[str, Any]:
    """Return the properties of a row at ``step`` of ``steps``; ``statements`` are the fingerprints that it keeps."""
    return {
        "step": step,
        "steps": steps,
        "state": COMPLETE if step >= steps else STARTED,
        "checksum": checksum,
        "batches": 0,
        "intent": None,
        "statements": list(statements),
        "run": run,
        "installed_on": datetime.now(UTC),
    }


def ledger_key(ledger: str) -> str:
    """``<ledger>/ledger``: the node that says which run owns the ledger."""
    return f"{ledger}/ledger"


def attempt_key(ledger: str, version: str) -> str:
    """``<ledger>/attempt/<canonical version>``: only the last attempt that was skipped or failed is kept."""
    return f"{ledger}/attempt/{version}"


def record_attempt(tx: neo4j.Transaction, database: Database, version: str, attempt: Attempt) -> None:
    """Remember why a migration was not applied; it informs people, and decides nothing."""
    tx.run(
        queries.ATTEMPT,
        key=attempt_key(database.settings.ledger, version),
        version=version,
        outcome=attempt.outcome,
        reason=attempt.reason,
        run=database.run,
    ).consume()


def forget_attempts(
    tx: neo4j.Transaction, database: Database, history: History, versions: Iterable[str]
) -> None:
    """Delete what is known of former attempts at migrations that are applied now."""
    gone = sorted(history.attempts.keys() & set(versions))
    if gone:
        keys = [attempt_key(database.settings.ledger, version) for version in gone]
        tx.run(queries.DELETE_NODES, keys=keys).consume()
