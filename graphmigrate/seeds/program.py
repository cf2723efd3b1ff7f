"""From pieces to what is sent: statements with parameters, and row blocks, checked token by token."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from graphmigrate.cypher.model import Kind
from graphmigrate.seeds.clauses import clauses, countable
from graphmigrate.seeds.cypher import Lexeme, Sort, creates, may_delete, row_uses, statements
from graphmigrate.seeds.errors import SeedFileError, did_you_mean
from graphmigrate.seeds.parallel.independence import spread_of
from graphmigrate.seeds.parallel.reaching import Reach, reach_of
from graphmigrate.seeds.parallel.spreading import KEPT, Spread
from graphmigrate.seeds.pieces import Piece, Placeholder, RowBlock
from graphmigrate.seeds.placing import checked_tokens
from graphmigrate.seeds.sourcemap import Edit, Edited, Written

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from graphmigrate.cypher.model import Statement
    from graphmigrate.errors import Place
    from graphmigrate.seeds.cypher import RowUses
    from graphmigrate.seeds.parallel.reaching import Key
    from graphmigrate.seeds.rows import Source
    from graphmigrate.seeds.template import Rendering

ROWS = "rows"


@dataclass(frozen=True, slots=True)
class Query:
    """One statement as it is sent: text and parameters; ``origin`` finds the template's line.

    ``counted`` tells that it returns one number: how many of its rows got to its end. Where it does not, ``reach`` may tell
    that from the server's counters.
    """

    text: str
    parameters: dict[str, Any] = field(repr=False)
    creates: bool
    may_delete: bool
    origin: Edited = field(repr=False, compare=False)
    counted: bool = False
    reach: Reach | None = field(default=None, repr=False)

    @property
    def place(self) -> Place:
        """Where in the template the statement begins."""
        return self.origin.place(0)


@dataclass(frozen=True, slots=True)
class Statements:
    """Statements that stand between row blocks; they are sent in order, many to a transaction."""

    queries: tuple[Query, ...]


@dataclass(frozen=True, slots=True)
class Rows:
    """A row block: its query runs once for each batch of rows.

    ``columns`` are what a row is sent as, as a list in this order; None where the body needs rows whole.
    ``spread`` says how its rows may be spread over sessions. ``lean`` is the query without the counting of rows, which costs
    the server time: for databases whose counters tell the same.
    """

    query: Query
    source: Source
    columns: tuple[str, ...] | None
    spread: Spread = KEPT
    lean: Query | None = None


@dataclass(frozen=True, slots=True)
class Program:
    """Everything a seed sends, in order."""

    parts: tuple[Statements | Rows, ...]

    @property
    def queries(self) -> tuple[Query, ...]:
        """Every query of every part."""
        return tuple(
            query
            for part in self.parts
            for query in (part.queries if isinstance(part, Statements) else (part.query,))
        )

    @property
    def creates(self) -> bool:
        """Whether loading it twice would make things twice: a CREATE clause or a procedure, not MERGE."""
        return any(query.creates for query in self.queries)

    def leaner(self, unique: Callable[[], Collection[Key]]) -> Program:
        """Leave out what need not be counted in a database that keeps those properties of those labels unique.

        ``unique`` is asked only where it matters.
        """
        if not any(isinstance(part, Rows) and part.lean for part in self.parts):
            return self
        keys = unique()
        return Program(tuple(_leaner(part, keys) for part in self.parts))

    @property
    def total_rows(self) -> int | None:
        """How many rows there are, where that is known without reading."""
        sizes = [part.source.size for part in self.parts if isinstance(part, Rows)]
        known = [size for size in sizes if size is not None]
        return sum(known) if len(known) == len(sizes) else None


def _leaner(part: Statements | Rows, unique: Collection[Key]) -> Statements | Rows:
    if not isinstance(part, Rows) or part.lean is None or part.lean.reach is None:
        return part
    return replace(part, query=part.lean, lean=None) if part.lean.reach.is_told_by_counters(unique) else part


def build(rendering: Rendering, order: str = "") -> Program:
    """Make the program of a rendered seed. Raises SeedFileError at the template's line.

    ``order`` is what the front matter says of the order of rows: ``any`` or ``kept``, else it is judged for
    each row block.
    """
    parts: list[Statements | Rows] = []
    run: list[Piece] = []

    def close(block: RowBlock | None) -> None:
        queries = _plain(Written(run, rendering), block)
        if queries:
            parts.append(Statements(queries))
        run.clear()

    for piece in rendering.pieces:
        if isinstance(piece, RowBlock):
            close(piece)
            parts.append(_rows(piece, rendering, order))
        else:
            run.append(piece)
    close(None)
    return Program(tuple(parts))


def _plain(written: Written, before: RowBlock | None) -> tuple[Query, ...]:
    tokens = checked_tokens(written)
    found = statements(written.text, written.place)
    if before is not None and found and not found[-1].terminated:
        raise SeedFileError(
            "A statement is not finished where {% unwind %} begins.",
            hint="End it with a semicolon. A row block is a statement of its own: write the whole inside it.",
            place=written.place(found[-1].start + len(found[-1].text) - 1),
            code="GM580",
        )
    return tuple(_query(written, statement, tokens) for statement in found)


def _rows(block: RowBlock, rendering: Rendering, order: str) -> Rows:
    written = Written(block.body, rendering)
    tokens = checked_tokens(written)
    found = statements(written.text, written.place)
    if len(found) != 1:
        raise SeedFileError(
            f"The body of {{% unwind %}} must be one statement; here are {len(found)}.",
            hint="Write one {% unwind %} block for each statement."
            if found
            else "Write the statement that is run for each row: CREATE (:Person {name: row.name})",
            place=written.place(found[1].start)
            if len(found) > 1
            else rendering.place(block.origin.template, block.origin.line),
            code="GM580",
        )
    uses = row_uses(tokens, block.variable)
    _check_columns(block, uses, written)
    columns = uses.columns
    edits: list[Edit] = []
    if columns is not None:
        edits = [
            Edit(start, end, f"{block.variable}[{columns.index(name)}]") for start, end, name in uses.dotted
        ]
    body = clauses([token for token in tokens if token.start < found[0].start + len(found[0].text)])
    spread = Spread(order) if order else KEPT if uses.shadowed else spread_of(body, block.variable)
    query = _query(written, found[0], tokens, edits, _unwind(block.variable, counted=False))
    if not countable(body):
        return Rows(query, block.source, columns, spread)
    reach = reach_of(body)
    lean = replace(query, reach=reach) if reach else None
    query = _query(written, found[0], tokens, edits, _unwind(block.variable, counted=True))
    query = replace(query, text=query.text + _COUNT, counted=True)
    return Rows(query, block.source, columns, spread, lean)


_INDEX = "`__row`"
_COUNT = f"\nRETURN count(DISTINCT {_INDEX}) AS `__rows`"


def _unwind(variable: str, *, counted: bool) -> str:
    """Give what stands before a body. Rows are counted by their index: equal rows count each."""
    if not counted:
        return f"UNWIND ${ROWS} AS {variable} "
    return f"UNWIND range(0, size(${ROWS}) - 1) AS {_INDEX} WITH {_INDEX}, ${ROWS}[{_INDEX}] AS {variable} "


BATCH = "batch"


def reset_of(rendering: Rendering) -> tuple[Query, ...]:
    """Make the statements of a rendered ``reset``; those that take ``$batch`` have a parameter of that name."""
    for piece in rendering.pieces:
        if isinstance(piece, RowBlock):
            raise SeedFileError(
                "A reset has no row blocks.",
                hint="Write statements; in batches: MATCH (n:Person) WITH n LIMIT $batch DETACH DELETE n",
                place=rendering.place(piece.origin.template, piece.origin.line),
                code="GM580",
            )
    written = Written(rendering.pieces, rendering)
    tokens = checked_tokens(written, frozenset({BATCH}))
    found = []
    for statement in statements(written.text, written.place):
        query = _query(written, statement, tokens)
        end = statement.start + len(statement.text)
        if any(
            token.sort is Sort.PARAMETER
            and token.value == f"${BATCH}"
            and statement.start <= token.start < end
            for token in tokens
        ):
            query.parameters[BATCH] = 0
        found.append(query)
    return tuple(found)


def _check_columns(block: RowBlock, uses: RowUses, written: Written) -> None:
    known = block.source.columns
    if known is None or uses.shadowed:
        return
    for start, _, name in uses.dotted:
        if name not in known:
            raise SeedFileError(
                f"{block.source.label} has no column {name!r}.",
                hint=did_you_mean(name, known, "columns"),
                place=written.place(start),
                code="GM582",
            )


def _query(
    written: Written,
    statement: Statement,
    tokens: Sequence[Lexeme],
    edits: Sequence[Edit] = (),
    prefix: str = "",
) -> Query:
    start, end = statement.start, statement.start + len(statement.text)
    _check_kind(statement, written)
    parameters: dict[str, Any] = {}
    numbered = list(edits)
    for index in range(bisect_left(written.starts, start), bisect_left(written.starts, end)):
        piece = written.pieces[index]
        if isinstance(piece, Placeholder):
            name = f"p{len(parameters) + 1}"
            parameters[name] = piece.value
            numbered.append(Edit(written.starts[index], written.end(index), f"${name}"))
    origin = Edited(written, start, end, numbered, prefix)
    inside = [token for token in tokens if start <= token.start < end]
    return Query(origin.text, parameters, creates(inside), may_delete(inside), origin)


_REFUSED = {
    Kind.SCHEMA: "Constraints and indexes",
    Kind.SYSTEM: "Administration commands",
    Kind.AUTOCOMMIT: "CALL { … } IN TRANSACTIONS",
}


def _check_kind(statement: Statement, written: Written) -> None:
    if statement.kind is Kind.DATA:
        return
    if statement.kind is Kind.AUTOCOMMIT:
        hint = "Use {% unwind row in … %}: it commits in batches, and resumes. Or move it into a migration."
    else:
        hint = "Move it into a migration: graphmigrate new DESCRIPTION"
    message = f"{_REFUSED[statement.kind]} cannot be part of a seed."
    raise SeedFileError(message, hint=hint, place=written.place(statement.start), code="GM585")
