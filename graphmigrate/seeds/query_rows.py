"""``query('MATCH … RETURN …')``: rows read from the database being seeded."""

from __future__ import annotations

import re
from itertools import islice
from typing import TYPE_CHECKING, Any

from graphmigrate.seeds.errors import BAD_QUERY, QUERY_FAILED, UNFIT, SeedFileError, did_you_mean
from graphmigrate.seeds.pieces import RowBlock, Text, pieces_of
from graphmigrate.seeds.program import one_query
from graphmigrate.seeds.rows import Source
from graphmigrate.seeds.sourcemap import Written
from graphmigrate.seeds.values import parameter

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from graphmigrate.errors import Place
    from graphmigrate.seeds.program import Query
    from graphmigrate.seeds.rows import Reader
    from graphmigrate.seeds.sourcemap import Places

_NUMBERED = re.compile(r"p\d+")


class QuerySource(Source):
    """The rows of a query. They may be others the next time, so a load cannot continue in the midst of them."""

    resumable = False

    def __init__(self, query: Query) -> None:
        self.label = "this query"
        self.query = query
        self.queries = (query,)
        self._read: Reader | None = None

    def bind(self, read: Reader) -> None:
        """See Source."""
        self._read = read

    def _rows(self) -> tuple[Sequence[str], Iterator[Sequence[Any]]]:
        from graphmigrate.seeds.ledger import StepFailed

        if self._read is None:
            raise SeedFileError(
                "The rows of query(…) are in a database, and none was asked.",
                hint="Give one: --uri or NEO4J_URI.",
                place=self.query.place,
                code=QUERY_FAILED,
            )
        try:
            columns, rows = self._read(self.query.text, self.query.parameters)
        except StepFailed as error:
            raise self._failed(error) from error
        return columns, self._each(rows)

    def _each(self, rows: Iterator[Sequence[Any]]) -> Iterator[Sequence[Any]]:
        from graphmigrate.seeds.ledger import StepFailed

        try:
            yield from rows
        except StepFailed as error:
            raise self._failed(error) from error

    def _failed(self, error: Any) -> SeedFileError:
        place = self.query.origin.place_of(*error.position) if error.position else self.query.place
        return SeedFileError(
            f"The query of {{% unwind %}} failed: {error.message} [{error.code}]",
            hint="It runs in a session that only reads.",
            place=place,
            code=QUERY_FAILED,
        )

    def values(self, skip: int = 0) -> Iterator[Any]:
        """See Source."""
        columns, rows = self._rows()
        return (dict(zip(columns, row, strict=True)) for row in islice(rows, skip, None))

    def lists(self, names: Sequence[str], skip: int = 0) -> Iterator[list[Any]]:
        """See Source."""
        columns, rows = self._rows()
        for name in names:
            if name not in columns:
                raise SeedFileError(
                    f"The query returns no column {name!r}.",
                    hint=did_you_mean(name, columns, "columns"),
                    place=self.query.place,
                    code=UNFIT,
                )
        positions = [columns.index(name) for name in names]
        return ([row[position] for position in positions] for row in islice(rows, skip, None))

    def place(self, index: int) -> Place | None:  # noqa: ARG002 - every row comes from there
        """See Source."""
        return self.query.place


def query(places: Places, text: Any, /, parameters: Any = None, **named: Any) -> QuerySource:
    """Make the source of a query: a text of the template, and values for its parameters (GM595)."""
    if not isinstance(text, Text):
        parameter(text)
        raise SeedFileError(
            "query(…) takes a text that stands in the template, not a value: values are never Cypher.",
            hint="query('MATCH … WHERE n.x = $x RETURN n.id AS id', x=value); or write it in {% set q %} … {% endset %}.",
            code=BAD_QUERY,
        )
    given: Mapping[str, Any] = {**(parameters if isinstance(parameters, dict) else {}), **named}
    if parameters is not None and not isinstance(parameters, dict):
        raise SeedFileError("The parameters of query(…) are a map: {'x': 1}.", code=BAD_QUERY)
    for name in given:
        if not isinstance(name, str) or not re.fullmatch(r"[^\W\d]\w*", name) or _NUMBERED.fullmatch(name):
            raise SeedFileError(
                f"{name!r} cannot be the name of a parameter.",
                hint="Use a letter, then letters, digits and underscores; p1, p2 … are taken.",
                code=BAD_QUERY,
            )
    pieces = pieces_of(text)
    if any(isinstance(piece, RowBlock) for piece in pieces):
        raise SeedFileError("A query cannot hold {% unwind %}.", code=BAD_QUERY)
    values = {name: parameter(value) for name, value in given.items()}
    return QuerySource(one_query(Written(pieces, places), values))
