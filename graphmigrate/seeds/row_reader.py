"""Rows that a seed reads from the database it is loaded into."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import neo4j

from graphmigrate.database.failures import DriverFailure
from graphmigrate.seeds.ledger import failure

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from graphmigrate.database.connection import Database


class RowReader:
    """Runs reading queries in sessions that refuse writes; rows are fetched as they are used."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def __call__(
        self, text: str, parameters: Mapping[str, Any]
    ) -> tuple[Sequence[str], Iterator[Sequence[Any]]]:
        """Give the columns and the rows of a query; raises StepFailed, while reading too."""
        rows = self._run(text, parameters)
        return next(rows), rows

    def _run(self, text: str, parameters: Mapping[str, Any]) -> Iterator[Any]:
        """Give the columns, then each row; the session is closed when the last was given or nobody wants more."""
        query = neo4j.Query(text, metadata=self._database.metadata(self._database.role_of_reading), timeout=0)
        try:
            with self._database.session(write=False) as session:
                result = session.run(query, dict(parameters))
                yield result.keys()
                for record in result:
                    yield [_value(each) for each in record.values()]
        except DriverFailure as error:
            raise failure(error) from error


def _value(value: Any) -> Any:
    """Give a node or relationship as the map of its properties, which is what a parameter can be."""
    if isinstance(value, (neo4j.graph.Node, neo4j.graph.Relationship)):
        return dict(value)
    if isinstance(value, list):
        return [_value(each) for each in value]
    return value
