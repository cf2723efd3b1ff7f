"""How many rows of a block got to the end of their statement, told by what the server says it made."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from graphmigrate.seeds.parallel.patterns import NotUnderstood, Reader

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from graphmigrate.seeds.clauses import Clause
    from graphmigrate.seeds.parallel.patterns import Path

    Key = tuple[str, frozenset[str]]


@dataclass(frozen=True, slots=True)
class Reach:
    """Each row that gets to the end makes so many ``relationships``; ``lookups`` are the nodes that it must find for that.

    A lookup is the labels and the names of the properties in its MATCH.
    """

    relationships: int
    lookups: tuple[tuple[frozenset[str], frozenset[str]], ...]

    def is_told_by_counters(self, unique: Collection[Key]) -> bool:
        """Whether no lookup finds several nodes, because of what the database keeps ``unique``: a label's properties."""
        return all(
            any(label in labels and properties <= names for label, properties in unique)
            for labels, names in self.lookups
        )


def reach_of(found: Sequence[Clause]) -> Reach | None:
    """Read a statement that looks nodes up, then makes relationships; None for any other."""
    names = [each.name for each in found]
    if not {"MATCH", "WHERE", "CREATE", "SET"}.issuperset(names) or "CREATE" not in names:
        return None
    first = names.index("CREATE")
    if {"MATCH", "WHERE"}.intersection(names[first:]):  # a row may stop after it has made something
        return None
    try:
        looked_up = [path for each in found[:first] if each.name == "MATCH" for path in _paths(each)]
        made = sum(
            len(path.relationships)
            for each in found[first:]
            if each.name == "CREATE"
            for path in _paths(each)
        )
    except NotUnderstood:
        return None
    if not made or any(path.relationships for path in looked_up):
        return None
    return Reach(made, tuple(_lookups(looked_up)))


def _paths(clause: Clause) -> list[Path]:
    return Reader(clause.tokens).paths()


def _lookups(paths: Sequence[Path]) -> Iterator[tuple[frozenset[str], frozenset[str]]]:
    bound: set[str] = set()
    for path in paths:
        node = path.nodes[0]
        if not node.name or node.name not in bound:
            yield node.labels, frozenset(node.properties)
        bound.add(node.name)
