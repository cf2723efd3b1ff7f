"""From pieces to what is sent: statements with parameters, and row blocks, checked token by token."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from graphmigrate.cypher.kinds import execution_prefix, without_prefix
from graphmigrate.cypher.lexer import TokenKind, is_significant, unquoted
from graphmigrate.cypher.model import Kind
from graphmigrate.seeds.errors import SeedFileError, did_you_mean
from graphmigrate.seeds.pieces import Piece, Placeholder, RowBlock
from graphmigrate.seeds.placeholders import Edit, Edited, Written, checked_tokens
from graphmigrate.seeds.shapes import plain_load
from graphmigrate.seeds.statements import creates, is_countable, row_uses, split_statements

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from graphmigrate.cypher.lexer import Token
    from graphmigrate.cypher.model import Statement
    from graphmigrate.errors import Place
    from graphmigrate.seeds.rows import Source
    from graphmigrate.seeds.shapes import PlainLoad
    from graphmigrate.seeds.statements import RowUses
    from graphmigrate.seeds.template import Rendering

ROWS = "rows"
_LONGEST_ROW = 200


@dataclass(frozen=True, slots=True)
class Query:
    """One statement as it is sent: text and parameters; ``origin`` finds the template's line.

    ``counted`` tells that it returns the list of the numbers (in its batch) of the rows that got to its end.
    """

    text: str
    parameters: dict[str, Any] = field(repr=False)
    creates: bool
    origin: Edited = field(repr=False, compare=False)
    counted: bool = False

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

    A row is sent as the list of its ``columns``, or whole where they are None. ``plain`` is the plain load that the query is,
    ``order`` what the front matter says of the order of rows.
    """

    query: Query
    source: Source
    columns: tuple[str, ...] | None
    plain: PlainLoad | None = None
    order: str = ""

    @property
    def in_any_order(self) -> bool:
        """Whether several sessions may load the rows."""
        return self.order == "any" or (not self.order and self.plain is not None)

    def rows(self, start: int = 0) -> Iterator[Any]:
        """Yield the rows as they are sent, from number ``start`` on."""
        if self.columns is None:
            return self.source.values(start)
        return self.source.lists(self.columns, start)

    def shown(self, row: Any) -> str:
        """Return a row as it is sent, with the names of its columns, for messages; a long one is cut."""
        if self.columns is not None:
            row = dict(zip(self.columns, row, strict=True))
        text = repr(row)
        return text if len(text) <= _LONGEST_ROW else f"{text[:_LONGEST_ROW]}…"


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

    @property
    def total_rows(self) -> int | None:
        """How many rows there are, where that is known without reading."""
        sizes = [part.source.size for part in self.parts if isinstance(part, Rows)]
        known = [size for size in sizes if size is not None]
        return sum(known) if len(known) == len(sizes) else None

    @property
    def about_rows(self) -> int | None:
        """About how many rows there are; files are read for it."""
        sizes = [part.source.about() for part in self.parts if isinstance(part, Rows)]
        known = [size for size in sizes if size is not None]
        return sum(known) if len(known) == len(sizes) else None


def build(rendering: Rendering, order: str = "") -> Program:
    """Make the program of a rendered seed. Raises SeedFileError at the template's line.

    ``order`` is what the front matter says of the order of rows: ``any`` or ``kept``, or nothing.
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
    found = split_statements(written.text, written.place)
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
    found = split_statements(written.text, written.place)
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
    uses = row_uses(_words(found[0], tokens), block.variable)
    _check_columns(block, uses, written)
    columns = uses.columns
    edits: list[Edit] = []
    if columns is not None:
        edits = [
            Edit(start, end, f"{block.variable}[{columns.index(name)}]") for start, end, name in uses.dotted
        ]
    words = without_prefix(tuple(_words(found[0], tokens)))
    plain = None if uses.shadowed else plain_load(words, block.variable)
    counted = is_countable(words)
    begin = words[0].start if words else found[0].start
    edits.append(Edit(begin, begin, _unwind(block.variable, counted=counted)))
    query = _query(written, found[0], tokens, edits)
    if counted:
        query = replace(query, text=query.text + _ARRIVED, counted=True)
    return Rows(query, block.source, columns, plain, order)


_INDEX = "`__row`"
_ARRIVED = f"\nRETURN collect(DISTINCT {_INDEX}) AS `__rows`"


def _unwind(variable: str, *, counted: bool) -> str:
    """Return what stands before a body. Rows are counted by their index: equal rows count each."""
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
    for statement in split_statements(written.text, written.place):
        query = _query(written, statement, tokens)
        end = statement.start + len(statement.text)
        if any(
            token.kind is TokenKind.PARAMETER
            and unquoted(token) == BATCH
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
    tokens: Sequence[Token],
    edits: Sequence[Edit] = (),
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
    origin = Edited(written, start, end, numbered)
    inside = _words(statement, tokens)
    return Query(origin.text, parameters, creates(inside), origin)


def _words(statement: Statement, tokens: Sequence[Token]) -> list[Token]:
    """Return the significant tokens of a statement."""
    start, end = statement.start, statement.start + len(statement.text)
    return [token for token in tokens if start <= token.start < end and is_significant(token)]


_REFUSED = {
    Kind.SCHEMA: "Constraints and indexes",
    Kind.SYSTEM: "Administration commands",
    Kind.AUTOCOMMIT: "CALL { … } IN TRANSACTIONS",
}


def _check_kind(statement: Statement, written: Written) -> None:
    shown = execution_prefix(statement.text)
    if shown is not None:
        word = shown.text.upper()
        effect = (
            "only shows a plan and changes nothing" if word == "EXPLAIN" else "shows a plan that nobody sees"
        )
        raise SeedFileError(
            f"A statement with {word} {effect}.",
            hint=f"Delete the word {word}.",
            place=written.place(statement.start + shown.start),
            code="GM106",
        )
    if statement.kind is Kind.DATA:
        return
    if statement.kind is Kind.AUTOCOMMIT:
        hint = "Use {% unwind row in … %}: it commits in batches, and resumes. Or move it into a migration."
    else:
        hint = "Move it into a migration: graphmigrate new DESCRIPTION"
    message = f"{_REFUSED[statement.kind]} cannot be part of a seed."
    raise SeedFileError(message, hint=hint, place=written.place(statement.start), code="GM106")
