"""What a campaign says: its table, and the page docs/reliability.md."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.chaos.arena import Tally

COLUMNS = (
    "fault",
    "points tried",
    "recovered by itself",
    "recovered by rerun",
    "double effects",
    "stuck",
    "not equal",
)


def table(tallies: Sequence[Tally]) -> str:
    lines = [f"| {' | '.join(COLUMNS)} |", f"| --- |{' ---: |' * (len(COLUMNS) - 1)}"]
    for each in tallies:
        numbers = (each.points, each.by_itself, each.by_rerun, each.doubles, each.stuck, each.unequal)
        lines.append(f"| {each.fault} | {' | '.join(f'{number:,}' for number in numbers)} |")
    return "\n".join(lines) + "\n"


def page(tallies: Sequence[Tally], facts: str) -> str:
    return f"""# Reliability: the fault campaign

Written by `make chaos`, from a run of {facts}

{table(tallies)}
What is done to it: the corpus in `tests/chaos/corpus.py` has migrations of every kind (guarded, unguarded and unnamed
DDL, drop and recreate under one name, data, mixed files, batches, statement mode, autocommit marked repeatable) over a few
thousand nodes; each data statement leaves a trace that shows how often it took effect. A proxy that reads Bolt's framing
does the harm at the k-th message in either direction. Where there are more messages than points, the points are spread
evenly over all of them, but for a record that follows a record of the same answer: these come last, because before each of them
the server has done the same.

*Recovered by itself*: the disturbed command, or the other runner of a race, reached the undisturbed end without another
command. *Recovered by rerun*: the same command, run once more, did. *Double effects*: a statement took effect twice.
*Stuck*: the rerun did not succeed. *Not equal*: graph, catalogue or ledger differ in the end from the undisturbed run's,
aside from run ids, hosts, times and durations.
"""
