"""What a seed would send, and what was found right, as lines of text."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from graphmigrate.cli.render.json import plain
from graphmigrate.cli.render.style import clean
from graphmigrate.cli.render.tables import table

if TYPE_CHECKING:
    from graphmigrate.cli.render.style import Style
    from graphmigrate.results import SeedCheckResult, SeedShowResult, ShownStatement

_LONGEST = 500


def checked(result: SeedCheckResult, style: Style) -> list[str]:
    """Give the table of ``seed check``."""
    rows = [
        (each.name, f"{each.statements:,}", f"{each.blocks:,}", "" if each.rows is None else f"{each.rows:,}")
        for each in result.seeds
    ]
    numbers = ("STATEMENTS", "ROW BLOCKS", "ROWS")
    return table(("NAME", *numbers), rows, style, right=numbers) if rows else []


def shown(result: SeedShowResult, style: Style) -> list[str]:
    """Give the statements of ``seed show``; all but the Cypher itself is in comments."""
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
    return clean(text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…")
