"""What a seed would send, to be looked at: each text once, with its parameters and its first rows."""

from __future__ import annotations

from itertools import groupby, islice
from typing import TYPE_CHECKING, Any

from graphmigrate.results import CheckedSeed, SeedShowResult, ShownStatement
from graphmigrate.seeding.problems import SeedFileError
from graphmigrate.seeding.program import Rows, Statements
from graphmigrate.seeding.values import parameter
from graphmigrate.seeding.variables import from_json

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from graphmigrate.seeding.preparation import PreparedSeed
    from graphmigrate.seeding.program import Query

HIDDEN = "***"
# Shorter ones are hidden where they are the whole text, but not inside other texts.
_SHORTEST = 4


def show(seed: PreparedSeed, rows: int) -> SeedShowResult:
    """Give every text that the seed sends, with the first ``rows`` rows of each block.

    Neighbouring statements of the same text are shown once, with the first one's parameters. What came from the
    environment is replaced by asterisks. Raises SeedFileError for a row that cannot be read.
    """
    statements: list[ShownStatement] = []
    for part in seed.program.parts:
        if isinstance(part, Statements):
            for _, alike in groupby(part.queries, key=lambda query: query.text):
                queries = list(alike)
                statements.append(_statement(queries[0], len(queries), seed.secrets))
        else:
            statements.append(_block(part, rows, seed.secrets))
    return SeedShowResult(
        seed.name,
        seed.file.file,
        seed.file.front.depends,
        hide(from_json(seed.variables), seed.secrets),
        tuple(statements),
    )


def _statement(query: Query, times: int, secrets: Sequence[str]) -> ShownStatement:
    place = query.place
    return ShownStatement(
        place.file, place.line, query.text, hide(query.parameters, secrets), times=times, rows_of=None
    )


def _block(part: Rows, rows: int, secrets: Sequence[str]) -> ShownStatement:
    place = part.query.place
    found = list(islice(_rows(part), rows))
    return ShownStatement(
        place.file,
        place.line,
        part.query.text,
        hide(part.query.parameters, secrets),
        times=None,
        rows_of=part.source.label,
        columns=part.columns or part.source.columns,
        rows=tuple(hide(found, secrets)),
        total=part.source.size,
    )


def _rows(part: Rows) -> Iterator[Any]:
    """Give each row as it would be sent, judged."""
    source = part.source
    for index, row in enumerate(source.values() if part.columns is None else source.lists(part.columns)):
        try:
            yield parameter(row)
        except SeedFileError as error:
            raise SeedFileError(
                f"Row {index + 1} of {source.label}: {error.message}",
                hint=error.hint,
                place=source.place(index) or part.query.place,
                code="GM553",
            ) from error


def judge(seed: PreparedSeed, *, rows: bool) -> CheckedSeed:
    """Count what the seed sends; with ``rows`` every row is read, and a bad one raises SeedFileError."""
    blocks = [part for part in seed.program.parts if isinstance(part, Rows)]
    total = sum(sum(1 for _ in _rows(block)) for block in blocks) if rows else seed.program.total_rows
    return CheckedSeed(seed.name, len(seed.program.queries) - len(blocks), len(blocks), total)


def hide(value: Any, secrets: Sequence[str]) -> Any:
    """Replace secrets in texts, however deep in lists and maps they are."""
    if not secrets:
        return value
    if isinstance(value, str):
        if value in secrets:
            return HIDDEN
        for secret in sorted(secrets, key=len, reverse=True):
            if len(secret) >= _SHORTEST:
                value = value.replace(secret, HIDDEN)
        return value
    if isinstance(value, dict):
        return {hide(key, secrets): hide(each, secrets) for key, each in value.items()}
    if type(value) in (list, tuple):
        return [hide(each, secrets) for each in value]
    return value
