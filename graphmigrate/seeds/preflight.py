"""Nothing is loaded until the server has agreed to every statement of every seed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from graphmigrate.errors import PreflightError, Problem
from graphmigrate.seeds.program import ROWS, Rows, Statements
from graphmigrate.seeds.seed_explain import explain
from graphmigrate.seeds.units import BLOCK

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from graphmigrate.database.connection import Database
    from graphmigrate.seeds.prepare import PreparedSeed
    from graphmigrate.seeds.program import Query


def _like_a_block(part: Rows) -> list[Any]:
    """Give as many empty rows as a block has: Neo4j keeps one plan for lists of about one size, and the load finds it there."""
    return [{} if part.columns is None else []] * BLOCK


def check(database: Database, seeds: Iterable[PreparedSeed]) -> None:
    """EXPLAIN every distinct statement; raises PreflightError (GM557) with all refusals, each at its line."""
    distinct: dict[str, tuple[Query, dict[str, Any]]] = {}
    for seed in seeds:
        for query in seed.reset:
            distinct.setdefault(query.text, (query, query.parameters))
        for part in seed.program.parts:
            if isinstance(part, Statements):
                for query in part.queries:
                    distinct.setdefault(query.text, (query, query.parameters))
            elif isinstance(part, Rows):
                distinct.setdefault(
                    part.query.text, (part.query, {**part.query.parameters, ROWS: _like_a_block(part)})
                )
    asked = list(distinct.values())
    answers = explain(database, [(query.text, parameters) for query, parameters in asked])
    problems = [
        Problem(
            "GM557",
            f"The server refuses this statement: {answer.message} [{answer.code}]",
            "Nothing was loaded. Mend the template and run again.",
            query.origin.place_of(*answer.position) if answer.position else query.place,
        )
        for (query, _), answer in zip(asked, answers, strict=True)
        if answer is not None
    ]
    if len(problems) == 1:
        only = problems[0]
        raise PreflightError(
            only.message, hint=only.hint, place=only.place, code=only.code, problems=problems
        )
    if problems:
        raise PreflightError(
            f"The server refuses {len(problems)} statements.", code="GM557", problems=problems
        )
