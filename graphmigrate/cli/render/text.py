"""Results as lines of text."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Any

from graphmigrate.cli.render.json import plain
from graphmigrate.cli.render.style import clean, count, duration, problem_lines, shorten, table
from graphmigrate.errors import Severity
from graphmigrate.results import Health, State, titled, version_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import timedelta

    from graphmigrate.cli.render.style import Style
    from graphmigrate.errors import Problem
    from graphmigrate.results import (
        Checkup,
        ExecutedStatement,
        GraphSummary,
        PlannedMigration,
        PlannedStatement,
        PlanResult,
        RepairResult,
        SeedCheckResult,
        SeedInfo,
        SeedShowResult,
        ShownStatement,
        Status,
        Target,
    )

LONGEST_VALUE = 500
COLORS = {
    State.APPLIED: "green",
    State.PENDING: "blue",
    State.SKIPPED: "dim",
    State.CHANGED: "red",
    State.MISSING: "red",
    State.OUT_OF_ORDER: "red",
    State.INTERRUPTED: "yellow",
    State.FAILED: "red",
    State.UNDONE: "blue",
}


def target_line(target: Target) -> str:
    """Name the database that was asked."""
    return clean(f"{target.uri}, database {target.database}, Neo4j {target.version} {target.edition}")


def status(result: Status, style: Style) -> list[str]:
    """Return the table of ``status``."""
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
    return lines + [f"{version_name(row.version)}: {clean(row.detail)}" for row in result.rows if row.detail]


def _elapsed(time: timedelta | None) -> str:
    return "" if time is None else duration(time.total_seconds())


def status_counts(result: Status) -> str:
    """Say how many migrations are in which state."""
    counts = Counter(row.state for row in result.rows)
    said = [f"{counts[state]} {state.value}" for state in State if counts[state]]
    return f"{', '.join(said)}." if said else "There are no migrations."


def plan(result: PlanResult, style: Style) -> list[str]:
    """Return what ``plan`` shows: every statement with its place and kind, what is skipped, and every finding."""
    lines: list[str] = [clean(f"{name} runs around the migrations") for name in result.callbacks]
    for each in result.migrations:
        lines += _planned(each, style)
    lines += [
        clean(f"{titled(each.version, each.description)} is skipped: {each.reason}")
        for each in result.skipped
    ]
    lines += [clean(executed(each)) for each in result.executed]
    return lines + findings(result.problems, style)


def executed(tried: ExecutedStatement) -> str:
    """Return what a statement would change: ``V7 statement 2: 12,345 properties``."""
    changes = [
        f"{number:,} {name.removesuffix('_set').replace('_', ' ')}"
        for name, number in (tried.changes or {}).items()
    ]
    return f"{version_name(tried.version)} statement {tried.number}: {tried.note or ', '.join(changes) or 'no changes'}"


def refusal(problems: Iterable[Problem]) -> str | None:
    """Return how many problems would stop a run before it applies anything; None where there is none."""
    errors = sum(each.severity is Severity.ERROR for each in problems)
    return f"{count(errors, 'problem')}; nothing would be applied" if errors else None


def _planned(migration: PlannedMigration, style: Style) -> list[str]:
    title = style.paint(clean(titled(migration.version, migration.description)), "bold")
    lines = [f"{title}  {clean(migration.file)}{committed(migration)}"]
    room = max((len(str(each.line)) for each in migration.statements), default=1)
    for each in migration.statements:
        lines += _statement(each, room, style)
    return lines


def committed(migration: PlannedMigration) -> str:
    """Return what of a planned migration is committed already, and that it was undone before; nothing where neither is so."""
    again = f", applied again (@{migration.application})" if migration.application > 1 else ""
    if not migration.committed:
        return again
    some = f"statements 1 to {migration.committed} are" if migration.committed > 1 else "statement 1 is"
    return f"{again}, {some} committed"


def _statement(statement: PlannedStatement, room: int, style: Style) -> list[str]:
    """Return a statement whole when piped; on a terminal its first line."""
    head = f"  {statement.line:>{room}}  {statement.kind:<10}  "
    first, *more = [clean(each) for each in statement.text.replace("\t", "  ").splitlines()] or [""]
    cost = [style.paint(f"{' ' * len(head)}({statement.hazard})", "yellow")] if statement.hazard else []
    if style.width is None:
        return [head + first, *(" " * len(head) + each for each in more), *cost]
    rest = f" … ({count(len(more), 'more line')})" if more else ""
    line = head + shorten(first, max(20, style.width - len(head) - len(rest))) + style.paint(rest, "dim")
    return [line, *cost]


def findings(problems: Iterable[Problem], style: Style) -> list[str]:
    """Return every finding, one after the other."""
    return [line for each in problems for line in problem_lines(each, style)]


def repair(result: RepairResult, style: Style) -> list[str]:
    """Return each disagreement with its resolution."""
    lines = []
    for each in result.actions:
        mark = style.paint("done", "green") if each.done else style.paint("open", "yellow")
        name = each.version if each.version == "ledger" else clean(titled(each.version, each.description))
        lines.append(f"{mark}  {name}: {clean(each.finding)}")
        lines += [f"      {clean(each.resolution)}"] if each.resolution else []
    return lines


def seed_list(seeds: Sequence[SeedInfo], style: Style) -> list[str]:
    """Return the table of ``seed list``."""
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
    """Return the counts per label and relationship type."""
    lines: list[str] = []
    for title, counts in (("LABEL", result.labels), ("RELATIONSHIP TYPE", result.relationship_types)):
        rows = [(name, f"{number:,}") for name, number in sorted(counts.items())]
        if rows:
            lines += ["", *table((title, "COUNT"), rows, style, right=("COUNT",))]
    return lines[1:] or ["The graph is empty."]


def rows_of(columns: Sequence[str], rows: Sequence[Sequence[Any]], style: Style) -> list[str]:
    """Return a query's result as a table."""
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
    return json.dumps(value, ensure_ascii=False)


def checks(checkup: Checkup, style: Style) -> list[str]:
    """Return one line a check, and one that says how to fix what was found."""
    colors = {Health.OK: "green", Health.FINDING: "yellow", Health.FAILED: "red", Health.SKIPPED: "dim"}
    room = max(len(each.name) for each in checkup.checks)
    shown = []
    for each in checkup.checks:
        word = style.paint(f"{each.health.value:<7}", colors[each.health])
        code = f" [{each.code}]" if each.code else ""
        shown.append(f"{word}  {each.name:<{room}}  {clean(each.message)}{code}")
        if each.hint:
            shown.append(f"{' ' * (room + 11)}{style.paint('hint:', 'bold')} {clean(each.hint)}")
    return shown


# ---- seeds


def seed_checks(result: SeedCheckResult, style: Style) -> list[str]:
    """Return the table of ``seed check``."""
    rows = [
        (each.name, f"{each.statements:,}", f"{each.blocks:,}", "" if each.rows is None else f"{each.rows:,}")
        for each in result.seeds
    ]
    numbers = ("STATEMENTS", "ROW BLOCKS", "ROWS")
    return table(("NAME", *numbers), rows, style, right=numbers) if rows else []


def seed_text(result: SeedShowResult, style: Style) -> list[str]:
    """Return the statements of ``seed show``; all but the Cypher itself is in comments."""
    lines = []
    for statement in result.statements:
        head = f"// {clean(statement.file)}:{statement.line}{_times(statement)}"
        lines += ["", style.paint(head, "dim"), *_cypher(statement)]
        lines += [style.paint(f"// {each}", "dim") for each in _values(statement)]
    return lines[1:]


def _times(statement: ShownStatement) -> str:
    return f", sent {statement.times:,} times" if (statement.times or 1) > 1 else ""


def _cypher(statement: ShownStatement) -> list[str]:
    lines = [line.rstrip() for line in statement.cypher.split("\n")]
    lines[-1] += "\n;" if "//" in lines[-1] else ";"
    return [line.replace("\x1b", "\\x1b") for line in lines]


def _values(statement: ShownStatement) -> list[str]:
    first = " (the first time)" if (statement.times or 1) > 1 else ""
    lines = [f"${name}{first}: {_written(value)}" for name, value in statement.parameters.items()]
    if statement.rows_of is not None:
        total = "" if statement.total is None else f" of {statement.total:,}"
        columns = f", as lists of {', '.join(statement.columns or ())}" if _as_lists(statement) else ""
        lines.append(
            clean(f"$rows: the first {len(statement.rows):,}{total} rows of {statement.rows_of}{columns}")
        )
        lines += [f"  {_written(row)}" for row in statement.rows]
    return lines


def _as_lists(statement: ShownStatement) -> bool:
    return bool(statement.columns) and all(isinstance(row, list) for row in statement.rows)


def _written(value: Any) -> str:
    text = json.dumps(plain(value), ensure_ascii=False)
    return clean(text if len(text) <= LONGEST_VALUE else f"{text[: LONGEST_VALUE - 1]}…")
