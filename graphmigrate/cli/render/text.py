"""Results as lines of text."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from graphmigrate.cli.render.problems import problem_lines
from graphmigrate.cli.render.style import clean, shorten
from graphmigrate.cli.render.tables import table
from graphmigrate.errors import Severity
from graphmigrate.results import State

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import timedelta

    from graphmigrate.cli.render.style import Style
    from graphmigrate.errors import Problem
    from graphmigrate.results import (
        GraphSummary,
        PlannedMigration,
        PlannedStatement,
        PlanResult,
        RepairResult,
        SeedInfo,
        Status,
        Target,
    )

COLORS = {
    State.APPLIED: "green",
    State.PENDING: "blue",
    State.SKIPPED: "dim",
    State.CHANGED: "red",
    State.MISSING: "red",
    State.OUT_OF_ORDER: "red",
    State.INTERRUPTED: "yellow",
}


def duration(seconds: float) -> str:
    """Say how long something took, in the unit a person would use."""
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02} min" if hours else f"{minutes} min {rest:02} s"


def count(number: int, noun: str) -> str:
    """Say ``1 seed`` or ``2 seeds``."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def target_line(target: Target) -> str:
    """Name the database that was asked."""
    return clean(f"{target.uri}, database {target.database}, Neo4j {target.version} {target.edition}")


def status(result: Status, style: Style) -> list[str]:
    """Give the table of ``status``."""
    headers = ("VERSION", "DESCRIPTION", "STATE", "WHEN", "BY", "TIME")
    rows = [
        (
            row.version,
            row.description,
            row.state.value + (f" ({row.type})" if row.type == "baseline" else ""),
            row.installed_on.isoformat(" ", "seconds")[:19] if row.installed_on else "",
            row.installed_by or "",
            _elapsed(row.execution_time),
        )
        for row in result.rows
    ]
    if not rows:
        return []
    colors = (
        [(None, None, COLORS[row.state], None, None, None) for row in result.rows] if style.color else None
    )
    lines = table(headers, rows, style, right=("TIME",), colors=colors)
    return lines + [f"V{row.version}: {clean(row.detail)}" for row in result.rows if row.detail]


def _elapsed(time: timedelta | None) -> str:
    return "" if time is None else duration(time.total_seconds())


def status_counts(result: Status) -> str:
    """Say how many migrations are in which state."""
    counts = Counter(row.state for row in result.rows)
    said = [f"{counts[state]} {state.value}" for state in State if counts[state]]
    return f"{', '.join(said)}." if said else "There are no migrations."


def plan(result: PlanResult, style: Style) -> list[str]:
    """Give what ``plan`` shows: every statement with its place and kind, what is skipped, and every finding."""
    lines: list[str] = []
    for each in result.migrations:
        lines += _planned(each, style)
    lines += [
        clean(f"V{each.version} {each.description} is skipped: {each.reason}") for each in result.skipped
    ]
    return lines + findings(result.problems, style)


def refusal(problems: Iterable[Problem]) -> str | None:
    """Return how many problems would stop a run before it applies anything; None where there is none."""
    errors = sum(each.severity is Severity.ERROR for each in problems)
    return f"{count(errors, 'problem')}; nothing would be applied" if errors else None


def _planned(migration: PlannedMigration, style: Style) -> list[str]:
    resumed = f", from segment {migration.segment} of {migration.segments}" if migration.segment > 1 else ""
    title = style.paint(clean(f"V{migration.version} {migration.description}"), "bold")
    lines = [f"{title}  {clean(migration.file)}{resumed}"]
    room = max((len(str(each.line)) for each in migration.statements), default=1)
    for each in migration.statements:
        lines += _statement(each, room, style)
    return lines


def _statement(statement: PlannedStatement, room: int, style: Style) -> list[str]:
    """Give a statement whole when piped; on a terminal its first line."""
    head = f"  {statement.line:>{room}}  {statement.kind:<10}  "
    first, *more = [clean(each) for each in statement.text.replace("\t", "  ").splitlines()] or [""]
    if style.width is None:
        return [head + first, *(" " * len(head) + each for each in more)]
    rest = f" … ({count(len(more), 'more line')})" if more else ""
    return [head + shorten(first, max(20, style.width - len(head) - len(rest))) + style.paint(rest, "dim")]


def findings(problems: Iterable[Problem], style: Style) -> list[str]:
    """Give every finding, one after the other."""
    return [line for each in problems for line in problem_lines(each, style)]


def repair(result: RepairResult, style: Style) -> list[str]:
    """Give each disagreement with its resolution."""
    lines = []
    for each in result.actions:
        mark = style.paint("done", "green") if each.done else style.paint("open", "yellow")
        lines.append(f"{mark}  V{each.version} {clean(each.description)}: {clean(each.finding)}")
        lines.append(f"      {clean(each.resolution)}")
    return lines


def seed_list(seeds: Sequence[SeedInfo], style: Style) -> list[str]:
    """Give the table of ``seed list``."""
    if not seeds:
        return []
    headers = ["NAME", "DESCRIPTION", "PROFILES", "DEPENDS ON", "VARIABLES"]
    rows = [
        [each.name, each.description, ", ".join(each.profiles), ", ".join(each.depends), _set(each)]
        for each in seeds
    ]
    if any(each.state for each in seeds):
        headers.insert(1, "STATE")
        for row, each in zip(rows, seeds, strict=True):
            row.insert(1, each.state or "")
    return table(headers, rows, style)


def _set(seed: SeedInfo) -> str:
    return " ".join(f"{name}={value}" for name, value in seed.variables.items())


def graph(result: GraphSummary, style: Style) -> list[str]:
    """Give the counts per label and relationship type."""
    lines: list[str] = []
    for title, counts in (("LABEL", result.labels), ("RELATIONSHIP TYPE", result.relationship_types)):
        rows = [(name, f"{number:,}") for name, number in sorted(counts.items())]
        if rows:
            lines += ["", *table((title, "COUNT"), rows, style, right=("COUNT",))]
    return lines[1:] or ["The graph is empty."]


def rows_of(columns: Sequence[str], rows: Sequence[Sequence[Any]], style: Style) -> list[str]:
    """Give a query's result as a table."""
    from graphmigrate.cli.render.json import plain

    values = [[plain(each) for each in row] for row in rows]
    numbers = [
        name
        for index, name in enumerate(columns)
        if all(isinstance(row[index], (int, float)) and not isinstance(row[index], bool) for row in values)
    ]
    return table(columns, [[cell(each, style) for each in row] for row in values], style, right=numbers)


def cell(value: Any, style: Style) -> str:
    """Show one value of a query's result; a terminal gets rounded numbers."""
    if value is None:
        return "null"
    if isinstance(value, str):
        return value
    if isinstance(value, float):
        return f"{value:.6g}" if style.width and abs(value) < 1e6 else str(value)
    from json import dumps

    return dumps(value, ensure_ascii=False)
