"""Put back what statements of the user change on the bookkeeping nodes, in the same transaction, before its commit."""

from __future__ import annotations

from contextlib import contextmanager
from functools import lru_cache
from itertools import accumulate
from typing import TYPE_CHECKING, Any, LiteralString, NamedTuple

from graphmigrate.cypher.clauses import judge, reads_nodes
from graphmigrate.cypher.lexer import fingerprint
from graphmigrate.cypher.reader import significant
from graphmigrate.database import queries
from graphmigrate.database.version import Version
from graphmigrate.errors import MigrationFailed, Problem, ProjectError, Severity

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    import neo4j

    from graphmigrate.cypher.model import Statement
    from graphmigrate.errors import Place

# Moments and durations come and go as texts: the driver reads Z and [UTC] as one time zone, and takes a quarter of a
# millisecond for each.
_COLUMNS: LiteralString = """
elementId(n) AS id, labels(n) AS labels, [(n)-[r]-() | elementId(r)] AS relationships,
[name IN keys(n) | CASE
    WHEN valueType(n[name]) STARTS WITH 'ZONED DATETIME' THEN [name, toString(n[name]), 'datetime']
    WHEN valueType(n[name]) STARTS WITH 'DURATION' THEN [name, toString(n[name]), 'duration']
    ELSE [name, n[name], ''] END] AS values
"""
_OURS: LiteralString = f"MATCH (n:{queries.OWN}) RETURN {_COLUMNS}"
_BY_ID: LiteralString = f"MATCH (n) WHERE elementId(n) IN $ids RETURN {_COLUMNS}"
# Another program gave one of ours a label, or a relationship: a pattern that names that label, or follows it, reaches ours.
_EXPOSED: LiteralString = f"""
MATCH (n:{queries.OWN}) WHERE size(labels(n)) > 2 OR EXISTS {{ (n)--() }} RETURN count(n) > 0
"""
# Another ledger's run would wait here: it cannot change its nodes while ours are compared.
_HOLD_OTHERS: LiteralString = f"""
MATCH (n:{queries.OWN}) WHERE n.key <> $ledger AND NOT n.key STARTS WITH $ledger + '/'
SET n._lock = true REMOVE n._lock
"""
_STRIP: LiteralString = f"""
MATCH (n) WHERE elementId(n) IN $ids
REMOVE n:$([label IN labels(n) WHERE label STARTS WITH '{queries.OWN}'])
"""
# Collected first: DELETE straight after MATCH leaves some that this transaction made (seen on 5.26).
_UNTIE: LiteralString = """
MATCH ()-[r]->() WHERE elementId(r) IN $ids
WITH collect(DISTINCT r) AS found FOREACH (r IN found | DELETE r)
"""
_FREE_KEYS: LiteralString = "UNWIND $rows AS row MATCH (n) WHERE elementId(n) = row.id REMOVE n.key"
_SET_VALUES: LiteralString = """
SET n = row.properties
FOREACH (pair IN row.moments | SET n[pair[0]] = datetime(pair[1]))
FOREACH (pair IN row.durations | SET n[pair[0]] = duration(pair[1]))
"""
_RESTORE: LiteralString = f"""
UNWIND $rows AS row MATCH (n) WHERE elementId(n) = row.id
{_SET_VALUES}
REMOVE n:$(row.extra)
SET n:$(row.labels)
"""
_RECREATE: LiteralString = f"UNWIND $rows AS row CREATE (n:$(row.labels)) {_SET_VALUES}"


class OurNode(NamedTuple):
    """One bookkeeping node as a transaction sees it."""

    id: str
    labels: list[str]
    relationships: list[str]
    values: list[tuple[str, Any, str]]

    @property
    def compared(self) -> str:
        """Everything but the relationships as a text: 1 and 1.0, and one moment in two zones, differ."""
        return repr((sorted(self.labels), sorted(self.values, key=lambda value: value[0])))

    @property
    def key(self) -> Any:
        """The key, where it is there."""
        return next((value for name, value, _ in self.values if name == "key"), None)

    @property
    def row(self) -> dict[str, Any]:
        """What makes the node again."""
        return {
            "id": self.id,
            "labels": self.labels,
            "properties": {name: value for name, value, kind in self.values if not kind},
            "moments": [[name, value] for name, value, kind in self.values if kind == "datetime"],
            "durations": [[name, value] for name, value, kind in self.values if kind == "duration"],
        }


def read_ours(tx: neo4j.Transaction, ledger: str) -> dict[str, OurNode]:
    """Return the bookkeeping nodes, by their element id, before statements of the user may change them."""
    ours = _read(tx, _OURS)
    if any(_is_of_another_ledger(node, ledger) for node in ours.values()):
        tx.run(_HOLD_OTHERS, ledger=ledger).consume()
        ours = _read(tx, _OURS)
    return ours


def put_back(tx: neo4j.Transaction, before: Mapping[str, OurNode], ledger: str) -> int:
    """Make the bookkeeping nodes what they were; returns how many were changed, deleted or imitated."""
    after = _read(tx, _OURS)
    new = [
        node.id
        for node in after.values()
        if node.id not in before and not _is_of_another_ledger(node, ledger)
    ]
    lost = [each for each in before if each not in after]
    if lost:
        after |= _read(tx, _BY_ID, ids=lost)
    changed = [each for each in before if each in after and after[each].compared != before[each].compared]
    gone = [each for each in before if each not in after]
    tied = {each: after[each].relationships for each in before if each in after and after[each].relationships}
    ties = [
        tie for each, found in tied.items() for tie in found if tie not in set(before[each].relationships)
    ]
    _put_back(tx, before, after, new, changed, gone, ties)
    return len({*new, *changed, *gone, *(each for each in tied if not set(ties).isdisjoint(tied[each]))})


def _put_back(
    tx: neo4j.Transaction,
    before: Mapping[str, OurNode],
    after: Mapping[str, OurNode],
    new: list[str],
    changed: list[str],
    gone: list[str],
    ties: list[str],
) -> None:
    if new:
        tx.run(_STRIP, ids=new).consume()
    if ties:
        tx.run(_UNTIE, ids=sorted(set(ties))).consume()
    if changed:
        rows = [
            before[each].row | {"extra": sorted(set(after[each].labels) - set(before[each].labels))}
            for each in changed
        ]
        tx.run(_FREE_KEYS, rows=rows).consume()  # keys that were exchanged are unique again at each step
        tx.run(_RESTORE, rows=rows).consume()
    if gone:
        tx.run(_RECREATE, rows=[before[each].row for each in gone]).consume()


def _read(tx: neo4j.Transaction, query: LiteralString, **parameters: Any) -> dict[str, OurNode]:
    return {row[0]: OurNode(*row) for row in tx.run(query, parameters)}


def _is_of_another_ledger(node: OurNode, ledger: str) -> bool:
    key = node.key
    return isinstance(key, str) and key != ledger and not key.startswith(f"{ledger}/")


class Guard:
    """What a transaction did to the bookkeeping nodes: ``put_back`` says how many of them were put back."""

    put_back = 0


@contextmanager
def guarded(
    tx: neo4j.Transaction, ledger: str, texts: Sequence[str], *, sole: bool = True
) -> Iterator[Guard]:
    """Run the statements of the user in this block; the bookkeeping nodes are put back after them.

    Costs nothing where no statement may reach them, and one short query where it finds nodes by a label or a relationship.
    Without ``sole`` another session of this run works at the same time, and only the statements' texts decide.
    """
    guard = Guard()
    watched = any(needs_guard(text) for text in texts) or (sole and is_exposed(tx, texts))
    before = read_ours(tx, ledger) if watched else None
    yield guard
    if before is not None:
        guard.put_back = put_back(tx, before, ledger)


def is_exposed(tx: neo4j.Transaction, texts: Iterable[str]) -> bool:
    """Whether statements find nodes, and bookkeeping nodes have a label or a relationship by which any may be found."""
    return any(reads_nodes(text) for text in texts) and bool(tx.run(_EXPOSED).single(strict=True)[0])


@lru_cache(maxsize=512)
def needs_guard(text: str) -> bool:
    """Whether the bookkeeping nodes must be compared after a statement."""
    return judge(text).needs_guard


# ---- what is said


def leave_out(text: str) -> str:
    """Return how to leave the bookkeeping nodes out of a statement: the statement itself where that is certain."""
    written = judge(text).excluding_ours
    if written is not None and len(written) <= 400:
        return f"Leave graphmigrate's own nodes out: {' '.join(written.split())}"
    return f"Leave graphmigrate's own nodes out, with MATCH (n) WHERE NOT n:{queries.OWN} … or a label."


def only_leaves_ours_out(statement: Statement, before: str) -> bool:
    """Whether the statement of the fingerprint ``before`` got nothing but conditions ``NOT n:__GraphMigrate``."""
    words = [token.text for token in significant(statement.text)]
    return any(
        fingerprint(" ".join(_without_exclusion(words, bracketed)), statement.parameters) == before
        for bracketed in (True, False)
    )


def _without_exclusion(words: list[str], bracketed: bool) -> list[str]:
    """Return the words without those conditions; with ``bracketed`` without the brackets that one put around the others."""
    kept: list[str] = []
    closing = -1
    at = 0
    while at < len(words):
        if [words[at].upper(), *words[at + 2 : at + 4]] != ["NOT", ":", queries.OWN]:
            if at != closing:
                kept.append(words[at])
            at += 1
            continue
        at += 4
        if words[at : at + 1] and words[at].upper() == "AND":
            at += 1
            if bracketed and words[at : at + 1] == ["("]:
                closing = _closing(words, at)
                at += 1
        elif kept and kept[-1].upper() in {"WHERE", "AND"}:
            kept.pop()
    return kept


def _closing(words: list[str], at: int) -> int:
    depths = accumulate({"(": 1, ")": -1}.get(word, 0) for word in words[at:])
    return next((at + number for number, depth in enumerate(depths) if not depth), -1)


def was_put_back(number: int, texts: Iterable[str], place: Place | None) -> Problem:
    """Return the line that tells that the bookkeeping nodes were changed and are as before."""
    text = next(filter(needs_guard, texts), "")
    nodes = "one of graphmigrate's own nodes" if number == 1 else f"{number:,} of graphmigrate's own nodes"
    return Problem(
        "GM520",
        f"A statement here also changed {nodes}; they were put back as they were, before the commit.",
        leave_out(text),
        place,
        Severity.WARNING,
    )


def meets_ours_again(number: int) -> MigrationFailed:
    """Return the refusal of a batch that reached bookkeeping nodes by what another program put on them."""
    nodes = "one of graphmigrate's own nodes" if number == 1 else f"{number:,} of graphmigrate's own nodes"
    return MigrationFailed(
        f"This batch also changed {nodes}: another program gave them labels or relationships, which graphmigrate status "
        "lists. The batch was rolled back: each further one would meet them again.",
        hint=f"Leave them out, with WHERE NOT n:{queries.OWN}, or remove those labels and relationships.",
        code="GM520",
    )


def why_refused(text: str, message: str) -> str | None:
    """Return the hint for a statement that failed where the bookkeeping nodes are, or may be, the cause; else None."""
    if queries.OWN in message:
        return f"The value is refused on one of graphmigrate's own nodes. {leave_out(text)}"
    if needs_guard(text):
        return f"The statement also reaches graphmigrate's own nodes. Where one of them is the cause: {leave_out(text)}"
    return None


def any_label(text: str, place: Place | None, name: str, *, batches: str, allowed: bool) -> Problem:
    """Return the refusal of a statement that may reach nodes of any label where nothing can be put back before its commit.

    Where the user has ``allowed`` it, the problem is a warning. ``batches`` is what repeats it: a batch, a row block.
    """
    if allowed:
        return Problem(
            "GM520",
            "This statement may reach graphmigrate's own nodes; they are compared and put back after each commit.",
            "If the run dies in between, run: graphmigrate repair",
            place,
            Severity.WARNING,
        )
    why = (
        f"each {batches} would meet them again"
        if batches
        else "the server commits while it runs, so that nothing could be put back if the run dies"
    )
    return Problem(
        "GM520",
        f"This statement may reach graphmigrate's own nodes, and {why}.",
        f"{leave_out(text)}\nTo run it as it is: --allow any-label={name}",
        place,
    )


def allowed_names(words: Collection[str]) -> frozenset[str]:
    """Return the canonical versions and the names of seeds in ``any-label=V7``, the words of the setting ``allow``."""
    return frozenset(_canonical(word.removeprefix("any-label=")) for word in words)


def _canonical(word: str) -> str:
    try:
        return Version.parse(word[1:] if word[:1] in {"V", "v"} else word).canonical
    except (ProjectError, ValueError):
        return word  # a seed
