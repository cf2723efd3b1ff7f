"""From pieces to what is sent: statements with parameters, and row blocks."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from graphmigrate.cypher.kinds import execution_prefix, without_prefix
from graphmigrate.cypher.lexer import TokenKind, unquoted
from graphmigrate.cypher.model import Kind, edit_text, server_offset, source_offset
from graphmigrate.seeds.files import SeedFileError, no_column
from graphmigrate.seeds.shapes import creates, is_countable, plain_load, row_uses
from graphmigrate.seeds.template import VALUE, Piece, RowBlock
from graphmigrate.seeds.written import Written, read

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from graphmigrate.cypher.lexer import Token
    from graphmigrate.cypher.model import Edit, Statement
    from graphmigrate.errors import Place
    from graphmigrate.seeds.rows import Source
    from graphmigrate.seeds.shapes import PlainLoad, RowUses
    from graphmigrate.seeds.template import Rendering

ROWS = "rows"
BATCH = "batch"
_LONGEST_ROW = 200
_INDEX = "`__row`"
_ARRIVED = f"\nRETURN collect(DISTINCT {_INDEX}) AS `__rows`"


@dataclass(frozen=True, slots=True)
class Query:
    """One statement as it is sent: text and parameters.

    It stands at ``start`` of ``written``, with these ``edits``. ``counted`` tells that it returns the list of the numbers (in
    its batch) of the rows that got to its end.
    """

    text: str
    parameters: dict[str, Any] = field(repr=False)
    creates: bool
    written: Written = field(repr=False, compare=False)
    start: int = field(compare=False)
    edits: tuple[Edit, ...] = field(repr=False, compare=False)
    counted: bool = False

    @property
    def place(self) -> Place:
        """Where in the template the statement begins."""
        return self._place_at(0)

    def place_of(self, line: int, column: int) -> Place:
        """Return the place in the template for a 1-based line and column, as the server reports them."""
        return self._place_at(min(server_offset(self.text, line, column), max(len(self.text) - 1, 0)))

    def _place_at(self, offset: int) -> Place:
        return self.written.place(self.start + source_offset(self.edits, offset))


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
    def blocks(self) -> tuple[Rows, ...]:
        """The row blocks."""
        return tuple(part for part in self.parts if isinstance(part, Rows))

    @property
    def queries(self) -> tuple[Query, ...]:
        """Every query of every part."""
        found = (part.queries if isinstance(part, Statements) else (part.query,) for part in self.parts)
        return tuple(query for queries in found for query in queries)

    @property
    def creates(self) -> bool:
        """Whether loading it twice would make things twice: a CREATE clause or a procedure, not MERGE."""
        return any(query.creates for query in self.queries)

    def total_rows(self, *, about: bool = False) -> int | None:
        """Return how many rows there are, where that is known; ``about`` reads files for it, and counts their lines."""
        sizes = [part.source.about() if about else part.source.size for part in self.blocks]
        known = [size for size in sizes if size is not None]
        return sum(known) if len(known) == len(sizes) else None


def build(rendering: Rendering, order: str = "") -> Program:
    """Make the program of a rendered seed. Raises SeedFileError at the template's line.

    ``order`` is what the front matter says of the order of rows: ``any`` or ``kept``, or nothing.
    """
    parts: list[Statements | Rows] = []
    run: list[Piece] = []
    for piece in (*rendering.pieces, None):
        if isinstance(piece, Piece):
            run.append(piece)
            continue
        queries = _plain(Written(run, rendering), before_block=piece is not None)
        parts += [Statements(queries)] if queries else []
        run = []
        parts += [_rows(piece, rendering, order)] if piece else []
    return Program(tuple(parts))


def _plain(written: Written, *, before_block: bool) -> tuple[Query, ...]:
    found, words = read(written)
    if before_block and found and not found[-1].terminated:
        raise SeedFileError(
            "A statement is not finished where {% unwind %} begins.",
            hint="End it with a semicolon. A row block is a statement of its own: write the whole inside it.",
            place=written.place(found[-1].start + len(found[-1].text) - 1),
            code="GM580",
        )
    return tuple(_query(written, statement, words) for statement in found)


def _rows(block: RowBlock, rendering: Rendering, order: str) -> Rows:
    written = Written(block.body, rendering)
    found, words = read(written)
    if len(found) != 1:
        hint = "Write the statement that is run for each row: CREATE (:Person {name: row.name})"
        place = rendering.place(block.template, block.line)
        if found:
            hint, place = "Write one {% unwind %} block for each statement.", written.place(found[1].start)
        message = f"The body of {{% unwind %}} must be one statement; here are {len(found)}."
        raise SeedFileError(message, hint=hint, place=place, code="GM580")
    words = _inside(found[0], words)
    uses = row_uses(words, block.variable)
    _check_columns(block, uses, written)
    columns = uses.columns
    edits = [
        (start, end, f"{block.variable}[{columns.index(name)}]")
        for start, end, name in uses.dotted
        if columns is not None
    ]
    body = without_prefix(tuple(words))
    counted = is_countable(body)
    begin = body[0].start if body else found[0].start
    edits.append((begin, begin, _unwind(block.variable, counted=counted)))
    query = _query(written, found[0], words, edits)
    if counted:
        query = replace(query, text=query.text + _ARRIVED, counted=True)
    plain = None if uses.shadowed else plain_load(body, block.variable)
    return Rows(query, block.source, columns, plain, order)


def _unwind(variable: str, *, counted: bool) -> str:
    """Return what stands before a body. Rows are counted by their index: equal rows count each."""
    if not counted:
        return f"UNWIND ${ROWS} AS {variable} "
    return f"UNWIND range(0, size(${ROWS}) - 1) AS {_INDEX} WITH {_INDEX}, ${ROWS}[{_INDEX}] AS {variable} "


def reset_of(rendering: Rendering) -> tuple[Query, ...]:
    """Make the statements of a rendered ``reset``; those that take ``$batch`` have a parameter of that name."""
    for piece in rendering.pieces:
        if isinstance(piece, RowBlock):
            hint = "Write statements; in batches: MATCH (n:Person) WITH n LIMIT $batch DETACH DELETE n"
            place = rendering.place(piece.template, piece.line)
            raise SeedFileError("A reset has no row blocks.", hint=hint, place=place, code="GM580")
    written = Written(rendering.pieces, rendering)
    found, words = read(written, BATCH)
    queries = [_query(written, statement, words) for statement in found]
    for statement, query in zip(found, queries, strict=True):
        if any(_names_batch(token) for token in _inside(statement, words)):
            query.parameters[BATCH] = 0
    return tuple(queries)


def _names_batch(token: Token) -> bool:
    return token.kind is TokenKind.PARAMETER and unquoted(token) == BATCH


def _check_columns(block: RowBlock, uses: RowUses, written: Written) -> None:
    known = block.source.columns
    if known is None or uses.shadowed:
        return
    for start, _, name in uses.dotted:
        if name not in known:
            raise no_column(block.source.label, name, known, "GM582", written.place(start))


def _query(
    written: Written, statement: Statement, words: Sequence[Token], edits: Sequence[tuple[int, int, str]] = ()
) -> Query:
    start, end = statement.start, statement.start + len(statement.text)
    _check_kind(statement, written)
    parameters: dict[str, Any] = {}
    replaced = list(edits)
    for index in range(bisect_left(written.starts, start), bisect_left(written.starts, end)):
        piece = written.pieces[index]
        if piece.kind == VALUE:
            name = f"p{len(parameters) + 1}"
            parameters[name] = piece.value
            replaced.append((written.starts[index], written.end(index), f"${name}"))
    relative = sorted((begin - start, stop - start, new) for begin, stop, new in replaced)
    text, made = edit_text(statement.text, relative)
    return Query(text, parameters, creates(_inside(statement, words)), written, start, made)


def _inside(statement: Statement, words: Sequence[Token]) -> list[Token]:
    """Return the tokens of a statement."""
    start, end = statement.start, statement.start + len(statement.text)
    first = bisect_left(words, start, key=lambda token: token.start)
    return list(words[first : bisect_left(words, end, key=lambda token: token.start)])


_REFUSED = {
    Kind.SCHEMA: "Constraints and indexes",
    Kind.SYSTEM: "Administration commands",
    Kind.AUTOCOMMIT: "CALL { … } IN TRANSACTIONS",
}


def _check_kind(statement: Statement, written: Written) -> None:
    message, hint, start = "", "", statement.start
    if shown := execution_prefix(statement.text):
        word, start = shown.text.upper(), start + shown.start
        effect = (
            "only shows a plan and changes nothing" if word == "EXPLAIN" else "shows a plan that nobody sees"
        )
        message, hint = f"A statement with {word} {effect}.", f"Delete the word {word}."
    elif statement.kind is not Kind.DATA:
        message = f"{_REFUSED[statement.kind]} cannot be part of a seed."
        hint = "Move it into a migration: graphmigrate new DESCRIPTION"
        if statement.kind is Kind.AUTOCOMMIT:
            hint = (
                "Use {% unwind row in … %}: it commits in batches, and resumes. Or move it into a migration."
            )
    if message:
        raise SeedFileError(message, hint=hint, place=written.place(start), code="GM106")
