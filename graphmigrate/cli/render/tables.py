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
    heads = [clean(each) for each in headers]
    columns = [_cleaned(column) for column in zip(*rows, strict=True)] or [[] for _ in heads]
    widths = _widths([[head, *column] for head, column in zip(heads, columns, strict=True)], style.width)
    laid = [
        _laid(
            column,
            width,
            right=head in right,
            paints=[row[number] for row in colors] if colors else None,
            style=style,
        )
        for number, (head, column, width) in enumerate(zip(heads, columns, widths, strict=True))
    ]
    first = [
        _laid([head], width, right=head in right, paints=["bold"], style=style)[0]
        for head, width in zip(heads, widths, strict=True)
    ]
    return [GAP.join(parts).rstrip() for parts in (first, *zip(*laid, strict=True))]


def _cleaned(column: Sequence[str]) -> list[str]:
    return list(column) if "".join(column).isprintable() else [clean(cell) for cell in column]


def _widths(columns: Sequence[Sequence[str]], width: int | None) -> list[int]:
    widths = [max(map(cells, column)) for column in columns]
    while width and sum(widths) + len(GAP) * (len(widths) - 1) > width:
        widest = max(range(len(widths)), key=widths.__getitem__)
        if widths[widest] <= NARROWEST:
            break
        widths[widest] -= 1
    return widths


def _laid(
    column: Sequence[str], width: int, *, right: bool, paints: Sequence[str | None] | None, style: Style
) -> list[str]:
    """Give each cell of a column in exactly its width."""
    if (
        style.width is None and "".join(column).isascii()
    ):  # nothing is cut or painted: ten thousand rows at once
        return [cell.rjust(width) if right else cell.ljust(width) for cell in column]
    laid = []
    for number, cell in enumerate(column):
        text = shorten(cell, width)
        room = " " * (width - cells(text))
        paint = paints[number] if paints else None
        painted = style.paint(text, paint) if paint else text
        laid.append(room + painted if right else painted + room)
    return laid
