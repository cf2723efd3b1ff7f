"""Checks before a load: the server agrees to every statement, and every row can be read."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from graphmigrate.cypher.clauses import judge
from graphmigrate.database.catalogue import read_catalogue
from graphmigrate.database.failures import code_of, message_of, position_of
from graphmigrate.database.guard import allowed_names, any_label
from graphmigrate.database.preflight import explain_all
from graphmigrate.errors import PreflightError, Problem, Severity, raise_all
from graphmigrate.results import CheckedSeed
from graphmigrate.schema.model import ObjectType
from graphmigrate.schema.render import identifier
from graphmigrate.seeds.errors import SeedFileError
from graphmigrate.seeds.program import BATCH, ROWS, Rows, Statements
from graphmigrate.seeds.values import parameter

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from graphmigrate.database.connection import Database
    from graphmigrate.seeds.prepare import PreparedSeed
    from graphmigrate.seeds.program import Query


def check_statements(database: Database, seeds: Iterable[PreparedSeed]) -> None:
    """EXPLAIN every distinct statement. Raises PreflightError (GM201) with all refusals, each at its line."""
    seeds = list(seeds)
    refused = list(_reaching_ours(seeds, allowed_names(database.settings.allow)))
    raise_all(refused, PreflightError, "{count} statements may reach graphmigrate's own nodes.", code="GM520")
    size = database.settings.batch_rows
    asked = list({query.text: (query, more) for query, more in _queries(seeds, size)}.values())
    answers = explain_all(
        database, [(query.text, {**query.parameters, **parameters}) for query, parameters in asked]
    )
    problems = [
        _refusal(query, answer)
        for (query, _), answer in zip(asked, answers, strict=True)
        if isinstance(answer, Exception)
    ]
    raise_all(problems, PreflightError, "The server refuses {count} statements.", code="GM201")


def keys_without_index(database: Database, seeds: Iterable[PreparedSeed]) -> list[Problem]:
    """Return a warning (GM557) for each key of a plain load that no constraint or index finds, with the constraint to make."""
    looked_up: dict[tuple[frozenset[str], frozenset[str]], Query] = {}
    for seed in seeds:
        for part in seed.program.parts:
            if isinstance(part, Rows) and part.plain:
                for each in part.plain.lookups:
                    looked_up.setdefault((each.labels, frozenset(each.columns)), part.query)
    if not looked_up:
        return []
    indexed = [
        (entry.object.labels[0], frozenset(entry.object.properties))
        for entry in read_catalogue(database).indexes.values()
        if entry.object.entity == "node" and entry.object.type in {ObjectType.RANGE, ObjectType.TEXT}
    ]
    return [
        _without_index(labels, names, query)
        for (labels, names), query in looked_up.items()
        if not any(label in labels and properties <= names for label, properties in indexed)
    ]


def _without_index(labels: Iterable[str], names: Iterable[str], query: Query) -> Problem:
    label, properties = min(labels), sorted(names)
    shown = ", ".join(map(identifier, properties))
    wanted = ", ".join(f"n.{identifier(name)}" for name in properties)
    name = re.sub(r"\W+", "_", "_".join([label, *properties])).lower()
    return Problem(
        "GM557",
        f"No constraint or index finds (:{identifier(label)} {{{shown}}}): each row reads every {label} that there is.",
        f"Put into a migration: CREATE CONSTRAINT {identifier(name)} FOR (n:{identifier(label)})"
        f" REQUIRE {wanted if len(properties) == 1 else f'({wanted})'} IS UNIQUE;",
        query.place,
        severity=Severity.WARNING,
    )


def _reaching_ours(seeds: Iterable[PreparedSeed], allowed: Collection[str]) -> Iterator[Problem]:
    """Yield the refusal of each row block, and each reset in batches, that may reach nodes of any label."""
    for seed in seeds:
        blocks = [(part.query, "batch of rows") for part in seed.program.parts if isinstance(part, Rows)]
        resets = [(query, "batch") for query in seed.reset if BATCH in query.parameters]
        for query, batches in blocks + resets:
            if seed.name not in allowed and judge(query.text).refused:
                yield any_label(query.text, query.place, seed.name, batches=batches, allowed=False)


def _queries(seeds: Iterable[PreparedSeed], size: int) -> Iterator[tuple[Query, dict[str, Any]]]:
    """Yield each query with the rows of a whole batch: Neo4j plans for lists of about one size, and keeps the plan."""
    for seed in seeds:
        for part in (Statements(seed.reset), *seed.program.parts):
            if isinstance(part, Rows):
                yield part.query, {ROWS: [{} if part.columns is None else []] * size}
            else:
                yield from ((query, {}) for query in part.queries)


def _refusal(query: Query, error: Exception) -> Problem:
    position, place = position_of(error), query.place
    if position:
        line, column = position
        place = query.origin.place_of(line - 1, column)  # the first line is that of EXPLAIN
    return Problem(
        "GM201",
        f"The server refuses this statement: {message_of(error)} [{code_of(error)}]",
        "Nothing was loaded. Fix the template and run again.",
        place,
    )


def check_seed(seed: PreparedSeed, *, rows: bool) -> CheckedSeed:
    """Count what the seed sends; with ``rows`` every row is read, and a bad one raises SeedFileError."""
    blocks = [part for part in seed.program.parts if isinstance(part, Rows)]
    total = sum(sum(1 for _ in checked_rows(each)) for each in blocks) if rows else seed.program.total_rows
    return CheckedSeed(seed.name, len(seed.program.queries) - len(blocks), len(blocks), total)


def checked_rows(part: Rows) -> Iterator[Any]:
    """Yield each row as it would be sent. Raises SeedFileError (GM553) for one that cannot be sent."""
    for index, row in enumerate(part.rows()):
        try:
            yield parameter(row)
        except SeedFileError as error:
            raise SeedFileError(
                f"Row {index + 1} of {part.source.label}: {error.message}",
                hint=error.hint,
                place=part.source.place(index) or part.query.place,
                code="GM553",
            ) from error
