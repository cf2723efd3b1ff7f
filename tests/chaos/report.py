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
        points = f"{each.points:,}" + (f" of {each.messages:,}" if each.messages else "")
        numbers = (each.by_itself, each.by_rerun, each.doubles, each.stuck, each.unequal)
        lines.append(f"| {each.fault} | {points} | {' | '.join(f'{number:,}' for number in numbers)} |")
    return "\n".join(lines) + "\n"


def page(tallies: Sequence[Tally], facts: str) -> str:
    return f"""# Reliability: the fault campaign

Written by `make chaos`, from a run of {facts}

{table(tallies)}
What is done to it: the corpus in `tests/chaos/corpus.py` has migrations of every kind (guarded, unguarded and unnamed
DDL, drop and recreate under one name, data, mixed files, batches, statement mode, autocommit marked repeatable) over a few
thousand nodes; each data statement leaves a trace that shows how often it took effect. A proxy that reads Bolt's framing
does the harm at the k-th message in either direction. Kills and cuts of all connections go through the corpus in five smaller
projects, and undo, a run after it and a squash have projects of their own: there every message is a point ("n of m"), but for a
record that follows a record of the same answer, before which the server has done the same. The others try points that are spread
evenly over the messages of the whole corpus.

*Recovered by itself*: the disturbed command, or the other runner of a race, reached the undisturbed end without another
command. *Recovered by rerun*: the same command, run once more, did. *Double effects*: a statement took effect twice.
*Stuck*: the rerun did not succeed. *Not equal*: graph, catalogue or ledger differ in the end from the undisturbed run's,
aside from run ids, hosts, times and durations.
"""
