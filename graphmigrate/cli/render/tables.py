"""Tables: aligned, whole when piped, fitted to a terminal's width."""

from __future__ import annotations

from typing import TYPE_CHECKING

from graphmigrate.cli.render.style import Style, cells, clean, shorten

if TYPE_CHECKING:
    from collections.abc import Sequence

GAP = "  "
NARROWEST = 6


def table(
    headers: Sequence[str],
    rows: Sequence[Sequence[str]],
    style: Style,
    *,
    right: Sequence[str] = (),
    colors: Sequence[Sequence[str | None]] | None = None,
) -> list[str]:
    """Lay out a table; columns named in ``right`` are aligned there, ``colors`` paints single cells."""
    body = [[clean(cell) for cell in row] for row in rows]
    heads = [clean(each) for each in headers]
    widths = _widths([heads, *body], style.width)
    lines = [_line(heads, widths, heads, right, [style.paint("{}", "bold")] * len(heads))]
    for number, row in enumerate(body):
        paints = [style.paint("{}", each) if each else "{}" for each in colors[number]] if colors else None
        lines.append(_line(row, widths, heads, right, paints or ["{}"] * len(row)))
    return lines


def _widths(rows: Sequence[Sequence[str]], width: int | None) -> list[int]:
    widths = [max(map(cells, column)) for column in zip(*rows, strict=True)]
    while width and sum(widths) + len(GAP) * (len(widths) - 1) > width:
        widest = max(range(len(widths)), key=widths.__getitem__)
        if widths[widest] <= NARROWEST:
            break
        widths[widest] -= 1
    return widths


def _line(
    row: Sequence[str],
    widths: Sequence[int],
    heads: Sequence[str],
    right: Sequence[str],
    paints: Sequence[str],
) -> str:
    parts = []
    for cell, width, head, paint in zip(row, widths, heads, paints, strict=True):
        taken = cells(cell)
        text = cell if taken <= width else shorten(cell, width)
        room = " " * (width - (taken if text is cell else cells(text)))
        painted = paint.replace("{}", text)
        parts.append(room + painted if head in right else painted + room)
    return GAP.join(parts).rstrip()
