"""Removing what a seed made, by the statements that its front matter names; each batch with its progress."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from graphmigrate.errors import SeedFailed
from graphmigrate.seeds.program import BATCH, Statements
from graphmigrate.seeds.seed_history import RESETTING
from graphmigrate.seeds.sending import Sending

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from graphmigrate.seeds.program import Query
    from graphmigrate.seeds.sending import Outcome

MOST_BATCHES = 100_000


def reset(
    queries: Sequence[Query],
    first: int,
    rows: int,
    commit: Callable[[dict[str, Any], Sending], Outcome],
) -> Counter[str]:
    """Run the statements from number ``first`` on; gives the server's counters.

    A statement that takes ``$batch`` is run with so many ``rows`` until it changes nothing more, the others
    once. ``commit`` commits one transaction with the progress it makes. Raises SeedFailed (GM532).
    """
    changes: Counter[str] = Counter()
    for number in range(first, len(queries)):
        query = queries[number]
        repeated = BATCH in query.parameters
        for batch in range(MOST_BATCHES):
            # Once more after the last change would do no harm, so only a statement's end is written down.
            done = number if repeated else number + 1
            outcome = commit(
                {"state": RESETTING, "part": done, "offset": batch, "rows": 0}, _sending(query, rows)
            )
            changes.update(outcome.changes)
            if not repeated or not outcome.changes:
                break
        else:
            raise SeedFailed(
                f"This statement still changed something after {MOST_BATCHES:,} batches.",
                hint="A reset in batches ends when nothing is left that it changes: DELETE, or match what is not"
                " changed yet. SET counts as a change even where the value stays the same.",
                place=query.place,
                code="GM532",
            )
    return changes


def _sending(query: Query, rows: int) -> Sending:
    if BATCH in query.parameters:
        query = replace(query, parameters={**query.parameters, BATCH: rows})
    return Sending(Statements((query,)), 0, 1, [[query]])
